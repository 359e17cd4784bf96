"""Fresh API servers, operators on them, and a bare client, for the benchmarks.

Every measured run gets an API server of its own: what one run leaves behind (terminating
pods, compaction, caches) disturbs the next one for a minute.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any, AsyncGenerator, AsyncIterator, Iterator, Optional, Set

import aiohttp
import yaml

from tests.cluster.chart import install_crds
from tests.support.cluster import Cluster, hack_cluster, up
from tests.support.operator import OperatorProcess

Object = Any
MERGE = "application/merge-patch+json"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@contextlib.contextmanager
def fresh_server(*components: str) -> Iterator[Cluster]:
    """etcd and kube-apiserver with our kinds, and the components asked for beside them."""
    name = f"test-api-{os.getpid()}-bench"
    options = [f"--components={','.join(components)}"] if components else []
    server = up(name, "--control-plane-only", "--audit", *options)
    try:
        install_crds(server)
        yield server
    finally:
        hack_cluster("down", "--name", name)


@contextlib.contextmanager
def running_operator(server: Cluster, *options: str) -> Iterator[OperatorProcess]:
    """The operator, started; it is killed at the end, with its API server."""
    with tempfile.TemporaryDirectory(prefix="kiro-swarm-bench-") as folder:
        process = OperatorProcess(
            server.kubeconfig,
            Path(folder) / "operator.log",
            *options,
            measured=True,
        )
        process.start()
        try:
            yield process
            if "Traceback" in process.text():
                raise AssertionError(process.text())
        finally:
            process.kill()


class Bare:
    """aiohttp and nothing else: what any client of the API server has to pay."""

    def __init__(self, session: aiohttp.ClientSession, host: str) -> None:
        self._session = session
        self._host = host

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, kubeconfig: Path, agent: str) -> AsyncIterator[Bare]:
        """A client with the credentials of a kubeconfig that carries certificates."""
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(
            cadata=_pem(cluster, "certificate-authority")
        )
        with tempfile.TemporaryDirectory(prefix="kiro-swarm-bench-") as folder:
            pair = Path(folder) / "client.pem"
            pair.touch(mode=0o600)
            pair.write_text(_pem(user, "client-certificate") + _pem(user, "client-key"))
            context.load_cert_chain(pair)
        connector = aiohttp.TCPConnector(ssl=context, limit=128)
        async with aiohttp.ClientSession(
            connector=connector, headers={"User-Agent": agent}
        ) as session:
            yield cls(session, cluster["server"])

    async def post(self, path: str, body: Object) -> Object:
        """Create an object; the answer."""
        return await self._send("POST", path, body, "application/json")

    async def patch(self, path: str, body: Object) -> Object:
        """Merge-patch an object; the answer."""
        return await self._send("PATCH", path, body, MERGE)

    async def get(self, path: str) -> Object:
        """An object or a list."""
        return await self._send("GET", path, None, "application/json")

    async def _send(
        self, method: str, path: str, body: Optional[Object], kind: str
    ) -> Object:
        data = None if body is None else json.dumps(body)
        async with self._session.request(
            method, self._host + path, data=data, headers={"Content-Type": kind}
        ) as response:
            answer: Object = json.loads(await response.read())
            if response.status >= 400:
                raise AssertionError(f"{method} {path}: {answer.get('message')}")
            return answer

    async def watch(self, path: str, *, whole: bool) -> AsyncGenerator[Object, None]:
        """Events from now on; only the metadata of the objects unless ``whole``.

        A busy API server ends a watch that it cannot feed in time: it is taken up again
        where it was.
        """
        version = (await self.get(f"{path}?limit=1"))["metadata"]["resourceVersion"]
        headers = {} if whole else {"Accept": _METADATA}
        yield {}  # from here on nothing is missed
        while True:
            async with self._session.get(
                f"{self._host}{path}?watch=true&resourceVersion={version}",
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None),
            ) as response:
                if response.status == 429:  # the kind is new: its cache fills
                    await asyncio.sleep(0.2)
                    continue
                response.raise_for_status()
                buffer = b""
                async for chunk in response.content.iter_any():
                    *lines, buffer = (buffer + chunk).split(b"\n")
                    for event in map(json.loads, lines):
                        version = event["object"]["metadata"]["resourceVersion"]
                        yield event


async def count_added(
    events: AsyncIterator[Object], prefix: str, beside: str, count: int
) -> float:
    """Loop time at which ``count`` objects whose names begin so had been added.

    Names that contain ``beside`` do not count.
    """
    loop = asyncio.get_running_loop()
    seen: Set[str] = set()
    async for event in events:
        if event["type"] == "ADDED":
            name = event["object"]["metadata"]["name"]
            if name.startswith(prefix) and beside not in name:
                seen.add(name)
            if len(seen) >= count:
                return loop.time()
    raise AssertionError(f"the watch ended at {len(seen)} of {count} objects")


def _pem(section: Object, key: str) -> str:
    """Text of a certificate or key, from the kubeconfig or from the file it names."""
    if f"{key}-data" in section:
        return base64.b64decode(section[f"{key}-data"]).decode()
    return Path(section[key]).read_text()
