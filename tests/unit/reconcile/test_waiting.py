"""What waits for a person is nobody's work: neither in the forecast nor in the speed-up."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.policy.times import parse
from kiro_swarm.reconcile.snapshot.waiting import waited
from kiro_swarm.reconcile.swarms.status import swarm_status
from kiro_swarm.reconcile.tasks.outlook import outlook
from tests.unit.reconcile.explained import ago, node, seen, with_spec
from tests.unit.reconcile.learned import merged
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.views import DONE, WELL, Object

ASKED: Object = {"integration": {"approval": "Required"}}


def worked(
    name: str, state: str, began: float, over: Optional[float], **more: Any
) -> Object:
    """A task that was worked on from so many seconds ago to so many."""
    times = {"startedAt": ago(began), "attempt": 1, "instance": "demo-1", **more}
    if over is not None:
        times["finishedAt"] = ago(over)
        times["runningSeconds"] = began - over
    return node(name, state, **times)


def approved(item: Object, merged_before: float) -> Object:
    item["status"]["mergedAt"] = ago(merged_before)
    return with_spec(item, approvedAttempt=1)


@pytest.mark.parametrize(
    ("case", "tasks", "expected"),
    [
        ("nobody is asked", [worked("1", "Running", 100, None)], 0),
        ("asked for a while", [worked("1", "Done", 100, 60)], 60),
        (
            "another works meanwhile",
            [worked("1", "Done", 100, 60), worked("2", "Running", 80, None)],
            0,
        ),
        (
            "another worked for a part of it",
            [worked("1", "Done", 100, 60), worked("2", "Done", 80, 20)],
            20,
        ),
        (
            "two are asked about: each moment counts once",
            [worked("1", "Done", 100, 60), worked("2", "Done", 100, 50)],
            50,
        ),
        (
            "approved and merged long ago, another at work since",
            [
                approved(worked("1", "Merged", 1000, 900), 300),
                worked("2", "Running", 300, None),
            ],
            600,
        ),
        (
            "sent back, and worked on again",
            [
                worked(
                    "1",
                    "Running",
                    40,
                    None,
                    history=[
                        {
                            "attempt": 1,
                            "outcome": "Rejected",
                            "startedAt": ago(100),
                            "finishedAt": ago(90),
                        }
                    ],
                ),
                worked("2", "Done", 100, 95),
            ],
            50,
        ),
    ],
)
def test_only_the_time_in_which_nobody_worked_is_waiting(
    case: str, tasks: list[Object], expected: float
) -> None:
    view = seen(*tasks, idle=2, **ASKED)
    assert waited(view, None) == pytest.approx(expected), case
    assert waited(seen(*tasks), None) <= expected, "without approval nobody is asked"


def test_a_night_before_the_approval_is_not_in_the_speed_up() -> None:
    night = 36000.0
    tasks = [
        approved(worked("1", "Merged", night + 100, night), 100),
        worked("2", "Running", 100, None),
    ]
    found = swarm_status(seen(*tasks, **ASKED), DONE, WELL)["speedup"]
    assert found["taskSeconds"] == pytest.approx(200)
    assert found["elapsedSeconds"] == pytest.approx(200, abs=1)
    assert found["ratio"] == pytest.approx(1.0, abs=0.05)


def test_a_night_before_the_approval_is_not_how_long_a_merge_takes() -> None:
    past = [
        with_spec(merged(f"9.{n}", 100.0, lag=lag), approvedAttempt=1)
        for n, lag in enumerate((36000.0, 5.0, 50000.0))
    ]
    view = seen(*past, node("1", "Ready"), node("2", "Blocked", "1"), **ASKED)
    assert view.measured.lag == 5.0
    finish = parse(outlook(view)["finishAt"])
    assert finish is not None
    assert (finish - START).total_seconds() < 3600


def test_where_everything_waits_for_an_approval_no_end_is_promised() -> None:
    past = [merged(f"9.{n}", 100.0) for n in range(5)]
    rest = [worked("1", "Done", 50, 20), node("2", "Blocked", "1")]
    found = outlook(seen(*past, *rest, idle=2, **ASKED))
    assert found["stuck"] == ["1", "2"]
    assert found["finishAt"] is None
    assert found["criticalPath"] == []
    assert found["message"] == "nothing can go on; waiting for a person: 1, 2"


def test_what_goes_on_beside_it_has_an_end() -> None:
    past = [merged(f"9.{n}", 100.0) for n in range(5)]
    rest = [worked("1", "Done", 50, 20), node("2", "Blocked", "1"), node("3", "Ready")]
    found = outlook(seen(*past, *rest, idle=2, **ASKED))
    assert (found["stuck"], found["criticalPath"]) == (["1", "2"], ["3"])
    assert found["finishAt"] is not None
    approved_too = [with_spec(rest[0], approvedAttempt=1), *rest[1:]]
    found = outlook(seen(*past, *approved_too, idle=2, **ASKED))
    assert found["stuck"] == []


def test_a_task_for_an_instance_that_is_held_waits_for_a_person() -> None:
    rest = [with_spec(node("1", "Ready"), assignedTo="demo-1"), node("2", "Ready")]
    found = outlook(seen(*rest, idle=2, desired={1: "Stopped"}))
    assert found["stuck"] == ["1"]
