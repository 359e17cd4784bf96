"""What only Events say: why a Job has no pod, and why a node does not make one that it has taken.

Called by ``pod_troubles``. Guarantees: Events are listed of one Job, and only while it has no pod,
and of a few pods, and only while a node makes them for longer than it takes. Nobody watches
Events, for that would be all of a cluster's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Event, Job, Pod
from kiro_swarm.cluster.resources import EVENTS, SWARMS
from kiro_swarm.policy.times import parse
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.instances.decision import pod_trouble
from kiro_swarm.reconcile.snapshot.view import View, job_outcome

#: Seconds after which a Job has a pod, where nobody refuses it; and until Events are listed
#: again.
_SOON: Final = 5.0
_AGAIN: Final = 15.0
#: Seconds that a node takes to make a pod, but for its image; and pods whose Events are listed.
_MADE: Final = 20.0
_MOST_ASKED: Final = 5
#: Characters that are kept of what an Event says; a kubelet sends no more.
_LONGEST: Final = 1024


async def said_of(ctx: Context, view: View, steps: Steps, job: Job) -> str:
    """Why a Job has no pod, by its Events; empty where nobody says so, or it is too early."""
    return await _heard(ctx, view, steps, job, "Job", _SOON)


async def unmade(ctx: Context, view: View, steps: Steps) -> dict[str, str]:
    """Why pods are not made that a node has taken: uid of a pod -> what its Events say."""
    jobs = [view.pod_of_job(job) for job in view.jobs if job_outcome(job) is None]
    being = [pod for pod in (*jobs, *view.pods) if pod is not None and _is_made(pod)]
    found: dict[str, str] = {}
    for pod in being:
        if len(found) >= _MOST_ASKED:
            break
        uid = pod["metadata"]["uid"]
        if uid not in found:
            found[uid] = await _heard(ctx, view, steps, pod, "pod", _MADE)
    return found


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


async def _heard(
    ctx: Context,
    view: View,
    steps: Steps,
    item: Union[Job, Pod],
    kind: str,
    early: float,
) -> str:
    meta = item["metadata"]
    made = parse(meta.get("creationTimestamp")) or view.now
    key = ctx.key(SWARMS, view.namespace, view.name)
    early -= (view.now - made).total_seconds()
    if early > 0:
        ctx.queue.add_after(key, early)
        return ""
    when, known = ctx.heard.get(meta["uid"], (float("-inf"), ""))
    if ctx.monotonic() - when >= _AGAIN:
        of_job = kind == "Job"
        listing = partial(_listed if of_job else _last, ctx, view, meta["uid"])
        what = f"list the Events of {kind} {meta['name']}"
        known = await steps.take(what, listing, known)
        ctx.heard[meta["uid"]] = (ctx.monotonic(), known)
    ctx.queue.add_after(key, _AGAIN)
    return known


@dataclass(frozen=True)
class _Said:
    """What is kept of an Event."""

    when: str
    failed: bool
    reason: str
    message: str


async def _listed(ctx: Context, view: View, uid: str) -> str:
    fields = f"involvedObject.kind=Job,involvedObject.uid={uid},reason=FailedCreate"
    last = await _last_of(ctx, view, fields)
    return "" if last is None else last.message


async def _last(ctx: Context, view: View, uid: str) -> str:
    """The last Event of a pod, where that is a failure: what was mended is followed by others."""
    fields = f"involvedObject.kind=Pod,involvedObject.uid={uid}"
    last = await _last_of(ctx, view, fields)
    if last is None or not last.failed:
        return ""
    return one_line(f"{last.reason}: {last.message}")


async def _last_of(ctx: Context, view: View, fields: str) -> Optional[_Said]:
    """The last one of a few: whoever may make Events may make any number, of any length."""
    client, place = ctx.client, view.namespace
    found = await client.few(EVENTS, place, fields=fields, keep=_kept)
    return max(found, key=lambda one: one.when, default=None)


def _kept(event: Event) -> _Said:
    reason = str(event.get("reason") or "")[:_LONGEST]
    return _Said(
        str(event.get("lastTimestamp") or event.get("eventTime") or "")[:_LONGEST],
        event.get("type") == "Warning" and reason.startswith("Failed"),
        reason,
        one_line(str(event.get("message") or "")[:_LONGEST], _LONGEST - 1),
    )
