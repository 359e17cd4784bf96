"""The HTTP session that kopf gets from us, so that it hears of news only.

Made by kopf's login handler, which may return a session of one's own. Two things are done
with the answers before kopf reads them:

- From a watch, what the cache has already is taken out: mostly the echo of our own writes.
  kopf does for every event what it would do for any operator (a queue, a task, a memory
  and three loggers an object, the arguments of handlers), about thirty times what the
  event itself costs; an echo changes nothing, whoever tells of it. In its place comes a
  bookmark, so that kopf takes up a watch where it really was.
- A list makes kopf forget what it was told before, but it does not say what vanished. The
  kind is put into doubt, and listed by the sweep at once.
"""

from __future__ import annotations

import json
from typing import Any, AsyncIterator, Iterable, Optional, cast

import aiohttp
import kopf
from pydantic_core import from_json

from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import PEOPLE, AnyResource
from kiro_swarm.reconcile.engine.context import Context

#: kopf before 1.42 makes its own session: it hears of everything, at its price.
SUPPORTED = hasattr(kopf, "AiohttpSession")


def session_of(info: kopf.ConnectionInfo, ctx: Context) -> kopf.AiohttpSession:
    """Credentials as a session; kopf closes it, and asks anew when they are refused."""

    async def middleware(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        answer = await send(request)
        resource = _collection(request)
        if resource is None or answer.status != 200:
            return answer
        if request.url.query.get("watch") == "true":
            news = News(answer.content, resource, ctx.cache)
            answer.content = cast(aiohttp.StreamReader, news)
        else:
            ctx.doubts.add(resource)
        return answer

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        middlewares=(middleware,),
    )
    return kopf.AiohttpSession(
        aiohttp_session=session,
        server=info.server,
        default_namespace=info.default_namespace,
        priority=info.priority,
        expiration=info.expiration,
    )


def _collection(request: aiohttp.ClientRequest) -> Optional[AnyResource]:
    """Whose list or watch is asked for; a server may have a path before ours."""
    if request.method != "GET":
        return None
    path = request.url.path
    return next((one for one in PEOPLE if path.endswith(one.path())), None)


class News:
    """The body of a watch without what the cache knows.

    Stands in for the reader of a response: kopf takes chunks; all else is as it was.
    """

    def __init__(
        self, content: aiohttp.StreamReader, resource: AnyResource, cache: Cache
    ) -> None:
        self._content, self._resource, self._cache = content, resource, cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The chunks, each of whole lines."""
        rest = b""
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                yield b"".join(line + b"\n" for line in self._new(lines))
        if rest:
            yield rest

    def _new(self, lines: Iterable[bytes]) -> Iterable[bytes]:
        """What is new, and a bookmark where the last of it is not."""
        passed: Optional[str] = None
        for line in lines:
            version = self._version_if_known(line)
            if version is None:
                yield line
            passed = version
        if passed is not None:
            yield _bookmark(self._resource, passed)

    def _version_if_known(self, line: bytes) -> Optional[str]:
        try:
            event = from_json(line)
            if event["type"] not in ("ADDED", "MODIFIED"):
                return None  # what is deleted, kopf has to forget as well
            item = event["object"]
            known = self._cache.knows(self._resource, item)
            return str(item["metadata"]["resourceVersion"]) if known else None
        except (ValueError, KeyError, TypeError):
            return None  # whatever this is, kopf knows how to complain


def _bookmark(resource: AnyResource, version: str) -> bytes:
    item = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"resourceVersion": version},
    }
    return json.dumps({"type": "BOOKMARK", "object": item}).encode()
