"""A large swarm learns now and then; what it decides is what a new operator decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from kiro_swarm.api.access import spec_of
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.reconcile.snapshot.measured import MeasurementCache, measure
from kiro_swarm.reconcile.snapshot.view import View, look
from kiro_swarm.reconcile.tasks.hand_out import bindings
from kiro_swarm.tasks.plan.ranks import MOST_TASKS
from tests.unit.reconcile.learned import merged
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.views import Object, view
from tests.unit.reconcile.world import World

SMALL = [merged(f"1.{n}", 100.0) for n in range(20)]
LARGE = [merged(f"1.{n}", 100.0) for n in range(MOST_TASKS + 100)]
#: What such a swarm may go without looking again.
PAUSE = timedelta(seconds=0.0005 * len(LARGE))
SLOWER = merged("1.3", 9000.0)


def changed(tasks: list[Object]) -> list[Object]:
    return [*tasks[:3], SLOWER, *tasks[4:]]


def test_a_small_swarm_learns_from_every_task() -> None:
    learned = MeasurementCache()
    learned.measured(SMALL, 2, 1, START)
    now = learned.measured(changed(SMALL), 2, 1, START)
    assert now.estimates == measure(changed(SMALL), 2).estimates
    assert now.estimates != measure(SMALL, 2).estimates


def test_a_large_swarm_looks_at_all_of_its_tasks_now_and_then() -> None:
    learned = MeasurementCache()
    first = learned.measured(LARGE, 2, 1, START)
    soon = START + PAUSE * 0.9
    assert learned.measured(changed(LARGE), 2, 1, soon) is first
    later = learned.measured(changed(LARGE), 2, 1, START + PAUSE * 1.1)
    assert later.estimates == measure(changed(LARGE), 2).estimates
    assert later.estimates != first.estimates


def test_another_graph_other_instances_or_a_clock_put_back_are_looked_at_at_once() -> (
    None
):
    for instances, shape, moved in ((3, 1, 0), (2, 2, 0), (2, 1, -1)):
        learned = MeasurementCache()
        first = learned.measured(LARGE, 2, 1, START)
        now = START + timedelta(seconds=moved)
        assert learned.measured(LARGE, instances, shape, now) is not first


def test_what_took_long_to_be_learned_is_as_young_as_its_end() -> None:
    learned, end = MeasurementCache(), START + PAUSE * 3
    first = learned.measured(LARGE, 2, 1, START)
    learned.learned(START - PAUSE, end)  # that was another time
    assert learned.measured(LARGE, 2, 1, end) is not first
    first = learned.measured(LARGE, 2, 1, end)
    learned.learned(end, end + PAUSE * 3)
    assert learned.measured(LARGE, 2, 1, end + PAUSE * 3.9) is first
    assert learned.measured(LARGE, 2, 1, end + PAUSE * 4.1) is not first


def seen_in(cache: Cache, made: View) -> View:
    swarm: Any = {**made.swarm, "apiVersion": "v1", "kind": "KiroSwarm"}
    return look(cache, swarm, made.spec, made.now)


def as_stored(item: Object, version: int) -> Object:
    name = f"demo.{item['spec']['id']}"
    metadata = {
        "name": name,
        "namespace": "team",
        "uid": name,
        "resourceVersion": str(version),
        "ownerReferences": [{"uid": "u"}],
    }
    return {**item, "metadata": metadata, "spec": {**item["spec"], "swarm": "demo"}}


def test_a_task_that_is_new_is_known_at_once() -> None:
    cache, made = Cache(), view()
    for item in LARGE:
        cache.put(TASKS, as_stored(item, 1))
    assert len(seen_in(cache, made).measured.numbers) == len(LARGE)
    cache.put(TASKS, as_stored(merged("2", 50.0), 2))
    assert "2" in seen_in(cache, made).measured.numbers


async def test_an_operator_that_begins_anew_sees_what_the_old_one_saw(
    world: World,
) -> None:
    world.apply_swarm()
    for _ in range(30):
        await world.live(1)
        old = board_and_all(world)
        await world.restart()
        assert board_and_all(world) == old
    assert world.status()["phase"] == "Succeeded"


def board_and_all(world: World) -> Any:
    """What decisions are made of, and what is decided."""
    world.listen()
    swarm = world.cluster.one(SWARMS, "demo")
    spec = spec_of(swarm)
    assert spec is not None
    now = look(world.ctx.cache, swarm, spec, world.clock.now())
    learned = (now.measured.ranks, now.measured.speeds, now.measured.estimates)
    return now.task_index, learned, bindings(now), now.instances
