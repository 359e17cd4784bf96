"""The HTTP session that kopf gets from us, so that it hears of news only.

Made by kopf's login handler, which may return a session of one's own. Three things are done
with the answers before kopf reads them:

- From a watch, what the cache has already is taken out: mostly the echo of our own writes.
  kopf does for every event what it would do for any operator (a queue, a task, a memory
  and three loggers an object, the arguments of handlers), about thirty times what the
  event itself costs; an echo changes nothing, whoever tells of it. In its place comes a
  bookmark, so that kopf takes up a watch where it really was.
- An error within a watch that is not 410, or a line that is cut off, would end the whole
  process. Kopf is told 410 instead, after a pause: it lists, and watches from there.
- A list makes kopf forget what it was told before, but it does not say what vanished. The
  kind is put into doubt, and listed by the sweep at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from typing import Any, AsyncIterator, Iterable, Optional, cast

import aiohttp
import kopf
from pydantic_core import from_json

from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import PEOPLE, AnyResource
from kiro_swarm.reconcile.engine.context import Context

#: kopf before 1.42 makes its own session: it hears of everything, at its price.
SUPPORTED = hasattr(kopf, "AiohttpSession")
#: What makes kopf list a kind, and watch it from there.
_GONE = b'{"type": "ERROR", "object": {"kind": "Status", "code": 410}}\n'

log = logging.getLogger(__name__)


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
            ctx.unheard.add(resource)
        return answer

    trust = info.as_ssl_context()
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as in ``cluster.connection``
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trust),
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
        self,
        content: aiohttp.StreamReader,
        resource: AnyResource,
        cache: Cache,
        pause_seconds: float = 1.0,
    ) -> None:
        self._content, self._resource, self._cache = content, resource, cache
        self._pause_seconds = pause_seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """The chunks, each of whole lines; none after an error."""
        rest = b""
        async for chunk in self._content.iter_chunked(size):
            *lines, rest = (rest + chunk).split(b"\n")
            told, trouble = self._read(lines)
            if told:
                yield told
            if trouble is not None:
                break
        else:
            told, trouble = self._read([rest])
            if told:
                yield told
        if trouble is not None:
            log.warning("watch of %s: %s", self._resource.plural, trouble[:1024])
            await asyncio.sleep(self._pause_seconds)
            yield _GONE

    def _read(self, lines: Iterable[bytes]) -> tuple[bytes, Optional[bytes]]:
        """What is new, with a bookmark where the last of it is not; and a line of trouble."""
        told: list[bytes] = []
        passed: Optional[str] = None
        trouble: Optional[bytes] = None
        for line in filter(None, lines):
            event = _event(line)
            if event is None:
                trouble = line
                break
            version = self._version_if_known(event)
            if version is None:
                told.append(line)
            passed = version
        if passed is not None:
            told.append(_bookmark(self._resource, passed))
        return b"".join(line + b"\n" for line in told), trouble

    def _version_if_known(self, event: Any) -> Optional[str]:
        try:
            if event["type"] not in ("ADDED", "MODIFIED"):
                return None  # what is deleted, kopf has to forget as well
            item = event["object"]
            known = self._cache.knows(self._resource, item)
            return str(item["metadata"]["resourceVersion"]) if known else None
        except (KeyError, TypeError):
            return None  # whatever this is, kopf knows how to complain


def _event(line: bytes) -> Any:
    """The event in a line; None for what kopf would end the process of."""
    try:
        event = from_json(line)
        failed = event["type"] == "ERROR" and event["object"].get("code") != 410
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return None if failed else event


def _bookmark(resource: AnyResource, version: str) -> bytes:
    item = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"resourceVersion": version},
    }
    return json.dumps({"type": "BOOKMARK", "object": item}).encode()
