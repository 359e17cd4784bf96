"""Which ready tasks are asked whether the ledger has them: only those that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiro_swarm.policy.asked import asked_of
from kiro_swarm.policy.ledger import Book, MergedTask
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.transitions import transitions
from tests.unit.reconcile.executors.builders import Scene

COMMIT, WHEN = "c" * 40, "2026-11-22T10:00:00Z"


class Watched(dict[str, Any]):
    """A task that counts how often somebody looks at its status."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.looks += key == "status"
        return super().get(key, default)


def a_view(ready: int, merged: int, *again: str) -> View:
    """``again``: ready ones of another uid than the one that the ledger has merged."""
    scene, ledger = Scene(), Book("u")
    for number in range(ready):
        scene.task(f"r{number}")
    for number in range(merged):
        scene.task(f"m{number}", "Merged")
        ledger.merged[f"m{number}"] = MergedTask(COMMIT, "uid", 1, WHEN)
    for task_id in again:
        ledger.merged[task_id] = MergedTask(COMMIT, "the one before", 1, WHEN)
    found = scene.view
    tasks: list[Any] = [Watched(task) for task in found.tasks]
    view = View(
        *(found.swarm, found.spec, found.instances, tasks, found.jobs),
        *(found.pods, found.now),
        ledger=ledger,
    )
    assert view.task_index.tasks == tasks, "it is made here, once"
    for task in tasks:
        task.looks = 0
    return view


def looked_at(view: View) -> int:
    tasks: list[Any] = [*view.tasks]
    return sum(task.looks > 0 for task in tasks)


@pytest.mark.parametrize(("ready", "merged"), [(5000, 1000), (500, 1000)])
def test_no_ready_task_is_looked_at_because_others_are_merged(
    ready: int, merged: int
) -> None:
    view = a_view(ready, merged)
    assert transitions(view, lambda _: 0.0) == []
    assert looked_at(view) == 0


@pytest.mark.parametrize(("ready", "merged"), [(50, 10), (10, 50), (3, 0)])
def test_a_ready_task_that_was_made_again_is_known_among_many(
    ready: int, merged: int
) -> None:
    view = a_view(ready, merged, "r2", "r1", "of no KiroTask")
    made = transitions(view, lambda _: 0.0)
    assert [task["spec"]["id"] for task, _ in made] == ["r1", "r2"]
    assert {patch["state"] for _, patch in made} == {"Merged"}
    assert looked_at(view) == 2


def test_an_id_that_was_reused_for_other_work_is_not_merged() -> None:
    """The ledger has a task of that id; what it asked for was something else."""
    view = a_view(3, 1, "r1", "r2")
    for task_id, asked in (("r1", asked_of(view.tasks[1]["spec"])), ("r2", "f" * 16)):
        known = view.ledger.merged[task_id]
        view.ledger.merged[task_id] = replace(known, asked=asked)
    made = transitions(view, lambda _: 0.0)
    assert [task["spec"]["id"] for task, _ in made] == ["r1"]
