"""Sentences that only look: status of swarm, task and instance, explain."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reconcile.executors.builders import Scene


@pytest.fixture
def scene() -> Scene:
    """demo-1 works on task 1, demo-2 has no pod yet."""
    made = Scene()
    made.instance(1, "Busy", node="node-a", restarts=2)
    made.instance(2, "Pending", message="Unschedulable: no node is free")
    made.task("1", "Running", startedAt=made.now)
    made.task("2", "Blocked", needs=["1"])
    made.swarm["status"] = {
        "phase": "Running",
        "readiness": "1/2",
        "progress": "0/2",
        "message": "working on 1",
        "conditions": [{"type": "Ready", "status": "False", "reason": "NotYet"}],
    }
    return made


def test_nothing_that_only_looks_has_effects(scene: Scene) -> None:
    for sentence in (
        *("status swarm", "status swarm detailed", "status swarm health"),
        *("status task 1", "status instance demo-1", "explain task 2"),
    ):
        outcome = scene.decide(sentence)
        assert (outcome.success, outcome.effects) == (True, ()), sentence


@pytest.mark.parametrize("phase", ["Failed", "Preparing"])
def test_a_swarm_that_does_not_run_says_why(phase: str) -> None:
    made = Scene()
    made.swarm["status"] = {"phase": phase, "message": "no such host"}
    plain = made.decide("status swarm").message
    assert plain.endswith("0/0 tasks merged: no such host")
    assert made.decide("status swarm detailed").message.count("no such host") == 1
    answer = made.decide("explain task 1").message
    assert answer == (
        f"task 1 is not in swarm demo (0 tasks); the swarm is {phase}: no such host"
    )


def test_who_looks_at_a_swarm_reads_what_it_asks_and_what_a_person_holds() -> None:
    made = Scene(integration={"approval": "Required"})
    made.instance(1, "Stopped")["spec"]["desired"] = "Stopped"
    made.spec["instances"] = 1
    made.task("1", "Done", attempt=1)
    made.task("2", "Ready")
    message = made.decide("status swarm").message
    assert "approve or reject 1: `approve task 1` or `reject task 1`" in message
    assert message.endswith("1 paused or stopped: say `resume instance demo-1`")


def test_health_names_everything_that_is_not_well(scene: Scene) -> None:
    scene.task("3", "Failed")
    scene.spec["instances"] = 3
    stalled = {
        "type": "Stalled",
        "status": "True",
        "reason": "TasksFailed",
        "message": "failed: 3",
    }
    scene.swarm["status"]["conditions"].append(stalled)
    scene.job("integrate", 4, ended=False)
    scene.health = [
        {"name": "workers", "alive": True, "ready": False, "reasons": ["demo: broken"]},
        {"name": "watches", "alive": True, "ready": True, "reasons": []},
    ]
    outcome = scene.decide("status swarm health")
    problems = [
        "stalled (TasksFailed): failed: 3",
        "1 task failed (3)",
        "the merge train (IntegrateFailed): the integrate Job failed",
        "instance demo-2 is Pending: Unschedulable: no node is free",
        "1 instance not made yet",
        "operator: workers is not ready: demo: broken",
    ]
    assert outcome.data["problems"] == problems
    assert outcome.data["healthy"] is False
    assert outcome.message == (
        "demo: Running, 1/2 instances ready, 0/2 tasks merged; "
        f"not well: {'; '.join(problems)}"
    )
    assert outcome.data["conditions"] == {
        "Ready": "False: NotYet",
        "Stalled": "True: TasksFailed",
    }


def test_health_names_no_objects_of_other_namespaces() -> None:
    made = Scene(instances=0)
    here = made.view.namespace
    reasons = [
        f"{here}/demo: broken",
        "secret-team/ours: broken",
        "nothing ran for 11 s",
    ]
    made.health = [
        {"name": "workers", "alive": True, "ready": False, "reasons": reasons}
    ]
    outcome = made.decide("status swarm health")
    assert "secret-team" not in str(outcome.data) + outcome.message
    assert outcome.data["problems"] == [
        f"operator: workers is not ready: {here}/demo: broken, nothing ran for 11 s, "
        "1 object of other namespaces"
    ]


def test_whom_a_person_holds_back_is_well(scene: Scene) -> None:
    scene.instance(2, "Stopped", spec={"desired": "Stopped"})
    outcome = scene.decide("show me the swarm health")
    assert outcome.message.endswith("; everything is well")
    assert (outcome.data["healthy"], outcome.data["problems"]) == (True, [])


def test_a_suspended_swarm_without_instances_is_well() -> None:
    scene = Scene(suspend=True)
    assert scene.decide("status swarm health").data["healthy"] is True


def test_detailed_names_who_works_on_what(scene: Scene) -> None:
    outcome = scene.decide("status swarm detailed health")
    assert "; working: demo-1 on 1; working on 1; not well: " in outcome.message
    assert outcome.data["taskStates"] == {"1": "Running", "2": "Blocked"}
    assert "healthy" not in scene.decide("status swarm detailed").data


def test_detailed_foretells_the_rest(scene: Scene) -> None:
    scene.swarm["status"]["forecast"] = {"message": "done about 14:05 UTC", "useful": 2}
    outcome = scene.decide("status swarm detailed")
    assert outcome.message.endswith("; done about 14:05 UTC")
    forecast: Any = outcome.data["forecast"]
    assert forecast["useful"] == 2
    assert "14:05" not in scene.decide("status swarm").message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "task 1 (Part 1): Running with demo-1, attempt 1, for 7 s"),
        (
            {"message": "given to demo-1"},
            "task 1 (Part 1): Running with demo-1, attempt 1, for 7 s: given to demo-1",
        ),
        (
            {"progress": {"message": "reading"}},
            "task 1 (Part 1): Running with demo-1, attempt 1, for 7 s: reading",
        ),
    ],
)
def test_status_of_a_task_at_work(
    scene: Scene, changes: dict[str, Any], message: str
) -> None:
    scene.tasks["1"]["status"].update(changes)
    scene.seconds = 7
    outcome = scene.decide("status task 1")
    assert outcome.message == message
    assert outcome.data["state"] == "Running"
    assert outcome.data["title"] == "Part 1"


def test_status_of_a_task_says_what_would_be_in_the_way_of_its_merge(
    scene: Scene,
) -> None:
    condition = {"type": "ConflictPredicted", "status": "True", "message": "app.py"}
    scene.tasks["1"]["status"].update(message="given", conditions=[condition])
    outcome = scene.decide("status task 1")
    assert outcome.message.endswith(": given; app.py")
    assert outcome.data["conditions"] == [condition]
    condition["status"] = "False"
    assert scene.decide("status task 1").message.endswith(": given")


def test_status_of_a_task_says_what_it_waits_for_and_what_people_asked(
    scene: Scene,
) -> None:
    scene.tasks["2"]["spec"].update(
        title="", paused=True, assignedTo="demo-2", mode="BeastMode"
    )
    outcome = scene.decide("status task 2")
    assert outcome.message == (
        "task 2 (without a title): Blocked, waits for 1, paused, for demo-2 alone, "
        "in beast mode"
    )
    assert outcome.data["waitsFor"] == ["1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "demo-1",
            "instance demo-1: Busy with task 1, pod demo-1-0 on node-a, "
            "its pod was replaced 2 times",
        ),
        (
            "demo-2",
            "instance demo-2: Pending, without a task; Unschedulable: no node is free",
        ),
        (
            "demo-3",
            "instance demo-3: Paused, without a task, pod demo-3-0, wanted Paused: "
            "`resume instance demo-3` undoes it",
        ),
    ],
)
def test_status_of_an_instance(scene: Scene, name: str, message: str) -> None:
    scene.instance(3, "Paused", spec={"desired": "Paused"})
    outcome = scene.decide(f"status instance {name}")
    assert outcome.message == message
    assert outcome.data["instance"] == name


def test_explain_says_why_a_task_is_not_running(scene: Scene) -> None:
    outcome = scene.decide("why is task 2 not running")
    assert outcome.message.startswith("task 2 is Blocked: waits for 1 (Running)")
    reasons: Any = outcome.data["reasons"]
    assert reasons[0]["code"] == "waits-for-tasks"
