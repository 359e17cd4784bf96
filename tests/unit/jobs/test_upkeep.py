"""What the integrate Job leaves on the volume, and what not."""

from __future__ import annotations

import os
import shutil

from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.integrate import integrate
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE


async def test_the_folder_of_an_instance_that_was_scaled_away_is_emptied(
    job: Job,
) -> None:
    job.apply(instances=2)
    volume = job.repositories
    volume.prepare()
    job.done(volume.work({"a": "1"}, index=1))
    for index in (2, 3):
        volume.cut(index=index, task="2")
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    assert (volume.instance(2).tree / "app.py").exists()
    assert os.listdir(volume.instance(3).folder) == ["kiro-swarm.flock"]


async def test_an_instance_beyond_the_number_that_still_has_work_keeps_it(
    job: Job,
) -> None:
    job.apply(instances=1, integration={"approval": "Required"})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}, index=3))
    assert await integrate(job.client, job.env) == 0
    assert (job.repositories.instance(3).tree / "a").exists()


async def test_trouble_with_it_is_no_trouble_of_the_merges(job: Job) -> None:
    job.apply(instances=0)
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    stray = job.repositories.instance(2).folder
    job.repositories.cut(index=2)
    shutil.rmtree(stray)
    stray.write_text("no folder")
    assert await integrate(job.client, job.env) == 0
    assert job.status("1.1")["state"] == "Merged"
    assert job.api.store.read(SWARMS, NAMESPACE, "demo")["spec"]["instances"] == 0


async def test_the_job_says_how_full_the_volume_is(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    assert await integrate(job.client, job.env) == 0
    assert 0 < job.words()["volumeUsed"] < job.words()["volumeSize"]
