"""The logs of containers, line by line. Called by ``kubectl swarm``; reads only."""

from __future__ import annotations

import asyncio
import codecs
from typing import AsyncIterator, Optional

import aiohttp

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import PODS

#: A line that goes on for longer is given out in pieces.
_LONGEST_LINE = 65536


async def log_lines(
    connection: Connection,
    namespace: str,
    pod: str,
    container: str,
    *,
    follow: bool = False,
    previous: bool = False,
    tail: Optional[int] = None,
) -> AsyncIterator[str]:
    """The log of a container, line by line, without line ends.

    :param follow: go on until the container ends.
    :param previous: of the container that ran before this one in the same pod.
    :param tail: only the last so many lines.

    Raises errors.ClusterError: NotFound, or Invalid where there is no such container.
    """
    query = {"container": container}
    query.update({"follow": "true"} if follow else {})
    query.update({"previous": "true"} if previous else {})
    query.update({"tailLines": str(tail)} if tail is not None else {})
    response = await connection.stream(
        "GET",
        PODS.path(namespace, pod, "log"),
        query=query,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
    )
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    async with response:
        try:
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + decoder.decode(chunk)).split("\n")
                for line in lines:
                    yield line
                if len(rest) > _LONGEST_LINE:
                    yield rest
                    rest = ""
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise errors.Unavailable(f"the log of {pod} broke off: {error}") from error
    if rest:
        yield rest
