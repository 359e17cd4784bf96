"""Why a task is where it is: for every state, with the sentence that changes it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, Optional

import pytest

from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.explain import Explanation, explain
from kiro_swarm.reconcile.view import View
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.views import Object, instance, task, view

LONG_AGO = START - timedelta(hours=3)
HISTORY = [{"attempt": 1, "outcome": "NoChanges"}]


def ago(seconds: float) -> str:
    return stamp(START - timedelta(seconds=seconds))


def node(task_id: str, state: str, needs: str = "", **status: Any) -> Object:
    """A task; `needs` are ids with blanks between them."""
    made = task(0, state, **status)
    made["spec"] = {
        "id": task_id,
        "order": int(task_id.replace(".", "")) if task_id[0].isdigit() else 0,
        "dependencies": needs.split(),
        "maxAttempts": 3,
    }
    return made


def with_spec(item: Object, **spec: Any) -> Object:
    return {**item, "spec": {**item["spec"], **spec}}


def seen(
    *tasks: Object,
    idle: int = 0,
    desired: Optional[dict[int, str]] = None,
    jobs: Optional[list[Object]] = None,
    deleting: bool = False,
    **spec: Any,
) -> View:
    """A swarm with two instances, the first ``idle`` of them with a ready pod."""
    made = view(tasks=list(tasks), deleting=deleting, **spec)
    instances, pods = [], []
    for index in (1, 2):
        item = instance(index)
        item["metadata"]["uid"] = f"i{index}"
        item["spec"]["desired"] = (desired or {}).get(index, "Running")
        instances.append(item)
        if index <= idle:
            owner = {"uid": f"i{index}"}
            ready = {"type": "Ready", "status": "True"}
            metadata = {"uid": f"p{index}", "ownerReferences": [owner]}
            pods.append({"metadata": metadata, "status": {"conditions": [ready]}})
    return replace(made, instances=instances, pods=pods, jobs=jobs or [])


def about(where: View, task_id: str) -> Explanation:
    found = next(item for item in where.tasks if item["spec"]["id"] == task_id)
    explanation = explain(where, found)
    json.dumps(explanation.data)
    return explanation


def codes(explanation: Explanation) -> list[str]:
    return [reason["code"] for reason in explanation.data["reasons"]]


def job(condition: str = "", reported: str = "2026-11-22T10:00:00Z") -> Object:
    conditions = [{"type": condition, "status": "True", "lastTransitionTime": reported}]
    return {
        "metadata": {
            "name": "demo-integrate-4",
            "uid": "j",
            "labels": {"swarm.kiro.dev/component": "integrate"},
        },
        "status": {"conditions": conditions if condition else []},
    }


# ------------------------------------------------------------------ one task

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


@pytest.mark.parametrize(
    ("case", "item", "spec", "jobs", "text"),
    [
        (
            "bound",
            node("1", "Bound", attempt=2, instance="demo-1", boundAt=ago(3)),
            {},
            [],
            "task 1 is Bound: attempt 2 with demo-1 for 3 s; its runner begins",
        ),
        (
            "at work for some minutes",
            node(
                "1",
                "Running",
                attempt=1,
                instance="demo-1",
                startedAt=ago(400),
                progress={"message": "writing tests\nmore", "updatedAt": ago(12)},
            ),
            {},
            [],
            "task 1 is Running: attempt 1 with demo-1 for 7 min; "
            "its agent said 12 s ago: writing tests",
        ),
        (
            "at work for hours, without a word, after a failure, and paused",
            with_spec(
                node(
                    "1",
                    "Running",
                    attempt=2,
                    instance="demo-1",
                    startedAt=stamp(LONG_AGO),
                    failures=1,
                    history=HISTORY,
                ),
                paused=True,
            ),
            {},
            [],
            "task 1 is Running: attempt 2 with demo-1 for 3.0 h; "
            "its agent has said nothing yet\n"
            "  also: 1 of 3 attempts failed; the last ended with NoChanges\n"
            "  also: it is paused; this attempt goes on: say `resume task 1`",
        ),
        (
            "done, a person is asked",
            node("1", "Done", attempt=1),
            {"integration": {"approval": "Required"}},
            [],
            "task 1 is Done: its work is checked and waits for a person: "
            "say `approve task 1` or `reject task 1`",
        ),
        (
            "done, nothing has begun",
            node("1", "Done", attempt=1),
            {},
            [],
            "task 1 is Done: its work is checked; it is merged in a moment",
        ),
        (
            "done and approved, the train runs, with gates",
            with_spec(node("1", "Done", attempt=1), approvedAttempt=1),
            {
                "integration": {
                    "approval": "Required",
                    "gates": [{"name": "tests", "command": ["make"]}],
                }
            },
            [job()],
            "task 1 is Done: its work is checked; integrate Job 4 merges it, "
            "after the gates tests on the merged result",
        ),
        (
            "done, the train failed",
            node("1", "Done", attempt=1),
            {},
            [job("Failed")],
            "task 1 is Done: the last integrate Job failed: IntegrateFailed, "
            "the integrate Job failed; next try at 2026-11-22T10:00:15.000000Z",
        ),
        (
            "merged",
            node("1", "Merged", mergeCommit="c" * 40, mergedAt=ago(0)),
            {},
            [],
            f"task 1 is Merged: as cccccccccccc at {ago(0)}",
        ),
        (
            "ticked",
            node("1", "Merged", message="was ticked in the task file"),
            {},
            [],
            "task 1 is Merged: was ticked in the task file",
        ),
        (
            "merged, and nobody says why",
            node("1", "Merged"),
            {},
            [],
            "task 1 is Merged: it counts as merged",
        ),
        (
            "failed, with a brief",
            node(
                "1",
                "Failed",
                reason="VerificationFailed",
                message="attempt 3: red (3 of 3 attempts failed)",
                brief="the test of the login is red\nand more",
            ),
            {},
            [],
            "task 1 is Failed: VerificationFailed, attempt 3: red "
            "(3 of 3 attempts failed): say `retry task 1`\n"
            "  also: its brief begins: the test of the login is red",
        ),
        (
            "cancelled",
            node("1", "Failed", reason="Cancelled", message="cancelled by ada"),
            {},
            [],
            "task 1 is Failed: Cancelled, cancelled by ada: say `retry task 1`",
        ),
        (
            "skipped",
            node("1", "Skipped", message="optional in the task file"),
            {},
            [],
            "task 1 is Skipped: optional in the task file: say `run task 1`",
        ),
        (
            "skipped, and nobody says why",
            node("1", "Skipped"),
            {},
            [],
            "task 1 is Skipped: it is left out: say `run task 1`",
        ),
        (
            "blocked for a moment",
            node("1", "Blocked"),
            {},
            [],
            "task 1 is Blocked: nothing holds it: it is ready in a moment",
        ),
    ],
)
def test_what_a_task_is_at(
    case: str, item: Object, spec: dict[str, Any], jobs: list[Object], text: str
) -> None:
    explanation = about(seen(item, jobs=jobs, **spec), "1")
    assert explanation.text == text, case
    assert explanation.data["state"] == item["status"]["state"]


# ------------------------------------------------------------------ a blocked one


def test_a_blocked_task_names_what_holds_it_in_the_end() -> None:
    where = seen(
        node("1", "Merged", mergeCommit="c" * 40),
        node("2", "Failed", "1", reason="NoChanges", message="attempt 3: nothing"),
        node("3", "Running", "1", instance="demo-1", attempt=1, startedAt=ago(60)),
        node("4", "Blocked", "2 3"),
        node("5", "Blocked", "4 1"),
    )
    explanation = about(where, "5")
    assert explanation.text.splitlines() == [
        "task 5 is Blocked: waits for 4 (Blocked)",
        "  2 is Failed: NoChanges, attempt 3: nothing: say `retry task 2`",
        "  3 is Running: attempt 1 with demo-1 for 60 s; its agent has said nothing yet",
    ]
    assert explanation.data["waitsFor"] == [
        {"task": "4", "state": "Blocked", "waitsFor": ["2", "3"]},
        {"task": "2", "state": "Failed", "waitsFor": []},
        {"task": "3", "state": "Running", "waitsFor": []},
    ]
    causes = explanation.data["causes"]
    assert [(c["task"], c["code"], c["say"]) for c in causes] == [
        ("2", "failed", ["retry task 2"]),
        ("3", "running", []),
    ]


def test_a_dependency_that_does_not_exist_is_the_cause() -> None:
    where = seen(node("1", "Blocked", "nine"), node("2", "Blocked", "1 nine"))
    assert about(where, "2").text.splitlines() == [
        "task 2 is Blocked: waits for 1 (Blocked)",
        "  also: waits for nine, and there is no such task",
        "  1 is Blocked: waits for nine, and there is no such task",
    ]


def test_a_paused_task_says_so_while_it_is_blocked() -> None:
    where = seen(
        node("1", "Ready"), with_spec(node("2", "Blocked", "1"), paused=True), idle=1
    )
    assert codes(about(where, "2")) == ["waits-for-tasks", "task-paused"]


def test_long_stories_are_cut_short() -> None:
    ids = [f"1.{n}" for n in range(200)]
    failed = [node(i, "Failed", reason="Bad", message="m" * 2000) for i in ids]
    where = seen(*failed, node("2", "Blocked", " ".join(ids)))
    explanation = about(where, "2")
    lines = explanation.text.splitlines()
    assert lines[0].endswith("1.3 (Failed), 1.4 (Failed) and 195 more")
    assert lines[-1] == "  and 190 more"
    assert len(explanation.text) < 4096
    assert len(explanation.data["waitsFor"]) == 100


def test_tasks_that_wait_for_each_other_do_not_keep_it_busy() -> None:
    where = seen(node("1", "Blocked", "2"), node("2", "Blocked", "1"))
    assert about(where, "1").text == "task 1 is Blocked: waits for 2 (Blocked)"
