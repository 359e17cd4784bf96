"""What the integrate Job does for the volume: when its merges are done, and where room is short.

Called by ``integrate``. It says what the swarm still needs, by the tasks and the spec of this
moment, and has the rest removed. Guarantees: trouble with it, of the API server's, git's or the
volume's making, is a line in the log and no more: merges are pushed and told all the same, and
the next Job tries again. A volume that is full is tidied before anything is written.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import AsyncIterator, Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.meta import ACTIVE_STATES, DONE
from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.candidates import candidate_of
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.jobs.owned import swarm_of, tasks_of
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.policy import naming
from kiro_swarm.workspace import done
from kiro_swarm.workspace.blame import of_the_machine
from kiro_swarm.workspace.errors import InvalidName, VolumeTrouble, WorkspaceError
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.room import room_of
from kiro_swarm.workspace.upkeep import Needed, marks, tidy

log = logging.getLogger(__name__)


async def keep_up(merging: Merging, *, pressed: bool = False) -> None:
    """Remove from the volume what nobody needs any more, as far as that can be done now."""
    try:
        await _keep_up(merging, pressed)
    except (ClusterError, WorkspaceError, OSError) as error:
        log.warning("the volume is not tidied: %s", error)


async def _keep_up(merging: Merging, pressed: bool) -> None:
    env, loop = merging.env, asyncio.get_running_loop()
    # First: what is cut after it stays, whatever was needed before.
    seen = await loop.run_in_executor(None, marks, env.root)
    tasks = await tasks_of(merging.client, env)
    held = await loop.run_in_executor(None, _hold, env, tasks) if pressed else set()
    needed = await _needed(merging, tasks, held)
    if needed is None:
        return
    tidied = partial(tidy, *(env.root, env.mirror, merging.branch, needed))
    work = partial(tidied, seen=seen, pressed=pressed)
    if await loop.run_in_executor(None, work):
        log.info("the mirror is packed")


async def make_room(merging: Merging) -> None:
    """Tidy before anything is written, where room is short."""
    if _is_short(merging.env):
        log.warning("the volume is filling: it is tidied first")
        await keep_up(merging, pressed=True)


@asynccontextmanager
async def room_made(merging: Merging) -> AsyncIterator[None]:
    """Tidy when what is done within ends for want of room, so that the next Job has some."""
    try:
        yield
    except (VolumeTrouble, OSError) as trouble:
        if isinstance(trouble, VolumeTrouble) or of_the_machine(trouble):
            await keep_up(merging, pressed=True)
        raise


def _is_short(env: JobEnvironment) -> bool:
    """Whether the use is above the bound; of files that there can be, as well."""
    try:
        return room_of(env.root).is_short(env.limits.volume_part)
    except OSError as error:
        log.warning("how full the volume is cannot be told: %s", error)
        return False


def use_of_volume(env: JobEnvironment) -> tuple[int, int]:
    """Bytes in use of the volume, and all that it has for us."""
    room = room_of(env.root)
    return room.used, room.used + room.free


def tell_use(env: JobEnvironment, report: IntegrateReport) -> None:
    """Say in the report how full the volume is, where that can be told."""
    with suppress(OSError):
        report["volumeUsed"], report["volumeSize"] = use_of_volume(env)


async def _needed(
    merging: Merging, tasks: list[KiroTask], held: set[str]
) -> Optional[Needed]:
    client, env = merging.client, merging.env
    # Read last: an instance that is wanted since then must find its folder as it is.
    spec = spec_of(await swarm_of(client, env))
    if spec is None:
        return None
    names = {naming.instance_name(env.swarm, n + 1) for n in range(spec.instances)}
    attempts: dict[str, int] = {}
    bases: list[str] = []
    busy = set(held)
    for task in tasks:
        status = status_of(task)
        attempts[task["metadata"]["uid"]] = attempt_of(status)
        if status.get("state") in ACTIVE_STATES | {DONE}:
            instance = str(status.get("instance") or "")
            names.add(instance)
            bases += [base for base in [status.get("baseCommit")] if base]
            if status["state"] != DONE:
                busy.add(instance)
    return Needed(attempts, names, bases, busy)


def _hold(env: JobEnvironment, tasks: list[KiroTask]) -> set[str]:
    """Instances whose folder alone has finished work: so a runner of an earlier release left it.

    Where that cannot be told, too.
    """
    held: set[str] = set()
    adopted: dict[str, str] = {}
    with suppress(WorkspaceError):
        adopted = done.refs(Git(env.mirror))
    for task in tasks:
        status = status_of(task)
        if status.get("state") != DONE:
            continue
        instance = str(status.get("instance") or "")
        try:
            work = candidate_of(task, env)
        except InvalidName:
            held.add(instance)
            continue
        own = work.instance_dir == env.root / "instances" / instance
        if own and adopted.get(work.trailer) != work.commit:
            held.add(instance)
    return held
