"""The integrate Job of a swarm that is being deleted: it merges nothing any more.

What is nowhere else, merged or only Done, is pushed where nobody works, and how much that was is
in the report. No gate runs. Killed anywhere, the next Job finds there what was pushed already.
"""

from __future__ import annotations

import asyncio

from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.rescue import rescue


async def rescued(merging: Merging) -> IntegrateReport:
    """Push what is nowhere else; raises as ``workspace.rescue.rescue`` does."""
    env, repository = merging.env, merging.spec.repository
    refs = await asyncio.get_running_loop().run_in_executor(
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
    said = f"pushed what was nowhere else: {', '.join(refs[:5])}" if refs else "nothing"
    more = f" and {len(refs) - 5} more" if len(refs) > 5 else ""
    return {
        "head": integration_head(env.mirror, merging.branch),
        "message": (
            f"{said}{more}" if refs else "nothing was there that is nowhere else"
        ),
        "rescued": len(refs),
    }
