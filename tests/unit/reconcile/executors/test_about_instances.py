"""Sentences about one instance: stop, pause, resume, restart, and a crash on purpose."""

from __future__ import annotations

import pytest

from tests.unit.reconcile.executors.builders import Scene, Story, says


@pytest.fixture
def scene() -> Scene:
    """demo-1 works on task 1, demo-2 is idle, demo-3 was stopped."""
    made = Scene(instances=3)
    made.instance(1, "Busy")
    made.instance(2)
    made.instance(3, "Stopped", spec={"desired": "Stopped"})
    made.task("1", "Running")
    return made


def ended(scene: Scene) -> None:
    """Task 1 ends well."""
    scene.tasks["1"]["status"].update(state="Done", instance="")


@pytest.mark.parametrize(
    ("sentence", "success", "message"),
    [
        ("stop instance demo-2", None, "instance demo-2 stops"),
        (
            "stop instance demo-1",
            None,
            "instance demo-1 stops; task 1 goes to another",
        ),
        (
            "stop instance demo-1 graceful",
            None,
            "instance demo-1 stops after task 1",
        ),
        (
            "stop instance demo-3",
            True,
            "instance demo-3 is stopped; `resume instance demo-3` starts it",
        ),
        (
            "stop instance demo-3 graceful",
            True,
            "instance demo-3 is stopped; `resume instance demo-3` starts it",
        ),
        (
            "pause instance demo-1",
            True,
            "instance demo-1 finishes task 1 and takes no further one until "
            "`resume instance demo-1`",
        ),
        (
            "pause instance demo-2",
            True,
            "instance demo-2 takes no task until `resume instance demo-2`",
        ),
        (
            "pause instance demo-3",
            False,
            "instance demo-3 is stopped, not running; `resume instance demo-3` starts it",
        ),
        ("resume instance demo-2", True, "instance demo-2 takes tasks"),
        ("resume instance demo-3", True, "instance demo-3 starts again"),
        (
            "restart instance demo-3",
            False,
            "instance demo-3 is stopped; `resume instance demo-3` starts it",
        ),
    ],
)
def test_a_sentence_is_answered_for_how_the_instance_is(
    scene: Scene, sentence: str, success: object, message: str
) -> None:
    outcome = scene.decide(sentence)
    assert (outcome.success, outcome.message) == (success, message)
    assert success is not False or not outcome.effects


@pytest.mark.parametrize(
    "sentence",
    [
        *("stop instance demo-9", "pause instance demo-9", "resume instance demo-9"),
        *("restart instance demo-9", "status instance demo-9"),
        *("reassign tasks from demo-9", "assign task 1 to demo-9"),
    ],
)
def test_no_sentence_touches_an_instance_that_is_only_nearly_named(
    scene: Scene, sentence: str
) -> None:
    outcome = scene.decide(sentence)
    assert outcome.success is False
    assert outcome.message.startswith(
        "instance demo-9 is not in swarm demo (3 instances; nearest: demo-"
    )
    assert outcome.effects == ()


def test_stop_takes_the_task_back_and_is_finished_when_the_pod_is_gone(
    scene: Scene,
) -> None:
    story = Story(scene, "stop instance demo-1")
    assert says(story.look()) == [
        "kiroinstance/demo-1: spec.desired Running -> Stopped",
        "kirotask/demo.1: Running -> Ready (Stopped)",
    ]
    assert story.step().success is None
    assert scene.instances["demo-1"]["spec"]["desired"] == "Stopped"
    assert scene.tasks["1"]["status"]["instance"] == ""
    scene.stopped("demo-1")
    answer = story.look()
    assert (answer.success, answer.message) == (
        True,
        "instance demo-1 is stopped; task 1 goes to another; "
        "`resume instance demo-1` starts it",
    )


def test_graceful_stop_waits_for_the_task_and_then_for_the_pod(scene: Scene) -> None:
    story = Story(scene, "stop instance demo-1 graceful")
    assert story.step().success is None
    assert scene.instances["demo-1"]["spec"]["desired"] == "Drained"
    assert scene.tasks["1"]["status"]["state"] == "Running"
    ended(scene)
    assert story.look().success is None
    scene.instances["demo-1"]["status"]["phase"] = "Stopped"
    assert story.look().success is None, "its pod is still there"
    scene.stopped("demo-1")
    assert story.look().message == (
        "instance demo-1 is stopped after task 1; `resume instance demo-1` starts it"
    )


def test_a_drained_instance_can_be_stopped_at_once(scene: Scene) -> None:
    Story(scene, "stop instance demo-1 graceful").step()
    Story(scene, "stop instance demo-1").step()
    assert scene.instances["demo-1"]["spec"]["desired"] == "Stopped"
    Story(scene, "stop instance demo-1 graceful").step()
    assert scene.instances["demo-1"]["spec"]["desired"] == "Stopped"


@pytest.mark.parametrize("words", ["", " graceful"])
def test_stop_does_not_fight_who_resumed_the_instance_since(
    scene: Scene, words: str
) -> None:
    story = Story(scene, f"stop instance demo-2{words}")
    story.step()
    Story(scene, "resume instance demo-2").step()
    outcome = story.look()
    assert outcome.message == "instance demo-2 was resumed before it had stopped"
    assert (outcome.success, outcome.effects) == (False, ())


def test_an_instance_that_was_scaled_away_is_stopped(scene: Scene) -> None:
    story = Story(scene, "stop instance demo-2")
    story.step()
    del scene.instances["demo-2"]
    answer = story.look()
    assert (answer.success, answer.message) == (
        True,
        "instance demo-2 is gone: demo was scaled down",
    )


def test_resume_says_that_the_swarm_is_paused() -> None:
    scene = Scene(suspend=True)
    scene.instance(1, "Stopped", spec={"desired": "Paused"})
    outcome = scene.decide("resume instance demo-1")
    assert outcome.message == (
        "instance demo-1 takes tasks, once demo is resumed: `resume swarm`"
    )
    assert says(outcome) == ["kiroinstance/demo-1: spec.desired Paused -> Running"]


def test_restart_deletes_the_pod_before_the_task_goes_back(scene: Scene) -> None:
    story = Story(scene, "restart instance demo-1")
    assert says(story.look()) == [
        "pod/demo-1-0: deleted, another follows",
        "kirotask/demo.1: Running -> Ready (Reassigned)",
    ]
    waiting = story.step()
    assert (waiting.success, waiting.message) == (
        None,
        "instance demo-1 waits for its new pod",
    )
    scene.pod("demo-1", 1, uid="new")
    scene.instances["demo-1"]["status"]["phase"] = "Restarting"
    assert story.look().success is None, "the instance does not know it yet"
    scene.instances["demo-1"]["status"]["phase"] = "Ready"
    scene.seconds = 2.5
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "instance demo-1 is back with pod demo-1-1 after 2.5 s; task 1 went back in line",
    )
    assert answer.data["seconds"] == 2.5


def test_restart_leaves_the_work_of_the_new_pod_alone(scene: Scene) -> None:
    story = Story(scene, "restart instance demo-1")
    story.step()
    scene.pod("demo-1", 1, uid="new")
    scene.task("2", "Running", podUid="new")
    assert story.step().success is True
    assert scene.tasks["2"]["status"]["state"] == "Running"


def test_restart_of_an_instance_without_a_pod_waits_for_one(scene: Scene) -> None:
    scene.instance(2, "Pending")
    del scene.pods["demo-2"]
    story = Story(scene, "restart instance demo-2")
    assert story.step().success is None
    scene.pod("demo-2", 0)
    scene.instances["demo-2"]["status"]["phase"] = "Ready"
    assert story.step().success is True


def test_graceful_restart_waits_for_the_task_and_gives_the_instance_work_again(
    scene: Scene,
) -> None:
    story = Story(scene, "restart instance demo-1 graceful")
    waiting = story.step()
    assert (waiting.success, waiting.message) == (
        None,
        "instance demo-1 is paused and gets another pod after task 1; "
        "`resume instance demo-1` calls it off",
    )
    instance = scene.instances["demo-1"]
    assert instance["spec"]["desired"] == "Paused"
    assert "deletionTimestamp" not in scene.pods["demo-1"]["metadata"]
    ended(scene)
    assert story.step().success is None
    assert "deletionTimestamp" in scene.pods["demo-1"]["metadata"]
    assert instance["spec"]["desired"] == "Running"
    scene.pod("demo-1", 1, uid="new")
    instance["status"]["phase"] = "Ready"
    answer = story.step()
    assert answer.message.endswith("task 1 was finished first")
    assert instance["spec"]["desired"] == "Running"


def test_a_paused_instance_stays_paused_when_it_is_restarted(scene: Scene) -> None:
    scene.instance(2, "Paused", spec={"desired": "Paused"})
    story = Story(scene, "restart instance demo-2 graceful")
    story.step()
    assert "deletionTimestamp" in scene.pods["demo-2"]["metadata"]
    scene.pod("demo-2", 1, uid="new")
    assert story.step().success is True
    assert scene.instances["demo-2"]["spec"]["desired"] == "Paused"


def test_graceful_restart_is_called_off_by_resume(scene: Scene) -> None:
    story = Story(scene, "restart instance demo-1 graceful")
    story.step()
    Story(scene, "resume instance demo-1").step()
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (False, ())
    assert outcome.message == (
        "instance demo-1 was resumed before its task ended; not restarted"
    )


def test_restart_ends_when_the_swarm_is_paused_and_leaves_the_instance_as_it_was(
    scene: Scene,
) -> None:
    story = Story(scene, "restart instance demo-1 graceful")
    story.step()
    scene.spec["suspend"] = True
    outcome = story.step()
    assert (outcome.success, outcome.message) == (
        False,
        "demo is paused and gets no new pod; say `resume swarm` first",
    )
    assert scene.instances["demo-1"]["spec"]["desired"] == "Running"


def test_restart_ends_when_the_instance_is_stopped_meanwhile(scene: Scene) -> None:
    story = Story(scene, "restart instance demo-2")
    story.step()
    scene.instances["demo-2"]["spec"]["desired"] = "Stopped"
    assert story.look().success is False


# ------------------------------------------------------------------ a crash on purpose


def test_a_busy_instance_is_chosen_to_crash(scene: Scene) -> None:
    scene.tasks["1"]["status"].update(instance="demo-2", podUid="p-demo-2")
    outcome = scene.decide("test failure simulate instance-crash")
    assert says(outcome) == ["pod/demo-2-0: deleted, as if it had crashed"]
    assert (outcome.success, outcome.message) == (
        True,
        "pod demo-2-0 of instance demo-2 is deleted in the middle of task 1; "
        "the swarm replaces it",
    )


def test_a_crash_is_made_once(scene: Scene) -> None:
    story = Story(scene, "test failure simulate instance-crash")
    first, second = story.look(), story.step()
    assert first.message == second.message
    assert second.effects == ()
    assert "deletionTimestamp" not in scene.pods["demo-2"]["metadata"]


def test_the_recovery_is_waited_for_and_measured(scene: Scene) -> None:
    story = Story(scene, "test failure simulate instance-crash recovery-time")
    waiting = story.step()
    assert (waiting.success, waiting.message) == (
        None,
        "pod demo-1-0 of instance demo-1 is deleted in the middle of task 1; "
        "waiting for another",
    )
    scene.pods.pop("demo-1")
    assert story.step().success is None
    scene.pod("demo-1", 1, uid="new")
    scene.seconds = 4.25
    answer = story.step()
    assert answer.success is True
    assert answer.message.endswith(
        "in the middle of task 1; demo-1-1 was ready 4.2 s later"
    )
    assert (answer.data["seconds"], answer.data["newPod"]) == (4.25, "demo-1-1")


def test_nothing_crashes_where_no_pod_is_ready() -> None:
    scene = Scene()
    scene.instance(1, "Pending")
    outcome = scene.decide("test failure simulate instance-crash recovery-time")
    assert (outcome.success, outcome.message) == (
        False,
        "demo has no instance with a ready pod that could crash",
    )


def test_an_instance_that_is_scaled_away_does_not_recover(scene: Scene) -> None:
    story = Story(scene, "test failure simulate instance-crash recovery-time")
    story.step()
    del scene.instances["demo-1"]
    outcome = story.look()
    assert (outcome.success, outcome.message) == (
        False,
        "instance demo-1 is gone: demo was scaled down",
    )
