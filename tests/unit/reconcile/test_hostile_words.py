"""Words of hostile containers, kubelets and runners in everything that the operator writes."""

from __future__ import annotations

from typing import Any, Iterator

import pytest

from kiro_swarm.cluster.resources import (
    COMMANDS,
    EVENTS,
    INSTANCES,
    PODS,
    SWARMS,
    TASKS,
)
from kiro_swarm.policy.words import one_line
from tests.support.hostile_words import HOSTILE, is_harmless
from tests.unit.reconcile.world import World


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def said_by_us(world: World) -> list[str]:
    """Every text in a status of ours, and in the Events."""
    found = [
        text
        for resource in (SWARMS, INSTANCES, TASKS, COMMANDS)
        for item in world.cluster.all(resource)
        for text in texts(item.get("status"))
    ]
    found += [item["message"] for item in world.cluster.all(EVENTS)]
    return found


def unprepared(world: World, words: str) -> None:
    said = {"reason": "RemoteError", "message": words, "diagnostics": [words]}
    world.cluster.failing["demo-prepare-1"] = said


def waiting_pod(world: World, words: str) -> None:
    state = {"waiting": {"reason": "ImagePullBackOff", "message": words}}
    status = [{"name": "agent", "state": state}]
    for pod in world.cluster.names(PODS):
        if pod.startswith("demo-1"):
            world.cluster.frozen.add(pod)
            world.cluster.set_status(
                *(PODS, pod), phase="Pending", conditions=[], containerStatuses=status
            )


def dead_pod(world: World, words: str) -> None:
    world.cluster.end_pod("demo-1-0", message=words)


@pytest.mark.parametrize("words", HOSTILE, ids=ascii)
@pytest.mark.parametrize("way", [unprepared, waiting_pod, dead_pod])
async def test_what_others_say_is_harmless_where_we_say_it(
    world: World, way: Any, words: str
) -> None:
    if way is unprepared:
        unprepared(world, words)
    world.apply_swarm()
    await world.live(4)
    if way is not unprepared:
        way(world, words)
    await world.live(4)
    world.say("status swarm", "look")
    world.say(f"run task {words}", "hostile")
    await world.live(3)
    said = said_by_us(world)
    assert [text for text in said if not is_harmless(text)] == []
    if way is waiting_pod:  # it was said, and no more than cleaned
        assert any(one_line(words) in text for text in said)
    writes = len(world.api.writes)
    await world.live(3)
    quiet = [w for w in world.api.writes[writes:] if "kiroinstances/demo-1/" in w]
    assert len(quiet) <= 3, "what is cleaned is not written again and again"
