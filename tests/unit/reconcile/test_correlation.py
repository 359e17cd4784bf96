"""For which requests a correlation id stands: the whole of them, and nobody else's."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import SWARMS
from tests.unit.reconcile.world import World

WANTED = {"command": "scale up instances 3", "requestedBy": "ann", "dryRun": False}
#: What may have been said before with the same id, and what then comes of the other.
BEFORE: dict[str, tuple[dict[str, Any], str]] = {
    "the same": ({}, "answered"),
    "another text": ({"command": "scale up instances 4"}, "refused"),
    "a dry run": ({"dryRun": True}, "done"),
    "by another": ({"requestedBy": "eve"}, "done"),
    "by nobody": ({"requestedBy": ""}, "done"),
    "a look": ({"command": "status swarm"}, "done"),
    "a look by another": ({"command": "status swarm", "requestedBy": "eve"}, "done"),
    "no sentence": ({"command": "sclae up"}, "done"),
    "a dry run of another text": (
        {"command": "scale up instances 4", "dryRun": True},
        "done",
    ),
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("at_once", [False, True])
async def test_what_was_said_before_answers_only_for_the_same_request(
    world: World, before: str, at_once: bool
) -> None:
    world.apply_swarm()
    await world.live(9)
    there = world.cluster.one(SWARMS, "demo")["spec"]["instances"]

    def say(name: str, request: dict[str, Any]) -> None:
        text, *_ = (request.pop("command"),)
        world.say(text, name, correlationId="release-7", **request)

    changed, outcome = BEFORE[before]
    first = {**WANTED, **changed}
    grown = 3 if outcome == "done" else 0
    if not first["dryRun"] and first["command"].startswith("scale"):
        grown += int(first["command"][-1])
    say("first", first)
    if not at_once:
        await world.live(3)
    say("second", dict(WANTED))
    await world.live(4)
    second = world.answer("second")
    if outcome == "refused":
        assert second["reason"] == "CorrelationIdUsed"
    elif outcome == "answered":
        assert second["message"].startswith("carried out once, as first: ")
    else:
        assert second["message"].startswith("scaled demo from")
    assert world.cluster.one(SWARMS, "demo")["spec"]["instances"] == there + grown


async def test_a_look_takes_no_turn_from_who_says_the_same_id(world: World) -> None:
    """Of many with one id all but the first wait; who only looks is not among them."""
    world.apply_swarm()
    await world.live(9)
    for number in range(20):
        world.say("diff task 1", f"eve-{number}", correlationId="release-7")
    world.say("scale instances 3", "real", correlationId="release-7")
    await world.settle()
    assert world.answer("real")["phase"] == "Succeeded"


async def test_who_says_it_again_does_not_wait_for_who_is_stuck(world: World) -> None:
    world.apply_swarm()
    await world.live(9)
    world.say("scale instances 3", "first", correlationId="release-7")
    await world.live(3)

    async def refuse(request: web.Request) -> Optional[web.Response]:
        mine = request.method == "PATCH" and request.path.endswith("/kiroswarms/demo")
        return web.json_response({"message": "no"}, status=403) if mine else None

    world.api.intercept = refuse
    world.say("scale instances 5", "stuck")
    world.say("scale instances 3", "again", correlationId="release-7")
    await world.live(2)
    assert world.answer("stuck")["phase"] == "Running"
    assert world.answer("again")["message"].startswith("carried out once, as first")
