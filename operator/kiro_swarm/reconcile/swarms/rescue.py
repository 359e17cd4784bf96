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
from dataclasses import dataclass, replace
from hashlib import sha256

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import (
    ANNOTATION_DELETE_ANYWAY,
    ANNOTATION_FINISHED_WORK,
    COMPONENT_INSPECT,
    DONE,
    FINALIZER_RESCUE,
    LABEL_SWARM,
)
from kiro_swarm.api.readable import readable
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus, RescueStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import INSTANCES, JOBS, PODS, SWARMS, TASKS
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.policy.conditions import condition, find
from kiro_swarm.policy.ownership import all_of_kind
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.settings import scheme_refusal
from kiro_swarm.reconcile.snapshot.view import (
    View,
    component_of,
    job_outcome,
    look,
    look_again,
)
from kiro_swarm.reconcile.swarms.begun import has_begun
from kiro_swarm.reconcile.swarms.integrate import Train, next_job, observe
from kiro_swarm.reconcile.swarms.kept import kept_seconds, said

_OVERRIDE = f"annotation {ANNOTATION_DELETE_ANYWAY} lets it go at once"
#: The garbage collector's own: what the swarm owns is deleted before it is.
_FOREGROUND = "foregroundDeletion"
_RESCUE_SECONDS = 3600
_LOOK_AGAIN = 5.0
_PODS_AGAIN = 1.0
#: A Job that is made when the time is almost over has so long, and then so long to end.
_LAST_SECONDS = 300
_SLACK_SECONDS = 60
_MOST_NAMED = 5
_ON_DELETE = "spec.integration.onDelete"
#: Reason of a Job that ended because its swarm is being deleted.
_SWARM_DELETED = "SwarmDeleted"
#: What is looked at in the place of a spec without a repository. No Job is made of it.
_STAND_IN = KiroSwarmSpec.model_validate(
    {
        "repository": {"url": "https://unread.invalid/"},
        "tasks": {"inline": "-"},
        "template": {"agent": {"command": ["-"]}},
        "integration": {"onDelete": "Rescue"},
    }
)


@dataclass(frozen=True)
class Step:
    """What is to be done for a swarm on its way out.

    ``go``: nothing is waited for any more; ``start``: a Job is to be made; ``hang``: Jobs that
    are to be ended. ``told``: reason of the Event that goes along.
    ``again``: when to look again, in seconds.
    """

    message: str
    go: bool = False
    start: bool = False
    told: str = ""
    warning: bool = False
    again: float = _LOOK_AGAIN
    hang: tuple[Job, ...] = ()


def next_step(view: View, train: Train, kept: float, hindered: str = "") -> Step:
    """What comes next. Pure.

    :param kept: for how many seconds it has been kept, see ``kept.py``.
    :param hindered: why no Job can save anything until a person acts; empty where one can.
    """
    metadata, wanted = view.swarm["metadata"], view.spec.integration
    if wanted.on_delete != "Rescue":
        return Step("a rescue is not asked for any more", go=True)
    if not has_begun(view):
        message = "nothing is to be rescued: it was never prepared"
        return Step(message, go=True, told="NothingToRescue")
    if ANNOTATION_DELETE_ANYWAY in (metadata.get("annotations") or {}):
        message = "let go by a person, with whatever is nowhere else"
        return Step(message, go=True, told="RescueSkipped", warning=True)
    report = train.report
    saved = not train.running and report is not None and "rescued" in report
    if saved and _knew_all(view):
        return Step(train.message, go=True, told="Rescued")
    if _FOREGROUND in (metadata.get("finalizers") or []):
        # The volume goes before the swarm does: no pod can use it any more.
        message = f"deleted in the foreground, the volume goes first: {_gone(view)}"
        return Step(message, go=True, told="RescueGivenUp", warning=True)
    seconds = seconds_of(view)
    if hindered:
        if kept >= seconds:
            return _given_up(view, hindered)
        return Step(
            f"work that is nowhere else cannot be rescued: {hindered}. It waits for that to"
            f" be mended, {seconds} s in all; {_OVERRIDE}"
        )
    running = [j for j in view.jobs if job_outcome(j) is None and _may_write(j)]
    if kept >= seconds / 2:
        # What was ended keeps the volume no longer than its last pod.
        running = [j for j in running if not j["metadata"].get("deletionTimestamp")]
    if running:
        return _behind(view, running, kept)
    over = kept >= seconds
    if over and (_knew_all(view) or kept >= seconds + _LAST_SECONDS):
        return _given_up(view, train.message)
    why = "" if train.ok else f": {train.message}"
    message = f"work that is nowhere else is not rescued yet{why}; {_OVERRIDE}"
    # A merge that ended for the deletion has not failed.
    failed = train.retry_at is not None and train.reason != _SWARM_DELETED
    waits = failed and train.retry_at is not None and view.now < train.retry_at
    return Step(message, start=over or not waits)


def _behind(view: View, running: list[Job], kept: float) -> Step:
    """What is to be done while Jobs run that may write.

    One that rescues ends by its own deadline; only where nobody keeps that is it not waited
    for. Others were told to end when the deletion began.
    """
    seconds = seconds_of(view)
    names = ", ".join(job["metadata"]["name"] for job in running[:_MOST_NAMED])
    if kept >= seconds + _LAST_SECONDS + _SLACK_SECONDS:
        return _given_up(view, f"{names} does not end")
    hang = tuple(job for job in running if not _rescues(job))
    if hang and kept >= seconds / 2:
        message = f"{names} does not end by itself and is deleted: it keeps the volume"
        return Step(f"{message}; {_OVERRIDE}", hang=hang)
    return Step(f"{names} has to end; then what is nowhere else is pushed")


def _given_up(view: View, why: str) -> Step:
    message = f"after {seconds_of(view)} s {_gone(view)}: {why or '-'}"
    return Step(message, go=True, told="RescueGivenUp", warning=True)


def seconds_of(view: View) -> int:
    """For how long it is kept at most, but for a Job that is under way then."""
    return view.spec.integration.rescue_seconds or _RESCUE_SECONDS


def finished_work(view: View) -> str:
    """A hash of what is Done now: by it a Job is told from one that could not know of all."""
    attempts = sorted(
        f"{task['metadata'].get('uid')}/{attempt_of(status_of(task))}"
        for task in view.task_index.by_state[DONE]
    )
    return sha256(" ".join(attempts).encode()).hexdigest()[:32]


def _knew_all(view: View) -> bool:
    """Whether the last Job was made when all was Done that is: runners go on until the end."""
    jobs = view.integrate_jobs
    return bool(jobs) and _rescues(jobs[0]) == finished_work(view)


def _rescues(job: Job) -> str:
    """The hash of what a Job that rescues was made for; empty of every other Job."""
    notes = job["metadata"].get("annotations") or {}
    return str(notes.get(ANNOTATION_FINISHED_WORK) or "")


def _gone(view: View) -> str:
    """What is lost; first, for what a server said may be long."""
    head = (view.status.get("integration") or {}).get("head") or ""
    last = f" (the last commit of the branch was {head[:12]})" if head else ""
    return f"not rescued, and gone with the volume is what was nowhere else{last}"


def _may_write(job: Job) -> bool:
    """Whether a Job may change the volume: who only looks at it is in nobody's way."""
    return component_of(job) != COMPONENT_INSPECT


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
    train, kept = observe(view), kept_seconds(ctx, swarm)
    step = next_step(view, train, kept, hindered)
    if step.told == "Rescued":
        view, step = await _last_look(ctx, view, train, kept, step)
    await _end(ctx, step)
    if step.start:
        step = await _started(ctx, view, train, step, kept)
    if unread and spec is not _STAND_IN:
        known = f"{_unread(unread)}; what is known of it is used"
        step = replace(step, message=f"{step.message}; {known}")
    counted = said(kept, seconds_of(view))
    await _take(ctx, key, swarm, step, stalled_for, counted)


def _unread(fields: list[str]) -> str:
    return f"{', '.join(fields[:_MOST_NAMED])} cannot be read by this release"


def _step_unread(unread: list[str], nothing: bool) -> Step:
    """The Event that says what of a spec could not be read."""
    rest = (
        f"nothing can be rescued until it is mended; {_OVERRIDE}"
        if nothing
        else f"its work is rescued by what is known; {_OVERRIDE}"
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
    if step.go:
        await _set(ctx, swarm, there=False)
        return
    status = status_of(swarm)
    told: KiroSwarmStatus = {**status}
    told["phase"], told["message"] = "Deleting", step.message[:1024]
    told["rescue"] = counted
    if stalled_for:
        before = status.get("conditions") or []
        stalled = condition(
            *(before, "Stalled", True, stalled_for, step.message),
            generation=swarm["metadata"].get("generation", 0),
            now=ctx.now(),
        )
        others = [item for item in before if item["type"] != "Stalled"]
        told["conditions"] = [*others, stalled]
    if told != status:
        await ctx.patch_status(SWARMS, swarm, told)
    ctx.queue.add_after(key, step.again)


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
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


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
    body = next_job(view, train.batch + 1, ctx.settings)
    notes = body["metadata"].setdefault("annotations", {})
    notes[ANNOTATION_FINISHED_WORK] = finished_work(view)
    left = seconds_of(view) - int(kept)
    body["spec"]["activeDeadlineSeconds"] = max(left, _LAST_SECONDS)
    try:
        await ctx.create(JOBS, view.namespace, body)
    except (errors.Forbidden, errors.Invalid) as error:
        if _TERMINATING in error.message:
            # It takes nothing new, and waits for this swarm.
            message = f"no Job can be made any more: {error.message}"
            return Step(message, go=True, told="RescueGivenUp", warning=True)
        if left <= 0:
            return _given_up(view, f"the Job is refused: {error.message}")
        # A quota, a policy, a server that has just started: what it refuses now it may
        # take later, and what goes with the volume never comes back.
        return Step(f"{step.message}; the Job is refused: {error.message}")
    return step


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
