"""What the API server refuses of a swarm, or does not answer, told on the KiroSwarm itself.

Called by the reconcile of a swarm before it writes its status. Guarantees: message, condition
and Event say which object it is and why, in the words of the API server, and each of them once;
what heals by itself in a moment is not told. The status has it as long as it is so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Optional

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import NoAnswer, Steps, Trouble
from kiro_swarm.reconcile.instances.instance import REFUSED
from kiro_swarm.reconcile.snapshot.view import View, job_outcome

#: Seconds after which a person has to act: a quota that is full for a moment needs nobody.
PATIENCE: Final = 60.0
CHANGE_REFUSED: Final = "ChangeRefused"
NAME_TAKEN: Final = "NameTaken"
NO_ANSWER: Final = "NoAnswer"
NOTHING_REFUSED: Final = "NothingRefused"
_SHOWN = 3
_LONGEST = 700


@dataclass(frozen=True)
class Hindered:
    """What people are to hear of the steps that could not be taken.

    ``vital``: the swarm cannot go on for long without one of them. ``lasting``: nothing moves,
    and it has been so for too long to pass by itself.
    """

    reason: str
    message: str
    vital: bool
    lasting: bool


async def told(ctx: Context, view: View, steps: Steps) -> Optional[Hindered]:
    """What is to be said now; each trouble is an Event when it is new."""
    troubles = steps.told()
    if not troubles:
        return None
    for one in troubles[:_SHOWN]:
        if steps.is_news(one, words(one)):
            post = partial(
                emit,
                ctx.client,
                SWARMS,
                view.swarm,
                reason=reason_of(one),
                message=words(one),
                now=ctx.now(),
                warning=True,
            )
            what = f"post an Event about it: {one.what}"
            await steps.take(what, post, None, weight="quiet")
    first = troubles[0]
    more = len(troubles) - _SHOWN
    text = "; ".join(words(one) for one in troubles[:_SHOWN])
    text += f"; and {more} more" if more > 0 else ""
    heavy = [one for one in troubles if one.weight in ("vital", "work")]
    oldest = min((one.since for one in heavy), default=ctx.monotonic())
    left = oldest + PATIENCE - ctx.monotonic()
    if heavy and left > 0:
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), left)
    stays = heavy and (left <= 0 or _was_stalled(view)) and not _moves(view)
    return Hindered(
        reason_of(first),
        one_line(text, _LONGEST),
        first.weight == "vital",
        bool(stays),
    )


def words(trouble: Trouble) -> str:
    """A step that could not be taken, in a line: the object, and the cause."""
    error, what = trouble.error, trouble.what
    if isinstance(error, NoAnswer):
        return f"the API server gives no answer to: {what}"
    if isinstance(error, errors.NameTaken):
        return f"cannot {what}: {error.message}"
    verb = "refuses" if trouble.refused else "fails"
    return one_line(f"the API server {verb} to {what}: {error.message}")


def reason_of(trouble: Trouble) -> str:
    """The same in one word."""
    if isinstance(trouble.error, errors.NameTaken):
        return NAME_TAKEN
    if not trouble.refused:
        return NO_ANSWER
    return REFUSED if trouble.what.startswith("create ") else CHANGE_REFUSED


def _was_stalled(view: View) -> bool:
    """Whether it was said by a process before this one, which knew since when."""
    stalled = find(view.status.get("conditions") or [], "Stalled")
    ours = (REFUSED, CHANGE_REFUSED, NAME_TAKEN, NO_ANSWER)
    return (
        stalled is not None
        and stalled["status"] == "True"
        and stalled["reason"] in ours
    )


def _moves(view: View) -> bool:
    """Whether anything of the swarm is under way."""
    return bool(view.active) or any(job_outcome(job) is None for job in view.jobs)
