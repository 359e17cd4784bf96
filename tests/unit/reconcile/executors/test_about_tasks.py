"""Sentences about the running of one task: run, stop, pause, resume, retry, cancel."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reconcile.executors.builders import Scene, Story, says


@pytest.fixture
def scene() -> Scene:
    """A task in every state, two instances, demo-1 at work on task run."""
    made = Scene()
    made.instance(1, "Busy")
    made.instance(2)
    made.task("run", "Running", attempt=2)
    made.task("ready")
    made.task("blocked", "Blocked", needs=["run", "ready"])
    made.task("done", "Done")
    made.task("merged", "Merged", attempt=1)
    made.task("failed", "Failed", attempt=3)
    made.task("skipped", "Skipped")
    return made


@pytest.mark.parametrize(
    ("sentence", "success", "message"),
    [
        ("run task ready", True, "task ready is next"),
        ("run task ready beast-mode", True, "task ready is next in beast mode"),
        (
            "run task blocked",
            True,
            "task blocked starts as soon as run, ready are merged",
        ),
        ("run task failed", True, "task failed was failed; it is tried again"),
        ("run task skipped", True, "task skipped was skipped; it is tried again"),
        ("run task run", True, "task run is with demo-1 already"),
        ("run task done", True, "task done is done and waits for its merge"),
        ("run task merged", False, "task merged is merged already"),
        (
            "run task redy",
            False,
            "task redy is not in swarm demo (7 tasks; nearest: ready)",
        ),
        (
            "stop task ready",
            False,
            "task ready is ready, nobody works on it; "
            "`pause task ready` keeps it from starting",
        ),
        ("stop task failed", False, "task failed is failed, nobody works on it"),
        (
            "pause task ready",
            True,
            "task ready is paused; `resume task ready` lets it start again",
        ),
        (
            "pause task run",
            True,
            "task run is paused; attempt 2 with demo-1 goes on "
            "(`stop task run` ends it); `resume task run` lets it start again",
        ),
        (
            "pause task merged",
            False,
            "task merged is merged: there is nothing to pause",
        ),
        (
            "resume task ready",
            True,
            "task ready is not paused: an instance takes it when its turn comes",
        ),
        (
            "resume task blocked",
            True,
            "task blocked is not paused; it starts as soon as run, ready are merged",
        ),
        ("resume task run", True, "task run is not paused; it is running"),
        ("retry task failed", True, "task failed is tried again"),
        ("retry task skipped", True, "task skipped is tried again"),
        (
            "retry task run",
            False,
            "task run is running, not failed or skipped: there is nothing to try again",
        ),
        (
            "cancel task ready",
            True,
            "task ready is cancelled; blocked cannot start without it; "
            "`retry task ready` undoes it",
        ),
        (
            "cancel task failed",
            False,
            "task failed is failed already: there is nothing to cancel",
        ),
        (
            "cancel task merged",
            False,
            "task merged is merged already: there is nothing to cancel",
        ),
        (
            "cancel task skipped",
            False,
            "task skipped is skipped already: there is nothing to cancel",
        ),
        (
            "cancel task x",
            False,
            "task x is not in swarm demo (7 tasks, run to skipped; `kubectl get kirotasks` "
            "shows them)",
        ),
    ],
)
def test_a_sentence_is_answered_for_what_the_task_is(
    scene: Scene, sentence: str, success: bool, message: str
) -> None:
    outcome = scene.decide(sentence)
    assert (outcome.success, outcome.message) == (success, message)
    assert success or not outcome.effects


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (
            "stop instance zzz",
            "instance zzz is not in swarm demo (2 instances: demo-1, demo-2)",
        ),
        ("cancel command zzz", "command zzz is not in swarm demo (2 commands: a, b)"),
        ("run task zzz", "task zzz is not in swarm demo (1 task: 1)"),
    ],
)
def test_where_none_is_near_a_few_are_named(sentence: str, message: str) -> None:
    made = Scene()
    made.task("1")
    for number in (2, 1):
        made.instance(number)
    made.command("b", "Running")
    made.command("a", "Running")
    assert made.decide(sentence).message == message


def test_of_many_the_first_and_the_last_are_named_as_the_plan_has_them() -> None:
    made = Scene()
    for number in range(1, 16):
        made.task(str(number))
        made.instance(16 - number)
        made.command(f"c{number}", "Running")
    assert "(15 tasks, 1 to 15; `kubectl get kirotasks`" in (
        made.decide("explain task zzz").message
    )
    assert "(15 instances, demo-1 to demo-15; `kubectl get kiroinstances`" in (
        made.decide("stop instance zzz").message
    )
    assert (
        "`kubectl get swarmcommands` shows" in made.decide("cancel command zzz").message
    )


@pytest.mark.parametrize(
    "sentence",
    [
        *("run task no", "stop task no", "pause task no", "resume task no"),
        *("retry task no", "cancel task no", "approve task no", "reject task no"),
        *("assign task no to demo-1", "unassign task no", "status task no"),
        "explain task no",
    ],
)
def test_no_sentence_touches_a_task_that_is_only_nearly_named(
    scene: Scene, sentence: str
) -> None:
    scene.task("now")
    outcome = scene.decide(sentence)
    assert outcome.success is False
    assert outcome.message == "task no is not in swarm demo (8 tasks; nearest: now)"
    assert outcome.effects == ()


@pytest.mark.parametrize(
    ("sentence", "spec"),
    [
        ("run task ready", {"priority": 1000, "paused": False, "mode": "Normal"}),
        ("run task failed beast-mode", {"mode": "BeastMode", "runRequest": "w"}),
        ("retry task failed", {"runRequest": "w", "paused": False}),
        ("pause task ready", {"paused": True}),
    ],
)
def test_what_is_asked_for_is_in_the_spec(
    scene: Scene, sentence: str, spec: dict[str, Any]
) -> None:
    task = scene.tasks[sentence.split()[2]]
    story = Story(scene, sentence)
    assert story.step().success is True
    assert {name: task["spec"][name] for name in spec} == spec
    assert story.look().effects == ()


def test_run_task_makes_a_beast_normal_again_and_lets_a_paused_one_start(
    scene: Scene,
) -> None:
    task = scene.task("beast", spec={"mode": "BeastMode", "paused": True})
    outcome = scene.decide("run task beast")
    assert says(outcome) == [
        "kirotask/demo.beast: first in line, resumed, spec.mode BeastMode -> Normal"
    ]
    Story(scene, "run task beast").step()
    assert task["spec"]["mode"] == "Normal"


def test_retry_keeps_the_mode(scene: Scene) -> None:
    task = scene.task("beast", "Failed", spec={"mode": "BeastMode"})
    Story(scene, "retry task beast").step()
    assert (task["spec"]["mode"], task["spec"]["runRequest"]) == ("BeastMode", "w")


def test_beast_mode_for_an_attempt_under_way_counts_from_the_next(scene: Scene) -> None:
    story = Story(scene, "run task run beast-mode")
    answer = story.step()
    assert answer.message == (
        "task run is with demo-1 already; beast mode counts from its next attempt: "
        "`stop task run`, then `run task run beast-mode` begins one now"
    )
    assert scene.tasks["run"]["spec"]["mode"] == "BeastMode"
    assert "runRequest" not in scene.tasks["run"]["spec"]
    again = scene.decide("run task run beast-mode")
    assert again.message == "task run is with demo-1 already, in beast mode"


def test_a_suspended_swarm_is_named_as_what_holds_a_task() -> None:
    scene = Scene(suspend=True)
    scene.task("1")
    hint = "; demo is paused: `resume swarm` lets it start"
    assert scene.decide("run task 1").message == f"task 1 is next{hint}"
    assert scene.decide("resume task 1").message.endswith(hint)


def test_stop_task_pauses_it_before_its_attempt_is_taken_back(scene: Scene) -> None:
    story = Story(scene, "stop task run")
    assert says(story.look()) == [
        "kirotask/demo.run: spec.paused false -> true",
        "kirotask/demo.run: Running -> Ready (Stopped)",
    ]
    answer = story.step()
    task = scene.tasks["run"]
    assert (task["spec"]["paused"], task["status"]["state"]) == (True, "Ready")
    assert task["status"]["history"][-1]["outcome"] == "Stopped"
    assert task["status"]["message"] == "attempt 2: taken back by command word"
    assert answer.message == (
        "task run is stopped: attempt 2 with demo-1 is given up; "
        "`resume task run` lets it start again"
    )


def test_stop_task_does_not_fight_who_resumed_it_since(scene: Scene) -> None:
    story = Story(scene, "stop task run")
    story.step()
    Story(scene, "resume task run").step()
    assert story.look().effects == ()
    task = scene.tasks["run"]
    task["status"].update(state="Running", attempt=3, instance="demo-2")
    assert story.look().effects == ()


def test_stop_task_keeps_one_from_starting_that_failed_at_that_moment(
    scene: Scene,
) -> None:
    story = Story(scene, "stop task run")
    scene.tasks["run"]["status"].update(state="Ready", instance="")
    assert says(story.look()) == ["kirotask/demo.run: spec.paused false -> true"]


def test_stop_task_comes_too_late_for_one_that_is_done(scene: Scene) -> None:
    story = Story(scene, "stop task run")
    scene.tasks["run"]["status"]["state"] = "Done"
    answer = story.look()
    assert answer.message == "task run came to its end before: it is done"
    assert (answer.success, answer.effects) == (True, ())


@pytest.mark.parametrize("task_id", ["run", "ready", "blocked", "done"])
def test_a_cancelled_task_has_failed_whatever_attempts_are_left(
    scene: Scene, task_id: str
) -> None:
    story = Story(scene, f"cancel task {task_id}")
    assert story.step().success is True
    status = scene.tasks[task_id]["status"]
    assert (status["state"], status["reason"]) == ("Failed", "Cancelled")
    assert status["message"] == "cancelled by command word"


def test_a_task_that_never_had_a_status_can_be_cancelled(scene: Scene) -> None:
    del scene.tasks["blocked"]["status"]
    assert Story(scene, "cancel task blocked").step().success is True
    assert scene.tasks["blocked"]["status"]["state"] == "Failed"


def test_what_the_merge_train_has_in_its_hands_is_not_cancelled(scene: Scene) -> None:
    scene.job("integrate", 1, ended=None)
    outcome = scene.decide("cancel task done")
    assert outcome.message == (
        "task done is done and is merged at this moment: it is too late to cancel it"
    )
    assert (outcome.success, outcome.effects) == (False, ())


def test_what_a_merge_train_that_died_had_in_its_hands_is_not_cancelled(
    scene: Scene,
) -> None:
    """It may be on the branch: a task that is there must not end as Failed."""
    scene.job("integrate", 1, ended=False)
    outcome = scene.decide("cancel task done")
    assert outcome.message == (
        "task done is done, and the last integrate Job failed and may have merged it; the "
        "next one knows: it is too late to cancel it"
    )
    assert (outcome.success, outcome.effects) == (False, ())
    scene.job("integrate", 2, ended=True)
    assert Story(scene, "cancel task done").step().success is True


def test_what_waits_for_a_person_is_not_in_the_hands_of_the_merge_train(
    scene: Scene,
) -> None:
    scene.spec["integration"] = {"approval": "Required"}
    scene.job("integrate", 1, ended=None)
    assert Story(scene, "cancel task done").step().success is True


def test_a_cancel_that_comes_too_late_says_so(scene: Scene) -> None:
    story = Story(scene, "cancel task run")
    scene.tasks["run"]["status"]["state"] = "Merged"
    assert story.look().success is False


def test_retry_failed_tasks_asks_for_each_of_them_once(scene: Scene) -> None:
    scene.task("other", "Failed")
    story = Story(scene, "retry failed tasks")
    assert story.look().message == "2 of 2 failed tasks of demo are tried again"
    answer = story.step()
    assert answer.success is True
    assert [(part.target, part.success) for part in answer.partial] == [
        ("failed", True),
        ("other", True),
    ]
    assert answer.data["tasks"] == ["failed", "other"]
    assert scene.tasks["failed"]["spec"]["runRequest"] == "w"
    assert "runRequest" not in scene.tasks["skipped"]["spec"]


def test_retry_failed_tasks_where_none_failed_says_so() -> None:
    scene = Scene()
    scene.task("1")
    outcome = scene.decide("retry failed tasks")
    assert (outcome.success, outcome.message) == (True, "no task of demo has failed")
