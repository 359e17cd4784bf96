"""A Job whose last words to the API server were lost, whichever: the next one ends it, once.

What it does to git is killed in tests/unit/workspace/test_killed_at_every_write.py; the operator's
part of a rescue in tests/unit/reconcile/test_rescue.py. The Job of a rescue writes nothing there.
"""

from __future__ import annotations

import shutil
from contextlib import suppress

from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.integrate import integrate
from tests.unit.jobs.work import Job
from tests.unit.workspace.repositories import INTEGRATION, git


def _state(job: Job) -> dict[str, object]:
    """All that matters, without times and the ids that they are part of."""
    swarm, status = job.repositories, job.status("1.1")
    line = ("log", "--first-parent", "--format=%T %s", INTEGRATION)
    return {
        "branch": git(swarm.mirror, *line),
        "mirror": git(swarm.mirror, "for-each-ref", "--format=%(refname)"),
        "source": git(swarm.upstream, "for-each-ref", "--format=%(refname) %(tree)"),
        "ledger": [(entry["kind"], entry["tasks"]) for entry in job.ledger()],
        "status": {key: status.get(key) for key in ("state", "reason", "attempt")},
        "said": {key: job.words().get(key) for key in ("reason", "ledger")},
    }


async def test_killed_after_any_write_the_next_job_ends_as_an_undisturbed_one(
    job: Job,
) -> None:
    swarm, stored = job.repositories, job.folder / "stored"
    swarm.prepare()
    work = swarm.work({"a.txt": "x"})
    swarm.keep(work)
    shutil.copytree(swarm.top, stored, symlinks=True)

    async def ended(writes: int) -> bool:
        """Killed after so many writes, if there are; then the next. Whether it was killed."""
        shutil.rmtree(swarm.top)
        shutil.copytree(stored, swarm.top, symlinks=True)
        job.api.forget()
        job.apply(integration={"push": "Always"})
        job.done(work)
        disturbed = False
        if writes:
            job.api.crash_after(writes)
            with suppress(ClusterError):
                await integrate(job.client, job.env)
            disturbed = job.api.crashed
            job.api.revive()
        assert await integrate(job.client, job.env) == 0
        return disturbed

    await ended(0)
    right, writes = _state(job), 1
    while await ended(writes):
        assert _state(job) == right, f"killed after write {writes}"
        writes += 1
    assert writes > 3
