"""Two Jobs on one volume at once, as after a lost node: all is done, once, and nobody is charged.

Each is a process of its own with real git; one stands still for a while and goes on.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import ExitStack

import pytest

from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.workspace.doubts import Doubts
from tests.support.fake_api import until
from tests.unit.jobs.beside import Beside
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import INTEGRATION, commit, git

TASKS = [f"1.{number}" for number in range(1, 4)]
#: What a Job may say that another one was in the way of.
IN_THE_WAY = {"AnotherJobRuns", "RepositoryBusy", "IntegrationBusy", "SwarmDeleted"}


def begin(job: Job, **integration: str) -> list[str]:
    """A swarm with finished work on the shelves of its instances; its commits."""
    job.apply(integration={"push": "Always", **integration})
    swarm = job.repositories
    swarm.prepare()
    commits = []
    for number, task in enumerate(TASKS, 1):
        work = swarm.work({f"{task}.txt": task}, number, task)
        swarm.keep(work)
        job.done(work)
        commits.append(work.commit)
    return commits


def judge(job: Job) -> None:
    """All is merged once, pushed and told, and nobody is charged or doubted."""
    for task in TASKS:
        status = job.status(task)
        told = (status["state"], status["attempt"], status.get("failures", 0))
        assert told == ("Merged", 1, 0), (task, status)
    swarm = job.repositories
    subjects = git(
        swarm.mirror, "log", "--first-parent", "--merges", "--format=%s", INTEGRATION
    )
    merges = [line for line in subjects.splitlines() if line.startswith("Merge task")]
    assert len(merges) == len(TASKS), merges
    assert git(swarm.upstream, "rev-parse", INTEGRATION) == swarm.head()
    moved = [one["tasks"][0]["id"] for one in job.ledger() if one["kind"] == "merge"]
    assert sorted(moved) == TASKS
    assert swarm.fsck(swarm.mirror) == ""
    doubts = Doubts(swarm.mirror)
    for task in TASKS:
        trailer = f"uid-{task.replace('.', '-')}/1"
        assert (doubts.verdict(trailer), doubts.later(trailer)) == ("", False)


async def together(job: Job, seed: int, *works: str) -> None:
    """All of them at once; the first stands still again and again."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        jobs = [
            stack.enter_context(Beside(job, work, f"{work}-{number}"))
            for number, work in enumerate(works)
        ]
        await asyncio.gather(*(each.begin() for each in jobs))
        while not all(each.over for each in jobs):
            await asyncio.sleep(draw.uniform(0.05, 0.3))
            if not jobs[0].over:
                jobs[0].stop()
                await asyncio.sleep(draw.uniform(0.1, 0.4))
                jobs[0].go_on()
        for each in jobs:
            code = await each.ended()
            said = json.loads(each.said.read_text())
            assert code == 0 or said["reason"] in IN_THE_WAY, said


@pytest.mark.parametrize(
    "works",
    [
        ("integrate", "integrate"),
        ("tidy", "integrate"),
        ("integrate", "prepare", "sync"),
    ],
    ids="+".join,
)
async def test_all_is_merged_once_and_nobody_is_charged(
    job: Job, works: tuple[str, ...]
) -> None:
    begin(job)
    commit(job.repositories.upstream, {"theirs": "x"})
    await together(job, len(works[0]), *works)
    # What one left to the other it left in order; the next Job finds no trace of two.
    assert await integrate(job.client, job.env) == 0
    judge(job)


async def test_a_rescue_waits_for_the_job_that_stands_still(job: Job) -> None:
    """And when that goes on it leaves, and all is saved."""
    # It pushes nothing itself, however far it comes before it stands still.
    commits = begin(job, onDelete="Rescue", push="Never")
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    with Beside(job, "integrate", "lost") as lost:
        await lost.begin()
        await until(lambda: job.status(TASKS[0])["state"] == "Merged")
        lost.stop()
        job.api.store.delete(SWARMS, NAMESPACE, "demo")
        job.api.tell()
        job.limit(other_seconds=0.3)
        assert await integrate(job.client, job.env) == 1
        assert job.words()["reason"] == "AnotherJobRuns"
        job.limit(other_seconds=60.0)
        rescue = asyncio.ensure_future(integrate(job.client, job.env))
        await asyncio.sleep(0.3)
        assert not rescue.done()
        lost.go_on()
        assert await rescue == 0
        assert job.words()["rescued"] >= 1
    for one in commits:
        git(job.repositories.upstream, "cat-file", "-e", one)


async def test_a_job_that_is_killed_holds_up_nobody(job: Job) -> None:
    begin(job)
    with Beside(job, "integrate", "killed") as killed:
        await killed.begin()
        await until(lambda: job.status(TASKS[0])["state"] == "Merged")
        killed.stop()
    job.limit(other_seconds=5.0)
    assert await integrate(job.client, job.env) == 0
    assert {job.status(task)["state"] for task in TASKS} == {"Merged"}
