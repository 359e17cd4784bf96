"""What becomes of a task whose attempt ended without a merge."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kiro_swarm.api.task import KiroTaskSpec, KiroTaskStatus
from kiro_swarm.lifecycle.attempts import (
    after_failure,
    cancelled,
    rejected,
    taken_back,
)
from kiro_swarm.lifecycle.reasons import (
    BY_PERSON,
    MOST_FORGIVEN,
    NO_FAULT,
    NO_FAULT_FACTOR,
)
from kiro_swarm.lifecycle.steps import asked_again
from kiro_swarm.policy.times import stamp
from tests.support.shapes import Object, valid

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SPEC: KiroTaskSpec = {"swarm": "demo", "id": "1.1", "maxAttempts": 3}


def status(**changes: Any) -> Object:
    running = {
        "state": "Running",
        "attempt": 1,
        "instance": "demo-1",
        "podUid": "u",
        "readyAt": stamp(NOW - timedelta(seconds=90)),
        "startedAt": stamp(NOW - timedelta(seconds=60)),
        "progress": {"message": "half"},
    }
    return {**running, **changes}


def fail(
    before: Object,
    *,
    reason: str = "NoChanges",
    message: str = "nothing committed",
    brief: str = "",
    spec: KiroTaskSpec = SPEC,
) -> Object:
    return after_failure(
        before, spec, reason=reason, message=message, brief=brief, now=NOW
    )


@pytest.mark.parametrize(
    ("case", "failures", "attempt", "reason", "state", "counted"),
    [
        ("the first failure", 0, 1, "NoChanges", "Ready", 1),
        ("the second", 1, 2, "GateFailed", "Ready", 2),
        ("the last that is allowed", 2, 3, "MergeConflict", "Failed", 3),
        ("a lost instance is nobody's fault", 2, 3, "InstanceLost", "Ready", 2),
        ("a stopped runner neither", 2, 9, "RunnerStopped", "Ready", 2),
        ("a restarted runner neither", 2, 14, "RunnerRestarted", "Ready", 2),
        ("but not for ever", 0, 15, "InstanceLost", "Failed", 0),
        ("failures of before a person asked do not count", 0, 7, "Bad", "Ready", 1),
    ],
)
def test_a_task_is_tried_again_until_its_attempts_are_used_up(
    case: str, failures: int, attempt: int, reason: str, state: str, counted: int
) -> None:
    patch = fail(status(failures=failures, attempt=attempt), reason=reason)
    assert (patch["state"], patch["failures"]) == (state, counted), case
    assert (patch["finishedAt"] is not None) == (state == "Failed")
    assert ("attempts failed" in patch["message"]) == (state == "Failed")


@pytest.mark.parametrize(
    ("reason", "more"),
    [("InstanceLost", 0), ("AgentProgramMissing", MOST_FORGIVEN)],
)
def test_even_innocent_attempts_end_somewhere(reason: str, more: int) -> None:
    before: Object = {}
    for attempt in range(1, 1000):
        before = {**before, **status(attempt=attempt)}
        before = {**before, **fail(before, reason=reason)}
        if before["state"] == "Failed":
            break
    assert attempt == SPEC["maxAttempts"] * NO_FAULT_FACTOR + more


@pytest.mark.parametrize(
    ("case", "missing", "forgiven", "attempt", "state", "counted"),
    [
        ("the first", 0, 0, 1, "Ready", 1),
        ("a person took 60 attempts back", 0, 60, 61, "Ready", 1),
        ("the template was wrong 60 times", 3, 60, 61, "Ready", 4),
        ("the last of its allowance", MOST_FORGIVEN - 1, 60, 61, "Ready", 48),
        ("it is used up", MOST_FORGIVEN, 48, 49, "Ready", 48),
        ("and so are those of nobody's fault", MOST_FORGIVEN, 48, 63, "Failed", 48),
    ],
)
def test_no_other_free_end_uses_up_the_allowance_of_a_missing_program(
    case: str, missing: int, forgiven: int, attempt: int, state: str, counted: int
) -> None:
    before = status(attempt=attempt, programMissing=missing, forgiven=forgiven)
    after = {**before, **fail(before, reason="AgentProgramMissing")}
    assert (after["state"], after["programMissing"]) == (state, counted), case
    assert after["forgiven"] - forgiven == counted - missing
    valid(KiroTaskStatus, after)


def test_who_is_asked_for_again_has_the_whole_allowance_again() -> None:
    used = status(state="Failed", attempt=63, programMissing=MOST_FORGIVEN)
    before = {**used, **asked_again(used, NOW, "again", satisfied=True)}
    before = {**before, **status(attempt=64)}
    after = {**before, **fail(before, reason="AgentProgramMissing")}
    assert (after["state"], after["programMissing"]) == ("Ready", 1)


def test_what_only_a_person_can_mend_counts_against_no_limit() -> None:
    before: Object = {}
    for attempt in range(1, 100):
        before = {**before, **status(attempt=attempt)}
        patch = fail(before, reason="AgentNotRunnable")
        before = {**before, **patch}
        assert (before["state"], before["failures"]) == ("Ready", 0)
    assert before["forgiven"] == 99
    lost = fail({**before, **status(attempt=100)}, reason="InstanceLost")
    assert lost["state"] == "Ready"
    assert "forgiven" not in lost


@pytest.mark.parametrize("reason", sorted(NO_FAULT))
def test_reasons_without_fault_do_not_count(reason: str) -> None:
    assert fail(status(), reason=reason)["failures"] == 0


def test_a_task_that_goes_back_lets_go_of_its_instance() -> None:
    patch = fail(status())
    assert (patch["instance"], patch["podUid"]) == ("", "")
    gone = ("boundAt", "startedAt", "finishedAt", "progress")
    assert [patch[field] for field in gone] == [None] * 4
    assert patch["readyAt"] == status()["readyAt"], "it keeps its place in the queue"


def test_history_keeps_the_last_ten_attempts() -> None:
    before = status()
    for attempt in range(1, 14):
        before = {
            **before,
            **fail({**before, "attempt": attempt}, reason="RunnerStopped"),
        }
    assert [record["attempt"] for record in before["history"]] == list(range(4, 14))


def test_history_says_who_when_what_and_why() -> None:
    patch = fail(status(commit="c" * 40), message="red test")
    assert patch["history"] == [
        {
            "attempt": 1,
            "instance": "demo-1",
            "podUid": "u",
            "outcome": "NoChanges",
            "message": "red test",
            "startedAt": status()["startedAt"],
            "finishedAt": stamp(NOW),
            "commit": "c" * 40,
        }
    ]


def test_an_attempt_that_never_started_has_no_start_in_its_record() -> None:
    before = status(startedAt=None, instance=None, state="Bound")
    patch = fail(before, reason="InstanceLost")
    assert "startedAt" not in patch["history"][0]
    assert patch["history"][0]["instance"] == ""
    assert patch["runningSeconds"] == 0.0


@pytest.mark.parametrize(
    ("case", "brief", "known", "expected"),
    [
        ("a new brief replaces", "new", "old", "new"),
        ("none carries the old over", "", "old", "old"),
        ("none at all", "", None, ""),
        ("too long is cut", "x" * 20000, None, "x" * 16384),
    ],
)
def test_the_next_attempt_reads_the_brief(
    case: str, brief: str, known: str, expected: str
) -> None:
    assert fail(status(brief=known), brief=brief)["brief"] == expected, case


@pytest.mark.parametrize(
    ("case", "changes", "seconds"),
    [
        ("running: from its start to now", {}, 60.0),
        ("added to what was before", {"runningSeconds": 5.5}, 65.5),
        (
            "done: it was counted when it became done",
            {"state": "Done", "runningSeconds": 41.0},
            41.0,
        ),
    ],
)
def test_the_time_of_an_attempt_is_counted_once(
    case: str, changes: dict[str, Any], seconds: float
) -> None:
    assert fail(status(**changes))["runningSeconds"] == seconds, case


@pytest.mark.parametrize(
    ("case", "state", "attempt", "over"),
    [
        ("never begun", "Blocked", 0, False),
        ("in line again", "Ready", 2, False),
        ("given to an instance", "Bound", 1, True),
        ("at work", "Running", 1, True),
        ("waits for its merge", "Done", 1, True),
        ("failed already", "Failed", 3, False),
        ("skipped by its mark", "Skipped", 0, False),
    ],
)
def test_a_cancelled_task_is_failed_from_wherever_it_is(
    case: str, state: str, attempt: int, over: bool
) -> None:
    before = status(state=state, attempt=attempt)
    spec: KiroTaskSpec = {**SPEC, "runRequest": "asked-before"}
    after = {**before, **cancelled(before, spec, NOW, "ada")}
    assert (after["state"], after["reason"]) == ("Failed", "Cancelled"), case
    assert after["message"] == "cancelled by ada"
    assert after["finishedAt"] == stamp(NOW)
    assert after["observedRunRequest"] == "asked-before", "it is not tried again"
    assert [record["outcome"] for record in after.get("history", [])] == (
        ["Cancelled"] if over else []
    )
    if over:
        assert (after["instance"], after["podUid"]) == ("", ""), "its runner stops"
    valid(KiroTaskStatus, after)


@pytest.mark.parametrize("reason", sorted(BY_PERSON - {"Cancelled", "Rejected"}))
def test_a_task_that_a_person_takes_back_keeps_its_place_and_its_brief(
    reason: str,
) -> None:
    before = status(failures=2, attempt=3, brief="do it right", forgiven=1)
    patch = taken_back(before, NOW, reason, "demo-1 is asked to rest")
    after = {**before, **patch}
    assert (after["state"], after["reason"]) == ("Ready", reason)
    assert (after["failures"], after["forgiven"]) == (2, 2)
    assert after["readyAt"] == before["readyAt"]
    assert after["brief"] == "do it right"
    assert after["message"] == "attempt 3: demo-1 is asked to rest"
    assert after["history"][0]["outcome"] == reason
    assert after["runningSeconds"] == 60.0
    assert after["instance"] == after["podUid"] == ""
    assert "observedRunRequest" not in patch


def test_a_person_may_take_a_task_back_as_often_as_they_like() -> None:
    before: Object = {}
    for attempt in range(1, 101):
        begun: Object = {**before, **status(attempt=attempt)}
        before = {**begun, **taken_back(begun, NOW, "Stopped", "stop")}
    lost = {**before, **status(attempt=101)}
    assert fail(lost, reason="InstanceLost")["state"] == "Ready"
    assert fail(lost)["failures"] == 1


@pytest.mark.parametrize(
    ("case", "words", "message", "brief"),
    [
        (
            "with a reason",
            "no tests\nat all",
            "no tests",
            "rejected it: no tests\nat all",
        ),
        ("without", "  ", "no reason was given", "rejected it: no reason was given"),
    ],
)
def test_rejected_work_is_done_anew_with_the_words_of_the_person(
    case: str, words: str, message: str, brief: str
) -> None:
    before = status(state="Done", attempt=2, failures=2, commit="c" * 40)
    patch = rejected(before, NOW, words)
    assert (patch["state"], patch["reason"]) == ("Ready", "Rejected"), case
    assert patch["message"] == f"attempt 2: rejected: {message}"
    assert patch["brief"].startswith("A person looked at the work of attempt 2")
    assert patch["brief"].endswith(brief)
    assert "failures" not in patch, "it is no failure"
    assert patch["history"][0]["commit"] == "c" * 40
    assert patch["runningSeconds"] == 0.0, "counted when it became Done"


def test_long_words_of_a_person_fit_into_the_status() -> None:
    before = status(state="Done")
    for patch in (
        rejected(before, NOW, "r" * 50000),
        cancelled(before, SPEC, NOW, "w" * 5000),
        taken_back(before, NOW, "Stopped", "m" * 5000),
    ):
        valid(KiroTaskStatus, {**before, **patch})


def test_long_words_fit_into_the_status() -> None:
    patch = fail(status(), message="m" * 5000, brief="b" * 50000)
    valid(KiroTaskStatus, patch)
