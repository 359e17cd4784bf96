"""What the integrate Job leaves on the volume, and what not."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import Callable, Optional

import pytest
from aiohttp import web

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.jobs.upkeep import room_made
from kiro_swarm.workspace.errors import RemoteError, VolumeTrouble
from kiro_swarm.workspace.upkeep import marks
from tests.support.fake_store import Refused
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


class Lists:
    """What happens at each list of all tasks, in the order of them.

    One is of the upkeep where room is short, one asks whether all is done, one is of the
    upkeep at the end, one asks whether a push is due.
    """

    def __init__(self, *happens: Optional[Callable[[], None]]) -> None:
        self.happens = list(happens)

    async def __call__(self, request: web.Request) -> None:
        lists = request.method == "GET" and request.path.endswith("/kirotasks")
        if lists and request.query.get("fieldSelector") == "spec.swarm=demo":
            happens = self.happens.pop(0) if self.happens else None
            if happens is not None:
                happens()


def away() -> None:
    raise Refused(503, "ServiceUnavailable", "no leader")


async def test_trouble_of_the_api_server_with_it_is_no_trouble_of_the_merges(
    job: Job,
) -> None:
    job.apply(instances=0, integration={"push": "OnComplete"})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    job.limit(volume_part=0.0)
    lists = job.api.intercept = Lists(away, None, away, None)
    assert await integrate(job.client, job.env) == 0
    assert lists.happens == []
    assert job.status("1.1")["state"] == "Merged"
    assert job.words()["pushed"] == job.repositories.head()


async def test_trouble_of_the_volume_with_it_is_no_trouble_of_the_merges(
    job: Job,
) -> None:
    job.apply(instances=0, integration={"push": "OnComplete"})
    job.repositories.prepare()
    job.done(job.repositories.work({"a": "1"}))
    folder = job.repositories.top / "instances"

    def unreadable() -> None:
        # Also for one who runs as root, and may read every folder that is one.
        folder.rename(job.repositories.top / "elsewhere")
        folder.symlink_to(folder)

    lists = job.api.intercept = Lists(unreadable, None, None)
    assert await integrate(job.client, job.env) == 0
    with pytest.raises(OSError, match="symbolic links"):
        marks(job.repositories.top)
    assert len(lists.happens) == 1, "the upkeep asked for no tasks"
    assert job.words()["pushed"] == job.repositories.head()


async def test_trouble_with_it_does_not_take_the_place_of_why_it_was_done(
    job: Job,
) -> None:
    job.apply(instances=1)
    job.repositories.prepare()
    lists = job.api.intercept = Lists(away)

    async def work(merging: Merging) -> IntegrateReport:
        async with room_made(merging):
            raise VolumeTrouble("no room", reason="VolumeFull")

    assert await report_of(job.client, job.env, work) == 1
    assert lists.happens == []
    assert job.words()["reason"] == "VolumeFull"


async def test_the_job_says_how_full_the_volume_is(job: Job) -> None:
    job.apply()
    job.repositories.prepare()
    assert await integrate(job.client, job.env) == 0
    assert 0 < job.words()["volumeUsed"] < job.words()["volumeSize"]


async def test_a_full_volume_is_tidied_before_anything_is_merged(job: Job) -> None:
    """Even where the merges then fail: the remote does not take the branch."""
    job.apply(instances=1, integration={"push": "Always"})
    volume = job.repositories
    volume.prepare()
    volume.cut(index=3)
    job.done(volume.work({"a": "1"}))
    shutil.rmtree(volume.upstream)
    full = replace(job.env, limits=replace(job.env.limits, volume_part=0.0))
    assert await integrate(job.client, full) == 1
    assert os.listdir(volume.instance(3).folder) == ["kiro-swarm.flock"]


async def test_where_room_is_short_who_is_idle_has_an_empty_folder(job: Job) -> None:
    """Idle, and wanted: who has kept its work; the others have it there, or are at work."""
    job.apply(instances=4, integration={"approval": "Required"})
    volume = job.repositories
    volume.prepare()
    shelved = volume.work({"a": "1"}, index=1)
    volume.keep(shelved)
    job.done(shelved)
    job.done(volume.work({"b": "1"}, index=2, task="2"))
    job.done(volume.work({"c": "1"}, index=3, task="3"))
    running = {"status": {"state": "Running"}}
    job.api.store.patch(TASKS, NAMESPACE, "demo-3", running, "status")
    volume.cut(index=4, task="4")
    full = replace(job.env, limits=replace(job.env.limits, volume_part=0.0))
    assert await integrate(job.client, full) == 0
    kept = {
        index: os.listdir(volume.instance(index).folder) != ["kiro-swarm.flock"]
        for index in (1, 2, 3, 4)
    }
    assert kept == {1: False, 2: True, 3: True, 4: False}


@pytest.mark.parametrize(
    ("error", "tidied"),
    [
        (VolumeTrouble("no room", reason="VolumeFull"), True),
        (OSError(28, "No space left on device"), True),
        (RemoteError("away"), False),
    ],
    ids=["trouble of the volume", "of the file system", "something else"],
)
async def test_a_job_that_ends_for_want_of_room_leaves_some(
    job: Job, error: Exception, tidied: bool
) -> None:
    job.apply(instances=1)
    job.repositories.prepare()
    job.repositories.cut(index=3)

    async def work(merging: Merging) -> IntegrateReport:
        async with room_made(merging):
            raise error

    assert await report_of(job.client, job.env, work) == 1
    left = os.listdir(job.repositories.instance(3).folder)
    assert (left == ["kiro-swarm.flock"]) == tidied
