"""What was predicted of an attempt is told while it lasts, and goes with it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable

import pytest

from kiro_swarm.api.common import Condition
from kiro_swarm.api.task import KiroTaskSpec, KiroTaskStatus
from kiro_swarm.jobs.integrate import status_after
from kiro_swarm.lifecycle.attempts import after_failure, cancelled, rejected, taken_back
from kiro_swarm.policy.conflicts import predicted, with_prediction, without_prediction
from kiro_swarm.workspace.outcomes import Conflict, GateFailed, Merged, Unproven
from tests.support.shapes import Object, valid

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SPEC: KiroTaskSpec = {"swarm": "demo", "id": "1.1", "maxAttempts": 1}
MESSAGE = "as it is now, the work conflicts with the merged task 1.2 in app.py"
LATE: Condition = {
    "type": "Late",
    "status": "True",
    "reason": "SlowerThanExpected",
    "message": "",
    "lastTransitionTime": "2026-11-22T09:00:00.000000Z",
}
Status = Object


def status(*others: Condition, state: str = "Running", clean: bool = False) -> Status:
    """An attempt with a prediction, in front of the conditions of others."""
    running: Status = {"state": state, "attempt": 1, "instance": "demo-1"}
    task: Object = {
        "metadata": {"generation": 1},
        "status": {"conditions": list(others)},
    }
    files = () if clean else ("app.py",)
    conditions = with_prediction(task, files, len(files), ("1.2",), NOW)
    return {**running, "conditions": [conditions[-1], *conditions[:-1]]}


def failure(before: Status) -> Status:
    return after_failure(before, SPEC, reason="Bad", message="", brief="", now=NOW)


def train(outcome: Any) -> Callable[[Status], Status]:
    def merged_or_not(before: Status) -> Status:
        task: Any = {"spec": SPEC, "status": before}
        return status_after(task, outcome, NOW)

    return merged_or_not


ENDS: dict[str, Callable[[Status], Status]] = {
    "a failed attempt, a lost instance": failure,
    "taken back by a person": lambda s: taken_back(s, NOW, "Reassigned", "x"),
    "cancelled": lambda s: cancelled(s, SPEC, NOW, "ada"),
    "rejected": lambda s: rejected(s | {"state": "Done"}, NOW, "no tests"),
    "merged all the same": train(Merged("c" * 40, "b" * 40)),
    "the conflict that was predicted": train(Conflict(("app.py",), "both changed it")),
    "a red gate": train(GateFailed("unit", "red")),
    "an untrue claim": train(Unproven("TrailerMissing", "none")),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
@pytest.mark.parametrize("clean", [False, True], ids=["in the way", "not any more"])
def test_a_prediction_goes_with_its_attempt_and_nothing_else_does(
    end: Callable[[Status], Status], clean: bool
) -> None:
    before = status(LATE, clean=clean)
    after = {**before, **end(before)}
    assert after["conditions"] == [LATE]
    valid(
        KiroTaskStatus,
        {name: value for name, value in after.items() if value is not None},
    )


@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_where_nothing_was_predicted_conditions_are_not_written(
    end: Callable[[Status], Status],
) -> None:
    before: Status = {**status(LATE), "conditions": [LATE]}
    assert "conditions" not in end(before)
    assert "conditions" not in end({**before, "conditions": None})


def test_a_task_cancelled_where_nobody_works_on_it_has_nothing_to_lose() -> None:
    before: Status = {**status(LATE, state="Ready"), "conditions": [LATE]}
    assert "conditions" not in cancelled(before, SPEC, NOW, "ada")


@pytest.mark.parametrize(
    ("case", "given", "said"),
    [
        ("it would not merge", status(LATE), MESSAGE),
        ("it would again", status(LATE, clean=True), ""),
        ("nobody looked", {"state": "Running"}, ""),
        ("others have something to say", {"conditions": [LATE]}, ""),
    ],
)
def test_what_is_said_about_it(case: str, given: Status, said: str) -> None:
    assert predicted(given) == said, case


def test_nothing_is_taken_away_that_is_not_there() -> None:
    assert without_prediction({}) == {}
    assert without_prediction({"conditions": [LATE]}) == {}
