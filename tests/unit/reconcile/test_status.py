"""The status of a swarm: truth tables of conditions and phases, counts, speed-up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.conditions import stuck
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import differs, swarm_status, was_prepared
from tests.support.shapes import valid
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.views import (
    BUSY,
    DONE,
    PREPARING,
    PUSH,
    REFUSED,
    WELL,
    Object,
    conditions,
    instance,
    task,
    view,
)


@pytest.mark.parametrize(
    ("case", "seen", "prepared", "train", "phase", "expected"),
    [
        (
            "being prepared",
            view(ready=0),
            PREPARING,
            Train(0, False, True),
            "Preparing",
            {
                "Ready": "False Preparing",
                "Reconciling": "True Preparing",
                "Stalled": "False Progressing",
                "Prepared": "Unknown Preparing",
                "Complete": "False InProgress",
                "Integrated": "True Integrated",
            },
        ),
        (
            "the remote is gone",
            view(),
            REFUSED,
            WELL,
            "Failed",
            {
                "Ready": "False PrepareFailed",
                "Reconciling": "False Idle",
                "Stalled": "True RemoteUnavailable",
                "Prepared": "False RemoteUnavailable",
                "Complete": "False InProgress",
            },
        ),
        (
            "instances are starting",
            view("Ready", "Blocked", ready=1),
            DONE,
            WELL,
            "Running",
            {
                "Ready": "False InstancesNotReady",
                "Reconciling": "True Running",
                "Prepared": "True Prepared",
            },
        ),
        (
            "at work",
            view("Merged", "Running", "Blocked"),
            DONE,
            WELL,
            "Running",
            {
                "Ready": "True InstancesReady",
                "Reconciling": "True Running",
                "Stalled": "False Progressing",
                "Complete": "False InProgress",
                "Integrated": "True Integrated",
            },
        ),
        (
            "a task waits for its merge",
            view("Done", "Blocked"),
            DONE,
            BUSY,
            "Running",
            {"Integrated": "False MergePending", "Complete": "False InProgress"},
        ),
        (
            "suspended",
            view("Ready", "Running", suspend=True),
            DONE,
            WELL,
            "Suspended",
            {"Ready": "False Suspended", "Stalled": "False Progressing"},
        ),
        (
            "all merged",
            view("Merged", "Skipped"),
            DONE,
            WELL,
            "Succeeded",
            {
                "Ready": "True InstancesReady",
                "Reconciling": "False Idle",
                "Stalled": "False Progressing",
                "Complete": "True AllMerged",
                "Integrated": "True Integrated",
            },
        ),
        (
            "all merged, nothing to be pushed, the Job has not ended",
            view("Merged"),
            DONE,
            BUSY,
            "Succeeded",
            {"Reconciling": "True JobRunning", "Complete": "True AllMerged"},
        ),
        (
            "all merged, scaled down to fewer that are not ready yet",
            view("Merged", ready=0),
            DONE,
            WELL,
            "Succeeded",
            {"Ready": "True InstancesReady", "Reconciling": "True InstancesNotReady"},
        ),
        (
            "a failed task holds the rest back",
            view("Merged", "Failed", "Blocked"),
            DONE,
            WELL,
            "Failed",
            {
                "Ready": "True InstancesReady",
                "Reconciling": "False Idle",
                "Stalled": "True TasksFailed",
                "Complete": "False TasksFailed",
            },
        ),
        (
            "a failed task, others go on",
            view("Failed", "Running"),
            DONE,
            WELL,
            "Running",
            {"Stalled": "False Progressing", "Complete": "False TasksFailed"},
        ),
        (
            "the push is refused at the end",
            view("Merged"),
            DONE,
            PUSH,
            "Failed",
            {
                "Stalled": "True PushRefused",
                "Integrated": "False PushRefused",
                "Complete": "False PushRefused",
                "Reconciling": "False Idle",
            },
        ),
        (
            "the push is refused on the way",
            view("Merged", "Running"),
            DONE,
            PUSH,
            "Running",
            {"Stalled": "False Progressing", "Integrated": "False PushRefused"},
        ),
        ("deleted", view("Running", deleting=True), DONE, WELL, "Deleting", {}),
    ],
)
def test_phase_and_conditions(
    case: str,
    seen: View,
    prepared: Prepared,
    train: Train,
    phase: str,
    expected: dict[str, str],
) -> None:
    status = swarm_status(seen, prepared, train)
    assert status["phase"] == phase, case
    found = conditions(status)
    assert len(found) == 6
    assert {kind: found[kind] for kind in expected} == expected, case
    not_both = {found["Reconciling"].split()[0], found["Stalled"].split()[0]}
    assert not_both != {"True"}, "kstatus: reconciling or stalled, never both"
    valid(KiroSwarmStatus, status)


def test_the_counts_add_up_and_are_shown_at_a_glance() -> None:
    states = (
        "Blocked",
        "Ready",
        "Bound",
        "Running",
        "Done",
        "Merged",
        "Failed",
        "Skipped",
    )
    status = swarm_status(view(*states, ready=1), DONE, WELL)
    counts = dict(status["tasks"])
    assert counts.pop("total") == 8
    assert counts.pop("late") == 0
    assert set(counts.values()) == {1}
    assert (status["progress"], status["readiness"]) == ("1/8", "1/2")
    assert status["selector"] == (
        "swarm.kiro.dev/swarm=demo,swarm.kiro.dev/component=instance"
    )


def test_the_busy_instances_come_first_with_task_and_branch_and_not_too_many() -> None:
    tasks = [task(1, "Running", instance="demo-80", branch="swarm/demo/1/1")]
    seen = view(tasks=tasks)
    seen.instances[:] = [instance(n) for n in range(1, 81)]
    seen.instances[-1]["status"]["phase"] = "Busy"
    shown = swarm_status(seen, DONE, WELL)["instances"]
    assert len(shown) == 64
    assert shown[0] == {
        "name": "demo-80",
        "colour": "#007fff",
        "phase": "Busy",
        "task": "1",
        "branch": "swarm/demo/1/1",
    }
    assert shown[1] == {"name": "demo-1", "colour": "#007fff", "phase": "Ready"}


def ago(seconds: float) -> str:
    return stamp(START - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("case", "tasks", "expected"),
    [
        ("nothing started", [task(1, "Ready")], (0.0, 0.0, 0.0)),
        (
            "two side by side, one of them still running",
            [
                task(1, "Merged", startedAt=ago(10), runningSeconds=8.0),
                task(2, "Running", startedAt=ago(10)),
            ],
            (10.0, 18.0, 1.8),
        ),
        (
            "finished: the clock stands still",
            [
                task(
                    1,
                    "Merged",
                    startedAt=ago(100),
                    runningSeconds=60.0,
                    mergedAt=ago(40),
                ),
                task(
                    2,
                    "Merged",
                    startedAt=ago(100),
                    runningSeconds=50.0,
                    mergedAt=ago(60),
                ),
            ],
            (60.0, 110.0, 1.83),
        ),
        (
            "failed attempts count, and so does when they began",
            [
                task(
                    1,
                    "Ready",
                    runningSeconds=30.0,
                    history=[{"startedAt": ago(50)}, {"startedAt": None}],
                )
            ],
            (50.0, 30.0, 0.6),
        ),
    ],
)
def test_the_speedup_is_measured(
    case: str, tasks: list[Object], expected: tuple[float, float, float]
) -> None:
    speedup = swarm_status(view(tasks=tasks), DONE, WELL)["speedup"]
    found = (speedup["elapsedSeconds"], speedup["taskSeconds"], speedup["ratio"])
    assert found == expected, case


def test_it_says_when_it_started_and_when_it_was_finished() -> None:
    tasks = [
        task(1, "Merged", startedAt=ago(90), mergedAt=ago(20)),
        task(2, "Failed", startedAt=ago(95), finishedAt=ago(30)),
        task(3, "Skipped", finishedAt=ago(99)),
    ]
    status = swarm_status(view(tasks=tasks), DONE, WELL)
    assert (status["startedAt"], status["finishedAt"]) == (ago(95), ago(20))
    tasks[1]["status"]["state"] = "Ready"
    assert swarm_status(view(tasks=tasks), DONE, WELL)["finishedAt"] is None


def test_what_the_jobs_reported_is_kept_when_they_are_gone() -> None:
    report: Any = {"base": "a" * 40, "head": "a" * 40, "tasksFile": "t.md", "tasks": 1}
    remarks = ["line 1: x"]
    first = swarm_status(
        view("Ready"),
        Prepared(True, "Prepared", "", 2, report=report, diagnostics=remarks),
        WELL,
    )
    assert first["integration"]["head"] == "a" * 40, "nothing merged: where it began"
    moved: Any = {"head": "b" * 40, "pushed": "b" * 40}
    ended = Train(3, False, True, "merged 1", report=moved)
    second = swarm_status(view("Merged", before=first), DONE, ended)
    third = swarm_status(view("Merged", before=second), DONE, Train(3, False, True))
    for status in (second, third):
        assert status["integration"] == {
            "branch": "swarm/demo/integration",
            "base": "a" * 40,
            "head": "b" * 40,
            "pushed": "b" * 40,
            "batch": 3,
            "message": "merged 1",
        }
    assert third["prepare"]["diagnostics"] == ["line 1: x"]
    assert third["prepare"]["tasksFile"] == "t.md"


def test_time_passing_alone_is_not_worth_a_write() -> None:
    seen = view(tasks=[task(1, "Running", startedAt=ago(10))])
    written: Any = swarm_status(seen, DONE, WELL)
    stored: Any = {k: v for k, v in written.items() if v is not None}
    stored["prepare"] = {k: v for k, v in written["prepare"].items() if v is not None}
    changed: Any = {**written, "speedup": {"ratio": 9.0}}
    assert not differs(stored, changed)
    news: list[Any] = [{"message": "news"}, {"prepare": {"retryAt": "t"}}]
    for new in news:
        changed = {**written, **new}
        assert differs(stored, changed)
    changed = {**stored, "finishedAt": "t"}
    assert differs(changed, written), "a field that goes is news"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("Failed", "Blocked"), True),
        (("Failed", "Merged", "Skipped"), True),
        (("Failed", "Ready"), False),
        (("Failed", "Done"), False),
        (("Merged",), False),
        ((), False),
    ],
)
def test_a_swarm_is_stuck_when_only_a_person_can_go_on(
    states: tuple[str, ...], expected: bool
) -> None:
    assert stuck(view(*states)) is expected


def test_whether_the_graph_was_there_is_read_from_the_condition() -> None:
    assert not was_prepared({})
    assert not was_prepared(swarm_status(view(), PREPARING, WELL))
    assert was_prepared(swarm_status(view(), DONE, WELL))


def test_the_messages_name_what_a_person_looks_for() -> None:
    def message(seen: View, train: Train = WELL) -> str:
        return str(swarm_status(seen, DONE, train)["message"])

    assert message(view("Merged", "Running", ready=1)) == (
        "1 of 2 merged; working on 2; 1 of 2 instances ready"
    )
    assert message(view("Ready")) == "0 of 1 merged; nothing is under way"
    assert message(view("Failed", "Blocked")) == (
        "failed: 1; `retry task 1` tries it again"
    )
    assert message(view("Merged"), PUSH) == "refused"
    assert message(view("Running", suspend=True)) == "suspended; 1 tasks still run"
    many = [task(n, "Failed") for n in range(2000)]
    assert message(view(tasks=many)).startswith("failed: 0, 1, 2, 3, 4 and 1995 more; ")
    told = task(1, "Failed", reason="AgentNotStarted", message="no such\nprogram: fizz")
    assert message(view(tasks=[told, task(2, "Blocked")])) == (
        "failed: 1 AgentNotStarted: no such; `retry task 1` tries it again"
    )
    waits = view("Ready", ready=1)
    waits.instances[1]["status"]["message"] = "agent: ImagePullBackOff no such image"
    assert message(waits) == (
        "0 of 1 merged; 1 of 2 instances ready; "
        "demo-2: agent: ImagePullBackOff no such image"
    )
