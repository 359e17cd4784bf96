"""Health: reasons, since when, and what the probes answer."""

from __future__ import annotations

import socket

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from kiro_swarm.observe.health import (
    Health,
    ReflectiveModule,
    application,
    report,
    serve,
)


class Part(ReflectiveModule):
    """A part that is as the test says."""

    def __init__(self, name: str, ready: bool = True, alive: bool = True) -> None:
        super().__init__(name)
        self.ready, self.alive = ready, alive

    def health(self) -> Health:
        reasons = () if self.ready else ("waits",)
        return self.judge(self.ready, reasons, alive=self.alive)


def test_since_moves_only_when_the_verdict_does() -> None:
    part = Part("x")
    first = part.health()
    assert part.health().since == first.since
    part.ready = False
    second = part.health()
    assert second.since > first.since
    assert second.reasons == ("waits",)
    assert part.judge(False, ["waits for something else"]).since == second.since
    part.alive = False
    assert part.health().since > second.since


def test_a_part_that_says_nothing_of_itself_is_well() -> None:
    (said,) = report([ReflectiveModule("quiet")])
    assert said["name"] == "quiet"
    assert (said["alive"], said["ready"], said["reasons"]) == (True, True, [])
    assert said["since"].endswith("Z")


@pytest.mark.parametrize(
    ("case", "ready", "alive", "readyz", "healthz"),
    [
        ("well", True, True, 200, 200),
        ("not ready yet", False, True, 503, 200),
        ("only a restart helps", False, False, 503, 503),
    ],
)
async def test_the_probes_answer_what_the_parts_say(
    case: str, ready: bool, alive: bool, readyz: int, healthz: int
) -> None:
    app = application([Part("a"), Part("b", ready, alive)])
    async with TestClient(TestServer(app)) as client:
        for path, expected in (("/readyz", readyz), ("/healthz", healthz)):
            answer = await client.get(path)
            body = await answer.json()
            assert answer.status == expected, case
            assert body["ok"] == (expected == 200)
            assert [part["name"] for part in body["modules"]] == ["a", "b"]
        assert (await client.get("/other")).status == 404


async def test_the_probes_are_served_on_their_port_until_closed() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    runner = await serve([Part("a")], port, "127.0.0.1")
    url = f"http://127.0.0.1:{port}/healthz"
    async with ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
    await runner.cleanup()
