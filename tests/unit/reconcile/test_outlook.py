"""What a status says of the rest of the work."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Optional

import pytest

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.policy.times import parse, stamp
from kiro_swarm.reconcile.snapshot.text import clock, spoken
from kiro_swarm.reconcile.tasks.outlook import outlook
from tests.support.shapes import valid
from tests.unit.reconcile.explained import node, seen, with_spec
from tests.unit.reconcile.learned import merged, running
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.test_tasks import prepared
from tests.unit.reconcile.views import Object, view
from tests.unit.reconcile.world import World


def steady(seconds: float = 100.0, lag: float = 0.0) -> list[Object]:
    """A past in which every task took the same time."""
    return [merged(f"9.{n}", seconds, lag=lag) for n in range(400)]


def seconds_until(text: Optional[str]) -> float:
    at = parse(text)
    assert at is not None
    return (at - START).total_seconds()


def test_the_longest_chain_and_the_time_are_foretold_from_what_was_measured() -> None:
    chain = [node("1", "Ready"), node("2", "Blocked", "1"), node("3", "Ready")]
    found = outlook(seen(*chain, *steady(), idle=2))
    valid(KiroSwarmStatus, {"forecast": found})
    assert found["criticalPath"] == ["1", "2"]
    assert found["criticalSeconds"] == pytest.approx(200, rel=0.05)
    assert seconds_until(found["finishAt"]) == pytest.approx(200, rel=0.15)
    low, high = found["finishLow"], found["finishHigh"]
    assert seconds_until(low) <= seconds_until(found["finishAt"]) <= seconds_until(high)
    assert (found["usableNow"], found["useful"]) == (2, 2)
    assert found["late"] == found["stuck"] == []
    assert "longest chain 1 > 2 (" in found["message"]
    assert "more instances will not help: 2 are as fast as any" in found["message"]


def test_what_waits_for_its_merge_is_counted_in() -> None:
    chain = [node("1", "Ready"), node("2", "Blocked", "1")]
    found = outlook(seen(*chain, *steady(lag=50.0), idle=2))
    assert found["criticalSeconds"] == pytest.approx(300, rel=0.05)


def test_with_many_ready_tasks_more_instances_help() -> None:
    found = outlook(seen(*(node(str(n), "Ready") for n in range(1, 9)), idle=2))
    assert found["moreInstancesHelp"] is True
    assert "up to 8 instances would make it faster" in found["message"]


def test_for_one_chain_one_instance_is_enough() -> None:
    found = outlook(seen(node("1", "Ready"), node("2", "Blocked", "1"), idle=2))
    assert found["message"].endswith("will not help: 1 is as fast as any number")


def test_who_is_late_is_named() -> None:
    found = outlook(seen(running("1", 5000.0), *steady(), idle=2))
    assert found["late"] == ["1"]
    assert "late: 1" in found["message"]


@pytest.mark.parametrize(
    ("case", "tasks", "stuck"),
    [
        ("failed", [node("1", "Failed"), node("2", "Blocked", "1")], ["1", "2"]),
        ("paused", [with_spec(node("1", "Ready"), paused=True)], ["1"]),
        ("of no use", [with_spec(node("1", "Ready"), capabilities=["gpu"])], ["1"]),
        ("waiting for nothing", [node("1", "Blocked", "7.7")], ["1"]),
    ],
)
def test_what_waits_for_a_person_is_in_no_other_number(
    case: str, tasks: list[Object], stuck: list[str]
) -> None:
    found = outlook(seen(*tasks, idle=2))
    assert found["stuck"] == stuck, case
    assert found["criticalPath"] == []
    assert found["finishAt"] is None
    named = ", ".join(stuck)
    assert found["message"] == f"nothing can go on; waiting for a person: {named}"


def test_before_anything_is_measured_no_time_is_told() -> None:
    found = outlook(seen(node("1", "Ready"), node("2", "Blocked", "1"), idle=2))
    valid(KiroSwarmStatus, {"forecast": {k: v for k, v in found.items() if v}})
    assert found["finishAt"] is found["finishLow"] is found["finishHigh"] is None
    assert found["criticalSeconds"] is None
    assert found["message"].startswith(
        "how long it takes is not measured yet; longest chain 1 > 2; "
    )


def test_what_is_done_and_unmerged_is_left() -> None:
    found = outlook(seen(node("1", "Merged"), node("2", "Done"), idle=2))
    assert found["message"] == "only merging is left: 2"


def test_a_merged_task_that_is_paused_is_over() -> None:
    done = with_spec(node("1", "Merged"), paused=True)
    found = outlook(seen(done, idle=2))
    assert found["message"] == "nothing is left to do"


@pytest.mark.parametrize("spec", [{"suspend": True}, {"instances": 0}])
def test_without_anybody_there_is_no_time_and_no_infinity(
    spec: dict[str, Any],
) -> None:
    found = outlook(seen(node("1", "Ready"), **spec))
    assert found["finishAt"] is found["finishHigh"] is None
    assert "nobody works" in found["message"]
    assert "Infinity" not in json.dumps(found)


def test_a_time_beyond_all_calendars_is_cut() -> None:
    endless = with_spec(node("1", "Ready"), estimateSeconds=2**60)
    found = outlook(seen(endless, *steady(), idle=1))
    assert seconds_until(found["finishAt"]) == 10 * 365 * 86400


def test_a_circle_has_no_forecast_and_says_so() -> None:
    found = outlook(seen(node("1", "Blocked", "2"), node("2", "Blocked", "1")))
    assert found == {"message": "no forecast: tasks wait for each other in a circle"}


def test_lists_are_bounded() -> None:
    chain = [
        node(str(n), "Blocked", str(n - 1) if n > 1 else "") for n in range(1, 200)
    ]
    found = outlook(view(tasks=chain))
    assert len(found["criticalPath"]) == 50
    assert "1 > 2 > 3 > 4 > 5 > ...;" in found["message"]


async def test_an_idle_swarm_writes_no_forecast_again(world: World) -> None:
    await prepared(world, {"id": "1", "capabilities": ["gpu"]})
    before = world.status()
    assert before["forecast"]["stuck"] == ["1"]
    version = world.api.store.version
    for _ in range(5):
        world.clock.seconds += 600
        world.cluster.beat("demo-1")
        await world.settle()
    assert world.api.store.version - version == 5  # the five signs of life
    assert world.status() == before


async def test_a_swarm_that_is_finished_has_nothing_left(world: World) -> None:
    world.apply_swarm()
    await world.live(60)
    assert world.status()["phase"] == "Succeeded"
    forecast = world.status()["forecast"]
    assert forecast["message"] == "nothing is left to do"
    assert "finishAt" not in forecast
    assert forecast["criticalPath"] == []


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (30.0, "10:00:30 UTC"),
        (3600.0, "11:00 UTC"),
        (86400.0, "2026-11-23 10:00 UTC"),
    ],
)
def test_times_are_as_exact_as_they_are_near(after: float, shown: str) -> None:
    assert stamp(START).startswith("2026-11-22T10:00:00")
    assert clock(START + timedelta(seconds=after), START) == shown


def test_spans_are_spoken_in_their_own_unit() -> None:
    assert [spoken(n) for n in (5, 600, 9000)] == ["5 s", "10 min", "2.5 h"]
