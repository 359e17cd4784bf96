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
from kiro_swarm.jobs.candidates import candidate_of
from kiro_swarm.jobs.merging import Merging
from kiro_swarm.lifecycle.edges import INTEGRATE
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.lifecycle.notes import observed
from kiro_swarm.policy.conflicts import with_news
from kiro_swarm.workspace.lookahead import foretell

log = logging.getLogger(__name__)


async def tell_waiting(merging: Merging, tasks: Iterable[KiroTask]) -> None:
    """Write into these Done tasks what their merge would say now.

    The twenty that wait longest: about them a person decides first.
    """
    for task in sorted(tasks, key=_done_at)[: merging.env.limits.looked_ahead]:
        try:
            await _write_prediction(merging, task)
        except (errors.Conflict, errors.NotFound):
            # Somebody decided about it meanwhile.
            log.info("task %s changed while it was looked at", task["spec"]["id"])
        except (errors.Unavailable, errors.Expired):
            raise
        except Exception as error:
            # Whatever it is about this task: it is told when it is merged.
            said = (task["spec"]["id"], error)
            log.warning("task %s: cannot look ahead: %s", *said, exc_info=True)


async def _write_prediction(merging: Merging, task: KiroTask) -> None:
    env, metadata = merging.env, task["metadata"]
    candidate = candidate_of(task, env)
    found = await asyncio.get_running_loop().run_in_executor(
        None,
        foretell,
        candidate.instance_dir,
        env.mirror,
        merging.branch,
        candidate.commit,
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
