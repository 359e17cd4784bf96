"""The push between two merges: it comes before anybody waits, and nobody waits for it."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.workspace.outcomes import Candidate
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import INTEGRATION, git

#: Whatever is waited for comes within this.
PATIENCE = 60.0
HANGS = 'touch "$PWD/asked"; while [ ! -e "$PWD/go" ]; do sleep 0.05; done'


def works(job: Job) -> list[Candidate]:
    """Two tasks that are finished in their instances."""
    job.repositories.prepare()
    return [
        job.repositories.work({f"{task}.txt": "x"}, number, task)
        for number, task in enumerate(("1.1", "1.2"), 1)
    ]


def begin(job: Job, candidates: list[Candidate]) -> None:
    """A swarm that pushes what it merges: one task is Done, the other one still at work."""
    job.apply(integration={"push": "Always"})
    for candidate in candidates:
        job.done(candidate)
    if len(candidates) > 1:
        set_state(job, "1.2", "Running")


def set_state(job: Job, task: str, state: str) -> None:
    patch = {"status": {"state": state}}
    job.api.store.patch(TASKS, NAMESPACE, f"demo-{task}", patch, "status")
    job.api.tell()


def states(job: Job) -> list[str]:
    return [job.status(task)["state"] for task in ("1.1", "1.2")]


def remote(job: Job) -> str:
    """Where the branch is in the repository; empty where it is not there."""
    ref = f"refs/heads/{INTEGRATION}"
    upstream = job.repositories.upstream
    return git(upstream, "rev-parse", "--verify", "-q", ref, check=False)


def on_push(job: Job, script: str) -> Path:
    """Have the repository run this before it takes anything; the folder that it runs in."""
    hook = job.repositories.upstream / ".git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
    # Our own git runs none, not even as a server; the repository's git does.
    git(job.repositories.upstream, "config", "core.hooksPath", str(hook.parent))
    return job.repositories.upstream / ".git"


async def until(done: Any, working: Optional[asyncio.Future[int]] = None) -> None:
    """Wait for it, while the Job is at work."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not done():
        assert asyncio.get_running_loop().time() < deadline
        assert working is None or not working.done(), "the Job is over"
        await asyncio.sleep(0.02)


def judge(job: Job) -> None:
    """All is merged once and pushed, and the ledger says so."""
    assert states(job) == ["Merged", "Merged"]
    head = job.repositories.head()
    assert remote(job) == head
    line = git(job.repositories.mirror, "rev-list", "--merges", "--first-parent", head)
    assert len(line.split()) == 2
    lines = job.ledger()
    moved = [entry["tasks"][0]["id"] for entry in lines if entry["kind"] == "merge"]
    assert sorted(moved) == ["1.1", "1.2"]
    assert [entry["after"] for entry in lines if entry["kind"] == "push"][-1] == head


async def test_what_is_merged_is_pushed_while_the_job_waits_for_more(job: Job) -> None:
    begin(job, works(job))
    job.limit(linger_seconds=PATIENCE)
    working = asyncio.ensure_future(integrate(job.client, job.env))
    await until(lambda: remote(job), working)
    assert remote(job) == job.repositories.head()
    kinds = ["merge", "push"]
    await until(lambda: [one["kind"] for one in job.ledger()] == kinds, working)
    set_state(job, "1.2", "Done")
    assert await working == 0
    judge(job)


async def test_a_push_that_hangs_holds_up_no_merge(job: Job) -> None:
    """Between two merges, and at the end, when the Job would be over."""
    begin(job, works(job))
    folder = on_push(job, HANGS)
    working = asyncio.ensure_future(integrate(job.client, job.env))
    await until((folder / "asked").exists, working)
    # The time to wait for another task is over long since.
    await asyncio.sleep(3 * job.limits.linger_seconds)
    set_state(job, "1.2", "Done")
    await until(lambda: states(job) == ["Merged", "Merged"], working)
    assert not remote(job)
    (folder / "go").touch()
    assert await working == 0
    assert job.words()["pushed"] == job.repositories.head()
    judge(job)


async def test_a_push_that_hangs_keeps_no_job_whose_swarm_is_deleted(
    job: Job,
) -> None:
    begin(job, works(job))
    job.limit(look_seconds=0.05, leave_seconds=0.1)
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    folder = on_push(job, HANGS)
    working = asyncio.ensure_future(integrate(job.client, job.env))
    await until((folder / "asked").exists, working)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    try:
        assert await asyncio.wait_for(working, PATIENCE) == 1
        assert job.words()["reason"] == "SwarmDeleted"
    finally:
        (folder / "go").touch()


async def test_a_push_is_ended_though_the_tasks_cannot_be_watched(job: Job) -> None:
    """The API server refuses it for a moment, while the last push is under way."""
    begin(job, works(job)[:1])
    folder = on_push(job, HANGS)
    working = asyncio.ensure_future(integrate(job.client, job.env))
    await until((folder / "asked").exists, working)
    refused: list[str] = []

    async def refuse(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method == "GET" and request.path.endswith("/kirotasks"):
            refused.append(request.path_qs)
            wrong = {
                "kind": "Status",
                "reason": "Forbidden",
                "message": "no",
                "code": 403,
            }
            return web.json_response(wrong, status=403)
        return None

    await until(lambda: any("watch=" in path for path in job.api.requests), working)
    job.api.intercept = refuse
    job.api.compact()
    job.api.cut_watches()
    await until(lambda: bool(refused), working)
    job.api.intercept = None
    (folder / "go").touch()
    assert await working == 0
    assert job.words()["pushed"] == remote(job) == job.repositories.head()


@pytest.mark.parametrize("times", [1, 9])
async def test_a_push_that_is_refused_is_tried_at_the_end_and_told(
    job: Job, times: int
) -> None:
    begin(job, works(job))
    job.limit(linger_seconds=PATIENCE)
    count = 'echo >> "$PWD/asked"; [ "$(wc -l < "$PWD/asked")" -gt'
    folder = on_push(job, f"{count} {times} ] && exit; echo not now >&2; exit 1")
    working = asyncio.ensure_future(integrate(job.client, job.env))
    await until((folder / "asked").exists, working)
    set_state(job, "1.2", "Done")
    code = await working
    assert states(job) == ["Merged", "Merged"]
    assert len((folder / "asked").read_text()) == 2, "once between, once at the end"
    if times == 1:
        assert code == 0
        judge(job)
    else:
        assert code == 1
        assert job.words()["push"] is True
        assert "not now" in job.words()["message"]


async def test_killed_after_any_write_the_next_job_merges_and_pushes_all(
    job: Job,
) -> None:
    candidates = works(job)
    swarm, stored = job.repositories, job.folder / "stored"
    shutil.copytree(swarm.top, stored, symlinks=True)

    async def killed(writes: int) -> bool:
        """After so many, if there are, where one task becomes Done after the first push."""
        shutil.rmtree(swarm.top)
        shutil.copytree(stored, swarm.top, symlinks=True)
        job.api.forget()
        begin(job, candidates)
        job.limit(linger_seconds=PATIENCE)
        job.api.crash_after(writes)
        working = asyncio.ensure_future(integrate(job.client, job.env))
        while not working.done() and not remote(job):
            await asyncio.wait({working}, timeout=0.02)
        set_state(job, "1.2", "Done")
        with suppress(ClusterError):
            await working
        crashed = job.api.crashed
        job.api.revive()
        job.limit(linger_seconds=0.1)
        assert await integrate(job.client, job.env) == 0
        return crashed

    writes = 1
    while await killed(writes):
        judge(job)
        writes += 1
    judge(job)
    assert writes > 6, "a merge is two writes, a push one"
