"""The sync Job: what is new in the source repository, merged into the integration branch.

Started for one SwarmCommand, whose uid is in the trailer of the merge. Killed anywhere, the
same or another command goes on from what is there: nothing is merged twice, and what was
merged and not pushed is pushed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Optional

from kiro_swarm.api.reports import SyncReport
from kiro_swarm.cluster.client import Client
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.merging import Merging, report_of
from kiro_swarm.workspace.errors import PushRejected, RemoteError
from kiro_swarm.workspace.sync import Source, Synced
from kiro_swarm.workspace.sync import sync as merge_source

log = logging.getLogger(__name__)


async def sync(
    client: Client, env: JobEnvironment, *, branch: Optional[str], command_uid: str
) -> int:
    """Run the Job; returns the exit status. The answer is in the termination message.

    :param branch: a branch of the repository; None: its ``spec.repository.ref``.
    """

    async def work(merging: Merging) -> SyncReport:
        merging.ledger.check_room()
        made = await _merge(merging, branch, command_uid)
        await merging.ledger.catch_up()
        log.info("%s -> %s, %d commits", made.before, made.head, made.commits)
        report: SyncReport = {
            "before": made.before,
            "head": made.head,
            "source": made.source,
            "commits": made.commits,
            "keptPlan": made.kept_plan,
        }
        if await merging.push_is_due():
            report["pushed"] = await _pushed(merging, made)
        return report

    return await report_of(client, env, work)


async def _merge(merging: Merging, branch: Optional[str], command_uid: str) -> Synced:
    repository = merging.spec.repository
    credentials = merging.env.credentials(repository)
    source = Source(
        repository.url, branch or repository.ref, branch is None, credentials
    )
    gates = await merging.gates()
    return await asyncio.get_running_loop().run_in_executor(
        None,
        merge_source,
        merging.env.mirror,
        source,
        merging.branch,
        merging.plan,
        gates,
        command_uid,
        merging.env.mover,
    )


async def _pushed(merging: Merging, made: Synced) -> str:
    try:
        return await merging.push()
    except RemoteError as error:
        raise PushRejected(
            f"commits of the repository: {made.commits}, merged as {made.head[:12]},"
            f" but not pushed: {error.message}",
            reason=error.reason,
        ) from error
