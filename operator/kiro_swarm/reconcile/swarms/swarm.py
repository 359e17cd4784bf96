"""KiroSwarm: one reconcile of everything a swarm is made of.

The order is the order of a swarm's life: foundations, instances, preparation, tasks, merge
train, and the status last. Each part is level-triggered on its own; this module only puts
them in a row and decides when to look again.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    PODS,
    SWARMS,
)
from kiro_swarm.policy.annotations import refused
from kiro_swarm.policy.conditions import find, is_true
from kiro_swarm.policy.growth import Resize
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.reconcile.settings import scheme_refusal
from kiro_swarm.reconcile.snapshot.board import filling
from kiro_swarm.reconcile.snapshot.measured import PAUSE_PER_TASK
from kiro_swarm.reconcile.snapshot.view import View, look, look_again
from kiro_swarm.reconcile.swarms import (
    integrate,
    members,
    prepare,
    refusals,
    rescue,
    volume,
)
from kiro_swarm.reconcile.swarms.begun import has_begun
from kiro_swarm.reconcile.swarms.expiry import expire
from kiro_swarm.reconcile.swarms.foundations import lay
from kiro_swarm.reconcile.swarms.left import fetch_what_jobs_left
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.status import differs, swarm_status, was_prepared
from kiro_swarm.reconcile.tasks import hand_out, lateness, slow, transitions
from kiro_swarm.reconcile.tasks.outlook import looking_ahead

log = logging.getLogger(__name__)


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one swarm a step nearer to what is wanted; what is refused is told on it."""
    try:
        await _reconcile(ctx, key)
    except (errors.Forbidden, errors.Invalid) as error:
        await refusals.tell(ctx, key, error)
        raise
    refusals.got_through(ctx, key)


async def _reconcile(ctx: Context, key: Key) -> None:
    swarm = ctx.cache.get(SWARMS, key.namespace, key.name)
    if swarm is None:
        return
    if swarm["metadata"].get("deletionTimestamp"):
        await rescue.reconcile(ctx, key, swarm)
        return
    spec = spec_of(swarm)
    if spec is None:
        await _refuse(ctx, swarm, "the spec is of another version of this operator")
        return
    # Before anything is refused: what a swarm that was at work has is worth as much then.
    swarm = await rescue.keep_until_rescued(ctx, swarm, spec)
    await in_turns(filling(ctx.cache, swarm))
    view = look(ctx.cache, swarm, spec, ctx.now())
    refusal = scheme_refusal(ctx.settings, spec.repository.url)
    if refusal:
        await _refuse(ctx, swarm, refusal)
        return
    harmful = refused(
        spec.template.pod_overrides.annotations, ctx.settings.pod_annotations
    )
    # One that is at work goes on: its pods are made without them.
    if harmful and not has_begun(view):
        await _refuse(
            ctx,
            swarm,
            f"spec.template.podOverrides.annotations: {', '.join(harmful[:5])} may not be "
            "given to pods here; the operator's setting podAnnotations decides",
            "AnnotationNotAllowed",
        )
        return
    taken = await lay(ctx, view)
    if taken and not has_begun(view):
        await _wait_for_names(ctx, key, view, taken)
        return
    await members.reconcile(ctx, view)
    view = look_again(ctx.cache, view, ctx.now())
    await fetch_what_jobs_left(ctx, view)
    view = look_again(ctx.cache, view, ctx.now())
    if was_prepared(view.status):
        prepared = prepare.afterwards(view)
    else:
        prepared = await prepare.reconcile(ctx, view)
    if prepared.done:
        # Tasks that were made a moment ago are in the cache, not in this view.
        view = look_again(ctx.cache, view, ctx.now())
        await in_turns(view.measuring())
        view = look_again(ctx.cache, view, ctx.now())
        view = await _move_tasks(ctx, view)
    train = await integrate.reconcile(ctx, view)
    resize = await volume.grow(ctx, view)
    again = await _write_status(ctx, view, prepared, train, resize)
    _wake_instances(ctx, view)
    for waiting in ctx.backlog.begun(key.namespace, key.name):
        ctx.queue.add(ctx.key(COMMANDS, key.namespace, waiting))
    if again is not None:
        ctx.queue.add_after(key, again)


async def _wait_for_names(ctx: Context, key: Key, view: View, taken: list[str]) -> None:
    """Make nothing on a ground that is about to go; say what is waited for."""
    attempt = int((view.status.get("prepare") or {}).get("attempt") or 0)
    message = f"waiting until these are gone: {', '.join(taken)}"
    prepared = Prepared(None, "Preparing", message, attempt)
    await _write_status(ctx, view, prepared, integrate.observe(view))
    ctx.queue.add_after(key, 1.0)


async def _move_tasks(ctx: Context, view: View) -> View:
    """States that follow from others, bindings, slow instances; returns the view afterwards."""
    silence = transitions.silence_of(ctx, view)
    claimed = transitions.claimed_by(ctx, view)
    await transitions.refresh_leases(ctx, view, silence)
    for pod in transitions.silent_pods(view, silence):
        # Before its task is taken back: who dies in between finds the pod on its way out.
        await ctx.delete(PODS, pod)
    while True:
        patches = transitions.transitions(view, silence, claimed)
        if not patches:
            break
        written = await transitions.write(ctx, patches)
        view = look_again(ctx.cache, view, ctx.now())
        if not written:
            break
    for decide in (hand_out.bindings, slow.flags, slow.moves):
        decided = decide(view)
        if decided and await transitions.write(ctx, decided):
            view = look_again(ctx.cache, view, ctx.now())
    return view


async def _write_status(
    ctx: Context,
    view: View,
    prepared: Prepared,
    train: integrate.Train,
    resize: Optional[Resize] = None,
) -> Optional[float]:
    """Write the status if it says something new; returns when to look again."""
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
        status = await _status(ctx, view, prepared, train, resize)
        if differs(view.status, status):
            if view.tasks:
                status["forecast"] = await in_turns(looking_ahead(view))
            await _emit_events(ctx, view, status)
            await ctx.patch_status(SWARMS, view.swarm, status)
            ctx.written[view.uid] = ctx.monotonic()
        waits.append(await expire(ctx, view, train, status))
    given = [wait for wait in waits if wait is not None]
    return min(given) if given else None


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
    prepared: Prepared,
    train: integrate.Train,
    resize: Optional[Resize],
) -> KiroSwarmStatus:
    """The status, with where the audit log ends if there are commands."""
    status = swarm_status(view, prepared, train, resize)
    if ctx.cache.of_swarm(COMMANDS, view.namespace, view.name):
        await ctx.audit.open(view.swarm)
        status["audit"] = ctx.audit.anchor(view.swarm)
    return status


def _until(view: View, when: Optional[datetime]) -> Optional[float]:
    return None if when is None else max(0.1, (when - view.now).total_seconds())


async def _emit_events(ctx: Context, view: View, status: KiroSwarmStatus) -> None:
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
            await emit(
                ctx.client,
                SWARMS,
                view.swarm,
                reason=now["reason"],
                message=now["message"],
                now=view.now,
                warning=warning,
            )


def _wake_instances(ctx: Context, view: View) -> None:
    """Queue the instances whose status no longer says what they work on."""
    for instance in view.instances:
        name = instance["metadata"]["name"]
        task = view.active.get(name)
        said = status_of(instance).get("task") or ""
        if view.spec_changed or said != (task["spec"]["id"] if task else ""):
            ctx.queue.add(ctx.key(INSTANCES, view.namespace, name))


async def _refuse(
    ctx: Context, swarm: KiroSwarm, message: str, reason: str = "RepositoryNotAllowed"
) -> None:
    """Say why nothing is done for a swarm. Nothing is created, nothing is lost."""
    spec = spec_of(swarm)
    # Of a swarm that was prepared the number of its last Job is not used twice.
    attempt = int((status_of(swarm).get("prepare") or {}).get("attempt") or 0)
    prepared = Prepared(False, reason, message, attempt)
    if spec is None:
        await emit(
            ctx.client,
            SWARMS,
            swarm,
            reason="InvalidSpec",
            message=message,
            now=ctx.now(),
            warning=True,
        )
        return
    view = look(ctx.cache, swarm, spec, ctx.now())
    status = swarm_status(view, prepared, integrate.observe(view))
    if differs(view.status, status):
        await _emit_events(ctx, view, status)
        await ctx.patch_status(SWARMS, swarm, status)
