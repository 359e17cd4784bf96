"""``sync upstream`` and ``sync branch``: the Job that does it, and the answer."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import JOBS
from tests.unit.reconcile.executors.builders import Scene
from tests.unit.reconcile.executors.jobs_of import job, owned

OLD, NEW, SOURCE = "a" * 40, "b" * 40, "c" * 40
REPORT: dict[str, Any] = {
    "before": OLD,
    "head": NEW,
    "source": SOURCE,
    "commits": 2,
    "keptPlan": False,
}
INTO = "swarm/demo/integration"


def args(made: Scene, sentence: str) -> list[str]:
    """What the Job of a sentence is told."""
    outcome = made.decide(sentence)
    (effect,) = outcome.effects
    assert (outcome.success, effect.verb, effect.resource) == (None, "create", JOBS)
    body: Any = effect.body
    assert effect.name == "demo-sync-w"
    (main,) = body["spec"]["template"]["spec"]["containers"]
    told: list[str] = main["args"]
    return told


def test_a_job_is_made_once_for_each_command() -> None:
    made = owned()
    assert args(made, "git sync upstream") == ["sync", "--command-uid=w"]
    said = args(made, "git sync branch feature/parallel-dev")
    assert said[-1] == "--branch=feature/parallel-dev"
    job(made, "demo-sync-w")
    again = made.decide("git sync upstream")
    assert (again.success, again.effects) == (None, ())
    assert again.message == f"merging what is new on main into {INTO}"


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (
            REPORT,
            "merged 2 commits of main at cccccccccccc into swarm/demo/integration: "
            "aaaaaaaaaaaa -> bbbbbbbbbbbb",
        ),
        (
            {**REPORT, "commits": 1, "keptPlan": True, "pushed": NEW},
            "merged 1 commit of main at cccccccccccc into swarm/demo/integration: "
            "aaaaaaaaaaaa -> bbbbbbbbbbbb; both sides had changed the task file, "
            "the swarm's own was kept; pushed",
        ),
        (
            {**REPORT, "commits": 0, "head": OLD},
            "swarm/demo/integration is up to date with main at cccccccccccc; "
            "it stays at aaaaaaaaaaaa",
        ),
    ],
)
def test_the_answer_has_old_and_new(report: dict[str, Any], message: str) -> None:
    made = owned()
    job(made, "demo-sync-w", True, report)
    outcome = made.decide("sync upstream")
    assert (outcome.success, outcome.message) == (True, message)
    assert outcome.data == report


def test_a_conflict_is_the_answer() -> None:
    made = owned()
    report = {"reason": "SyncConflict", "message": "conflicts in 1 file(s): app.py"}
    job(made, "demo-sync-w", False, report)
    outcome = made.decide("sync upstream")
    assert outcome.success is False
    assert outcome.message == "conflicts in 1 file(s): app.py (job/demo-sync-w)"
    assert outcome.data == {"reason": "SyncConflict"}


def test_a_branch_outside_the_allow_list_starts_nothing() -> None:
    outcome = owned().decide("sync branch feature/" + "x" * 210)
    assert (outcome.success, outcome.effects) == (False, ())
    assert "is not allowed" in outcome.message


def test_a_swarm_that_is_not_prepared_has_nothing_to_merge_into() -> None:
    made = owned()
    made.swarm["status"] = {}
    outcome = made.decide("sync upstream")
    assert (outcome.success, outcome.effects) == (False, ())
    assert "demo is not prepared yet" in outcome.message
