"""The integrate Job of a swarm that is being deleted: it merges nothing any more.

What is nowhere else, merged or only Done, is pushed where nobody works, and how much that was is
in the report. No gate runs. Killed anywhere, the next Job finds there what was pushed already.
"""

from __future__ import annotations

import asyncio

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.rescue import rescue

_SHOWN = 5
_LONGEST = 300


async def rescued(merging: Merging) -> IntegrateReport:
    """Push what is nowhere else.

    Raises as ``workspace.rescue.rescue`` does, and RescueIncomplete when something of it is
    nowhere else still.
    """
    env, repository = merging.env, merging.spec.repository
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
    )
    said = f"pushed {_some(made.refs)}" if made.refs else "pushed nothing"
    if made.left:
        left = _some(made.left, "; ")
        message = f"{len(made.left)} not rescued: {left}; {said}"
        raise WorkspaceError(message, reason="RescueIncomplete")
    return {
        "head": integration_head(env.mirror, merging.branch),
        "message": (
            f"pushed what was nowhere else: {_some(made.refs)}"
            if made.refs
            else "nothing was there that is nowhere else"
        ),
        "rescued": len(made.refs),
    }


def _some(names: list[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{between.join(name[:_LONGEST] for name in names[:_SHOWN])}{more}"
