"""Events: the same news is told once, and telling it never stops anything."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from aiohttp import web

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import EVENTS, SWARMS
from tests.support.fake_api import FakeApi

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SWARM: KubernetesObject = {
    "metadata": {"name": "demo", "namespace": "team", "uid": "u"}
}


async def tell(client: Client, message: str, warning: bool = False) -> None:
    await emit(
        client,
        SWARMS,
        SWARM,
        reason="TasksFailed",
        message=message,
        now=NOW,
        warning=warning,
    )


async def test_the_same_news_is_one_event_and_other_news_another(
    api: FakeApi, client: Client
) -> None:
    for message, warning in (("a", True), ("a", True), ("b" * 3000, False)):
        await tell(client, message, warning)
    events = api.store.select(EVENTS, "team")
    assert sorted((e["type"], len(e["message"])) for e in events) == [
        ("Normal", 1024),
        ("Warning", 1),
    ]
    about = events[0]["involvedObject"]
    assert (about["kind"], about["name"], about["uid"]) == ("KiroSwarm", "demo", "u")


@pytest.mark.parametrize("status", [403, 404, 422, 429, 503])
async def test_an_event_that_cannot_be_posted_is_let_go(
    api: FakeApi, client: Client, status: int
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    api.intercept = refuse
    await tell(client, "a")
    assert api.requests, "it was tried"


async def test_a_message_is_one_printable_line(api: FakeApi, client: Client) -> None:
    await tell(
        client, "refused:\nTo \x1b[31mhttps://x\r\n ! [rejected]\u202e\t why" * 99
    )
    (event,) = api.store.select(EVENTS, "team")
    assert event["message"].isprintable()
    assert len(event["message"]) == 1024
    assert event["message"].startswith("refused: To https://x ! [rejected] why")
