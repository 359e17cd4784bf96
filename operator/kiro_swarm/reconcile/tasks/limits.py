"""How often a task may fail follows what the swarm says now.

Called by the reconcile of a swarm. The limit stands in the KiroTask, for whoever ends an attempt
decides by it, and not all of them can read the swarm. Guarantees: an edit reaches every task that
is not merged, a bounded number at a time; what is as it should be is not written; one that
cannot be written holds up no other.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Final

from kiro_swarm.api.meta import MERGED
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.snapshot.view import View, state_of

#: Tasks that are written in one reconcile, for all else waits for it; these writes wake the
#: swarm again, which goes on with the others.
MOST: Final = 200


async def follow(ctx: Context, view: View, steps: Steps) -> None:
    """Give tasks the limit of their swarm."""
    limit = view.spec.recovery.max_attempts
    found: list[KiroTask] = []
    for task in view.tasks:
        if len(found) == MOST:
            break
        if task["spec"].get("maxAttempts") != limit and state_of(task) != MERGED:
            steps.want(_step(task))
            if steps.may(_step(task)):
                found.append(task)

    async def write(task: KiroTask) -> None:
        # Who was faster wakes the swarm by that, and it looks again.
        with suppress(errors.Conflict, errors.NotFound):
            await ctx.patch(TASKS, task, {"spec": {"maxAttempts": limit}})

    await side_by_side(
        partial(
            steps.take,
            _step(task),
            partial(write, task),
            None,
        )
        for task in found
    )


def _step(task: KiroTask) -> str:
    return f"change KiroTask {task['metadata']['name']}"
