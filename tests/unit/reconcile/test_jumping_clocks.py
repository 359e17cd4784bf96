"""No clock that jumps ends a command, an answer or a swarm before its time, or keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kiro_swarm.cluster.resources import COMMANDS, JOBS, PODS, SWARMS
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.engine.elapsed import FIRST_SIGHT_SECONDS, Elapsed
from tests.unit.reconcile.stuck import answer_for_ever, status_of_command, wait
from tests.unit.reconcile.surroundings import START, Ahead
from tests.unit.reconcile.world import World


def jump(world: World, **by: float) -> None:
    """The wall of the operator is moved; what is measured in goes on."""
    world.ctx.now = lambda: world.clock.now() + timedelta(**by)


async def looked_at(world: World) -> None:
    """Somebody touches the command, so that it is looked at."""
    world.api.store.patch(
        COMMANDS, "team", "word", {"metadata": {"labels": {"a": "b"}}}
    )
    await world.live(3)


async def at_work(world: World) -> None:
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(10)
    world.cluster.frozen |= {"demo-1-1"}
    world.say("restart instance demo-1", timeoutSeconds=600)
    await world.live(3)
    assert world.answer()["phase"] == "Running"


@pytest.mark.parametrize("hours", [1, 24 * 365, -1, -24])
async def test_a_jump_ends_no_command_and_gives_none_more_time(
    world: World, hours: int
) -> None:
    await at_work(world)
    jump(world, hours=hours)
    await looked_at(world)
    assert world.answer()["phase"] == "Running"
    world.clock.seconds += 601
    await world.live(3)
    assert world.answer()["reason"] == "DeadlineExceeded"


async def test_a_jump_takes_no_answer_away(world: World) -> None:
    """Whoever applies its manifest again would have it carried out again."""
    world.apply_swarm()
    await world.live(9)
    world.say("scale instances 3", ttlSecondsAfterFinished=3600)
    await world.live(3)
    jump(world, days=30)
    await looked_at(world)
    assert world.cluster.names(COMMANDS) == ["word"]
    jump(world, days=-30)
    world.clock.seconds += 3601
    await world.live(3)
    assert world.cluster.names(COMMANDS) == []


async def test_a_jump_takes_no_finished_swarm_away(world: World) -> None:
    world.apply_swarm(ttlSecondsAfterFinished=3600)
    await world.live(30)
    assert world.status()["phase"] == "Succeeded"
    jump(world, days=30)
    world.edit_swarm(instances=1)
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]
    world.clock.seconds += 3700
    await world.live(5)
    assert world.cluster.names(SWARMS) == []


@pytest.mark.parametrize("hours", [1, -1])
async def test_who_says_it_before_the_swarm_is_there_has_the_same_patience(
    world: World, hours: int
) -> None:
    jump(world, hours=hours)
    world.say("status swarm")
    await world.live(2)
    assert "reason" not in world.answer()
    world.clock.seconds += 11
    await world.live(3)
    assert world.answer()["reason"] == "SwarmNotFound"


@pytest.mark.parametrize("hours", [1, 24 * 365])
async def test_a_job_is_tried_again_whatever_clock_told_its_end(
    world: World, hours: int
) -> None:
    """The next try was fifteen seconds away for as long as that clock was ahead."""
    away = {"reason": "RemoteUnavailable", "message": "away"}
    world.cluster.failing = {"demo-integrate-1": away}
    here, world.cluster.clock = world.cluster.clock, Ahead(hours)
    world.apply_swarm()
    await world.live(20)
    world.cluster.clock = here
    assert "away" in world.status()["message"]
    for _ in range(4):
        world.clock.seconds += 5
        await world.live(5)
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"


@pytest.mark.parametrize("hours", [0, -1, -24])
async def test_a_job_that_ended_under_our_eyes_is_followed_after_its_pause(
    world: World, hours: int
) -> None:
    """By the clock of the Job controller its end is long ago: that is no pause."""
    away = {"reason": "RemoteUnavailable", "message": "away"}
    world.cluster.failing = {f"demo-integrate-{n}": away for n in range(1, 9)}
    here, world.cluster.clock = world.cluster.clock, Ahead(hours)
    world.apply_swarm()
    await world.live(60)
    assert "demo-integrate-1" in world.cluster.names(JOBS)
    assert len([n for n in world.cluster.names(JOBS) if "integrate" in n]) <= 3
    world.cluster.clock = here


async def test_a_jump_gives_up_no_command_whose_status_cannot_be_written(
    world: World,
) -> None:
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    answer_for_ever(world, status_of_command("word"), "unavailable")
    world.say("scale instances 3", timeoutSeconds=600)
    await wait(world, 10)
    jump(world, days=30)
    await wait(world, 60)
    world.api.intercept = None
    await wait(world, 60)
    assert world.answer()["message"] == "scaled demo from 2 to 3 instances"


def agents(world: World) -> list[str]:
    return [name for name in world.cluster.names(PODS) if name.startswith("demo-1-")]


@pytest.mark.parametrize("hours", [0, 1, -24])
async def test_a_pod_that_fails_is_made_again_whatever_the_clock_does(
    world: World, hours: int
) -> None:
    world.cluster.tasks_run = False
    world.apply_swarm(instances=1)
    await world.live(10)
    for _ in range(4):
        (name,) = agents(world)
        world.cluster.set_status(PODS, name, phase="Failed")
        await world.live(2)
    assert agents(world) == []
    jump(world, hours=hours)
    await world.live(2)
    assert agents(world) == []
    world.clock.seconds += 20
    await world.live(5)
    assert len(agents(world)) == 1


@pytest.mark.parametrize("off", [-(10**6), -360, 0, 360, 10**6])
def test_an_end_that_came_since_the_last_look_is_as_old_as_its_sight(off: int) -> None:
    clock = [0.0]
    elapsed, now = Elapsed(lambda: clock[0]), START + timedelta(seconds=off)
    assert elapsed.since_end("u", stamp(START), now) == max(0, off), "a new process"
    clock[0] = 50
    other = stamp(START + timedelta(seconds=50))
    for later in (now, now - timedelta(days=9), now + timedelta(days=9)):
        assert elapsed.since_end("u", other, later) == 0
    clock[0] = 57
    assert elapsed.since_end("u", other, now) == 7
    elapsed.forget("u")
    assert elapsed.since_end("u", stamp(START), now) == max(0, off)


@pytest.mark.parametrize("off", [-(10**6), -50, 0, 40, 99, 100, 10**6])
def test_the_wall_is_asked_once_and_believed_within_bounds(off: int) -> None:
    clock = [0.0]
    elapsed, since = Elapsed(lambda: clock[0]), stamp(START)
    now: datetime = START + timedelta(seconds=off)
    first = elapsed.left("u", since, 100, now)
    assert min(100, FIRST_SIGHT_SECONDS) <= first <= 100
    clock[0] = 7
    for later in (now, now - timedelta(days=9), now + timedelta(days=9)):
        assert elapsed.left("u", since, 100, later) == first - 7
    assert elapsed.left("u", None, 100, now) == 100
    assert elapsed.age("u", since, now - timedelta(days=9)) == max(0, off) + 7
    assert elapsed.left("u", since, 0, now) <= 0
    elapsed.forget("u")
    assert elapsed.left("u", since, 100, now) == first
