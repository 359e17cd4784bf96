"""A KiroSwarm that is deleted and has asked for its work to be rescued first.

Only with ``spec.integration.onDelete: Rescue`` there is a finalizer. Guarantees: it is there
before any work is; it goes when a Job has pushed what was nowhere else, when a person says so by
an annotation, when the time for it is over, and when there is nothing to be rescued or no way
to do it. Time is what an operator was there for (``kept``); it is not over before a Job that knew
of all work has been tried and has ended, and never under one that can still end. So nobody
waits for ever, and what was not rescued is told by an Event. A request that is refused, or not
answered, is told as well, and is in the way of nothing but what needs it. A spec that
this release cannot read is used as far as it can be; what cannot be read is told.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
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
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import condition, find
from kiro_swarm.policy.growth import REFUSED
from kiro_swarm.policy.ownership import all_of_kind
from kiro_swarm.reconcile.engine.context import Context, Key, side_by_side
from kiro_swarm.reconcile.engine.owned import made_or_passed
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.instances.instance import CHANGE_REFUSED
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.settings import scheme_refusal
from kiro_swarm.reconcile.snapshot.view import (
    View,
    look,
    look_again,
)
from kiro_swarm.reconcile.swarms import volume
from kiro_swarm.reconcile.swarms.hindered import (
    NAME_TAKEN,
    NOTHING_REFUSED,
    hindered_by,
)
from kiro_swarm.reconcile.swarms.integrate import Train, next_job, observe, paced
from kiro_swarm.reconcile.swarms.kept import kept_seconds, said
from kiro_swarm.reconcile.swarms.last_steps import (
    BY_HAND,
    LAST_SECONDS,
    MOST_NAMED,
    Step,
    finished_work,
    given_up,
    next_step,
    seconds_of,
)

_PODS_AGAIN = 1.0
#: Steps of which the message of the swarm tells by itself.
_LET_GO = "take its finalizer away"
_MAKE = "make the Job that rescues"
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


async def reconcile(ctx: Context, key: Key, swarm: KiroSwarm, steps: Steps) -> None:
    """Bring a swarm that is being deleted a step nearer to its end."""
    if FINALIZER_RESCUE not in (swarm["metadata"].get("finalizers") or []):
        return  # what it owns goes with it: garbage collection
    spec, unread = readable(swarm)
    stalled = find(status_of(swarm).get("conditions") or [], "Stalled")
    if unread and (stalled is None or stalled["reason"] != "InvalidSpec"):
        await _tell(ctx, swarm, steps, _step_unread(unread, spec is None))
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
        view, step = await _last_look(ctx, view, steps, train, kept, step)
    await _end(ctx, steps, step)
    if not step.go and not hindered:
        grow = partial(volume.grow, ctx, view)
        what = f"look at claim {naming.claim_name(view.name)}"
        resize = await steps.take(what, grow, ctx.volumes.get(view.uid))
        if resize is not None and resize.reason == REFUSED:
            step = replace(step, message=f"{step.message}; {resize.message}")
    if step.start:
        step = await _started(ctx, view, steps, train, step, kept)
    if unread and spec is not _STAND_IN:
        known = f"{_unread(unread)}; what is known of it is used"
        step = replace(step, message=f"{step.message}; {known}")
    counted = said(kept, seconds_of(view))
    await _take(ctx, key, view, steps, step, stalled_for, counted)


def _unread(fields: list[str]) -> str:
    return f"{', '.join(fields[:MOST_NAMED])} cannot be read by this release"


def _step_unread(unread: list[str], nothing: bool) -> Step:
    """The Event that says what of a spec could not be read."""
    rest = (
        f"nothing can be rescued until it is mended; {BY_HAND}"
        if nothing
        else f"its work is rescued by what is known; {BY_HAND}"
    )
    return Step(f"{_unread(unread)}: {rest}", told="InvalidSpec", warning=True)


async def _tell(ctx: Context, swarm: KiroSwarm, steps: Steps, step: Step) -> None:
    post = partial(
        emit,
        *(ctx.client, SWARMS, swarm),
        reason=step.told,
        message=step.message,
        now=ctx.now(),
        warning=step.warning,
    )
    what = f"post an Event {step.told}: {step.message}"
    await steps.take(what, post, None, weight="quiet")


async def _take(
    ctx: Context,
    key: Key,
    view: View,
    steps: Steps,
    step: Step,
    stalled_for: str,
    counted: RescueStatus,
) -> None:
    """Tell of a step, and let the swarm go if that is what it says.

    :param stalled_for: reason for which it waits for a person; empty where it does not.
    :param counted: what the next process is to know of the time that it was kept.
    """
    swarm = view.swarm
    if step.told:
        await _tell(ctx, swarm, steps, step)
    if step.go:
        let_go = partial(_let_go, ctx, swarm, step)
        if await steps.take(_LET_GO, let_go, False, weight="quiet"):
            return
        error = steps.error(_LET_GO)
        if error is None or isinstance(error, (errors.Conflict, errors.NotFound)):
            # It is read again. A word about it would be the next change that comes between.
            ctx.queue.add_after(key, _PODS_AGAIN)
            return
        said = error.message
        if isinstance(error, (errors.Forbidden, errors.Invalid)):
            stalled_for = CHANGE_REFUSED
            why = f"its finalizer may not be taken away: {said}"
            step = Step(
                f"{why}; {step.message}",
                told=stalled_for,
                warning=True,
                again=_PODS_AGAIN,
            )
            await _tell(ctx, swarm, steps, step)
        else:
            why = f"its finalizer cannot be taken away now: {said}"
            step = Step(f"{why}; {step.message}", again=_PODS_AGAIN)
    hindered = await _hindered(ctx, view, steps)
    if hindered is not None and hindered[1] and hindered[3] not in step.message:
        step = replace(step, message=f"{step.message}; {hindered[3]}")
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
            *([hindered] if hindered is not None else []),
            *volume.told(ctx, swarm),
        )
    ]
    if now:
        types = {item["type"] for item in now}
        told["conditions"] = [i for i in before if i["type"] not in types] + now
    if told != status:
        write = partial(ctx.patch_status, SWARMS, swarm, told)
        what = f"write the status of KiroSwarm {key.name}"
        await steps.take(what, write, None)
    ctx.queue.add_after(key, step.again)


async def _let_go(ctx: Context, swarm: KiroSwarm, step: Step) -> bool:
    if step.go:
        await _set(ctx, swarm, there=False)
    return step.go


async def _hindered(
    ctx: Context, view: View, steps: Steps
) -> Optional[tuple[str, bool, str, str]]:
    """Type, status, reason and message of what is refused or not answered, or keeps the pod of
    its Job from running; each is an Event when it is new. None: nothing is, and nothing was.
    """
    now = await hindered_by(ctx, view, steps)
    before = find(status_of(view.swarm).get("conditions") or [], "Hindered")
    if now is None:
        over = before is not None and before["status"] == "True"
        said = "nothing is refused"
        return ("Hindered", False, NOTHING_REFUSED, said) if over else None
    return "Hindered", True, now.reason, now.message


async def _last_look(
    ctx: Context, view: View, steps: Steps, train: Train, kept: float, saved: Step
) -> tuple[View, Step]:
    """What comes next by a read, once there is no runner that could finish anything after it.

    A pod that does not end in the time for the rescue keeps nobody, be it of a node that is lost
    or one whose end is refused; nor does a read that is refused. It is said what is not known.
    """
    left = await _end_instances(ctx, view, steps)
    over = kept >= seconds_of(view)
    if left and not over:
        message = f"what is finished is safe; these pods have to end: {_some(left)}"
        return view, Step(message, again=_PODS_AGAIN)
    ask = partial(_list_tasks, ctx, view)
    known = left is not None and await steps.take("list its KiroTasks", ask, False)
    if not known and not over:
        message = (
            "what is finished is safe; whether more was finished since is not known"
        )
        return view, Step(message, again=_PODS_AGAIN)
    view = look_again(ctx.cache, view, ctx.now())
    step = next_step(view, train, kept)
    if (left or not known) and step.told == saved.told:
        who = _some(left) if left else "its instances"
        unseen = f"{step.message}; what {who} finished since is not known"
        return view, replace(step, message=unseen, warning=True)
    return view, step


async def _end_instances(ctx: Context, view: View, steps: Steps) -> Optional[list[str]]:
    """Delete the pods of the instances; the names of those that are there, by a read.

    None: they cannot be read now.
    """
    labels = f"{LABEL_SWARM}={view.name}"
    ask = partial(ctx.client.list, PODS, view.namespace, labels=labels)
    listed = await steps.take("list the Pods of its instances", ask, None)
    if listed is None:
        return None
    # One whose instance is gone is taken by the garbage collector, and may work until then.
    left = [pod for pod in listed[0] if all_of_kind(pod, INSTANCES.kind)]
    ends = []
    for pod in left:
        leaving = pod["metadata"].get("deletionTimestamp")
        ours = any(is_owned(pod, one) for one in view.instances)
        if ours and not leaving:
            what = f"delete Pod {pod['metadata']['name']}"
            end = partial(ctx.delete, PODS, pod)
            ends.append(partial(steps.take, what, end, None))
    await side_by_side(ends)
    return [pod["metadata"]["name"] for pod in left]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


async def _list_tasks(ctx: Context, view: View) -> bool:
    fields = f"spec.swarm={view.name}"
    tasks, _ = await ctx.client.list(TASKS, view.namespace, fields=fields)
    for task in tasks:
        ctx.remember(TASKS, task)
    return True


async def _end(ctx: Context, steps: Steps, step: Step) -> None:
    """End the Jobs that keep the volume; killed anywhere, the next one finds what they did."""
    if not step.hang:
        return
    for job in step.hang:
        end = partial(ctx.delete, JOBS, job)
        await steps.take(f"delete Job {job['metadata']['name']}", end, None)


async def _started(
    ctx: Context, view: View, steps: Steps, train: Train, step: Step, kept: float
) -> Step:
    """Make the next Job; what comes of it where it is refused."""
    left = seconds_of(view) - int(kept)
    make = partial(_made, ctx, view, train.batch + 1, max(left, LAST_SECONDS))
    taken = await steps.take(_MAKE, make, None, weight="quiet")
    error = steps.error(_MAKE)
    if taken is None and error is not None:
        if _TERMINATING in error.message:
            # It takes nothing new, and waits for this swarm.
            message = f"no Job can be made any more: {error.message}"
            return Step(message, go=True, told="RescueGivenUp", warning=True)
        refused = isinstance(error, (errors.Forbidden, errors.Invalid))
        if left <= 0 and refused:
            return given_up(view, f"the Job is refused: {error.message}")
        # A quota, a policy, a server that has just started: what it refuses now it may
        # take later, and what goes with the volume never comes back.
        verb = "is refused" if refused else "cannot be made now"
        return Step(f"{step.message}; the Job {verb}: {error.message}")
    if taken:
        message = f"somebody else's, and passed over: Job {', '.join(taken)}"
        news = Step(message, told=NAME_TAKEN, warning=True)
        await _tell(ctx, view.swarm, steps, news)
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
