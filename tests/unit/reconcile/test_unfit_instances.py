"""An instance on which different tasks fail in the same way is replaced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Optional

import pytest

from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.instances.decision import decide
from kiro_swarm.reconcile.snapshot.board import Board
from kiro_swarm.reconcile.snapshot.faults import Faults
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.test_instance import READY, UP, pod, seen


def task(number: int, *ends: tuple[str, int], on: str = "uid-0") -> Any:
    """A task that ended so, at those seconds; ``Done`` for one that went well.

    :param on: the pod, empty in what an earlier release has written.
    """
    instance, its = "demo-1", {"podUid": on} if on else {}
    history = [
        {
            "attempt": n,
            "instance": instance,
            **its,
            "outcome": outcome,
            "finishedAt": stamp(START + timedelta(seconds=at)),
        }
        for n, (outcome, at) in enumerate(ends, 1)
        if outcome != "Done"
    ]
    status: dict[str, Any] = {"state": "Ready", "history": history}
    for outcome, at in ends:
        if outcome == "Done":
            at_end = stamp(START + timedelta(seconds=at))
            status = {**status, "state": "Done", "instance": instance, **its}
            status["finishedAt"] = at_end
    return {
        "metadata": {"name": f"demo-{number}", "uid": str(number)},
        "spec": {"id": str(number), "order": number},
        "status": status,
    }


@pytest.mark.parametrize(
    ("tasks", "unfit"),
    [
        ([], False),
        ([task(1, ("WorkspaceFailed", 1))], False),
        ([task(1, ("WorkspaceFailed", 1), ("WorkspaceFailed", 2))], False),
        ([task(1, ("WorkspaceFailed", 1)), task(2, ("WorkspaceFailed", 2))], True),
        ([task(1, ("AgentUnavailable", 1)), task(2, ("AgentUnavailable", 2))], True),
        # Not in the same way.
        ([task(1, ("WorkspaceFailed", 1)), task(2, ("AgentUnavailable", 2))], False),
        # Of the tasks, not of the instance.
        ([task(1, ("NoChanges", 1)), task(2, ("NoChanges", 2))], False),
        ([task(1, ("AgentNotStarted", 1)), task(2, ("AgentNotStarted", 2))], False),
        # Whatever the task, so one of them is enough.
        ([task(1, ("AgentNotRunnable", 1))], True),
        ([task(1, ("AgentProgramMissing", 1))], True),
        ([task(1, ("AgentProgramMissing", 1)), task(2, ("Done", 2))], False),
        # An agent can end like that at will, once the program is known to be there.
        ([task(1, ("AgentProgramMissing", 2)), task(2, ("Done", 1))], False),
        (
            [
                task(1, ("AgentProgramMissing", 2)),
                task(2, ("Done", 1)),
                task(3, ("AgentProgramMissing", 3)),
            ],
            True,
        ),
        ([task(1, ("AgentNotRunnable", 2)), task(2, ("Done", 1))], True),
        ([task(1, ("AgentNotRunnable", 1)), task(2, ("Done", 2))], False),
        # Something went well since, or between them.
        (
            [
                task(1, ("WorkspaceFailed", 1)),
                task(2, ("WorkspaceFailed", 2)),
                task(3, ("Done", 3)),
            ],
            False,
        ),
        (
            [
                task(1, ("WorkspaceFailed", 1), ("MergeConflict", 2)),
                task(2, ("WorkspaceFailed", 3)),
            ],
            False,
        ),
        # A person's word says nothing on the instance.
        (
            [
                task(1, ("WorkspaceFailed", 1), ("Stopped", 2)),
                task(2, ("WorkspaceFailed", 3)),
            ],
            True,
        ),
        # Of the pod before, whatever the clock of its node said, or of nobody knows which.
        (
            [
                task(1, ("WorkspaceFailed", 3601), on="uid-before"),
                task(2, ("WorkspaceFailed", 3602), on="uid-before"),
            ],
            False,
        ),
        (
            [
                task(1, ("WorkspaceFailed", 1), on=""),
                task(2, ("WorkspaceFailed", 2)),
            ],
            False,
        ),
        # Of this one, on a node whose clock is an hour behind.
        (
            [task(1, ("WorkspaceFailed", -3600)), task(2, ("WorkspaceFailed", -3500))],
            True,
        ),
    ],
)
def test_who_is_unfit(tasks: list[Any], unfit: bool) -> None:
    board = Board("")
    for item in tasks:
        board.put(item)
    assert bool(board.faults.unfit("uid-0")) == unfit
    assert board.faults.unfit("uid-2") == ""
    for item in tasks:
        board.put(task(int(item["spec"]["id"])))
    assert board.faults.unfit("uid-0") == "", "what is no longer said is gone"


@pytest.mark.parametrize(
    ("outcome", "elsewhere", "unfit"),
    [
        ("AgentProgramMissing", "Done", False),
        ("AgentProgramMissing", "NoChanges", False),
        ("AgentProgramMissing", "AgentProgramMissing", True),
        ("AgentProgramMissing", "InstanceLost", True),
        ("AgentNotRunnable", "Done", True),
    ],
)
def test_what_the_template_is_blamed_for_while_no_agent_of_it_has_worked(
    outcome: str, elsewhere: str, unfit: bool
) -> None:
    faults = Faults()
    faults.add(task(1, (outcome, 2)))
    faults.add(task(2, (elsewhere, 1), on="uid-1"))
    assert bool(faults.unfit("uid-0", ["uid-0", "uid-1"])) == unfit
    assert faults.unfit("uid-0", ["uid-0"]), "the other is of another template"


def test_nothing_is_remembered_of_tasks_that_are_gone() -> None:
    faults = Faults()
    items = [task(n, ("WorkspaceFailed", n), ("Done", n + 9)) for n in range(1, 5)]
    for item in items:
        faults.add(item)
    for item in items:
        faults.drop(item)
    assert vars(faults) == vars(Faults())


@pytest.mark.parametrize(
    ("state", "replaced"), [(None, True), ("Bound", True), ("Running", False)]
)
def test_its_pod_is_replaced_unless_an_agent_works_there(
    state: Optional[str], replaced: bool
) -> None:
    held: Any = (
        None if state is None else {"spec": {"id": "1"}, "status": {"state": state}}
    )
    decision = decide(seen(UP, pod(READY), unfit="tasks 1, 2 failed", task=held))
    assert decision.delete == replaced
    if replaced:
        assert decision.status["phase"] == "Restarting"
        assert decision.status["message"] == "tasks 1, 2 failed"
