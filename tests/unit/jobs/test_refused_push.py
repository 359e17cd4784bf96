"""The integrate Job where the repository refuses the branch: the merges go on."""

from __future__ import annotations

import asyncio

import pytest

from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.integrate import integrate
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import git

BRANCH = "swarm/demo/integration"


def set_state(job: Job, task_id: str, state: str) -> None:
    patch = {"status": {"state": state}}
    job.api.store.patch(TASKS, NAMESPACE, f"demo-{task_id}", patch, "status")
    job.api.tell()


@pytest.mark.parametrize("let_through", [False, True])
async def test_what_is_done_later_is_merged_and_the_push_tried_again(
    job: Job, let_through: bool
) -> None:
    job.limit(linger_seconds=5.0)
    job.apply(
        integration={"push": "Always"},
        tasks={"inline": "- [ ] 1.1. a\n- [ ] 1.2. b\n"},
    )
    job.repositories.prepare()
    for number, task in enumerate(("1.1", "1.2"), 1):
        job.done(job.repositories.work({f"{task}.txt": "x"}, number, task))
    set_state(job, "1.2", "Running")
    upstream = job.repositories.upstream
    git(upstream, "checkout", "-q", "-b", BRANCH)
    git(upstream, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(upstream, "checkout", "-q", "main")
    working = asyncio.ensure_future(integrate(job.client, job.env))
    while not any("watch" in request for request in job.api.requests):
        await asyncio.wait([working], timeout=0.01)
        assert not working.done(), "the first push ended the Job"
    if let_through:
        git(upstream, "branch", "-D", BRANCH)
    set_state(job, "1.2", "Done")
    assert await working == (0 if let_through else 1)
    assert [job.status(task)["state"] for task in ("1.1", "1.2")] == ["Merged"] * 2
    words = job.words()
    if let_through:
        assert words["pushed"] == job.repositories.head()
    else:
        told = (words["reason"], words["push"], words["tasks"])
        assert told == ("PushRejected", True, [])
        assert "has commits that the swarm does not know" in words["message"]
