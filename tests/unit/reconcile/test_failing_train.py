"""A merge train that fails again and again: ever longer pauses, and nobody waits in vain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiro_swarm.api.meta import LABEL_COMPONENT
from kiro_swarm.cluster.resources import JOBS
from kiro_swarm.policy.failing import Failing
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.snapshot.view import job_number
from kiro_swarm.reconcile.swarms.integrate import failing, observe, superfluous
from kiro_swarm.reconcile.swarms.status import swarm_status
from tests.unit.reconcile.surroundings import START, Object
from tests.unit.reconcile.views import DONE as PREPARED
from tests.unit.reconcile.views import view
from tests.unit.reconcile.world import World

REFUSED = {"reason": "GateUnavailable", "message": "no gates"}


async def begins(world: World, seconds: int, step: int = 1) -> dict[int, float]:
    """Let time pass; when each integrate Job was first there."""
    began: dict[int, float] = {}
    for _ in range(0, seconds, step):
        world.clock.seconds += step - 1
        await world.live(1)
        for job in trains(world):
            began.setdefault(job_number(job), world.clock.seconds)
    return began


def trains(world: World) -> list[Object]:
    return [job for job in world.cluster.all(JOBS) if "integrate" in name_of(job)]


def name_of(job: Object) -> str:
    return str(job["metadata"]["name"])


def pauses(began: dict[int, float]) -> list[float]:
    times = [began[number] for number in sorted(began)]
    return [later - before for before, later in zip(times, times[1:])]


@pytest.fixture
async def in_trouble(world: World) -> World:
    world.cluster.graph = {"1": []}
    world.cluster.failing = {f"demo-integrate-{n}": REFUSED for n in range(1, 99)}
    world.apply_swarm()
    return world


async def test_the_pause_grows_to_five_minutes_and_stays(in_trouble: World) -> None:
    began = await begins(in_trouble, 2450, step=5)
    found = pauses(began)
    assert found[:5] == pytest.approx([15, 30, 60, 120, 240], abs=15)
    assert all(pause == pytest.approx(300, abs=15) for pause in found[5:])
    assert len(found) >= 8
    assert len(trains(in_trouble)) <= 4, "they are not kept for it"
    kept = in_trouble.status()["integration"]
    assert kept["failures"] == kept["counted"] == max(began)


async def test_one_that_ends_well_begins_the_count_anew(in_trouble: World) -> None:
    for number in range(6, 99):
        del in_trouble.cluster.failing[f"demo-integrate-{number}"]
    await begins(in_trouble, 900, step=5)
    kept = in_trouble.status()["integration"]
    assert (kept["failures"], kept["counted"]) == (0, 6)


async def test_an_operator_that_dies_after_any_write_counts_each_once(
    world: World,
) -> None:
    for write in range(1, 6):
        world.begin_again()
        world.cluster.graph = {"1": []}
        world.cluster.failing = {f"demo-integrate-{n}": REFUSED for n in range(1, 99)}
        world.apply_swarm()
        began = await begins(world, 170, step=5)
        last = max(began)
        assert last >= 4
        world.clock.seconds += 120
        await world.live_killed_after(write, 4)
        world.api.revive()  # there may be fewer writes
        await world.live(4)
        kept = world.status()["integration"]
        assert kept["failures"] == kept["counted"] == kept["batch"] == last + 1


def a_train(number: int, outcome: str = "Failed") -> Object:
    ended = {"type": outcome, "status": "True", "lastTransitionTime": stamp(START)}
    name, labels = f"demo-integrate-{number}", {LABEL_COMPONENT: "integrate"}
    about = {"name": name, "uid": name, "labels": labels}
    return {"metadata": about, "status": {"conditions": [ended] if outcome else []}}


@pytest.mark.parametrize(
    ("counted", "dropped"),
    [(0, []), (1, [1]), (2, [2, 1]), (5, [2, 1]), (99, [2, 1])],
)
def test_no_job_goes_that_the_status_has_not_counted(
    counted: int, dropped: list[int]
) -> None:
    seen = view("Done", before={"integration": {"counted": counted, "failures": 1}})
    seen.jobs.extend(a_train(number) for number in range(1, 6))
    assert [job_number(job) for job in superfluous(seen)] == dropped


def test_of_a_release_that_counted_nothing_what_is_there_counts() -> None:
    seen = view("Done", before={"integration": {"batch": 40}})
    seen.jobs.extend(a_train(number) for number in (38, 39, 40))
    assert failing(seen) == Failing(40, 3)
    assert observe(seen).retry_at == START + timedelta(seconds=60)


def test_what_is_counted_outlives_its_jobs_and_is_written_once() -> None:
    seen = view("Done")
    seen.jobs.extend(a_train(number) for number in (1, 2))
    first = swarm_status(seen, PREPARED, observe(seen))
    again = swarm_status(view("Done", before=first), PREPARED, observe(view("Done")))
    kept = again["integration"]
    assert (kept["counted"], kept["failures"]) == (2, 2)
