"""What the API server refuses of a swarm, or does not answer, told on the KiroSwarm itself.

Called by the reconcile of a swarm before it writes its status. Guarantees: message, condition
and Event say which object it is and why, in the words of the API server, and each of them once;
what heals by itself in a moment is not told. The status has it as long as it is so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Optional

from kiro_swarm.api.condition_reasons import HINDERED
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import NoAnswer, Steps, Trouble
from kiro_swarm.reconcile.instances.decision import POD_REFUSED, pod_trouble
from kiro_swarm.reconcile.instances.instance import (
    CHANGE_REFUSED,
    CREATE_REFUSED,
    STATUS_OF,
)
from kiro_swarm.reconcile.snapshot.view import View, job_outcome
from kiro_swarm.reconcile.swarms.pod_troubles import pod_troubles

#: Seconds after which a person has to act: a quota that is full for a moment needs nobody.
PATIENCE: Final = 60.0
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


@dataclass(frozen=True)
class _Line:
    """One thing that is told. ``weighs``: work waits for it; ``seconds``: for how long."""

    reason: str
    text: str
    vital: bool
    weighs: bool
    seconds: float


async def hindered_by(ctx: Context, view: View, steps: Steps) -> Optional[Hindered]:
    """What is to be said now; each is an Event when it is new."""
    found = await pod_troubles(ctx, view, steps)
    troubled = [
        _Line(
            one.reason,
            one.message,
            one.vital,
            one.vital,
            (view.now - one.since).total_seconds(),
        )
        for one in found
    ]
    lines = [
        _Line(
            reason_of(one),
            words(one),
            one.weight == "vital",
            one.weight in ("vital", "work"),
            ctx.monotonic() - one.since,
        )
        for one in (*steps.told(), *_of_silent_instances(ctx, view))
    ] + troubled
    if not lines:
        return None
    lines.sort(key=lambda one: not one.vital)
    for one in lines[:_SHOWN]:
        # That a pod of an instance is refused has told who was to make it.
        if steps.is_news(one.text) and POD_REFUSED not in one.text:
            post = partial(
                emit,
                ctx.client,
                SWARMS,
                view.swarm,
                reason=one.reason,
                message=one.text,
                now=ctx.now(),
                warning=True,
            )
            what = f"post an Event: {one.text}"
            await steps.take(what, post, None, weight="quiet")
    more = len(lines) - _SHOWN
    text = "; ".join(one.text for one in lines[:_SHOWN])
    text += f"; and {more} more" if more > 0 else ""
    heavy = [one.seconds for one in lines if one.weighs]
    left = PATIENCE - max(heavy, default=0.0)
    if heavy and left > 0:
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), left)
    waits = left <= 0 or _was_stalled(view)
    return Hindered(
        lines[0].reason,
        one_line(text, _LONGEST),
        lines[0].vital,
        bool(heavy) and waits and not _moves(view, {one.job for one in found}),
    )


def _of_silent_instances(ctx: Context, view: View) -> Iterator[Trouble]:
    """What instances whose own status may not be written cannot say there."""
    for item in view.instances:
        found = ctx.step_memory.told_of(item["metadata"]["uid"])
        if any(one.what.startswith(STATUS_OF) for one in found):
            yield from found


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
    return CREATE_REFUSED if trouble.what.startswith("create ") else CHANGE_REFUSED


def _was_stalled(view: View) -> bool:
    """Whether it was said by a process before this one, which knew since when."""
    stalled = find(view.status.get("conditions") or [], "Stalled")
    return (
        stalled is not None
        and stalled["status"] == "True"
        and stalled["reason"] in HINDERED
    )


def _moves(view: View, troubled: Collection[str]) -> bool:
    """Whether anything of the swarm is under way: a Job whose pod does not run is not.

    :param troubled: names of Jobs whose pods do not.
    """
    running = (
        job
        for job in view.jobs
        if job_outcome(job) is None and job["metadata"]["name"] not in troubled
    )
    pods = (view.pod_of_job(job) for job in running)
    return bool(view.active) or any(
        pod is not None and not pod_trouble(pod) for pod in pods
    )
