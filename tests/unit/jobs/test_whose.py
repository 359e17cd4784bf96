"""A Job whose volume has another repository's work, or another swarm's, does nothing with it."""

from __future__ import annotations

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS, SWARMS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.workspace.whose import MARK, Owner, mark, owner_in
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import git

ANOTHER = Owner("https://git.example.org/project-a", "another-uid")


def refs(job: Job) -> tuple[str, str]:
    """Of the repository, and of the mirror."""
    made = job.repositories
    return git(made.upstream, "for-each-ref"), git(made.mirror, "for-each-ref")


def begin(job: Job) -> None:
    """The swarm was prepared, by its status."""
    base = {"status": {"integration": {"base": job.repositories.head()}}}
    job.api.store.patch(SWARMS, NAMESPACE, "demo", base, "status")


async def test_it_is_not_prepared(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    mark(job.repositories.mirror, ANOTHER)
    before = refs(job)
    assert await prepare(job.client, job.env) == 1
    said = job.words()
    assert said["reason"] == "VolumeOfAnother"
    assert "the repository https://git.example.org/project-a, not of" in said["message"]
    assert refs(job) == before
    published = job.api.store.read(CONFIG_MAPS, NAMESPACE, "demo-graph")
    assert "binaryData" not in published


async def test_a_preparation_says_whose_it_is(job: Job) -> None:
    job.apply()
    assert await prepare(job.client, job.env) == 0
    said = owner_in(job.repositories.mirror)
    assert said == Owner(job.repositories.url, job.env.uid)


@pytest.mark.parametrize("begun", [True, False])
async def test_what_an_earlier_release_made_is_prepared_again_for_who_has_begun(
    job: Job, begun: bool
) -> None:
    job.apply()
    job.repositories.prepare()
    job.repositories.keep(job.repositories.work({"a.txt": "x"}))
    (job.repositories.mirror / MARK).unlink()
    if begun:
        begin(job)
    assert await prepare(job.client, job.env) == (0 if begun else 1)
    assert begun or job.words()["reason"] == "VolumeOfAnother"


@pytest.mark.parametrize("deleting", [False, True])
async def test_nothing_is_merged_pushed_or_rescued(job: Job, deleting: bool) -> None:
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.apply(integration={"push": "Always", "onDelete": "Rescue"})
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    begin(job)
    work = job.repositories.work({"a.txt": "x"})
    job.repositories.keep(work)
    job.done(work)
    mark(job.repositories.mirror, ANOTHER)
    if deleting:
        job.api.store.delete(SWARMS, NAMESPACE, "demo")
        job.api.tell()
    before = refs(job)
    # Nor is room made there.
    job.limit(volume_part=0.0)
    job.repositories.cut(index=9, task="9")
    assert await integrate(job.client, job.env) == 1
    assert job.words()["reason"] == "VolumeOfAnother"
    assert job.status("1.1")["state"] == "Done"
    assert job.repositories.instance(9).tree.is_dir()
    assert refs(job) == before
    assert job.ledger() == []


@pytest.mark.parametrize("begun", [True, False])
async def test_what_an_earlier_release_made_is_rescued_for_who_has_begun(
    job: Job, begun: bool
) -> None:
    """Else it is of whoever had the volume before: this swarm has failed to be prepared."""
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.apply(integration={"push": "Never", "onDelete": "Rescue"})
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    job.repositories.prepare()
    job.repositories.keep(job.repositories.work({"a.txt": "x"}))
    (job.repositories.mirror / MARK).unlink()
    if begun:
        begin(job)
    job.api.store.delete(SWARMS, NAMESPACE, "demo")
    job.api.tell()
    assert await integrate(job.client, job.env) == (0 if begun else 1)
    if begun:
        assert job.words()["rescued"] == 1
    else:
        assert job.words()["reason"] == "VolumeOfAnother"
        assert "rescue" not in git(job.repositories.upstream, "for-each-ref")


async def test_a_job_writes_whose_it_is_where_an_earlier_release_has_not(
    job: Job,
) -> None:
    job.apply(integration={"push": "Always"})
    job.repositories.prepare()
    (job.repositories.mirror / MARK).unlink()
    begin(job)
    mine = Owner(job.repositories.url, job.env.uid)
    for forget in (True, True, False):
        assert await integrate(job.client, job.env) == 0
        assert owner_in(job.repositories.mirror) == mine
        if forget:
            (job.repositories.mirror / MARK).write_bytes(b"\0")
    assert await prepare(job.client, job.env) == 0
    assert owner_in(job.repositories.mirror) == mine
