"""How long a swarm is kept for its work: by what was tried, and by no clock of a wall."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiro_swarm.cluster.resources import CLAIMS, JOBS, SWARMS, TASKS
from tests.unit.reconcile.rescuing import (
    RESCUE,
    at_work,
    delete,
    end_rescue,
    events,
    jobs,
)
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World

REFUSED = {"reason": "PushRejected", "message": "no refs of yours here"}


def move_clock(world: World, hours: float) -> None:
    """Set the clock that people read, and not the one that silence is measured with."""
    world.ctx.now = lambda: world.clock.now() + timedelta(hours=hours)


async def pass_time(world: World, seconds: float) -> None:
    """Let it pass as it does: somebody looks every few seconds."""
    until = world.clock.seconds + seconds
    while world.clock.seconds < until and world.cluster.names(SWARMS):
        world.clock.seconds += 9
        await world.live(1)


@pytest.mark.parametrize("away", [601, 86400])
async def test_the_time_in_which_no_operator_was_there_does_not_count(
    world: World, away: int
) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    world.clock.seconds += away
    await world.restart()
    await world.live(3)
    assert jobs(world)[-1] == "demo-integrate-2"
    assert len(world.cluster.names(CLAIMS)) == 1
    # Nor where the process is the same, and was held up.
    world.clock.seconds += away
    await world.live(2)
    assert world.cluster.names(SWARMS) == ["demo"]
    await end_rescue(world, "demo-integrate-2")
    assert events(world) == ["Rescued"]


@pytest.mark.parametrize("hours", [-24 * 365, -1, 1, 24 * 365])
async def test_a_clock_that_differs_or_is_moved_takes_no_time_away(
    world: World, hours: float
) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    move_clock(world, hours)
    delete(world)
    await world.live(3)
    assert jobs(world)[-1] == "demo-integrate-2", "tried"
    move_clock(world, -hours)
    await pass_time(world, 60)
    assert world.cluster.names(SWARMS) == ["demo"], events(world)
    await end_rescue(world, "demo-integrate-2")
    assert events(world) == ["Rescued"]


async def test_processes_that_live_short_give_up_together(world: World) -> None:
    await at_work(world)
    world.cluster.failing = {f"demo-integrate-{n}": REFUSED for n in range(2, 90)}
    delete(world)
    began = world.clock.seconds
    while world.cluster.names(SWARMS) and world.clock.seconds < began + 3000:
        await pass_time(world, 150)
        world.clock.seconds += 900  # nobody is there
        began += 900
        await world.restart()
    assert 590 <= world.clock.seconds - began < 1200
    assert events(world) == ["RescueGivenUp"]


async def test_a_job_that_can_still_end_is_waited_for(world: World) -> None:
    await at_work(world)
    world.cluster.failing = {f"demo-integrate-{n}": REFUSED for n in range(2, 90)}
    delete(world)
    await pass_time(world, 400)
    last = f"demo-integrate-{int(jobs(world)[-1].rsplit('-', 1)[-1]) + 1}"
    world.cluster.failing.clear()
    world.cluster.frozen.add(last)
    while last not in jobs(world):
        await pass_time(world, 9)
    # It was made when less than that was left.
    assert world.cluster.one(JOBS, last)["spec"]["activeDeadlineSeconds"] == 300
    first = world.cluster.one(JOBS, "demo-integrate-2")
    assert first["spec"]["activeDeadlineSeconds"] == RESCUE["rescueSeconds"]
    await pass_time(world, 290)
    assert world.cluster.names(SWARMS) == ["demo"], "the time is over, it is not"
    await end_rescue(world, last)
    assert events(world) == ["Rescued"]


async def test_a_job_whose_deadline_nobody_keeps_is_not_waited_for(
    world: World,
) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await pass_time(world, 900)
    assert world.cluster.names(SWARMS) == ["demo"]
    await pass_time(world, 100)
    assert events(world) == ["RescueGivenUp"]


@pytest.mark.parametrize("other", ["demo-integrate-1", "demo-prepare-2"])
async def test_a_job_that_never_ends_leaves_time_for_one_that_rescues(
    world: World, other: str
) -> None:
    """Its image cannot be pulled, its node is gone, its gate hangs."""
    world.cluster.frozen.update({other, "demo-integrate-2"})
    if other == "demo-integrate-1":
        world.cluster.graph = {"1": []}
        world.apply_swarm(integration=RESCUE)
        await world.live(8)
    else:
        await at_work(world)
        world.api.store.remove(TASKS, NAMESPACE, "demo.1")
        await world.live(4)
    assert other in world.cluster.names(JOBS)
    delete(world)
    await pass_time(world, 280)
    assert jobs(world)[-1] == "demo-integrate-1"
    assert other in world.status()["message"]
    await pass_time(world, 40)
    assert jobs(world)[-1] == "demo-integrate-2"
    await end_rescue(world, "demo-integrate-2")
    assert events(world) == ["Rescued"]
