"""What the integrate Job does for the volume when its merges are done.

Called by ``integrate``. It says what the swarm still needs, by the tasks and the spec of this
moment, and has the rest removed. Guarantees: trouble with it is a line in the log and no
more; the next Job tries again.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.meta import ACTIVE_STATES, DONE
from kiro_swarm.cluster.resources import SWARMS, TASKS
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.policy import naming
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.upkeep import Needed, tidy

log = logging.getLogger(__name__)


async def keep_up(merging: Merging) -> None:
    """Remove from the volume what nobody needs any more."""
    env, needed = merging.env, await _needed(merging)
    if needed is None:
        return
    try:
        packed = await asyncio.get_running_loop().run_in_executor(
            None, tidy, env.root, env.mirror, merging.branch, needed
        )
    except (WorkspaceError, OSError) as error:
        log.warning("the volume is not tidied: %s", error)
        return
    if packed:
        log.info("the mirror is packed")


def use_of_volume(env: JobEnvironment) -> tuple[int, int]:
    """Bytes in use of the volume, and all that it has for us."""
    use = shutil.disk_usage(env.root)
    return use.used, use.used + use.free


async def _needed(merging: Merging) -> Optional[Needed]:
    client, env = merging.client, merging.env
    tasks, _ = await client.list(TASKS, env.namespace, fields=f"spec.swarm={env.swarm}")
    # Read last: an instance that is wanted since then must find its folder as it is.
    spec = spec_of(await client.get(SWARMS, env.namespace, env.swarm))
    if spec is None:
        return None
    names = {naming.instance_name(env.swarm, n + 1) for n in range(spec.instances)}
    attempts: dict[str, int] = {}
    bases: list[str] = []
    for task in tasks:
        status = status_of(task)
        attempts[task["metadata"]["uid"]] = attempt_of(status)
        if status.get("state") in ACTIVE_STATES | {DONE}:
            names.add(str(status.get("instance") or ""))
            bases += [base for base in [status.get("baseCommit")] if base]
    return Needed(attempts, names, bases)
