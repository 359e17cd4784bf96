"""What others make as much of as they like is read in part, whatever there is."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.api.kubernetes import Event
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.few import LONGEST, PAGE, PAGES
from kiro_swarm.cluster.resources import EVENTS
from tests.support.fake_api import FakeApi

NS = "team"
ABOUT = "involvedObject.uid=u"


def happens(api: FakeApi, name: str, message: str, uid: str = "u") -> None:
    about = {"kind": "Pod", "uid": uid}
    named = {"metadata": {"name": name}, "involvedObject": about}
    api.store.create(EVENTS, NS, {**named, "message": message})


def message_of(event: Event) -> str:
    return event["message"]


async def messages(client: Client) -> list[str]:
    return await client.few(EVENTS, NS, fields=ABOUT, keep=message_of)


async def test_all_of_few_are_read(api: FakeApi, client: Client) -> None:
    for number in range(PAGE + 3):
        happens(api, f"e{number:03}", str(number))
        happens(api, f"f{number:03}", "of another", "v")
    assert await messages(client) == [str(number) for number in range(PAGE + 3)]
    assert len(api.requests) == 2


async def test_of_many_the_first_pages_are_read(api: FakeApi, client: Client) -> None:
    for number in range(PAGE * PAGES + 1):
        happens(api, f"e{number:03}", str(number))
    assert len(await messages(client)) == PAGE * PAGES
    assert len(api.requests) == PAGES


async def test_of_large_ones_those_before_and_the_next_page_are_read(
    api: FakeApi, client: Client
) -> None:
    happens(api, "a", "before")
    happens(api, "b", "x" * 2 * LONGEST)
    for number in range(PAGE - 2):
        happens(api, f"c{number:03}", "beyond what is read")
    happens(api, "d", "on the next page")
    assert await messages(client) == ["before", "on the next page"]
    assert await messages(client) == ["before", "on the next page"], "and once more"


@pytest.mark.parametrize("at", [0, 1, 2, 3])
async def test_a_page_may_be_cut_within_a_letter(
    api: FakeApi, client: Client, at: int
) -> None:
    happens(api, "a", "before")
    happens(api, "b", "x" * at + "\U0001f41d" * LONGEST)

    async def raw(request: web.Request) -> Optional[web.StreamResponse]:
        items = api.store.select(EVENTS, NS)
        text = json.dumps({"metadata": {}, "items": items}, ensure_ascii=False)
        return web.Response(body=text.encode(), content_type="application/json")

    api.intercept = raw
    assert await messages(client) in (["before"], [])


async def test_an_answer_without_an_end_is_read_to_its_bound(
    api: FakeApi, client: Client
) -> None:
    """Nor does it grow on its way: it is asked for as it is."""
    sent, over, asked = 0, asyncio.Event(), []

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        asked.append(request.headers["Accept-Encoding"])
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            await response.write(b'{"metadata":{},"items":[{"message":"')
            while sent < 100 * LONGEST:
                await response.write(b"x" * 65536)
                sent += 65536
        finally:
            over.set()
        return response

    api.intercept = endless
    assert await messages(client) == []
    await asyncio.wait_for(over.wait(), 10)
    assert sent < 100 * LONGEST
    assert asked == ["identity"]


@pytest.mark.parametrize("answer", [b"no JSON", b"[1", b""])
async def test_what_is_no_json_is_an_answer_of_nobody(
    api: FakeApi, client: Client, answer: bytes
) -> None:
    async def nonsense(request: web.Request) -> Any:
        return web.Response(body=answer)

    api.intercept = nonsense
    with pytest.raises(errors.Unavailable):
        await messages(client)
