"""A volume that fills while nothing is Done is tidied all the same, by few Jobs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiro_swarm.cluster.resources import JOBS, TASKS
from kiro_swarm.policy.times import parse, stamp
from kiro_swarm.reconcile.snapshot.view import job_number
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import differs, swarm_status
from kiro_swarm.reconcile.swarms.tidying import last_end, tidied, tidy_at
from tests.unit.reconcile.surroundings import NAMESPACE, START, Ahead, Object
from tests.unit.reconcile.views import view
from tests.unit.reconcile.world import World

FULL = (90, 100)
ROOM = (10, 100)


async def worked_in_vain(world: World) -> None:
    """Two tasks have failed and nothing was ever Done."""
    world.cluster.graph = {"1": [], "2": []}
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(6)
    for name in world.cluster.names(TASKS):
        fail(world, name)
    await world.live(3)


def fail(world: World, name: str, reason: str = "AgentFailed") -> None:
    """An attempt ends badly at this moment."""
    now = stamp(world.clock.now())
    record = {"attempt": 1, "instance": "demo-1", "outcome": reason, "finishedAt": now}
    over = {"state": "Failed", "instance": "", "podUid": "", "boundAt": None}
    world.cluster.set_status(TASKS, name, **over, reason=reason, history=[record])


async def hours(world: World, count: int) -> list[int]:
    """Let time pass; in which hours of the swarm's life integrate Jobs began.

    Jobs go an hour after their end, as the API server has it.
    """
    began: dict[int, int] = {}
    for _ in range(count):
        world.clock.seconds += 3600
        await world.live(4)
        for job in world.cluster.all(JOBS):
            name = job["metadata"]["name"]
            if "integrate" in name:
                hour = round(world.clock.seconds / 3600)
                began.setdefault(job_number(job), hour)
        for job in world.cluster.all(JOBS):
            world.api.store.remove(JOBS, NAMESPACE, job["metadata"]["name"])
    return list(began.values())


async def test_a_swarm_in_which_nothing_is_ever_done_is_tidied(world: World) -> None:
    await worked_in_vain(world)
    world.cluster.volume = ROOM
    assert await hours(world, 24) == [6], "one Job, for there was use since the first"
    assert world.status()["volume"]["usedBytes"] == 10 << 20


async def test_of_a_full_one_an_operator_that_was_restarted_knows_the_same(
    world: World,
) -> None:
    await worked_in_vain(world)
    world.cluster.volume = FULL
    began = await hours(world, 8)
    assert began == [6, 7]
    assert world.conditions()["VolumeFilling"][0] == "True"
    for _ in range(6):
        await world.restart()
        began += await hours(world, 12)
    assert began == [6, 7, 9, 13, 21, 37], "then nobody can free anything any more"


async def test_an_idle_swarm_costs_no_job_and_no_write(world: World) -> None:
    await worked_in_vain(world)
    world.cluster.volume = ROOM
    await hours(world, 12)
    writes = len(world.api.writes)
    assert await hours(world, 200) == []
    assert len(world.api.writes) == writes


async def test_what_failed_for_the_volume_has_it_tidied_within_the_hour(
    world: World,
) -> None:
    await worked_in_vain(world)
    world.cluster.volume = ROOM
    await hours(world, 12)
    fail(world, "demo.1", "WorkspaceFailed")
    assert await hours(world, 12) == [13]


async def test_the_clock_that_told_the_end_of_the_last_job_puts_none_off(
    world: World,
) -> None:
    """It was a month ahead, and until then no Job made room."""
    await worked_in_vain(world)
    world.cluster.volume = FULL
    here, world.cluster.clock = world.cluster.clock, Ahead(24 * 30)
    world.cluster.clock.seconds = 6 * 3600
    assert await hours(world, 6) == [6]
    world.cluster.clock = here
    ended = parse(world.status()["integration"]["endedAt"])
    assert ended is not None
    assert ended > world.clock.now() + timedelta(days=29)
    assert await hours(world, 3) == [7, 8], "the first pause does not seem to be over"


async def test_no_job_for_it_comes_beside_another_one(world: World) -> None:
    await worked_in_vain(world)
    world.clock.seconds += 7 * 3600
    await world.settle()
    assert "demo-integrate-1" in world.cluster.names(JOBS)
    world.cluster.frozen.add("demo-integrate-1")
    for _ in range(3):
        world.clock.seconds += 7 * 3600
        await world.live(3)
    assert "demo-integrate-2" not in world.cluster.names(JOBS)


async def test_a_job_for_it_that_fails_waits_as_any_other(world: World) -> None:
    await worked_in_vain(world)
    why = {"reason": "VolumeFull", "message": "no room"}
    world.cluster.failing = {f"demo-integrate-{n}": why for n in range(1, 9)}
    assert await hours(world, 60) == [6, 7, 9, 13, 21, 37]


async def test_an_operator_that_dies_after_any_write_makes_no_job_twice(
    world: World,
) -> None:
    for write in range(1, 6):
        world.begin_again()
        await worked_in_vain(world)
        world.cluster.volume = FULL
        world.clock.seconds += 6 * 3600
        await world.live_killed_after(write, 6)
        world.api.revive()  # there may be fewer writes
        assert world.status()["integration"]["batch"] == 1
        # The first is there already.
        assert await hours(world, 4) == [7, 7, 9]


def a_job(ended: float, number: int = 1) -> Object:
    moment = stamp(START + timedelta(seconds=ended))
    done = {"type": "Complete", "status": "True", "lastTransitionTime": moment}
    labels = {"swarm.kiro.dev/component": "integrate"}
    name = f"demo-integrate-{number}"
    about = {"name": name, "uid": name, "labels": labels}
    return {"metadata": about, "status": {"conditions": [done]}}


def test_where_all_is_merged_nobody_needs_room() -> None:
    full: Object = {
        "volume": {"usedBytes": 90, "sizeBytes": 100},
        "integration": {"endedAt": stamp(START), "tidyPauseSeconds": 3600},
    }
    assert tidy_at(view("Merged", "Skipped", before=full), None, START) is None
    later = START + timedelta(seconds=3600)
    seen = view("Merged", "Failed", before=full)
    assert tidy_at(seen, None, last_end(seen)) == later


def test_no_moment_is_before_a_job_may_be_tried_again() -> None:
    known: Object = {"integration": {"endedAt": stamp(START), "tidyPauseSeconds": 3600}}
    seen = view("Failed", before=known)
    for seconds, then in ((60, 3600), (7200, 7200)):
        retry = START + timedelta(seconds=seconds)
        assert tidy_at(seen, retry, last_end(seen)) == START + timedelta(seconds=then)


@pytest.mark.parametrize("used", [90, 10])
def test_of_a_release_that_remembered_nothing(used: int) -> None:
    volume: Object = {"volume": {"usedBytes": used, "sizeBytes": 100}}
    pause = tidied(view("Failed", before=volume)).pause
    assert pause == (3600 if used == 90 else 0)


def test_what_is_remembered_is_written_once_and_outlives_the_job() -> None:
    seen = view("Failed")
    seen.jobs.append(a_job(-60))
    train, done = Train(1, running=False, ok=True), Prepared(True, "Prepared", "", 1)
    first = swarm_status(seen, done, train)
    ended = parse(first["integration"]["endedAt"])
    assert ended == START - timedelta(seconds=60)
    again = swarm_status(view("Failed", before=first), done, train)
    assert not differs(first, again)
