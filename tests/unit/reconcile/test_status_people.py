"""What the status of a swarm says where a person is asked or holds something."""

from __future__ import annotations

import pytest

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.policy.conditions import find
from kiro_swarm.reconcile.swarms.status import swarm_status
from tests.support.shapes import valid
from tests.unit.reconcile.views import DONE, WELL, Object, conditions, task, view


@pytest.mark.parametrize(
    ("case", "tasks", "suspend", "condition", "message"),
    [
        (
            "nothing is finished",
            [task(1, "Running")],
            False,
            "False NothingToApprove",
            "0 of 1 merged; working on 1",
        ),
        (
            "one is, another goes on",
            [task(1, "Done", attempt=1), task(2, "Running")],
            False,
            "True ApprovalPending",
            "approve or reject 1: `approve task 1` or `reject task 1`; "
            "0 of 2 merged; working on 2",
        ),
        (
            "the first that was finished is named first, and not all are",
            [
                task(n, "Done", attempt=1, finishedAt=f"2026-11-22T10:00:0{9 - n}Z")
                for n in range(1, 8)
            ],
            False,
            "True ApprovalPending",
            "approve or reject 7, 6, 5, 4, 3 and 2 more: "
            "`approve task 7` or `reject task 7`; 0 of 7 merged",
        ),
        (
            "asked, though the swarm is suspended",
            [task(1, "Done", attempt=1)],
            True,
            "True ApprovalPending",
            "approve or reject 1: `approve task 1` or `reject task 1`; "
            "suspended; 0 tasks still run",
        ),
    ],
)
def test_a_person_who_is_asked_finds_the_question(
    case: str, tasks: list[Object], suspend: bool, condition: str, message: str
) -> None:
    seen = view(tasks=tasks, suspend=suspend, integration={"approval": "Required"})
    status = swarm_status(seen, DONE, WELL)
    found = conditions(status)
    assert found["ApprovalNeeded"] == condition, case
    assert found["Stalled"] == "False Progressing", "it waits, and nothing is wrong"
    asked = condition.startswith("True")
    pending = "False WaitingForApproval" if asked else "True Integrated"
    assert found["Integrated"] == pending
    said = find(status["conditions"], "Integrated")
    assert said is not None
    assert said["message"].startswith("approve or reject ") is asked
    assert status["message"] == message
    assert status["phase"] == ("Suspended" if suspend else "Running")
    valid(KiroSwarmStatus, status)


def test_an_approved_task_is_no_longer_asked_about() -> None:
    tasks = [task(1, "Done", attempt=2)]
    tasks[0]["spec"]["approvedAttempt"] = 2
    seen = view(tasks=tasks, integration={"approval": "Required"})
    found = conditions(swarm_status(seen, DONE, WELL))
    assert found["ApprovalNeeded"] == "False NothingToApprove"
    assert found["Integrated"] == "False MergePending"


def test_nobody_waits_for_an_instance_that_a_person_holds() -> None:
    seen = view("Running")
    seen.instances[1]["spec"]["desired"] = "Paused"
    status = swarm_status(seen, DONE, WELL)
    assert status["readiness"] == "1/1", "it may not have said yet that it is paused"
    assert status["message"] == "0 of 1 merged; working on 1; 1 paused"
    assert conditions(status)["Ready"] == "True InstancesReady"
    seen.instances[1]["status"]["phase"] = "Paused"
    shown = [item["phase"] for item in swarm_status(seen, DONE, WELL)["instances"]]
    assert shown == ["Busy", "Paused"]
