"""A KiroSwarm that is deleted and has asked for its work to be rescued first.

Only with ``spec.integration.onDelete: Rescue`` there is a finalizer. Guarantees: it is there
before any work is; it goes when a Job has pushed what was nowhere else, when a person says so by
an annotation, when the time for it is over, and when there is nothing to be rescued or no way
to do it. Time is what an operator was there for (``kept``); it is not over before a Job that knew
of all work has been tried and has ended, and never under one that can still end. So nobody
waits for ever, and what was not rescued is told by an Event. A spec that
this release cannot read is used as far as it can be; what cannot be read is told.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import (
    ANNOTATION_FINISHED_WORK,
    FINALIZER_RESCUE,
    LABEL_SWARM,
)
from kiro_swarm.api.readable import readable
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus, RescueStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import INSTANCES, JOBS, PODS, SWARMS, TASKS
from kiro_swarm.policy.conditions import condition, find
from kiro_swarm.policy.growth import REFUSED
from kiro_swarm.policy.ownership import all_of_kind
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.owned import made_or_passed
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.settings import scheme_refusal
from kiro_swarm.reconcile.snapshot.view import (
    View,
    look,
    look_again,
)
from kiro_swarm.reconcile.swarms import volume
from kiro_swarm.reconcile.swarms.integrate import Train, next_job, observe, paced
from kiro_swarm.reconcile.swarms.kept import kept_seconds, said
from kiro_swarm.reconcile.swarms.last_steps import (
    LAST_SECONDS,
    MOST_NAMED,
    OVERRIDE,
    Step,
    finished_work,
    given_up,
    next_step,
    seconds_of,
)
from kiro_swarm.reconcile.swarms.refusals import CHANGE_REFUSED, NAME_TAKEN

_PODS_AGAIN = 1.0
_ON_DELETE = "spec.integration.onDelete"
#: What is looked at in the place of a spec without a repository. No Job is made of it.
_STAND_IN = KiroSwarmSpec.model_validate(
    {
        "repository": {"url": "https://unread.invalid/"},
        "tasks": {"inline": "-"},
        "template": {"agent": {"command": ["-"]}},
        "integration": {"onDelete": "Rescue"},
    }
)


#: So many names in a row may be taken: more than a backup brings back at once.
_MOST_TAKEN = 20
#: What every API server says where a namespace is being deleted.
_TERMINATING = "because it is being terminated"


async def keep_until_rescued(
    ctx: Context, swarm: KiroSwarm, wanted: KiroSwarmSpec
) -> KiroSwarm:
    """Put the finalizer on a swarm that asks for it, take it from one that does not.

    The swarm as it is then.
    """
    there = FINALIZER_RESCUE in (swarm["metadata"].get("finalizers") or [])
    if wanted.integration.on_delete == "Rescue":
        return swarm if there else await _set(ctx, swarm, there=True)
    return await _set(ctx, swarm, there=False) if there else swarm


async def reconcile(ctx: Context, key: Key, swarm: KiroSwarm) -> None:
    """Bring a swarm that is being deleted a step nearer to its end."""
    if FINALIZER_RESCUE not in (swarm["metadata"].get("finalizers") or []):
        return  # what it owns goes with it: garbage collection
    spec, unread = readable(swarm)
    stalled = find(status_of(swarm).get("conditions") or [], "Stalled")
    if unread and (stalled is None or stalled["reason"] != "InvalidSpec"):
        await _tell(ctx, swarm, _step_unread(unread, spec is None))
    hindered, stalled_for = "", "InvalidSpec" if unread else ""
    if spec is None:
        spec, hindered = _STAND_IN, _unread(unread)
    elif any(_ON_DELETE.startswith(field) for field in unread):
        # It has the finalizer, so that was what it asked for.
        asked = {"on_delete": "Rescue"}
        update = {"integration": spec.integration.model_copy(update=asked)}
        spec = spec.model_copy(update=update)
    if not hindered:
        hindered = scheme_refusal(ctx.settings, spec.repository.url)
        stalled_for = "RepositoryNotAllowed" if hindered else stalled_for
    view = look(ctx.cache, swarm, spec, ctx.now())
    train, kept = paced(ctx, view, observe(view)), kept_seconds(ctx, swarm)
    step = next_step(view, train, kept, hindered)
    if step.told == "Rescued":
        view, step = await _last_look(ctx, view, train, kept, step)
    await _end(ctx, step)
    if not step.go and not hindered:
        resize = await volume.grow(ctx, view)
        if resize is not None and resize.reason == REFUSED:
            step = replace(step, message=f"{step.message}; {resize.message}")
    if step.start:
        step = await _started(ctx, view, train, step, kept)
    if unread and spec is not _STAND_IN:
        known = f"{_unread(unread)}; what is known of it is used"
        step = replace(step, message=f"{step.message}; {known}")
    counted = said(kept, seconds_of(view))
    await _take(ctx, key, swarm, step, stalled_for, counted)


def _unread(fields: list[str]) -> str:
    return f"{', '.join(fields[:MOST_NAMED])} cannot be read by this release"


def _step_unread(unread: list[str], nothing: bool) -> Step:
    """The Event that says what of a spec could not be read."""
    rest = (
        f"nothing can be rescued until it is mended; {OVERRIDE}"
        if nothing
        else f"its work is rescued by what is known; {OVERRIDE}"
    )
    return Step(f"{_unread(unread)}: {rest}", told="InvalidSpec", warning=True)


async def _tell(ctx: Context, swarm: KiroSwarm, step: Step) -> None:
    await emit(
        *(ctx.client, SWARMS, swarm),
        reason=step.told,
        message=step.message,
        now=ctx.now(),
        warning=step.warning,
    )


async def _take(
    ctx: Context,
    key: Key,
    swarm: KiroSwarm,
    step: Step,
    stalled_for: str,
    counted: RescueStatus,
) -> None:
    """Tell of a step, and let the swarm go if that is what it says.

    :param stalled_for: reason for which it waits for a person; empty where it does not.
    :param counted: what the next process is to know of the time that it was kept.
    """
    if step.told:
        await _tell(ctx, swarm, step)
    refused: Optional[errors.ClusterError] = None
    if step.go:
        try:
            await _set(ctx, swarm, there=False)
            return
        except (errors.Forbidden, errors.Invalid) as error:
            refused, stalled_for = error, CHANGE_REFUSED
            why = f"its finalizer may not be taken away: {error.message}"
            step = Step(f"{why}; {step.message}", told=stalled_for, warning=True)
            await _tell(ctx, swarm, step)
    status = status_of(swarm)
    told: KiroSwarmStatus = {**status}
    told["phase"], told["message"] = "Deleting", step.message[:1024]
    told["rescue"] = counted
    before = status.get("conditions") or []
    now = [
        condition(
            *(before, *said_now),
            generation=swarm["metadata"].get("generation", 0),
            now=ctx.now(),
        )
        for said_now in (
            *([("Stalled", True, stalled_for, step.message)] if stalled_for else []),
            *volume.told(ctx, swarm),
        )
    ]
    if now:
        types = {item["type"] for item in now}
        told["conditions"] = [i for i in before if i["type"] not in types] + now
    if told != status:
        await ctx.patch_status(SWARMS, swarm, told)
    ctx.queue.add_after(key, step.again)
    if refused is not None:
        raise refused  # the health of the operator has it, where it lacks the right


async def _last_look(
    ctx: Context, view: View, train: Train, kept: float, saved: Step
) -> tuple[View, Step]:
    """What comes next by a read, once there is no runner that could finish anything after it.

    A pod that does not end in the time for the rescue, of a node that is lost, keeps nobody.
    """
    left = await _end_instances(ctx, view)
    if left and kept < seconds_of(view):
        message = f"what is finished is safe; these pods have to end: {_some(left)}"
        return view, Step(message, again=_PODS_AGAIN)
    await _list_tasks(ctx, view)
    view = look_again(ctx.cache, view, ctx.now())
    step = next_step(view, train, kept)
    if left and step.told == saved.told:
        unseen = f"{step.message}; what {_some(left)} finished since is not known"
        return view, replace(step, message=unseen, warning=True)
    return view, step


async def _end_instances(ctx: Context, view: View) -> list[str]:
    """Delete the pods of the instances; the names of those that are there, by a read."""
    labels = f"{LABEL_SWARM}={view.name}"
    pods, _ = await ctx.client.list(PODS, view.namespace, labels=labels)
    # One whose instance is gone is taken by the garbage collector, and may work until then.
    left = [pod for pod in pods if all_of_kind(pod, INSTANCES.kind)]
    for pod in left:
        leaving = pod["metadata"].get("deletionTimestamp")
        ours = any(is_owned(pod, one) for one in view.instances)
        if ours and not leaving:
            await ctx.delete(PODS, pod)
    return [pod["metadata"]["name"] for pod in left]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


async def _list_tasks(ctx: Context, view: View) -> None:
    fields = f"spec.swarm={view.name}"
    tasks, _ = await ctx.client.list(TASKS, view.namespace, fields=fields)
    for task in tasks:
        ctx.remember(TASKS, task)


async def _end(ctx: Context, step: Step) -> None:
    """End the Jobs that keep the volume; killed anywhere, the next one finds what they did."""
    if not step.hang:
        return
    for job in step.hang:
        with suppress(errors.Conflict):
            await ctx.delete(JOBS, job)


async def _started(
    ctx: Context, view: View, train: Train, step: Step, kept: float
) -> Step:
    """Make the next Job; what comes of it where it is refused."""
    left = seconds_of(view) - int(kept)
    try:
        taken = await _made(ctx, view, train.batch + 1, max(left, LAST_SECONDS))
    except (errors.Forbidden, errors.Invalid) as error:
        if _TERMINATING in error.message:
            # It takes nothing new, and waits for this swarm.
            message = f"no Job can be made any more: {error.message}"
            return Step(message, go=True, told="RescueGivenUp", warning=True)
        if left <= 0:
            return given_up(view, f"the Job is refused: {error.message}")
        # A quota, a policy, a server that has just started: what it refuses now it may
        # take later, and what goes with the volume never comes back.
        return Step(f"{step.message}; the Job is refused: {error.message}")
    if taken:
        message = f"somebody else's, and passed over: Job {', '.join(taken)}"
        await _tell(ctx, view.swarm, Step(message, told=NAME_TAKEN, warning=True))
        return replace(step, message=f"{message}; {step.message}")
    return step


async def _made(ctx: Context, view: View, number: int, seconds: int) -> list[str]:
    """Make the Job of the first number from this on that is free; the names that are not."""
    taken: list[str] = []
    while len(taken) < _MOST_TAKEN:
        body = next_job(view, number + len(taken), ctx.settings)
        notes = body["metadata"].setdefault("annotations", {})
        notes[ANNOTATION_FINISHED_WORK] = finished_work(view)
        body["spec"]["activeDeadlineSeconds"] = seconds
        if await made_or_passed(ctx, JOBS, view.namespace, body):
            break
        taken.append(body["metadata"]["name"])
    return taken


async def _set(ctx: Context, swarm: KiroSwarm, *, there: bool) -> KiroSwarm:
    metadata = swarm["metadata"]
    others = [f for f in metadata.get("finalizers") or [] if f != FINALIZER_RESCUE]
    wanted = [*others, FINALIZER_RESCUE] if there else others
    patch = {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "finalizers": wanted,
        }
    }
    made = await ctx.client.patch(
        SWARMS, metadata["namespace"], metadata["name"], patch
    )
    if not metadata.get("deletionTimestamp"):
        ctx.remember(SWARMS, made)
    return made
