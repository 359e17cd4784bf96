"""Why a ready task is not running, with the sentence that changes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiro_swarm.reconcile.snapshot.promised import Promised
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.status import swarm_status
from kiro_swarm.reconcile.tasks.hand_out import bindings
from tests.unit.reconcile.explained import (
    HISTORY,
    about,
    codes,
    node,
    seen,
    with_spec,
)
from tests.unit.reconcile.views import DONE, WELL


def handed_out(view: View, task_id: str) -> View:
    """The view while it is not known whether ``demo-1`` has a task."""
    task = next(item for item in view.tasks if item["spec"]["id"] == task_id)
    promised = Promised([(task, "demo-1")], frozenset({"demo-1"}))
    return replace(view, promised=promised)


BUSY_BOTH = (
    node("8.1", "Running", instance="demo-1"),
    node("8.2", "Bound", instance="demo-2"),
)


@pytest.mark.parametrize(
    ("case", "where", "code", "line"),
    [
        (
            "the swarm is suspended",
            seen(node("1", "Ready"), idle=1, suspend=True),
            "swarm-suspended",
            "the swarm is suspended: say `resume swarm`",
        ),
        (
            "the swarm is deleted",
            seen(node("1", "Ready"), idle=1, deleting=True),
            "swarm-deleted",
            "the swarm is being deleted",
        ),
        (
            "the task is paused",
            seen(with_spec(node("1", "Ready"), paused=True), idle=1),
            "task-paused",
            "it is paused: say `resume task 1`",
        ),
        (
            "nobody is wanted",
            seen(node("1", "Ready"), instances=0),
            "no-instances",
            "no instance is wanted: say `scale instances 1`",
        ),
        (
            "everybody is busy",
            seen(node("1", "Ready"), *BUSY_BOTH),
            "no-idle-instance",
            "no instance is idle: 2 busy with 8.1, 8.2: say `scale up instances 1`",
        ),
        (
            "the pods are on their way up",
            seen(node("1", "Ready"), BUSY_BOTH[0]),
            "no-idle-instance",
            "no instance is idle: 1 busy with 8.1, 1 starting",
        ),
        (
            "the others are paused",
            seen(node("1", "Ready"), BUSY_BOTH[0], desired={1: "Paused", 2: "Paused"}),
            "no-idle-instance",
            "no instance is idle: 1 busy with 8.1, 1 paused or stopped: "
            "say `resume instance demo-2`",
        ),
        (
            "it is assigned to nobody that is there",
            seen(with_spec(node("1", "Ready"), assignedTo="demo-7"), idle=2),
            "instance-missing",
            "it is assigned to demo-7, which does not exist: say `unassign task 1`",
        ),
        (
            "to one that is paused",
            seen(
                with_spec(node("1", "Ready"), assignedTo="demo-1"),
                idle=2,
                desired={1: "Paused"},
            ),
            "instance-held",
            "it is assigned to demo-1, which is paused: "
            "say `resume instance demo-1` or `unassign task 1`",
        ),
        (
            "to one that is drained",
            seen(
                with_spec(node("1", "Ready"), assignedTo="demo-1"),
                idle=2,
                desired={1: "Drained"},
            ),
            "instance-held",
            "it is assigned to demo-1, which is drained: "
            "say `resume instance demo-1` or `unassign task 1`",
        ),
        (
            "to one beyond the wanted number",
            seen(
                with_spec(node("1", "Ready"), assignedTo="demo-2"), idle=2, instances=1
            ),
            "instance-leaves",
            "it is assigned to demo-2, which leaves: 1 instances are wanted: "
            "say `scale instances 2` or `unassign task 1`",
        ),
        (
            "to one that works",
            seen(with_spec(node("1", "Ready"), assignedTo="demo-1"), *BUSY_BOTH),
            "instance-busy",
            "it is assigned to demo-1, which works on 8.1: say `unassign task 1`",
        ),
        (
            "to one whose pod is not ready",
            seen(with_spec(node("1", "Ready"), assignedTo="demo-2"), idle=1),
            "instance-starts",
            "it is assigned to demo-2, which is not ready: its pod starts",
        ),
        (
            "somebody works on its files",
            seen(
                with_spec(node("1", "Ready"), files=["src/a.py"]),
                with_spec(node("2", "Done"), files=["src"]),
                with_spec(node("3", "Running", instance="demo-2"), files=["docs"]),
                idle=1,
            ),
            "files-overlap",
            "it touches files of 2 (Done), and waits until that is merged",
        ),
        (
            "others come first",
            seen(
                node("1", "Ready"),
                node("2", "Ready"),
                node("4", "Ready"),
                with_spec(node("3", "Ready"), assignedTo="demo-9"),
                node("5", "Blocked", "2"),
                idle=2,
            ),
            "soon",
            "an instance takes it in a moment",
        ),
        (
            "whether it was taken is not known",
            handed_out(seen(with_spec(node("1", "Ready"), files=["a"]), idle=2), "1"),
            "handed-out",
            "it is given to demo-1: the API server has not answered yet",
        ),
        (
            "whether the one that is idle has another is not known",
            handed_out(
                seen(node("1", "Ready"), node("2", "Ready"), BUSY_BOTH[1], idle=2), "2"
            ),
            "no-idle-instance",
            "no instance is idle: 2 busy with 2, 8.2: say `scale up instances 1`",
        ),
        (
            "to one of which that is not known",
            handed_out(
                seen(
                    with_spec(node("1", "Ready"), assignedTo="demo-1"),
                    node("2", "Ready"),
                    idle=2,
                ),
                "2",
            ),
            "instance-busy",
            "it is assigned to demo-1, which may have 2: the API server has not answered "
            "yet: say `unassign task 1`",
        ),
        (
            "somebody may work on its files",
            handed_out(
                seen(
                    with_spec(node("1", "Ready"), files=["src/a.py"]),
                    with_spec(node("2", "Ready"), files=["src"]),
                    idle=2,
                ),
                "2",
            ),
            "files-overlap",
            "it touches files of 2 (Ready), and waits until that is merged",
        ),
        (
            "its turn is now",
            seen(with_spec(node("1", "Ready"), assignedTo="demo-1"), idle=1),
            "soon",
            "an instance takes it in a moment",
        ),
    ],
)
def test_why_a_ready_task_is_not_running(
    case: str, where: View, code: str, line: str
) -> None:
    explanation = about(where, "1")
    assert codes(explanation)[0] == code, case
    first = explanation.text.splitlines()[0]
    assert first == f"task 1 is Ready: {line}", case


def test_a_task_later_in_line_says_its_place() -> None:
    where = seen(
        node("1", "Ready"), node("2", "Ready"), node("3", "Blocked", "2"), idle=1
    )
    explanation = about(where, "1")
    assert explanation.text == (
        "task 1 is Ready: number 2 in line, behind 2: say `run task 1`"
    )
    assert codes(about(where, "2")) == ["soon"]


def test_everything_that_holds_a_task_is_said() -> None:
    held = with_spec(
        node("1", "Ready", failures=1, history=HISTORY),
        paused=True,
        assignedTo="gone",
        files=["a"],
    )
    other = with_spec(node("2", "Done"), files=["a"])
    explanation = about(seen(held, other, suspend=True), "1")
    assert codes(explanation) == [
        "swarm-suspended",
        "task-paused",
        "instance-missing",
        "files-overlap",
        "failed-before",
    ]
    assert explanation.text.splitlines()[1:] == [
        "  also: it is paused: say `resume task 1`",
        "  also: it is assigned to gone, which does not exist: say `unassign task 1`",
        "  also: it touches files of 2 (Done), and waits until that is merged",
        "  also: 1 of 3 attempts failed; the last ended with NoChanges",
    ]


def test_what_the_last_attempt_ended_with_is_said_in_its_words() -> None:
    said = "attempt 1: gate tests is red on the merged result (exited with 1): 1 failed"
    back = node(
        *("1", "Ready"),
        failures=1,
        history=[{**HISTORY[-1], "outcome": "GateFailed"}],
        reason="GateFailed",
        message=said,
    )
    assert said in about(seen(back), "1").text


def test_who_may_have_a_task_is_busy_in_the_status_and_idle_for_nobody() -> None:
    where = handed_out(seen(node("1", "Ready"), idle=1), "1")
    assert bindings(where) == []
    first, second = swarm_status(where, DONE, WELL)["instances"]
    assert (first["phase"], second["phase"]) == ("Busy", "Ready")
