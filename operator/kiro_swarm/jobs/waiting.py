"""Finished work that waits for a person: whether it still would merge.

Called by the integrate Job when it has moved the branch, for by then the runners have turned
to other tasks. Guarantees: it writes where the answer changed and nowhere else, and looks at
the first few alone, so that a merge does not wait for it; what git cannot say is left as it
was.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from typing import Iterable

from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.lifecycle.edges import INTEGRATE
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.lifecycle.notes import observed
from kiro_swarm.policy.conflicts import with_news
from kiro_swarm.workspace.errors import WorkspaceError
from kiro_swarm.workspace.finished import place_of
from kiro_swarm.workspace.lookahead import foretell

log = logging.getLogger(__name__)


async def tell_waiting(merging: Merging, tasks: Iterable[KiroTask]) -> None:
    """Write into these Done tasks what their merge would say now.

    The twenty that wait longest: about them a person decides first.
    """
    for task in sorted(tasks, key=_done_at)[: merging.env.limits.looked_ahead]:
        try:
            await _write_prediction(merging, task)
        except (WorkspaceError, OSError) as error:
            log.warning("task %s: cannot look ahead: %s", task["spec"]["id"], error)
        except (errors.Conflict, errors.NotFound):
            # Somebody decided about it meanwhile.
            log.info("task %s changed while it was looked at", task["spec"]["id"])


async def _write_prediction(merging: Merging, task: KiroTask) -> None:
    env, metadata, status = merging.env, task["metadata"], task["status"]
    found = await asyncio.get_running_loop().run_in_executor(
        None,
        foretell,
        place_of(env.root, status["instance"], metadata["uid"], attempt_of(status)),
        env.mirror,
        merging.branch,
        status["commit"],
        merging.plan,
    )
    now = datetime.now(timezone.utc)
    conditions = with_news(task, found.files, found.count, found.tasks, now)
    if conditions is not None:
        await merging.client.patch_status(
            TASKS,
            metadata["namespace"],
            metadata["name"],
            checked(task, observed(conditions), INTEGRATE),
            version=metadata["resourceVersion"],
        )


def _done_at(task: KiroTask) -> str:
    return str(task["status"].get("finishedAt") or "")
