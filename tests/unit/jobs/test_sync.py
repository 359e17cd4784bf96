"""The sync Job: what its termination message says, and what it pushes."""

from __future__ import annotations

from typing import Any

from kiro_swarm.jobs.sync import sync
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import commit, git, merged

UID = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"


async def run(job: Job, branch: str | None = None) -> int:
    return await sync(job.client, job.env, branch=branch, command_uid=UID)


def ready(job: Job, **changes: Any) -> Job:
    job.apply(**changes)
    job.repositories.prepare()
    return job


async def test_new_work_is_merged_and_told(job: Job) -> None:
    ready(job)
    before = job.repositories.head()
    source = commit(job.repositories.upstream, {"new.py": "x\n"})
    assert await run(job) == 0
    assert job.words() == {
        "before": before,
        "head": job.repositories.head(),
        "source": source,
        "commits": 1,
        "keptPlan": False,
        "ledger": 1,
    }
    assert job.repositories.show("new.py") == "x"


async def test_a_branch_is_taken_by_its_name_and_pushed_at_once_if_asked(
    job: Job,
) -> None:
    ready(job, integration={"push": "Always"})
    git(job.repositories.upstream, "checkout", "-q", "-b", "feature/x")
    commit(job.repositories.upstream, {"x.py": "x\n"})
    git(job.repositories.upstream, "checkout", "-q", "main")
    assert await run(job, "feature/x") == 0
    head = job.repositories.head()
    assert job.words()["pushed"] == head
    assert git(job.repositories.upstream, "rev-parse", "swarm/demo/integration") == head


async def test_what_was_merged_and_not_pushed_is_pushed_the_next_time(job: Job) -> None:
    ready(job, integration={"push": "Always"})
    commit(job.repositories.upstream, {"new.py": "x\n"})
    theirs = "swarm/demo/integration"
    git(job.repositories.upstream, "checkout", "-q", "-b", theirs)
    commit(job.repositories.upstream, {"theirs.py": "x\n"})
    git(job.repositories.upstream, "checkout", "-q", "main")
    assert await run(job) == 1
    words = job.words()
    assert words["reason"] == "PushRejected"
    assert words["message"].startswith("commits of the repository: 1, merged as ")
    git(job.repositories.upstream, "branch", "-q", "-D", theirs)
    assert await run(job) == 0
    assert job.words()["pushed"] == job.repositories.head()


async def test_a_conflict_names_its_files_and_moves_nothing(job: Job) -> None:
    ready(job)
    merged(job.repositories, job.repositories.work({"app.py": "ours\n"}))
    head = job.repositories.head()
    commit(job.repositories.upstream, {"app.py": "theirs\n"})
    assert await run(job) == 1
    assert job.words()["reason"] == "SyncConflict"
    assert "app.py" in job.words()["message"]
    assert job.repositories.head() == head


async def test_a_gate_that_does_not_answer_is_said_so(job: Job) -> None:
    ready(job, integration={"gates": [{"name": "tests", "command": ["true"]}]})
    assert await run(job) == 1
    assert job.words()["reason"] == "GateUnavailable"


async def test_a_branch_that_is_not_there_is_named(job: Job) -> None:
    ready(job, tasks={"inline": "- [ ] 1. a\n"})
    assert await run(job, "gone") == 1
    assert job.words()["reason"] == "RefNotFound"
    assert "its branches: main" in job.words()["message"]
