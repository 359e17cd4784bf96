"""The integrate Job of a swarm that is being deleted: nothing is merged, all is saved."""

from __future__ import annotations

from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.integrate import integrate
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
    assert job.ledger() == []
