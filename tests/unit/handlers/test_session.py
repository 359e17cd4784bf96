"""What kopf hears through our session: news, and where a watch is."""

from __future__ import annotations

import asyncio
import json
from typing import Any, AsyncIterator, Dict, List, Optional, cast

import aiohttp
import pytest

from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import INSTANCES
from kiro_swarm.handlers.session import News

Event = Dict[str, Any]


def event(kind: str, name: str, version: int) -> Event:
    metadata = {
        "namespace": "n",
        "name": name,
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
    }
    item = {"metadata": metadata, "spec": {"swarm": "s", "text": "a\\n{é"}}
    return {"type": kind, "object": item}


class Body:
    """What comes from the server, in chunks of so many bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size
        self.total_bytes = len(data)

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), self._size):
            await asyncio.sleep(0)
            yield self._data[start : start + self._size]


async def heard(cache: Cache, lines: List[bytes], size: int = 10**6) -> List[Any]:
    """What kopf reads when the server sends these lines."""
    body = cast(aiohttp.StreamReader, Body(b"".join(lines), size))
    news = News(body, INSTANCES, cache)
    data = b"".join([chunk async for chunk in news.iter_chunked(100)])
    return [json.loads(line) for line in data.splitlines() if line]


def lines(*events: Event) -> List[bytes]:
    return [json.dumps(one).encode() + b"\n" for one in events]


def told(events: List[Any]) -> List[str]:
    return [
        f"{one['type']} {one['object']['metadata'].get('name', '')}".strip()
        + f" {one['object']['metadata']['resourceVersion']}"
        for one in events
    ]


@pytest.mark.parametrize(
    ("case", "known", "sent", "expected"),
    [
        ("nothing is known", None, [("ADDED", 5)], ["ADDED a 5"]),
        ("an older one is known", 4, [("MODIFIED", 5)], ["MODIFIED a 5"]),
        ("it is known", 5, [("ADDED", 5)], ["BOOKMARK 5"]),
        ("a newer one is known", 9, [("MODIFIED", 5)], ["BOOKMARK 5"]),
        ("some", 5, [("ADDED", 4), ("MODIFIED", 5), ("MODIFIED", 6)], ["MODIFIED a 6"]),
        ("its end", 5, [("MODIFIED", 5), ("DELETED", 7)], ["DELETED a 7"]),
        ("the place", 5, [("ADDED", 4), ("MODIFIED", 5)], ["BOOKMARK 5"]),
        ("a bookmark", 5, [("BOOKMARK", 8)], ["BOOKMARK a 8"]),
    ],
)
async def test_what_is_known_is_not_told_again_but_where_the_watch_is(
    case: str, known: Optional[int], sent: List[Any], expected: List[str]
) -> None:
    cache = Cache()
    if known is not None:
        cache.put(INSTANCES, event("", "a", known)["object"])
    events = [event(kind, "a", version) for kind, version in sent]
    assert told(await heard(cache, lines(*events))) == expected, case


async def test_what_is_gone_does_not_come_back() -> None:
    cache = Cache()
    item = event("", "a", 5)["object"]
    cache.put(INSTANCES, item)
    cache.remove(INSTANCES, item)
    assert told(await heard(cache, lines(event("MODIFIED", "a", 6)))) == ["BOOKMARK 6"]


@pytest.mark.parametrize("size", [1, 7, 200, 10**6])
async def test_news_come_whole_however_they_are_cut(size: int) -> None:
    cache = Cache()
    for number in range(0, 20, 2):
        cache.put(INSTANCES, event("", f"i{number}", 1)["object"])
    sent = [event("ADDED", f"i{number}", 1) for number in range(20)]
    events = await heard(cache, lines(*sent), size)
    assert [e for e in events if e["type"] == "ADDED"] == sent[1::2]


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "ERROR", "object": {"code": 410}}\n',
        b'{"type": "ADDED", "object": {"metadata": {}}}\n',
    ],
)
async def test_what_is_not_understood_is_left_to_kopf(line: bytes) -> None:
    body = cast(aiohttp.StreamReader, Body(line, 10**6))
    news = News(body, INSTANCES, Cache())
    assert b"".join([chunk async for chunk in news.iter_chunked(100)]) == line
    assert news.total_bytes == len(line), "all else is as it was"


@pytest.mark.parametrize("size", [1, 10**6])
@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "ERROR", "object": {"code": 500, "message": "etcd"}}\n',
        b'{"type": "ERROR", "object": {}}\n',
        b"no json\n",
        b"[]\n",
        b"cut off",
    ],
)
async def test_of_what_would_end_the_process_kopf_lists_anew(
    line: bytes, size: int
) -> None:
    sent = [*lines(event("ADDED", "a", 5)), line]
    body = cast(aiohttp.StreamReader, Body(b"".join(sent), size))
    news = News(body, INSTANCES, Cache(), pause_seconds=0.01)
    data = b"".join([chunk async for chunk in news.iter_chunked(100)])
    first, last = map(json.loads, data.splitlines())
    assert first == event("ADDED", "a", 5)
    assert (last["type"], last["object"]["code"]) == ("ERROR", 410)
