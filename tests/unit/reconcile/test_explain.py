"""What a task is at and why a blocked one waits: every state but Ready."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reconcile.explained import (
    HISTORY,
    about,
    ago,
    codes,
    job,
    node,
    seen,
    with_spec,
)
from tests.unit.reconcile.views import Object


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
                    startedAt=ago(3 * 3600),
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


IN_THE_WAY = {
    "type": "ConflictPredicted",
    "status": "True",
    "message": "as it is now, the work conflicts with the merged task 1.2 in app.py",
}


def test_a_predicted_conflict_is_said_with_what_follows_and_what_a_person_can_do() -> (
    None
):
    at_work: dict[str, Any] = {"attempt": 1, "instance": "demo-1"}
    item = node("1", "Running", conditions=[IN_THE_WAY], **at_work)
    explanation = about(seen(item), "1")
    assert explanation.text.splitlines()[1:] == [
        "  also: as it is now, the work conflicts with the merged task 1.2 in app.py; its "
        "merge would send it back, to begin anew with the conflict in its brief; to begin "
        "anew at once: say `reassign tasks from demo-1`"
    ]
    assert codes(explanation) == ["running", "conflict-predicted"]


def test_a_person_who_is_asked_reads_that_it_would_not_merge() -> None:
    item = node("1", "Done", attempt=1, conditions=[IN_THE_WAY])
    explanation = about(seen(item, integration={"approval": "Required"}), "1")
    assert codes(explanation) == ["needs-approval", "conflict-predicted"]
    assert explanation.text.endswith(
        "in app.py; approved, it would be sent back by its "
        "merge; to send it back at once: say `reject task 1`"
    )


@pytest.mark.parametrize("state", ["Running", "Done"])
def test_a_conflict_that_is_over_is_not_mentioned(state: str) -> None:
    over = {**IN_THE_WAY, "status": "False", "message": "merges cleanly"}
    item = node("1", state, attempt=1, startedAt=ago(1), conditions=[over])
    explanation = about(seen(item, integration={"approval": "Required"}), "1")
    assert "conflict-predicted" not in codes(explanation)


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
    causes: Any = explanation.data["causes"]
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
    waits: Any = explanation.data["waitsFor"]
    assert len(waits) == 100


def test_tasks_that_wait_for_each_other_do_not_keep_it_busy() -> None:
    where = seen(node("1", "Blocked", "2"), node("2", "Blocked", "1"))
    assert about(where, "1").text == "task 1 is Blocked: waits for 2 (Blocked)"
