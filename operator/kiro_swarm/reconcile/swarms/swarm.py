"""KiroSwarm: one reconcile of everything a swarm is made of.

The order is the order of a swarm's life: foundations, instances, preparation, tasks, merge
train, and the status last. Each part is level-triggered on its own; this module only puts
them in a row and decides when to look again. What the API server refuses, or does not answer,
ends one step (``engine/steps``) and none of the others: the status is written in any case.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    SWARMS,
)
from kiro_swarm.policy import naming
from kiro_swarm.policy.annotations import refused
from kiro_swarm.policy.conditions import find, is_true
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.resizes import Resize
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.instances.decision import POD_KEPT, WAITS
from kiro_swarm.reconcile.instances.rollout import rollout
from kiro_swarm.reconcile.settings import scheme_refusal
from kiro_swarm.reconcile.snapshot.board import filling
from kiro_swarm.reconcile.snapshot.measured import PAUSE_PER_TASK
from kiro_swarm.reconcile.snapshot.view import View, look, look_again
from kiro_swarm.reconcile.swarms import (
    integrate,
    members,
    prepare,
    rescue,
    volume,
)
from kiro_swarm.reconcile.swarms.begun import has_begun
from kiro_swarm.reconcile.swarms.expiry import expire
from kiro_swarm.reconcile.swarms.foundations import lay
from kiro_swarm.reconcile.swarms.hindered import hindered_by
from kiro_swarm.reconcile.swarms.left import fetch_what_jobs_left
from kiro_swarm.reconcile.swarms.moves import move_tasks
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import differs, swarm_status, was_prepared
from kiro_swarm.reconcile.tasks import lateness, transitions
from kiro_swarm.reconcile.tasks.outlook import looking_ahead
from kiro_swarm.reconcile.tasks.promised import with_promised

log = logging.getLogger(__name__)


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one swarm a step nearer to what is wanted; what is refused is told on it."""
    swarm = ctx.cache.get(SWARMS, key.namespace, key.name)
    if swarm is None:
        ctx.queue.forget(key)
        return
    steps = Steps(
        ctx.step_memory,
        swarm["metadata"]["uid"],
        swarm["metadata"].get("generation", 0),
        lambda: ctx.queue.add(key),
    )
    if swarm["metadata"].get("deletionTimestamp"):
        await rescue.reconcile(ctx, key, swarm, steps)
    else:
        await _reconcile(ctx, key, swarm, steps)
    again = steps.close()
    if again < float("inf"):
        ctx.queue.add_after(key, again)
    for error in steps.ours():
        # Whoever keeps the operator's rights is to hear of it from its health.
        raise error


async def _reconcile(ctx: Context, key: Key, swarm: KiroSwarm, steps: Steps) -> None:
    spec = spec_of(swarm)
    if spec is None:
        await _refuse(
            ctx, swarm, steps, "the spec is of another version of this operator"
        )
        return
    # Before anything is refused: what a swarm that was at work has is worth as much then.
    guard = partial(rescue.keep_until_rescued, ctx, swarm, spec)
    what = f"set the finalizers of KiroSwarm {key.name}"
    swarm = await steps.take(what, guard, swarm, weight="vital")
    await in_turns(filling(ctx.cache, swarm))
    view = look(ctx.cache, swarm, spec, ctx.now())
    refusal = scheme_refusal(ctx.settings, spec.repository.url)
    if refusal:
        await _refuse(ctx, swarm, steps, refusal)
        return
    overrides, allowed = spec.template.pod_overrides, ctx.settings.pod_annotations
    harmful = [f"annotations: {key}" for key in refused(overrides.annotations, allowed)]
    harmful += [
        f"labels: {key}" for key in refused(overrides.labels, allowed, labels=True)
    ]
    # One that is at work goes on: its pods are made without them.
    if harmful and not has_begun(view):
        await _refuse(
            ctx,
            swarm,
            steps,
            f"spec.template.podOverrides.{', '.join(harmful[:5])} may not be "
            "given to pods here; the operator's setting podAnnotations decides",
            "AnnotationNotAllowed",
        )
        return
    taken = await lay(ctx, view, steps)
    # One that is at work has had its ground: whatever cannot be looked at again now.
    if (taken or steps.hindered()) and not has_begun(view):
        await _wait_for_ground(ctx, key, view, steps, taken)
        return
    await members.reconcile(ctx, view, steps)
    view = look_again(ctx.cache, view, ctx.now())
    known = await fetch_what_jobs_left(ctx, view, steps)
    view = look_again(ctx.cache, view, ctx.now())
    if was_prepared(view.status):
        prepared = prepare.afterwards(view)
    else:
        prepared = await prepare.reconcile(ctx, view, steps)
    # Tasks that were made a moment ago are in the cache, not in this view.
    view = look_again(ctx.cache, view, ctx.now())
    # Those that are there need not wait for one that cannot be made; but all of them for
    # the ledger, which knows what is merged.
    stuck = prepared.done is False or steps.hindered()
    if known and (prepared.done or (view.tasks and stuck)):
        began = view.now
        await in_turns(view.measuring())
        view = look_again(ctx.cache, view, ctx.now())
        view.learned(began)
        view = await move_tasks(ctx, view, steps)
    train = await integrate.reconcile(ctx, view, steps)
    grow = partial(volume.grow, ctx, view)
    what = f"look at claim {naming.claim_name(view.name)}"
    resize = await steps.take(what, grow, ctx.volumes.get(view.uid))
    again = await _write_status(ctx, view, steps, prepared, train, resize, known=known)
    _wake_instances(ctx, view)
    for waiting in ctx.backlog.not_blocking(key.namespace, key.name):
        ctx.queue.add(ctx.key(COMMANDS, key.namespace, waiting))
    if again is not None:
        ctx.queue.add_after(key, again)


async def _wait_for_ground(
    ctx: Context, key: Key, view: View, steps: Steps, taken: list[str]
) -> None:
    """Make nothing on a ground that is about to go, or not there; say what is waited for."""
    attempt = int((view.status.get("prepare") or {}).get("attempt") or 0)
    message = "waiting for what it stands on"
    if taken:
        message = f"waiting until these are gone: {', '.join(taken)}"
        ctx.queue.add_after(key, 1.0)
    prepared = Prepared(None, "Preparing", message, attempt)
    await _write_status(ctx, view, steps, prepared, integrate.observe(view))


async def _write_status(
    ctx: Context,
    view: View,
    steps: Steps,
    prepared: Prepared,
    train: integrate.Train,
    resize: Optional[Resize] = None,
    *,
    known: bool = True,
) -> Optional[float]:
    """Write the status if it says something new; returns when to look again.

    :param known: whether all that Jobs left is known: else nothing is over yet.
    """
    waits = [
        transitions.next_ready_or_lost(view, transitions.silence_of(ctx, view)),
        lateness.next_late(view),
        _until(view, prepared.retry_at),
        _until(view, train.retry_at),
        _until(view, train.tidy_at),
        volume.wait(ctx, resize),
    ]
    rest = _rest(ctx, view)
    if rest > 0 and prepared.done is not None:
        waits.append(rest)
    else:
        status = await _status(ctx, view, steps, prepared, train, resize)
        if differs(view.status, status):
            if view.tasks:
                status["forecast"] = await in_turns(looking_ahead(view))
            await _put(ctx, view, steps, status)
        if known:
            waits.append(await expire(ctx, view, steps, train, status))
    given = [wait for wait in waits if wait is not None]
    return min(given) if given else None


async def _put(ctx: Context, view: View, steps: Steps, status: KiroSwarmStatus) -> None:
    """Tell what is new of a status, and write it."""
    await _emit_events(ctx, view, steps, status)
    what = f"write the status of KiroSwarm {view.name}"

    async def write() -> None:
        await ctx.patch_status(SWARMS, view.swarm, status)
        ctx.written[view.uid] = ctx.monotonic()

    await steps.take(what, write, None)


def _rest(ctx: Context, view: View) -> float:
    """Seconds until the status may be written again.

    Before that it is not even made: to count all tasks takes time in a large swarm.
    """
    last = ctx.written.get(view.uid)
    if last is None:
        return 0.0
    large = len(view.tasks) * PAUSE_PER_TASK
    pause = max(ctx.settings.status_interval_seconds, large)
    return last + pause - ctx.monotonic()


async def _status(
    ctx: Context,
    view: View,
    steps: Steps,
    prepared: Prepared,
    train: integrate.Train,
    resize: Optional[Resize],
) -> KiroSwarmStatus:
    """The status, with where the audit log ends if there are commands, and what is refused."""
    commands = ctx.cache.of_swarm(COMMANDS, view.namespace, view.name)
    if commands:
        await steps.take(
            "read its audit log", partial(ctx.audit.open, view.swarm), None
        )
    hindered = await hindered_by(ctx, view, steps)
    seen = with_promised(ctx, view)
    status = swarm_status(seen, prepared, train, resize, hindered)
    anchor = ctx.audit.anchor(view.swarm)
    if commands and anchor is not None:
        status["audit"] = anchor
    return status


def _until(view: View, when: Optional[datetime]) -> Optional[float]:
    return None if when is None else max(0.1, (when - view.now).total_seconds())


async def _emit_events(
    ctx: Context, view: View, steps: Steps, status: KiroSwarmStatus
) -> None:
    """An Event when it stalls, asks a person or is complete: news people look for.

    And when it is prepared, where there are remarks on the task file or the tags.

    Called before the status is written that says so: afterwards it is no news any more, and
    whoever dies in between would never tell it.
    """
    for kind, warning in (
        ("Stalled", True),
        ("ApprovalNeeded", False),
        ("Complete", False),
        *([("Prepared", False)] if status["prepare"]["diagnostics"] else []),
    ):
        now = find(status["conditions"], kind)
        before = is_true(view.status.get("conditions") or [], kind)
        if now is not None and now["status"] == "True" and not before:
            post = partial(
                emit,
                ctx.client,
                SWARMS,
                view.swarm,
                reason=now["reason"],
                message=now["message"],
                now=view.now,
                warning=warning,
            )
            await steps.take(f"post an Event {kind}", post, None, weight="quiet")


def _wake_instances(ctx: Context, view: View) -> None:
    """Queue the instances whose status no longer says what they work on."""
    held = [
        item
        for item in view.instances
        if (status_of(item).get("message") or "").startswith((WAITS, POD_KEPT))
    ]
    for instance in held if held and _rolls_on(view) else ():
        ctx.queue.add(ctx.key(INSTANCES, view.namespace, instance["metadata"]["name"]))
    for instance in view.instances:
        name = instance["metadata"]["name"]
        task = view.active.get(name)
        said = status_of(instance).get("task") or ""
        if view.spec_changed or said != (task["spec"]["id"] if task else ""):
            ctx.queue.add(ctx.key(INSTANCES, view.namespace, name))


def _rolls_on(view: View) -> bool:
    """Whether a pod of an older template that waited may go now."""
    busy, wanted = view.active, view.spec.instances
    state = rollout(view.instances, view.pods, view.template, wanted, busy, POD_KEPT)
    return state.proven or state.slots > 0


async def _refuse(
    ctx: Context,
    swarm: KiroSwarm,
    steps: Steps,
    message: str,
    reason: str = "RepositoryNotAllowed",
) -> None:
    """Say why nothing is done for a swarm. Nothing is created, nothing is lost."""
    spec = spec_of(swarm)
    # Of a swarm that was prepared the number of its last Job is not used twice.
    attempt = int((status_of(swarm).get("prepare") or {}).get("attempt") or 0)
    prepared = Prepared(False, reason, message, attempt)
    if spec is None:
        post = partial(
            emit,
            ctx.client,
            SWARMS,
            swarm,
            reason="InvalidSpec",
            message=message,
            now=ctx.now(),
            warning=True,
        )
        await steps.take("post an Event InvalidSpec", post, None, weight="quiet")
        return
    view = look(ctx.cache, swarm, spec, ctx.now())
    hindered = await hindered_by(ctx, view, steps)
    status = swarm_status(view, prepared, integrate.observe(view), None, hindered)
    if differs(view.status, status):
        await _put(ctx, view, steps, status)
