"""No agent and no gate can hold a lock that a Job waits for.

All run as one user, and a ``flock`` needs an open file and no right to write: what matters is where
the locks lie, and what of the volume is mounted where foreign code runs.
"""

from __future__ import annotations

import ast
import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import kiro_swarm
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.jobs.alone import alone
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.jobs.sync import sync
from kiro_swarm.workspace.locks import taken
from tests.support.fake_api import until
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_pods import TOKEN_PATH, containers, mounts, pods
from tests.unit.workspace.repositories import commit

PACKAGE = Path(kiro_swarm.__file__).parent
#: The lock of an instance's own folder: its agent hinders nobody but itself with it.
OWN = "instances/demo-1/kiro-swarm.flock"


def reached() -> set[str]:
    """What is mounted of the volume where there is no token: foreign code runs there."""
    found: set[str] = set()
    for pod in pods().values():
        for container in containers(pod).values():
            places = mounts(container)
            if TOKEN_PATH not in places:
                found |= {
                    place.get("subPath", "")
                    for place in places.values()
                    if place["name"] == "swarm"
                }
    return found


def below(root: Path, places: set[str]) -> Iterator[Path]:
    """What foreign code can open of it."""
    for place in places:
        yield root / place
        yield from (root / place).rglob("*")


async def every_job(job: Job, task: str) -> None:
    """One of each kind, after another; there is something to do for each."""
    volume = job.repositories
    commit(volume.upstream, {f"theirs-{task}": "x"})
    assert await prepare(job.client, job.env) == 0
    # By the agent and by the runner, which nobody hinders while they work.
    work = volume.work({f"{task}.txt": "x"}, task=task)
    volume.keep(work)
    job.done(work)
    assert await sync(job.client, job.env, branch=None, command_uid=work.uid) == 0


async def test_no_lock_lies_where_foreign_code_can_open_it(job: Job) -> None:
    job.apply(tasks={"inline": "- [ ] 1.1 a\n"})
    await every_job(job, "1.1")
    job.limit(volume_part=0.0)
    assert await integrate(job.client, job.env) == 0
    root = job.env.root
    locks = {str(path.relative_to(root)) for path in root.rglob("*.flock")}
    assert locks == {
        *("repo.git.flock", "repo.git.train.flock", OWN),
        "finished/demo-1/kiro-swarm.flock",
    }
    places = reached()
    assert places == {"repo.git", "instances/demo-1"}
    open_to_them = {str(path.relative_to(root)) for path in below(root, places)}
    assert locks & open_to_them == {OWN}


async def test_who_holds_all_that_can_be_opened_stops_no_job(job: Job) -> None:
    finalizers = {"metadata": {"finalizers": ["swarm.kiro.dev/rescue"]}}
    job.apply(
        tasks={"inline": "- [ ] 1.1 a\n- [ ] 1.2 b\n- [ ] 2 c\n"},
        integration={"push": "Never", "onDelete": "Rescue"},
        instances=0,
    )
    job.api.store.patch(SWARMS, NAMESPACE, "demo", finalizers)
    await every_job(job, "1.1")
    assert await integrate(job.client, job.env) == 0
    # Those of earlier releases as well.
    for name in ("kiro-train.flock", "kiro-swarm.flock"):
        (job.env.mirror / name).touch()
    await every_job(job, "1.2")
    job.limit(other_seconds=0.3, volume_part=0.0)
    with ExitStack() as held:
        for path in below(job.env.root, reached()):
            descriptor = os.open(path, os.O_RDONLY)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert await prepare(job.client, job.env) == 0
        assert await integrate(job.client, job.env) == 0
        assert job.status("1.2")["state"] == "Merged"
        commit(job.repositories.upstream, {"theirs": "x"})
        uid = job.env.uid
        assert await sync(job.client, job.env, branch=None, command_uid=uid) == 0
        job.api.store.delete(SWARMS, NAMESPACE, "demo")
        job.api.tell()
        assert await integrate(job.client, job.env) == 0
        assert job.words()["rescued"] >= 1


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_job_that_is_asked_to_end_keeps_its_lock_until_its_process_ends(
    job: Job, cancelled: bool
) -> None:
    """Its threads go on until then, and write what another Job would write as well."""
    over = asyncio.Event()

    async def work() -> None:
        async with alone(job.env):
            await over.wait()

    at_work = asyncio.ensure_future(work())
    lock = job.env.root / "repo.git.train.flock"
    await until(lock.exists)
    at_work.cancel() if cancelled else over.set()
    await asyncio.gather(at_work, return_exceptions=True)
    with lock.open() as file:
        assert taken(file.fileno()) != cancelled


def test_one_module_takes_locks() -> None:
    """So that the table above is all there is: each is opened by a name of locks.py."""
    texts = {path: path.read_text() for path in PACKAGE.rglob("*.py")}
    takers = {
        str(path.relative_to(PACKAGE))
        for path, text in texts.items()
        if "fcntl" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in ("flock", "lockf")
    }
    assert takers == {"workspace/locks.py"}
