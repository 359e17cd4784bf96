"""The integrate Job of a swarm that is being deleted: it merges nothing any more.

What is nowhere else, merged or only Done, is pushed where nobody works, and how much that was is
in the report. No gate runs. Killed anywhere, the next Job finds there what was pushed already.
"""

from __future__ import annotations

import asyncio

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE
from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.candidates import candidate_of
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.jobs.owned import swarm_of, tasks_of
from kiro_swarm.workspace.done import DONE_REFS, Kept
from kiro_swarm.workspace.errors import InvalidName, WorkspaceError
from kiro_swarm.workspace.refs import is_object_id
from kiro_swarm.workspace.rescue import rescue

_SHOWN = 5
_LONGEST = 300


async def rescued(merging: Merging) -> IntegrateReport:
    """Push what is nowhere else.

    Raises as ``workspace.rescue.rescue`` does, and RescueIncomplete when something of it is
    nowhere else still.
    """
    env, repository = merging.env, merging.spec.repository
    reported, unknown = await _reported(merging)
    head = await _head(merging)
    made = await asyncio.get_running_loop().run_in_executor(
        None,
        rescue,
        env.mirror,
        env.root,
        repository.url,
        merging.branch,
        env.uid,
        env.credentials(repository),
        merging.limits,
        reported,
        head,
        merging.begun,
    )
    made.left.extend(unknown)
    said = f"pushed {_some(made.refs)}" if made.refs else "pushed nothing"
    if made.left:
        left = _some(made.left, "; ")
        message = f"{len(made.left)} not rescued: {left}; {said}"
        raise WorkspaceError(message, reason="RescueIncomplete")
    return {
        "head": made.head,
        "message": (
            f"pushed what was nowhere else: {_some(made.refs)}"
            if made.refs
            else "nothing was there that is nowhere else"
        ),
        "rescued": len(made.refs),
    }


async def _head(merging: Merging) -> str:
    """Where the branch is by the ledger, as the operator has read it; empty: not known."""
    try:
        swarm = await swarm_of(merging.client, merging.env)
    except ClusterError:
        return ""
    head = (status_of(swarm).get("integration") or {}).get("head") or ""
    return head if is_object_id(head) else ""


async def _reported(merging: Merging) -> tuple[list[Kept], list[str]]:
    """What is Done by its status, and of what it cannot be said where it is.

    A runner of an earlier release left it in the folder of its instance alone.
    """
    env = merging.env
    found: list[Kept] = []
    unknown: list[str] = []
    try:
        tasks = await tasks_of(merging.client, env, DONE)
    except ClusterError as error:
        return [], [f"finished tasks cannot be listed: {error.message}"]
    for task in tasks:
        try:
            work = candidate_of(task, env)
        except InvalidName as error:
            unknown.append(f"task {task['spec']['id']}: {error.message}")
            continue
        ref = f"{DONE_REFS}/{work.trailer}"
        found.append(Kept(work.instance_dir, work.commit, ref, shelved=False))
    return found, unknown


def _some(names: list[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{between.join(name[:_LONGEST] for name in names[:_SHOWN])}{more}"
