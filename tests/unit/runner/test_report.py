"""What stands in a KiroTask after each step; merged over what stood there before."""

from __future__ import annotations

from datetime import timedelta

from kiro_swarm.api.task import KiroTaskStatus
from kiro_swarm.runner import report
from kiro_swarm.runner.attempt import Failed, Finished
from kiro_swarm.runner.worktree import Cut
from tests.support.shapes import Object, valid
from tests.unit.runner.fakes import BASE, COMMIT, START

BRANCH = "swarm/demo/1.1/2"
BOUND: KiroTaskStatus = {
    "state": "Bound",
    "attempt": 2,
    "instance": "demo-1",
    "brief": "red",
    "runningSeconds": 10.0,
    "reason": "Bound",
    "message": "bound to demo-1",
}


def merged(status: KiroTaskStatus, patch: KiroTaskStatus) -> Object:
    both = {**status, **patch}
    return {key: value for key, value in both.items() if value is not None}


def test_the_way_from_bound_to_done() -> None:
    status = merged(BOUND, report.running(Cut(BASE, BRANCH), START))
    assert (status["state"], status["reason"]) == ("Running", "AgentStarted")
    status = merged(status, report.progress("x" * 2000, START + timedelta(seconds=2)))
    assert valid(KiroTaskStatus, status)["progress"] is not None
    finished = Finished(COMMIT, BASE, BRANCH, 5.0, "1 file changed")
    status = merged(
        status, report.done(status, finished, START + timedelta(seconds=7.25))
    )
    assert status == {
        **BOUND,
        "state": "Done",
        "reason": "Checked",
        "message": "1 file changed",
        "branch": BRANCH,
        "baseCommit": BASE,
        "commit": COMMIT,
        "startedAt": "2026-11-22T10:00:00.000000Z",
        "finishedAt": "2026-11-22T10:00:07.250000Z",
        "runningSeconds": 17.25,
    }
    valid(KiroTaskStatus, status)


def test_the_way_back_counts_the_attempt_and_keeps_its_time() -> None:
    status = merged(BOUND, report.running(Cut(BASE, BRANCH), START))
    task: Object = {"spec": {"maxAttempts": 3}, "status": status}
    failure = Failed("VerificationFailed", "red", "b" * 100_000)
    status = merged(status, report.failed(task, failure, START + timedelta(seconds=3)))
    assert (status["state"], status["reason"]) == ("Ready", "VerificationFailed")
    assert status["failures"] == 1
    assert status["runningSeconds"] == 13.0
    valid(KiroTaskStatus, status)


def test_any_message_fits_the_schema() -> None:
    finished = Finished(COMMIT, BASE, BRANCH, 5.0, "m" * 5000)
    patch = report.done(BOUND, finished, START)
    valid(KiroTaskStatus, merged(BOUND, patch))
