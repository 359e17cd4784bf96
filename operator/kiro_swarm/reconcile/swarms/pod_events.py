"""What only Events say: why a Job has no pod, and why a node does not make one that it has taken.

Called by ``pod_troubles``. Guarantees: Events are listed of one Job, and only while it has no pod,
and of a few pods in turn, and only while a node makes them for longer than it takes. A list that
hangs holds up nobody for longer than one step. Nobody watches
Events, for that would be all of a cluster's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Awaitable, Callable, Final, Iterable, Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Event, Job, Pod
from kiro_swarm.cluster.resources import EVENTS, SWARMS
from kiro_swarm.policy.times import parse
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.instances.decision import pod_trouble
from kiro_swarm.reconcile.snapshot.view import View, job_outcome

#: Seconds after which a Job has a pod, where nobody refuses it; and until Events are listed
#: again.
_SOON: Final = 5.0
_AGAIN: Final = 15.0
#: Seconds that a node takes to make a pod, but for its image; and pods whose Events are listed
#: within the seconds until they are again.
_MADE: Final = 20.0
_MOST_ASKED: Final = 5
#: Characters that are kept of what an Event says; a kubelet sends no more.
_LONGEST: Final = 1024
#: What no name of a component has.
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9./_-]")


async def heard(ctx: Context, view: View, steps: Steps) -> dict[str, str]:
    """What Events say now of Jobs that have no pod and of pods that are not made, by their uid.

    All that are asked about are asked side by side; of pods those that were not for the longest.
    """
    running = [job for job in view.jobs if job_outcome(job) is None]
    pods = [view.pod_of_job(job) for job in running]
    made = [pod for pod in (*pods, *view.pods) if pod is not None and _is_made(pod)]
    unmade = {pod["metadata"]["uid"]: pod for pod in made}
    jobs = [
        job
        for job, pod in zip(running, pods)
        if pod is None and not job["metadata"].get("deletionTimestamp")
    ]
    late_jobs = _late(ctx, view, jobs, _SOON)
    late_pods = _late(ctx, view, unmade.values(), _MADE)
    asked = [partial(_listen, ctx, view, uid, _listed) for uid in _due(ctx, late_jobs)]
    due = sorted(_due(ctx, late_pods), key=lambda uid: _when_asked(ctx, uid))
    room = max(0, _MOST_ASKED - len(late_pods) + len(due))
    asked += [partial(_listen, ctx, view, uid, _last) for uid in due[:room]]
    if asked:
        nothing: list[None] = []
        what, ask = "list the Events of its pods", partial(side_by_side, asked)
        await steps.take(what, ask, nothing)
    late = [*late_jobs, *late_pods]
    if late:
        ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), _AGAIN)
    return {uid: ctx.heard[uid][1] for uid in late if uid in ctx.heard}


def _late(
    ctx: Context, view: View, items: Iterable[Union[Job, Pod]], early: float
) -> list[str]:
    """The uids of those that were made so many seconds ago; it is looked again for others."""
    found = []
    for item in items:
        made = parse(item["metadata"].get("creationTimestamp")) or view.now
        left = early - (view.now - made).total_seconds()
        if left > 0:
            ctx.queue.add_after(ctx.key(SWARMS, view.namespace, view.name), left)
        else:
            found.append(item["metadata"]["uid"])
    return found


def _when_asked(ctx: Context, uid: str) -> float:
    return ctx.heard.get(uid, (float("-inf"), ""))[0]


def _due(ctx: Context, uids: list[str]) -> list[str]:
    now = ctx.monotonic()
    return [uid for uid in uids if now - _when_asked(ctx, uid) >= _AGAIN]


async def _listen(
    ctx: Context,
    view: View,
    uid: str,
    listing: Callable[[Context, View, str], Awaitable[str]],
) -> None:
    """Keep what is said, also where nobody waits for the answer any more."""
    known = await listing(ctx, view, uid)
    ctx.heard[uid] = ctx.monotonic(), known


def _is_made(pod: Pod) -> bool:
    """Whether a node is about to make the first container of a pod."""
    status = status_of(pod)
    items = [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]
    states = [item.get("state") or {} for item in items]
    return (
        status.get("phase") == "Pending"
        and not pod["metadata"].get("deletionTimestamp")
        and not pod_trouble(pod)
        and not any("running" in state or "terminated" in state for state in states)
        and any("waiting" in state for state in states)
    )


@dataclass(frozen=True)
class _Said:
    """What is kept of an Event."""

    when: datetime
    failed: bool
    text: str


async def _listed(ctx: Context, view: View, uid: str) -> str:
    fields = f"involvedObject.kind=Job,involvedObject.uid={uid},reason=FailedCreate"
    last = await _last_of(ctx, view, fields)
    return "" if last is None else last.text.replace(" FailedCreate: ", " ", 1)


async def _last(ctx: Context, view: View, uid: str) -> str:
    """The last Event of a pod, where that is a failure: what was mended is followed by others."""
    fields = f"involvedObject.kind=Pod,involvedObject.uid={uid}"
    last = await _last_of(ctx, view, fields)
    return last.text if last is not None and last.failed else ""


async def _last_of(ctx: Context, view: View, fields: str) -> Optional[_Said]:
    """The last one of a few: whoever may make Events may make any number, of any length."""
    client, place, keep = ctx.client, view.namespace, partial(_kept, now=view.now)
    found = await client.few(EVENTS, place, fields=fields, keep=keep)
    return max(found, key=lambda one: one.when, default=None)


def _kept(event: Event, now: datetime) -> _Said:
    """Whose words it has is said: anybody may have made it who has the right to.

    What its maker says of its time is not believed where that is yet to come; when it was made
    is said by the API server.
    """
    when = parse((event.get("lastTimestamp") or event.get("eventTime") or "")[:64])
    if when is None or when > now:
        when = parse(event["metadata"].get("creationTimestamp")) or now
    reason = (event.get("reason") or "")[:_LONGEST]
    maker = (event.get("source") or {}).get("component") or ""
    name = _NO_NAME.sub("", (maker or event.get("reportingComponent") or "")[:63])
    words = f"{reason}: {(event.get('message') or '')[:_LONGEST]}"
    return _Said(
        min(when, now),
        event.get("type") == "Warning" and reason.startswith("Failed"),
        one_line(f"an Event of {name or 'nobody'} says: {words}"),
    )
