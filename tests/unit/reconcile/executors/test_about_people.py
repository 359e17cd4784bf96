"""Sentences of people who decide by hand: assign, reassign, approve, reject."""

from __future__ import annotations

import pytest

from tests.unit.reconcile.executors.builders import Scene, Story, says


@pytest.fixture
def scene() -> Scene:
    """demo-1 works on task 1; a person is asked about what is done."""
    made = Scene(integration={"approval": "Required"})
    made.instance(1, "Busy")
    made.instance(2)
    made.task("1", "Running")
    made.task("2")
    made.task("done", "Done", attempt=2)
    made.task("merged", "Merged")
    return made


@pytest.mark.parametrize(
    ("sentence", "success", "message"),
    [
        (
            "assign task 2 to demo-2",
            True,
            "task 2 is for demo-2 alone; `unassign task 2` undoes it",
        ),
        (
            "assign task 1 to instance demo-1",
            True,
            "task 1 is for demo-1 alone; `unassign task 1` undoes it",
        ),
        (
            "assign task 1 to demo-2",
            True,
            "task 1 is for demo-2 alone from its next attempt on; demo-1 works on it now "
            "(`stop task 1`, then `resume task 1` moves it); `unassign task 1` undoes it",
        ),
        (
            "assign task merged to demo-2",
            False,
            "task merged is merged: nobody has to work on it",
        ),
        (
            "assign task done to demo-2",
            False,
            "task done is done: nobody has to work on it",
        ),
        ("unassign task 2", True, "task 2 may go to any instance"),
    ],
)
def test_assign_says_from_when_it_counts(
    scene: Scene, sentence: str, success: bool, message: str
) -> None:
    outcome = scene.decide(sentence)
    assert (outcome.success, outcome.message) == (success, message)
    assert success or not outcome.effects


def test_assign_and_unassign_write_the_name_once(scene: Scene) -> None:
    Story(scene, "assign task 2 to demo-2").step()
    assert scene.tasks["2"]["spec"]["assignedTo"] == "demo-2"
    assert scene.decide("assign task 2 to demo-2").effects == ()
    outcome = scene.decide("unassign task 2")
    assert says(outcome) == ['kirotask/demo.2: spec.assignedTo demo-2 -> ""']
    Story(scene, "unassign task 2").step()
    assert scene.tasks["2"]["spec"]["assignedTo"] == ""


def test_assign_says_that_the_instance_takes_no_task_now(scene: Scene) -> None:
    scene.instance(2, "Paused", spec={"desired": "Paused"})
    scene.instance(3)
    assert "; demo-2 is paused: `resume instance demo-2`;" in (
        scene.decide("assign task 2 to demo-2").message
    )
    assert "; demo-3 is leaving: the swarm was scaled down;" in (
        scene.decide("assign task 2 to demo-3").message
    )


def test_reassign_pauses_the_instance_before_its_task_goes_back(scene: Scene) -> None:
    scene.tasks["2"]["spec"]["assignedTo"] = "demo-1"
    scene.tasks["merged"]["spec"]["assignedTo"] = "demo-1"
    story = Story(scene, "reassign tasks from demo-1")
    assert says(story.look()) == [
        "kiroinstance/demo-1: spec.desired Running -> Paused",
        'kirotask/demo.2: spec.assignedTo demo-1 -> ""',
        "kirotask/demo.1: Running -> Ready (Reassigned)",
    ]
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "1, 2 may go to demo-2; `resume instance demo-1` gives it work again",
    )
    assert answer.data == {
        "instance": "demo-1",
        "tasks": ["1", "2"],
        "takers": ["demo-2"],
    }


def test_reassign_where_nobody_else_may_work_says_that_it_waits(scene: Scene) -> None:
    scene.instance(2, "Stopped", spec={"desired": "Stopped"})
    outcome = scene.decide("reassign tasks from demo-1")
    assert outcome.message.startswith("1 wait: no other instance may take tasks;")


def test_reassign_from_an_idle_or_stopped_instance_leaves_it_stopped(
    scene: Scene,
) -> None:
    scene.instance(2, "Stopped", spec={"desired": "Stopped"})
    outcome = scene.decide("reassign tasks from demo-2")
    assert outcome.message.startswith("instance demo-2 has no task; it gets none;")
    assert outcome.effects == ()


def test_a_task_that_is_assigned_to_the_instance_that_has_it_is_moved_once(
    scene: Scene,
) -> None:
    scene.tasks["1"]["spec"]["assignedTo"] = "demo-1"
    answer = Story(scene, "reassign tasks from demo-1").step()
    assert answer.data["tasks"] == ["1"]


# ------------------------------------------------------------------ approve and reject


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_nobody_is_asked_where_the_swarm_does_not_want_it(verb: str) -> None:
    scene = Scene()
    scene.task("1", "Done")
    outcome = scene.decide(f"{verb} task 1")
    assert (outcome.success, outcome.message) == (
        False,
        "nobody is asked about the tasks of demo: spec.integration.approval is Never",
    )
    assert outcome.effects == ()


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_only_work_that_is_done_is_looked_at(scene: Scene, verb: str) -> None:
    outcome = scene.decide(f"{verb} task 1")
    assert (outcome.success, outcome.message) == (
        False,
        "task 1 is running: only work that is done is looked at",
    )


def test_run_task_says_that_a_person_is_asked(scene: Scene) -> None:
    assert scene.decide("run task done").message == (
        "task done is done and waits for you: `approve task done`"
    )


def test_approval_is_for_the_attempt_that_was_seen(scene: Scene) -> None:
    story = Story(scene, "approve task done")
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "task done, attempt 2 is approved and is merged next",
    )
    assert scene.tasks["done"]["spec"]["approvedAttempt"] == 2
    assert scene.decide("approve task done").effects == ()
    scene.tasks["done"]["status"]["state"] = "Merged"
    assert story.look().success is True


def test_an_approval_never_reaches_work_that_was_done_anew(scene: Scene) -> None:
    story = Story(scene, "approve task done")
    scene.tasks["done"]["status"]["attempt"] = 3
    assert story.look().effects == ()


def test_a_rejected_task_is_done_again_with_the_reason_as_its_brief(
    scene: Scene,
) -> None:
    story = Story(scene, 'reject task done reason="no tests; $(rm -rf /)"')
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "task done, attempt 2 is rejected and is done again, "
        "with your reason as its brief",
    )
    status = scene.tasks["done"]["status"]
    assert (status["state"], status["reason"]) == ("Ready", "Rejected")
    assert status["brief"].endswith("rejected it: no tests; $(rm -rf /)")


def test_a_rejection_needs_no_reason(scene: Scene) -> None:
    assert Story(scene, "reject task done").step().message == (
        "task done, attempt 2 is rejected and is done again"
    )


def test_what_is_approved_cannot_be_rejected_any_more(scene: Scene) -> None:
    scene.tasks["done"]["spec"]["approvedAttempt"] = 2
    outcome = scene.decide("reject task done")
    assert (outcome.success, outcome.message) == (
        False,
        "task done, attempt 2 is approved already and is being merged",
    )
