"""A view of a swarm with what is not known yet: which writes of it have no answer.

Called before tasks are handed out, before a sentence is carried out, and before the status is
written: an instance that may have a task is idle for none of them.
"""

from __future__ import annotations

from dataclasses import replace

from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.snapshot.promised import NOTHING, Promised
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.hand_out import free_instances


def with_promised(ctx: Context, view: View) -> View:
    """The view with what unanswered writes may still bring about, as it is at this moment."""
    promised = _promised(ctx, view)
    same = promised is NOTHING and view.promised is NOTHING
    return view if same else replace(view, promised=promised)


def _promised(ctx: Context, view: View) -> Promised:
    given = ctx.step_memory.of(view.uid).bindings.open(ctx.cache)
    going, leaving = ctx.step_memory.going, set()
    if going:
        pods = dict(free_instances(view))
        leaving = {
            item["metadata"]["name"]
            for item in view.instances
            if item["metadata"]["uid"] in going
            or pods.get(item["metadata"]["name"]) in going
        }
    if not given and not leaving:
        return NOTHING
    return Promised(
        [(one.task, one.instance) for one in given],
        frozenset({one.instance for one in given} | leaving),
    )
