"""The sentence about a swarm that is kept for the rescue of its work: cancel rescue.

It writes the annotation that ``reconcile/swarms/last_steps.py`` reads, so that a sentence and
``kubectl annotate`` are one thing.
"""

from __future__ import annotations

from kiro_swarm.api.meta import ANNOTATION_DELETE_ANYWAY
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, done, failed
from kiro_swarm.reconcile.commands.executors.writes import annotated


def cancel_rescue(request: Request) -> Outcome:
    """``cancel rescue``: a swarm that is being deleted goes at once.

    One that is not being deleted is not marked: a later deletion would lose its work.
    """
    view = request.view
    if not view.swarm["metadata"].get("deletionTimestamp"):
        return failed(
            f"{view.name} is not being deleted: there is no rescue to cancel. Whether there "
            "will be one is said in spec.integration.onDelete"
        )
    says = "let go at once, with all work that is nowhere else"
    effects = annotated(view, says, ANNOTATION_DELETE_ANYWAY, request.name)
    return done(f"{view.name} is {says}", *effects)
