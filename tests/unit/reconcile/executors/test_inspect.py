"""``diff task`` and ``log task``: the Job, its answer, and what there is nothing to see of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest

from kiro_swarm.cluster.resources import JOBS
from kiro_swarm.policy.work import Work, work_of
from kiro_swarm.reconcile.commands.executors.inspect import show
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from tests.unit.reconcile.executors.builders import Scene
from tests.unit.reconcile.executors.jobs_of import job, owned, pod

Object = Any
BASE, COMMIT, MERGE = "b" * 40, "c" * 40, "a" * 40
AT = {"branch": "swarm/demo/1/1", "baseCommit": BASE}
REFERENCE = {"configMap": "word-result", "key": "diff.patch", "sizeBytes": 9}
REPORT = {
    "base": BASE,
    "commit": COMMIT,
    "commits": 2,
    "files": 1,
    "insertions": 3,
    "deletions": 1,
    "attempt": 1,
    "dataRef": {**REFERENCE, "truncated": False},
}


def scene(state: str = "Done", **status: Any) -> Scene:
    made = owned()
    made.task("1", state, **{**AT, "commit": COMMIT, **status})
    return made


def said(made: Scene, sentence: str = "diff task 1") -> Outcome:
    return made.decide(sentence)


def test_a_job_of_the_command_is_made_once() -> None:
    made = scene()
    outcome = said(made)
    assert outcome.success is None
    (effect,) = outcome.effects
    assert (effect.verb, effect.resource) == ("create", JOBS)
    assert effect.name == "demo-inspect-w"
    job(made, "demo-inspect-w")
    again = said(made)
    assert (again.success, again.effects) == (None, ())
    assert again.message == "reading the diff of task 1"


def test_jobs_of_one_person_are_counted_without_a_look_at_all_commands() -> None:
    """Hundreds that wait ask every five seconds, and there may be thousands of commands."""
    made = scene()

    def nobody_asks() -> list[Object]:
        raise AssertionError("all commands were looked at")

    def outcome(requester: str) -> Outcome:
        pinned = replace(made.request("diff task 1"), commands=nobody_asks)
        return show(replace(pinned, requester=requester))

    for number in range(2):
        (effect,) = outcome("eve").effects
        job(made, f"demo-inspect-{number}")
        notes = effect.item["metadata"]["annotations"]
        made.jobs[-1]["metadata"]["annotations"] = notes
    assert outcome("eve").message.startswith("waits: 2 things that the same person")
    assert outcome("ann").effects
    for number in range(2, 8):
        job(made, f"demo-inspect-{number}")
    assert outcome("ann").message.startswith("waits: 8 things that people asked for")


@pytest.mark.parametrize(
    ("sentence", "state", "message"),
    [
        (
            "diff task 1",
            "Done",
            "task 1 (attempt 1): 1 file changed, 3 insertions, 1 deletion",
        ),
        (
            "log task 1",
            "Done",
            "task 1 (attempt 1): 2 commits, 1 file changed, 3 insertions, 1 deletion",
        ),
        (
            "diff task 1",
            "Running",
            "task 1 (attempt 1, still at work): 1 file changed, 3 insertions, 1 deletion",
        ),
        (
            "show the diff of task 1",
            "Merged",
            "task 1 (merged as cccccccccccc): 1 file changed, 3 insertions, 1 deletion",
        ),
    ],
)
def test_the_answer_says_how_much_and_where_it_is(
    sentence: str, state: str, message: str
) -> None:
    made = scene(state, mergeCommit=COMMIT)
    job(made, "demo-inspect-w", ended=True, said=REPORT)
    outcome = said(made, sentence)
    assert (outcome.success, outcome.message) == (True, message)
    assert outcome.data_ref is not None
    assert outcome.data_ref["configMap"] == "word-result"
    assert outcome.data["commit"] == COMMIT
    assert "dataRef" not in outcome.data


def test_a_cut_text_and_no_text_at_all_are_said_so() -> None:
    made = scene()
    report = {**REPORT, "dataRef": {**REFERENCE, "truncated": True}}
    job(made, "demo-inspect-w", ended=True, said=report)
    assert said(made).message.endswith("1 deletion; cut, it is too long")
    nothing = scene("Running")
    report = {**REPORT, "commits": 0, "dataRef": {}}
    job(nothing, "demo-inspect-w", ended=True, said=report)
    assert said(nothing).message == (
        "task 1 (attempt 1, still at work): nothing is committed yet"
    )


def test_a_failed_job_answers_with_its_reason() -> None:
    made = scene()
    report = {"reason": "RefNotFound", "message": "commit cccc is gone"}
    job(made, "demo-inspect-w", ended=False, said=report)
    outcome = said(made)
    assert outcome.success is False
    assert outcome.message == "commit cccc is gone (job/demo-inspect-w)"
    assert outcome.data["reason"] == "RefNotFound"


def test_a_report_that_is_not_there_yet_is_waited_for_and_not_for_ever() -> None:
    made = scene()
    job(made, "demo-inspect-w", ended=False, why="Job was active longer than 300 s")
    early = said(made)
    assert (early.success, early.again_in) == (None, 1.0)
    made.seconds = 11
    late = said(made)
    assert late.success is False
    assert late.message.startswith("Job was active longer than 300 s (job/")


def test_a_pod_that_cannot_start_says_what_it_waits_for() -> None:
    made = scene()
    job(made, "demo-inspect-w")
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod(made, "demo-inspect-w", {"name": "main", "state": waiting})
    assert "its pod waits: " in said(made).message


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("Blocked", {"commit": "", "baseCommit": ""}),
        ("Ready", {}),
        ("Bound", {"baseCommit": "", "history": [{"attempt": 1, "commit": COMMIT}]}),
        ("Running", {"baseCommit": ""}),
        ("Merged", {}),
    ],
)
def test_where_nothing_is_there_no_job_is_made(state: str, status: Object) -> None:
    outcome = said(scene(state, **status))
    assert (outcome.success, outcome.effects) == (False, ())
    assert outcome.message == f"task 1 is {state} and has no commit yet"


def test_an_unknown_task_is_named() -> None:
    outcome = said(scene(), "log task 7")
    assert (outcome.success, outcome.effects) == (False, ())
    assert "task 7 is not in swarm demo" in outcome.message


FAILED = {"attempt": 2, "instance": "demo-2", "commit": COMMIT, "outcome": "GateFailed"}


@pytest.mark.parametrize(
    ("status", "work"),
    [
        ({"state": "Merged", "mergeCommit": MERGE}, Work(merge=MERGE, attempt=2)),
        (
            {"state": "Done", **AT, "commit": COMMIT, "instance": "demo-1"},
            Work("", BASE, COMMIT, AT["branch"], "demo-1", 2),
        ),
        (
            {"state": "Running", **AT, "commit": COMMIT, "instance": "demo-1"},
            Work("", BASE, "", AT["branch"], "demo-1", 2),
        ),
        (
            {"state": "Failed", **AT, "history": [FAILED]},
            Work("", BASE, COMMIT, AT["branch"], "demo-2", 2),
        ),
        ({"state": "Ready", **AT, "history": [{**FAILED, "attempt": 1}]}, None),
        ({"state": "Ready", **AT, "history": [{**FAILED, "commit": ""}]}, None),
        ({}, None),
    ],
)
def test_where_the_work_of_a_task_is(status: Object, work: Optional[Work]) -> None:
    metadata = {"name": "demo.1", "uid": "task-uid"}
    task: Object = {"metadata": metadata, "status": {"attempt": 2, **status}}
    if work is not None and not work.merge:
        work = replace(work, uid="task-uid")
    assert work_of(task) == work
