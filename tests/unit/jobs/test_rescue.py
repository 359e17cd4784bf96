"""The integrate Job of a swarm that is being deleted: nothing is merged, all is saved."""

from __future__ import annotations

import asyncio
import shutil
import threading
from typing import Any

import pytest
from aiohttp import web

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.jobs.integrate import Integration, integrate
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.workspace.doubts import Doubts
from kiro_swarm.workspace.errors import GateUnavailable
from kiro_swarm.workspace.outcomes import GateVerdict
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import git
from tests.unit.workspace.test_done import put_aside


async def test_what_is_done_is_saved_and_not_merged(job: Job) -> None:
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    work = job.repositories.work({"a.txt": "x"})
    put_aside(job.repositories, work)
    job.done(work)
    head = job.repositories.head()
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    for _ in range(2):
        assert await integrate(job.client, job.env) == 0
        said = job.words()
        assert (said["head"], said["rescued"]) == (head, 1)
        name = f"refs/kiro/rescue/{job.env.uid}/done/{work.trailer}"
        assert name in said["message"]
        assert git(job.repositories.upstream, "rev-parse", name) == work.commit
    assert job.status("1.1")["state"] == "Done"
    assert job.repositories.head() == head
    assert [line["kind"] for line in job.ledger()] == []


@pytest.mark.parametrize("there", [True, False])
async def test_what_an_earlier_runner_left_in_its_folder_is_saved_or_named(
    job: Job, there: bool
) -> None:
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    work = job.repositories.work({"a.txt": "x"})
    job.done(work)  # on no shelf
    if not there:
        shutil.rmtree(work.instance_dir)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    name = f"refs/kiro/rescue/{job.env.uid}/done/{work.trailer}"
    for _ in range(2):
        assert await integrate(job.client, job.env) == (0 if there else 1)
        said = job.words()
        if there:
            assert said["rescued"] == 1
            assert git(job.repositories.upstream, "rev-parse", name) == work.commit
            assert work.instance_dir.is_dir(), "it is the agent's, who may be at work"
        else:
            assert said["reason"] == "RescueIncomplete"
            assert work.trailer in said["message"]


class Endless:
    """Gates that take longer than anybody waits, until the process ends."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def check(self, commit: str) -> GateVerdict:
        self.begun.set()
        self.over.wait(3600)
        raise GateUnavailable("the process has ended")


async def test_a_job_in_a_long_gate_ends_soon_when_its_swarm_is_deleted(
    job: Job,
) -> None:
    job.limit(look_seconds=0.05, leave_seconds=0.2, linger_seconds=3600)
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    work = job.repositories.work({"a.txt": "x"})
    put_aside(job.repositories, work)
    job.done(work)
    gates, env = Endless(), job.env

    async def merges(merging: Merging) -> IntegrateReport:
        return await Integration(merging, gates).run()

    running = asyncio.ensure_future(report_of(job.client, env, merges))
    await asyncio.get_running_loop().run_in_executor(None, gates.begun.wait, 30)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    try:
        assert await asyncio.wait_for(running, 60) == 1
        assert job.words()["reason"] == "SwarmDeleted"
    finally:
        gates.over.set()
    # It is no fault of the work that nobody has judged it.
    assert Doubts(env.mirror).verdict(work.trailer) == ""
    assert await integrate(job.client, env) == 0
    assert job.words()["rescued"] == 1


async def test_a_job_that_waits_for_more_ends_soon_as_well(job: Job) -> None:
    job.limit(look_seconds=0.05, leave_seconds=0.1, linger_seconds=3600)
    job.apply()
    job.repositories.prepare()
    job.done(job.repositories.work({"a.txt": "x"}))
    waits = job.repositories.work({"b.txt": "x"}, index=2, task="1.2")
    job.done(waits)
    job.api.store.patch(
        TASKS, NAMESPACE, "demo-1.2", {"status": {"state": "Running"}}, "status"
    )
    running = asyncio.ensure_future(integrate(job.client, job.env))
    for _ in range(1000):
        if job.status("1.1")["state"] == "Merged":
            break
        await asyncio.sleep(0.05)
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    assert await asyncio.wait_for(running, 60) == 1
    assert job.words()["reason"] == "SwarmDeleted"


async def test_work_is_pushed_though_spec_and_ledger_cannot_be_read(job: Job) -> None:
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    job.repositories.prepare()
    work = job.repositories.work({"a.txt": "x"})
    put_aside(job.repositories, work)
    change: Any = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    change["spec"] = {"instances": "of another release"}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", change)
    env = job.env
    job.api.store.delete(SWARMS, NAMESPACE, "demo")

    async def refuse(request: web.Request) -> Any:
        if "configmaps" in request.path:
            said = {"kind": "Status", "reason": "Forbidden", "message": "going"}
            return web.json_response(said, status=403)
        return None

    job.api.intercept = refuse
    assert await integrate(job.client, env) == 0
    assert job.words()["rescued"] == 1


async def test_what_could_not_be_pushed_is_named_in_the_answer(job: Job) -> None:
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    work = job.repositories.work({"a.txt": "x"})
    put_aside(job.repositories, work)
    env = job.env
    name = f"refs/kiro/rescue/{env.uid}/done/{work.trailer}"
    git(job.repositories.upstream, "config", "receive.hideRefs", name)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    assert await integrate(job.client, env) == 1
    said = job.words()
    assert said["reason"] == "RescueIncomplete"
    assert work.trailer in said["message"]
