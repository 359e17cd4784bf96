"""What a swarm that goes has to be rescued is told by facts that stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiro_swarm.api.meta import (
    ANNOTATION_DELETE_ANYWAY,
    FINALIZER_RESCUE,
    LABEL_COMPONENT,
)
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.policy.ledger import Book
from kiro_swarm.reconcile.swarms.begun import has_begun
from tests.unit.reconcile.rescuing import (
    RESCUE,
    at_work,
    delete,
    end_rescue,
    events,
    jobs,
)
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.views import view
from tests.unit.reconcile.world import SETTINGS, World


@pytest.mark.parametrize("how", ["a task is deleted", "all are", "while it works"])
async def test_work_is_rescued_though_the_swarm_is_prepared_again_at_its_end(
    world: World, how: str
) -> None:
    if how == "while it works":
        world.cluster.graph = {"1": [], "2": ["1"]}
        world.cluster.frozen.add("demo-2")
        world.apply_swarm(integration={**RESCUE, "push": "Never"}, instances=1)
        await world.live(6)
    else:
        await at_work(world, push="Never")
    away = {"reason": "RemoteUnavailable", "message": "no route to host"}
    world.cluster.failing = {f"demo-prepare-{n}": away for n in range(2, 9)}
    names = world.cluster.names(TASKS)
    for name in names if how == "all are" else names[:1]:
        world.api.store.delete(TASKS, NAMESPACE, name)
    await world.live(4)
    assert world.conditions()["Prepared"][0] != "True"
    world.cluster.frozen.update(f"demo-integrate-{n}" for n in range(1, 9))
    delete(world)
    await world.live(4)
    assert world.cluster.names(SWARMS) == ["demo"]
    await end_rescue(world, jobs(world)[-1])
    while world.cluster.names(SWARMS) and world.clock.seconds < 500:
        await end_rescue(world, jobs(world)[-1])
    assert events(world) == ["Rescued"]


async def test_work_of_a_repository_that_is_refused_by_now_waits_for_a_person(
    world: World,
) -> None:
    await at_work(world, push="Never")
    before = jobs(world)
    world.settings = replace(SETTINGS, repository_schemes=frozenset({"ssh"}))
    await world.restart()
    await world.live(3)
    assert world.conditions()["Prepared"] == ("False", "RepositoryNotAllowed")
    assert world.status()["prepare"]["attempt"] == 1
    delete(world)
    world.clock.seconds += 10
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]
    assert jobs(world) == before, "the setting holds for a rescue, too"
    assert "repositorySchemes" in world.status()["message"]
    assert ANNOTATION_DELETE_ANYWAY in world.status()["message"]
    assert world.conditions()["Stalled"] == ("True", "RepositoryNotAllowed")
    world.settings = SETTINGS
    await world.restart()
    world.cluster.frozen.add("demo-integrate-2")
    await world.live(3)
    await end_rescue(world, "demo-integrate-2")
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]


@pytest.mark.parametrize("deaf", [False, True])
async def test_work_that_is_done_while_the_job_runs_is_rescued_by_one_more(
    world: World, deaf: bool
) -> None:
    world.cluster.graph = {"1": [], "2": []}
    world.cluster.frozen.update({"demo-2", "demo-integrate-2", "demo-integrate-3"})
    world.apply_swarm(integration={**RESCUE, "push": "Never"})
    await world.live(8)
    assert world.cluster.task("1")["state"] == "Merged"
    assert world.cluster.task("2")["state"] == "Bound"
    delete(world)
    await world.live(4)
    assert jobs(world)[-1] == "demo-integrate-2"
    if deaf:  # the watch has not told of it when the Job ends
        world.deaf = (TASKS,)
    world.cluster.frozen.discard("demo-2")
    await world.live(4)
    assert world.cluster.task("2")["state"] == "Done"
    await end_rescue(world, "demo-integrate-2")
    assert world.cluster.names(SWARMS) == ["demo"]
    assert jobs(world)[-1] == "demo-integrate-3"
    await end_rescue(world, "demo-integrate-3")
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]


async def test_a_swarm_that_never_was_prepared_goes_and_says_so(world: World) -> None:
    away = {"reason": "RemoteUnavailable", "message": "no route to host"}
    world.cluster.failing = {f"demo-prepare-{n}": away for n in range(1, 9)}
    world.apply_swarm(integration=RESCUE)
    await world.live(4)
    delete(world)
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["NothingToRescue"]


async def test_a_refused_swarm_that_asks_for_a_rescue_gets_its_finalizer(
    world: World,
) -> None:
    world.cluster.graph = {"1": [], "2": []}
    world.apply_swarm()
    await world.live(20)
    world.settings = replace(SETTINGS, repository_schemes=frozenset({"ssh"}))
    await world.restart()
    world.edit_swarm(integration=RESCUE)
    await world.live(3)
    metadata = world.cluster.one(SWARMS, "demo")["metadata"]
    assert metadata.get("finalizers") == [FINALIZER_RESCUE]


@pytest.mark.parametrize(
    ("fact", "begun"),
    [
        ({}, False),
        ({"conditions": [{"type": "Prepared", "status": "True"}]}, True),
        ({"conditions": [{"type": "Prepared", "status": "False"}]}, False),
        ({"integration": {"base": "a" * 40}}, True),
        ({"integration": {"base": "", "head": "a" * 40}}, True),
        ({"integration": {"base": "", "head": "", "batch": 0}}, False),
        ({"prepare": {"attempt": 3, "tasks": 0}}, False),
        ({"prepare": {"attempt": 3, "tasks": 7}}, True),
        ("task", True),
        ("integrate", True),
        ("prepare, well", True),
        ("prepare, failed", False),
        ("prepare, runs", False),
        ("ledger", True),
    ],
)
def test_that_a_swarm_had_work_is_told_by_any_fact_that_stays(
    fact: Any, begun: bool
) -> None:
    # None of them is undone by a preparation that fails now.
    for prepared in ([], [{"type": "Prepared", "status": "False"}]):
        before = {"conditions": prepared, **(fact if isinstance(fact, dict) else {})}
        seen = view(*(["Ready"] if fact == "task" else []), before=before)
        kind, _, ended = str(fact).partition(", ")
        if kind in ("integrate", "prepare"):
            done = {"well": "Complete", "failed": "Failed"}.get(ended)
            conditions = [{"type": done, "status": "True"}] if done else []
            job: Any = {
                "metadata": {
                    "name": f"demo-{kind}-1",
                    "labels": {LABEL_COMPONENT: kind},
                },
                "status": {"conditions": conditions},
            }
            seen.jobs.append(job)
        if fact == "ledger":
            book = Book("")
            book.lines = 1
            seen = replace(seen, ledger=book)
        assert has_begun(seen) is begun
