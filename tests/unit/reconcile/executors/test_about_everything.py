"""Sentences about the whole swarm: stop all, pause, resume, scale, cleanup, commands."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.policy import naming
from tests.unit.reconcile.executors.builders import Scene, Story, says


@pytest.fixture
def scene() -> Scene:
    """demo-1 works on task 1, demo-2 is idle."""
    made = Scene()
    made.instance(1, "Busy")
    made.instance(2)
    made.task("1", "Running")
    made.task("2", "Merged")
    return made


def parts(outcome: Any) -> dict[str, tuple[bool, str]]:
    """Partial results by target."""
    return {part.target: (part.done, part.message) for part in outcome.partial}


def test_stop_all_suspends_first_and_then_takes_everything_back(scene: Scene) -> None:
    story = Story(scene, "stop all tasks")
    assert says(story.look()) == [
        "kiroswarm/demo: spec.suspend false -> true",
        "kirotask/demo.1: Running -> Ready (Stopped)",
    ]
    waiting = story.step()
    assert (waiting.success, waiting.message) == (
        None,
        "0 of 2 instances of demo stopped; `resume swarm` starts work again",
    )
    assert scene.tasks["1"]["status"]["state"] == "Ready"
    scene.stopped("demo-2")
    assert parts(story.look()) == {
        "demo-1": (False, "its pod stops"),
        "demo-2": (True, "stopped; it had no task"),
    }
    scene.stopped("demo-1")
    answer = story.look()
    assert (answer.success, answer.message) == (
        True,
        "2 of 2 instances of demo stopped; `resume swarm` starts work again",
    )
    assert parts(answer)["demo-1"] == (True, "stopped; task 1 went back in line")


def test_graceful_stop_of_all_lets_every_task_end(scene: Scene) -> None:
    story = Story(scene, "stop all tasks graceful")
    assert parts(story.step())["demo-1"] == (False, "ends task 1 first")
    assert scene.tasks["1"]["status"]["state"] == "Running"
    scene.tasks["1"]["status"].update(state="Done", instance="")
    scene.stopped("demo-1")
    scene.stopped("demo-2")
    answer = story.look()
    assert answer.success is True
    assert parts(answer)["demo-1"] == (True, "stopped; task 1 ended")


def test_an_instance_that_is_scaled_away_counts_as_stopped(scene: Scene) -> None:
    story = Story(scene, "stop all tasks")
    story.step()
    scene.stopped("demo-1")
    del scene.instances["demo-2"], scene.pods["demo-2"]
    answer = story.look()
    assert answer.success is True
    assert parts(answer)["demo-2"] == (True, "is gone")


def test_stop_all_does_not_fight_who_resumed_the_swarm_since(scene: Scene) -> None:
    story = Story(scene, "stop all tasks graceful")
    story.step()
    Story(scene, "resume swarm").step()
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (False, ())
    assert outcome.message == "demo was resumed before everything had stopped"


def test_stop_all_where_there_is_no_instance_is_done_at_once() -> None:
    scene = Scene(instances=0)
    outcome = scene.decide("stop everything")
    assert (outcome.success, outcome.message) == (
        True,
        "demo has no instance; nothing starts until `resume swarm`",
    )
    assert says(outcome) == ["kiroswarm/demo: spec.suspend false -> true"]


def test_pause_swarm_says_who_may_end_and_how_to_go_on(scene: Scene) -> None:
    story = Story(scene, "pause swarm")
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "demo is paused: no task starts; 1 task (1) may end; `resume swarm` goes on",
    )
    assert scene.spec["suspend"] is True
    scene.tasks["1"]["status"]["state"] = "Done"
    assert story.look().message == (
        "demo is paused: no task starts; `resume swarm` goes on"
    )


def test_resume_swarm_names_what_stays_paused(scene: Scene) -> None:
    scene.spec["suspend"] = True
    for number in range(3, 10):
        scene.task(str(number), spec={"paused": True})
    scene.instance(3, "Paused", spec={"desired": "Paused"})
    answer = Story(scene, "resume swarm").step()
    assert scene.spec["suspend"] is False
    assert answer.message == (
        "demo goes on with 2 instances; 1 of 9 tasks merged; still paused: 7 tasks "
        "(3, 4, 5, 6, 7 and 2 more); still paused or stopped: 1 instance (demo-3)"
    )


@pytest.mark.parametrize(
    ("sentence", "success", "message"),
    [
        ("scale swarm to 3", True, "scaled demo from 2 to 3 instances"),
        ("scale swarm demo to 3", True, "scaled demo from 2 to 3 instances"),
        (
            "scale swarm other to 3",
            False,
            "this command is to swarm demo (spec.swarm), and its sentence says other; "
            "nothing is scaled",
        ),
        ("scale swarm demo to 2", True, "demo has 2 instances wanted"),
        ("scale up instances 999", False, "that would be 1001 instances"),
    ],
)
def test_scale_takes_the_name_of_this_swarm_and_no_other(
    scene: Scene, sentence: str, success: bool, message: str
) -> None:
    outcome = scene.decide(sentence)
    assert outcome.success is success
    assert outcome.message.startswith(message)
    assert success or not outcome.effects


# ------------------------------------------------------------------ commands


def test_a_running_command_is_cancelled_and_what_it_has_done_is_told(
    scene: Scene,
) -> None:
    changes = [{"says": "kiroinstance/demo-1: spec.desired Running -> Drained"}]
    running = scene.command("slow", "Running", changes=changes, startedAt="then")
    story = Story(scene, "cancel command slow")
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "command slow is cancelled; what it has done until then stays",
    )
    status = running["status"]
    assert (status["phase"], status["reason"]) == ("Cancelled", "Cancelled")
    assert status["message"] == (
        "cancelled by command word; kiroinstance/demo-1: spec.desired Running -> Drained"
    )
    assert status["result"]["success"] is False
    assert (status["startedAt"], status["finishedAt"]) == ("then", scene.now)
    (condition,) = status["conditions"]
    assert (condition["type"], condition["reason"]) == ("Failed", "Cancelled")


def test_a_pending_command_is_cancelled_before_it_changes_anything(
    scene: Scene,
) -> None:
    pending = scene.command("next", "Pending")
    Story(scene, "cancel command next").step()
    assert pending["status"]["message"] == (
        "cancelled by command word; it has changed nothing"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "old",
            "command old already finished (Succeeded, 12:03:11Z): nothing to cancel",
        ),
        ("stopped", "command stopped already finished (Cancelled): nothing to cancel"),
        ("word", "command word is this very command: nobody cancels himself"),
        ("olf", "command olf is not in swarm demo (2 commands; nearest: old)"),
    ],
)
def test_what_is_finished_unknown_or_oneself_is_not_cancelled(
    scene: Scene, name: str, message: str
) -> None:
    scene.command("old", "Succeeded", finishedAt="2026-11-22T12:03:11.500000Z")
    scene.command("stopped", "Cancelled", message="cancelled by command other")
    scene.command("word", "Running")
    outcome = scene.decide(f"cancel command {name}")
    assert (outcome.success, outcome.message) == (False, message)
    assert outcome.effects == ()


def test_cleanup_deletes_what_is_finished_and_not_looked_at_any_more(
    scene: Scene,
) -> None:
    scene.command("word", "Running")
    scene.command("waits", "Pending")
    for phase in ("Succeeded", "Failed", "Rejected", "Cancelled"):
        scene.command(phase.lower(), phase)
    # Goes into the audit log first.
    scene.command("stopped", "Cancelled", changes=[{"says": "demo: 1 -> 2"}])
    scene.command("going", "Failed")["metadata"]["deletionTimestamp"] = scene.now
    scene.job("prepare", 1, ended=False)
    scene.job("prepare", 2)
    scene.job("integrate", 1)
    scene.job("integrate", 2)
    scene.job("integrate", 3, ended=None)
    asked, answered = "c-waits", "c-succeeded"
    scene.job("sync", 0, name=naming.sync_job("demo", asked))
    scene.job("sync", 0, name=naming.sync_job("demo", answered))
    scene.job("inspect", 0, name=naming.inspect_job("demo", asked))
    story = Story(scene, "cleanup swarm")
    answer = story.step()
    assert (answer.success, answer.message) == (
        True,
        "deleted 4 finished commands and 4 finished Jobs of demo",
    )
    left = [item["metadata"]["name"] for item in (*scene.commands, *scene.jobs)]
    assert left == [
        *("word", "waits", "stopped", "going"),
        *("demo-prepare-2", "demo-integrate-3"),
        naming.sync_job("demo", asked),
        naming.inspect_job("demo", asked),
    ]


def test_cleanup_of_a_clean_swarm_changes_nothing(scene: Scene) -> None:
    outcome = scene.decide("cleanup")
    assert (outcome.success, outcome.message) == (
        True,
        "deleted 0 finished commands and 0 finished Jobs of demo",
    )
    assert outcome.effects == ()


# ------------------------------------------------------------------ test protocol parse


def test_a_sentence_is_tried_without_being_said(scene: Scene) -> None:
    outcome = scene.decide('test protocol parse "run task abc in beast mode"')
    assert (outcome.success, outcome.effects) == (True, ())
    assert outcome.message == "understood as 'run task abc beast-mode'; it needs 'run'"
    assert outcome.data["arguments"] == {"id": "abc"}


def test_a_wrong_sentence_is_explained(scene: Scene) -> None:
    outcome = scene.decide('test protocol parse "statsu swarm"')
    assert outcome.success is False
    assert outcome.data["position"] == 1
    suggestions: Any = outcome.data["suggestions"]
    assert "status swarm" in suggestions
