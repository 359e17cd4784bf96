"""Work that waits for a person, while the Job merges that of others."""

from __future__ import annotations

import logging
import shutil
from typing import Any, Optional

import pytest

from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.integrate import integrate
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE


def approve(job: Job, task_id: str) -> None:
    patch = {"spec": {"approvedAttempt": 1}}
    job.api.store.patch(TASKS, NAMESPACE, f"demo-{task_id}", patch)


def told(job: Job, task_id: str) -> Optional[dict[str, Any]]:
    """What is foretold of a task; None for nothing."""
    conditions = job.status(task_id).get("conditions") or []
    return next((c for c in conditions if c["type"] == "ConflictPredicted"), None)


def waiting_for_a_person(job: Job) -> None:
    """Three finished tasks: the first two change the same file."""
    job.apply(integration={"approval": "Required"})
    job.repositories.prepare()
    for number, (task, name) in enumerate((("1.1", "a"), ("1.2", "a"), ("2", "b")), 1):
        job.done(job.repositories.work({name: f"{task}\n"}, number, task))


async def test_who_waits_is_told_that_another_came_first(job: Job) -> None:
    waiting_for_a_person(job)
    approve(job, "1.1")
    assert await integrate(job.client, job.env) == 0
    condition = told(job, "1.2")
    assert condition is not None
    assert (condition["status"], condition["reason"]) == ("True", "OverlapsMergedWork")
    assert condition["message"].endswith("conflicts with the merged task 1.1 in a")
    assert job.status("1.2")["state"] == "Done"
    assert told(job, "2") is None, "nothing was ever in its way"


async def test_the_same_answer_is_written_once(job: Job) -> None:
    waiting_for_a_person(job)
    approve(job, "1.1")
    await integrate(job.client, job.env)
    before = job.api.store.read(TASKS, NAMESPACE, "demo-1.2")["metadata"]
    approve(job, "2")
    await integrate(job.client, job.env)
    assert job.status("2")["state"] == "Merged"
    after = job.api.store.read(TASKS, NAMESPACE, "demo-1.2")["metadata"]
    assert after["resourceVersion"] == before["resourceVersion"]


async def test_who_was_approved_all_the_same_goes_back_without_it(job: Job) -> None:
    waiting_for_a_person(job)
    approve(job, "1.1")
    await integrate(job.client, job.env)
    approve(job, "1.2")
    await integrate(job.client, job.env)
    status = job.status("1.2")
    assert (status["state"], status["reason"]) == ("Ready", "MergeConflict")
    assert told(job, "1.2") is None


async def test_where_nobody_is_asked_nobody_waits(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1\n"}))
    assert await integrate(job.client, job.env) == 0
    assert told(job, "1.1") is None


async def test_work_that_is_gone_is_passed_over(
    job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    waiting_for_a_person(job)
    approve(job, "1.1")
    shutil.rmtree(job.repositories.instance(2).folder)
    with caplog.at_level(logging.WARNING):
        assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    assert told(job, "1.2") is None
    assert "task 1.2: cannot look ahead: " in caplog.text


async def test_whoever_decides_meanwhile_is_not_overruled(job: Job) -> None:
    waiting_for_a_person(job)
    approve(job, "1.1")

    async def meanwhile(request: Any) -> None:
        if request.method == "PATCH" and "demo-1.2" in request.path:
            change = {"status": {"state": "Ready"}}
            job.api.store.patch(TASKS, NAMESPACE, "demo-1.2", change, "status")

    job.api.intercept = meanwhile
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.2")["state"] == "Ready"
    assert told(job, "1.2") is None


async def test_a_merge_does_not_wait_for_many_who_wait(job: Job) -> None:
    job.limit(looked_ahead=1)
    job.apply(integration={"approval": "Required"})
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2", "2"), 1):
        job.done(job.repositories.work({"a": f"{task}\n"}, number, task))
        finished = {"status": {"finishedAt": f"2026-11-22T10:0{3 - number}:00Z"}}
        job.api.store.patch(TASKS, NAMESPACE, f"demo-{task}", finished, "status")
    approve(job, "1.1")
    assert await integrate(job.client, job.env) == 0
    assert told(job, "2") is not None, "it was finished before the other"
    assert told(job, "1.2") is None
