"""The integrate Jobs of a played swarm, one after another, each in a pod of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import List

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.gates import ContainerGates
from kiro_swarm.jobs.integrate import Integration
from kiro_swarm.jobs.merging import Merging, report_of
from tests.unit.hostile.container import GATES, Container, PodEnded
from tests.unit.hostile.story import Setting, Story
from tests.unit.jobs.work import Job, Object
from tests.unit.reconcile.surroundings import NAMESPACE

#: Longest time for one run of the integrate Job, in seconds: it never gets stuck.
PATIENCE = 120
#: So many Jobs judge whatever there is: three ways to end them, six ends each at most.
MOST_JOBS = 30
#: How a Job may end at candidates that end its containers.
_EXPECTED = {"MergeHindered", "GateUnavailable"}


async def run_job(job: Job, story: Story, setting: Setting) -> None:
    """One integrate Job; what it may not do is in the story."""
    story.jobs += 1
    pod = job.folder / "pods" / str(story.jobs)
    mirror = job.repositories.mirror
    container = Container(pod, mirror)

    async def work(merging: Merging) -> IntegrateReport:
        loop, gates = asyncio.get_running_loop(), GATES if setting.gates else []
        made = ContainerGates(container, gates, str(mirror), loop, container.tree)
        made.again_seconds = 0.1
        return await Integration(merging, made).run()

    env = replace(job.env, evicted=story.evicted)
    story.evicted = False
    env.termination_message.unlink(missing_ok=True)
    try:
        code = await asyncio.wait_for(report_of(job.client, env, work), PATIENCE)
    except PodEnded as ended:
        story.evicted = ended.evicted
        return
    except Exception as error:  # noqa: BLE001 (whatever it is must not get here)
        story.blame(f"the integrate Job raised {error!r:.300}")
        return
    if code == 0 or story.full:
        return
    if not setting.gates or job.words().get("reason") not in _EXPECTED:
        story.blame(f"the integrate Job ended with {code}: {job.words()}")


async def run_jobs(job: Job, story: Story, setting: Setting) -> None:
    """As many as it takes until nothing waits; a person has approved all by now."""
    for task in done_tasks(job):
        attempt = {"spec": {"approvedAttempt": task["status"]["attempt"]}}
        job.api.store.patch(TASKS, NAMESPACE, task["metadata"]["name"], attempt)
    for _ in range(MOST_JOBS):
        if not done_tasks(job):
            break
        await run_job(job, story, setting)


def done_tasks(job: Job) -> List[Object]:
    """Those that wait to be merged."""
    tasks = job.api.store.select(TASKS, NAMESPACE)
    return [task for task in tasks if task["status"]["state"] == "Done"]
