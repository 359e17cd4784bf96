"""``merge completed branches``, ``merge branch``, ``resolve conflicts``: to the last task."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import JOBS
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from tests.unit.reconcile.executors.builders import Scene, Story, says
from tests.unit.reconcile.executors.jobs_of import job, owned

COMMIT = "c" * 40
CONFLICT = {
    "attempt": 1,
    "outcome": "MergeConflict",
    "message": "conflicts with merged work in app.py",
}
MERGED = {"state": "Merged", "mergeCommit": COMMIT}
BACK = {
    "state": "Ready",
    "instance": "",
    "reason": "MergeConflict",
    "history": [CONFLICT],
}


def scene(*done: str, **spec: Any) -> Scene:
    """A swarm with these tasks Done."""
    made = owned(**spec)
    for task_id in done:
        made.task(task_id, "Done", branch=f"swarm/demo/{task_id}/1")
    return made


def becomes(made: Scene, task_id: str, **status: Any) -> None:
    made.tasks[task_id]["status"].update(status)


def parts(outcome: Outcome) -> dict[str, tuple[bool, bool, str]]:
    return {p.target: (p.done, p.success, p.message) for p in outcome.partial}


def jobs_made(outcome: Outcome) -> list[str]:
    return [e.name for e in outcome.effects if e.resource is JOBS]


def test_the_train_is_started_and_every_task_is_followed() -> None:
    made = scene("1.1", "1.2", "1.3")
    story = Story(made, "merge completed branches")
    first = story.look()
    assert (first.success, jobs_made(first)) == (None, ["demo-integrate-1"])
    job(made, "demo-integrate-1")
    becomes(made, "1.1", **MERGED)
    second = story.look()
    assert (second.success, second.effects) == (None, ())
    assert second.message == "1 of 3 merged into swarm/demo/integration"
    assert parts(second)["1.2"] == (False, False, "waits for its merge")
    becomes(made, "1.2", **BACK)
    becomes(made, "1.3", **MERGED)
    last = story.look()
    assert last.success is False
    assert last.message == "2 of 3 merged into swarm/demo/integration"
    assert parts(last) == {
        "1.1": (True, True, "merged as cccccccccccc"),
        "1.2": (True, False, "went back: conflicts with merged work in app.py"),
        "1.3": (True, True, "merged as cccccccccccc"),
    }


def test_it_is_started_also_while_it_waits_for_its_next_try() -> None:
    made = scene("1")
    made.swarm["status"]["integration"] = {"batch": 4}
    job(made, "demo-integrate-4", False, {"reason": "PushRejected", "message": "no"})
    story = Story(made, "merge completed branches")
    assert jobs_made(story.look()) == ["demo-integrate-5"]


def test_a_train_that_runs_is_waited_for_and_no_other_is_started() -> None:
    made = scene("1")
    job(made, "demo-integrate-7")
    story = Story(made, "merge completed branches")
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (None, ())
    job(made, "demo-integrate-7", True, {"head": COMMIT, "message": "merged 0"})
    later = story.look()
    assert (later.success, later.effects) == (None, ()), "the swarm starts the next"


def test_a_train_that_fails_is_the_answer_of_those_that_wait() -> None:
    made = scene("1", "2")
    story = Story(made, "merge completed branches")
    becomes(made, "1", **MERGED)
    job(made, "demo-integrate-1", False)
    early = story.look()
    assert (early.success, early.again_in) == (None, 1.0)
    words = {"reason": "GateUnavailable", "message": "the gate does not answer"}
    job(made, "demo-integrate-1", False, words)
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (False, ())
    assert outcome.data["reason"] == "GateUnavailable"
    failed = "the merge train failed: the gate does not answer"
    assert parts(outcome)["2"] == (True, False, failed)
    assert parts(outcome)["1"][:2] == (True, True)


def test_nothing_to_merge_is_said_at_once() -> None:
    made = scene()
    made.task("1", "Running")
    outcome = Story(made, "merge completed branches").look()
    assert (outcome.success, outcome.effects) == (True, ())
    assert outcome.message == "nothing to merge: no task of demo is done"


def test_work_that_a_person_has_to_approve_is_named_and_left() -> None:
    made = scene("1", "2", integration={"approval": "Required"})
    only = Story(made, "merge completed branches").look()
    assert (only.success, only.effects) == (False, ())
    assert only.message == (
        "nothing can be merged: 1, 2 wait for a person: 'approve task 1'"
    )
    made.tasks["2"]["spec"]["approvedAttempt"] = 1
    story = Story(made, "merge completed branches")
    assert set(parts(story.look())) == {"2"}
    becomes(made, "2", **MERGED)
    last = story.look()
    assert last.success is True
    assert last.message == (
        "1 of 1 merged into swarm/demo/integration; "
        "1 waits for a person: 'approve task 1'"
    )


def test_work_that_is_asked_about_meanwhile_is_not_waited_for() -> None:
    made = scene("1")
    story = Story(made, "merge completed branches")
    made.spec["integration"] = {"approval": "Required"}
    outcome = story.look()
    assert outcome.success is False
    assert parts(outcome)["1"] == (
        *(True, False),
        "1 waits for a person: 'approve task 1'",
    )


def test_a_task_that_is_gone_is_over() -> None:
    made = scene("1")
    story = Story(made, "merge completed branches")
    del made.tasks["1"]
    assert parts(story.look()) == {"1": (True, False, "the task is gone")}


def test_a_red_gate_is_over_also_with_conflict_resolve() -> None:
    made = scene("1")
    story = Story(made, "merge completed branches conflict-resolve")
    red = {"attempt": 1, "outcome": "GateFailed", "message": "gate tests is red"}
    becomes(made, "1", state="Ready", reason="GateFailed", history=[red])
    assert parts(story.look()) == {"1": (True, False, "went back: gate tests is red")}


def test_with_conflict_resolve_a_conflict_is_followed_to_its_merge() -> None:
    made = scene("1")
    story = Story(made, "merge completed branches conflict-resolve")
    becomes(made, "1", **BACK)
    again = story.look()
    assert (again.success, again.effects) == (None, ())
    assert parts(again)["1"] == (False, False, "is done again: Ready")
    becomes(made, "1", state="Done", attempt=2, instance="demo-2")
    assert story.look().success is None
    becomes(made, "1", **MERGED)
    assert story.look().success is True


def failed_scene(*task_ids: str) -> Scene:
    """Tasks that have failed for good because of a conflict."""
    made = owned()
    for task_id in task_ids:
        made.task(task_id, "Failed", attempt=1, reason="MergeConflict")
        becomes(made, task_id, message="attempt 1: conflicts", history=[CONFLICT])
    return made


@pytest.mark.parametrize(
    "sentence", ["resolve conflicts auto", "merge completed branches conflict-resolve"]
)
def test_a_failed_conflict_is_run_again_once_and_followed(sentence: str) -> None:
    made = failed_scene("1", "2")
    story = Story(made, sentence)
    first = story.look()
    assert says(first) == [
        "kirotask/demo.1: tried again, with its conflict",
        "kirotask/demo.2: tried again, with its conflict",
    ]
    assert jobs_made(first) == []
    assert story.step().success is None
    assert [t["spec"]["runRequest"] for t in made.tasks.values()] == ["w", "w"]
    for task_id in ("1", "2"):
        becomes(made, task_id, state="Running", attempt=2, observedRunRequest="w")
    assert story.look().effects == ()
    becomes(made, "1", **MERGED)
    becomes(made, "2", state="Failed", message="attempt 2: conflicts again")
    last = story.look()
    assert (last.success, last.effects) == (False, ())
    assert parts(last) == {
        "1": (True, True, "merged as cccccccccccc"),
        "2": (True, False, "attempt 2: conflicts again"),
    }


def test_resolve_conflicts_is_answered_as_soon_as_they_are_done_again() -> None:
    made = failed_scene("1")
    story = Story(made, "resolve conflicts")
    outcome = story.look()
    assert (outcome.success, outcome.message) == (True, "1 of 1 tasks done again")
    assert len(outcome.effects) == 1
    assert story.step().effects == ()


def test_two_who_resolve_the_same_conflict_do_not_fight() -> None:
    made = failed_scene("1")
    story = Story(made, "resolve conflicts auto")
    made.tasks["1"]["spec"]["runRequest"] = "another"
    assert story.look().effects == (), "another has asked already"
    becomes(made, "1", state="Failed", attempt=2, observedRunRequest="another")
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (False, ())


def test_a_task_that_is_cancelled_meanwhile_is_not_run_again() -> None:
    made = failed_scene("1")
    story = Story(made, "resolve conflicts auto")
    story.step()
    cancelled = {"reason": "Cancelled", "message": "cancelled by somebody"}
    becomes(made, "1", observedRunRequest="w", **cancelled)
    outcome = story.look()
    assert (outcome.success, outcome.effects) == (False, ())
    assert parts(outcome)["1"][2] == "cancelled by somebody"


def test_no_conflict_is_said_so() -> None:
    made = scene("1")
    made.task("2", "Failed", attempt=1, reason="GateFailed")
    outcome = Story(made, "resolve conflicts auto").look()
    assert (outcome.success, outcome.effects) == (True, ())
    assert outcome.message == "no task of demo has failed with a conflict"
    gone = failed_scene("1")
    story = Story(gone, "resolve conflicts")
    del gone.tasks["1"]
    assert parts(story.look()) == {"1": (True, False, "the task is gone")}


def test_the_task_of_a_branch_goes_first() -> None:
    made = scene("1", "2")
    story = Story(made, "merge branch swarm/demo/2/1")
    outcome = story.look()
    assert "kirotask/demo.2: spec.priority 0 -> 1000" in says(outcome)
    assert jobs_made(outcome) == ["demo-integrate-1"]
    assert set(parts(outcome)) == {"2"}
    becomes(made, "2", **MERGED)
    last = story.look()
    assert (last.success, last.effects) == (True, ())
    assert last.message == "1 of 1 merged into swarm/demo/integration"


@pytest.mark.parametrize(
    ("sentence", "good", "message"),
    [
        (
            "merge branch swarm/demo/1/1 into main",
            False,
            "work is merged into swarm/demo/integration only; leave 'into main' out",
        ),
        (
            "merge branch feature/login",
            False,
            "no task of demo has branch feature/login (branches of done tasks: "
            "swarm/demo/1/1); 'sync branch feature/login' merges a branch of the "
            "repository",
        ),
        (
            "merge branch swarm/demo/2/1",
            True,
            "task 2 is merged already, as cccccccccccc",
        ),
        (
            "merge branch swarm/demo/3/1",
            False,
            "task 3 is Running: its branch is merged when it is Done",
        ),
    ],
)
def test_a_branch_that_cannot_be_merged_now(
    sentence: str, good: bool, message: str
) -> None:
    made = scene("1")
    made.task("2", **MERGED, branch="swarm/demo/2/1", attempt=1)
    made.task("3", "Running", branch="swarm/demo/3/1")
    outcome = Story(made, sentence).look()
    assert (outcome.success, outcome.effects) == (good, ())
    assert outcome.message == message


def test_into_the_integration_branch_may_be_said() -> None:
    story = Story(scene("1"), "merge branch swarm/demo/1/1 into swarm/demo/integration")
    assert story.look().success is None


def test_the_branch_of_a_task_that_needs_approval_waits_for_a_person() -> None:
    made = scene("1", integration={"approval": "Required"})
    outcome = Story(made, "merge branch swarm/demo/1/1").look()
    assert (outcome.success, outcome.effects) == (False, ())
    assert outcome.message == "1 waits for a person: 'approve task 1'"
