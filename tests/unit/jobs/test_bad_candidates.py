"""One bad candidate, or one task that somebody edited: the others are merged all the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.workspace.doubts import KILLED, Doubts
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.hostile import HOSTILE
from tests.unit.workspace.repositories import git


def _two(job: Job) -> None:
    """Two finished tasks, the first of which comes first."""
    job.apply()
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))


def _edit(job: Job, task_id: str, **status: Any) -> None:
    job.api.store.patch(
        TASKS, NAMESPACE, f"demo-{task_id}", {"status": status}, "status"
    )
    job.api.tell()


async def test_all_hostile_candidates_at_once_stop_nobody(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    for number, hostile in enumerate(HOSTILE):
        candidate, _ = hostile(job.repositories)
        # Each in an instance of its own, as it left it.
        folder = candidate.instance_dir.with_name(f"demo-{100 + number}")
        shutil.copytree(candidate.instance_dir, folder, symlinks=True)
        shutil.rmtree(candidate.instance_dir)
        job.done(replace(candidate, instance_dir=folder, task_id=f"9.{number}"))
    job.done(job.repositories.work({"good.txt": "x"}, 2, "1.2"))
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.2")["state"] == "Merged"
    for number in range(len(HOSTILE)):
        status = job.status(f"9.{number}")
        assert status["state"] == "Ready", status
        assert status["failures"] == 1
        assert status["brief"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"commit": None}, "status.commit"),
        ({"baseCommit": None}, "status.baseCommit"),
        ({"instance": None}, "status.instance"),
        ({"instance": ""}, "status.instance"),
        ({"branch": None}, "status.branch"),
        ({"instance": "../../etc"}, "is not the name of an instance"),
        ({"instance": "/etc"}, "is not the name of an instance"),
        ({"instance": ".."}, "is not the name of an instance"),
        ({"instance": "demo-1\n"}, "is not the name of an instance"),
        ({"branch": "main"}, "is not of the form"),
        ({"branch": "--upload-pack=x"}, "not allowed"),
        ({"commit": "HEAD"}, "is not a full commit id"),
        ({"commit": "--help"}, "is not a full commit id"),
        ({"baseCommit": "main"}, "is not a full commit id"),
        ({"attempt": None}, "is not <task uid>/<attempt>"),
    ],
    ids=str,
)
async def test_a_status_that_somebody_edited_is_that_task_s_trouble(
    job: Job, change: dict[str, Any], told: str
) -> None:
    _two(job)
    _edit(job, "1.1", **change)
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.2")["state"] == "Merged"
    edited = job.status("1.1")
    assert (edited["state"], edited["reason"]) == ("Ready", "StatusInvalid")
    assert told in edited["message"]
    assert edited["failures"] == 0, "no agent has done that"


async def test_a_write_that_is_refused_is_named_and_the_others_are_merged(
    job: Job,
) -> None:
    _two(job)

    async def refuse(request: Any) -> Any:
        if request.method == "PATCH" and "demo-1.1" in request.path:
            said = {"kind": "Status", "reason": "Invalid", "message": "not like this"}
            return web.json_response(said, status=422)
        return None

    job.api.intercept = refuse
    assert await integrate(job.client, job.env) == 1
    assert job.status("1.2")["state"] == "Merged"
    said = job.words()
    assert said["reason"] == "WriteRefused"
    assert "task 1.1: it is merged" in said["message"]
    assert said["tasks"] == ["1.1"]
    merges = git(job.repositories.mirror, "log", "--merges", "--oneline", "HEAD")
    assert len(merges.splitlines()) == 2, "merged once each"
    job.api.intercept = None
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"


async def test_a_status_that_no_verdict_can_follow_is_named(job: Job) -> None:
    _two(job)
    _edit(job, "1.1", commit="f" * 40, runningSeconds="for ever")
    assert await integrate(job.client, job.env) == 1
    assert job.status("1.2")["state"] == "Merged"
    assert job.words()["reason"] == "WriteRefused"
    assert "task 1.1: it goes back" in job.words()["message"]


async def test_a_candidate_that_killed_the_job_before_comes_last(job: Job) -> None:
    _two(job)
    Doubts(job.repositories.mirror).begins("uid-1-1/1")
    assert await integrate(job.client, job.env) == 0
    first, second = job.status("1.1"), job.status("1.2")
    assert first["state"] == second["state"] == "Merged"
    assert first["mergeCommit"] == job.repositories.head(), "it came after the other"
    assert not Doubts(job.repositories.mirror).later("uid-1-1/1")


async def test_a_candidate_that_kills_every_job_is_to_blame(job: Job) -> None:
    _two(job)
    for _ in range(KILLED):
        Doubts(job.repositories.mirror).begins("uid-1-1/1")
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.2")["state"] == "Merged"
    status = job.status("1.1")
    assert (status["state"], status["reason"]) == ("Ready", "Unmergeable")
    assert "killed" in status["message"]
    assert status["failures"] == 1


async def test_one_that_killed_jobs_after_its_merge_is_merged(job: Job) -> None:
    _two(job)
    assert await integrate(job.client, job.env) == 0
    _edit(job, "1.1", state="Done", mergeCommit=None)
    for _ in range(KILLED):
        Doubts(job.repositories.mirror).begins("uid-1-1/1")
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
