"""SwarmCommand: a sentence is understood, carried out once, and answered.

What a sentence does is decided by its executor, a pure function; this module does what was
decided. The life of a command that may change something: it waits for its turn; it begins by
recording what it will change; it does it, waits for the outcome if there is one to wait for,
goes into the audit log, and the answer is its last write. Whoever dies in between finds the
record and finishes the work. A command that only looks is written once: the answer.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any, Mapping, Optional, Sequence

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.policy.times import parse as parse_time
from kiro_swarm.reconcile.commands import answers
from kiro_swarm.reconcile.commands.answering import answer, log_cancelled, unfinished
from kiro_swarm.reconcile.commands.effects import carry_out, changes
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import (
    Executor,
    Outcome,
    Request,
    failed,
)
from kiro_swarm.reconcile.engine.backlog import (
    FINISHED,
    WORKING,
    is_change,
    phase_of,
    unlogged,
)
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.objects.manifests import Object
from kiro_swarm.reconcile.objects.pods import spec_of
from kiro_swarm.reconcile.snapshot.view import View, look

log = logging.getLogger(__name__)
#: A command may arrive before its swarm does: pipelines apply both at once.
_PATIENCE = 10.0
#: Rounds of deciding and doing before others get their turn.
_ROUNDS = 8


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one command to its answer; delete it when its time is up."""
    command = ctx.cache.get(COMMANDS, key.namespace, key.name)
    if command is None or command["metadata"].get("deletionTimestamp"):
        return
    if phase_of(command) in FINISHED:
        await _afterwards(ctx, key, command)
        return
    try:
        action = parse(command["spec"]["command"])
    except SentenceError as error:
        outcome = answers.rejected(error)
        await answer(ctx, command, None, outcome, phase="Rejected")
        return
    executor = EXECUTORS.get(action.command.name)
    if action.unavailable or executor is None:
        missing = action.unavailable or (f"'{action.command.name}' is not available",)
        outcome = failed("; ".join(missing), missing=list(missing))
        await answer(ctx, command, action, outcome, reason="NotAvailable")
        return
    view = _view(ctx, key, command)
    if view is None:
        await _no_swarm(ctx, key, command, action)
        return
    if await _said_before(ctx, key, command, action):
        return
    if is_change(command["spec"], action) and not ctx.backlog.turn(command):
        return  # who is before it wakes it
    await _work(ctx, key, command, view, action, executor)


def _needs_a_job(command: Object, outcome: Outcome) -> bool:
    """Whether a command that only looks has something to do first, or to wait for."""
    busy = bool(outcome.effects) or outcome.success is None
    return busy and not command["spec"].get("dryRun")


def _view(ctx: Context, key: Key, command: Object) -> Optional[View]:
    swarm = ctx.cache.get(SWARMS, key.namespace, command["spec"]["swarm"])
    if swarm is None or swarm["metadata"].get("deletionTimestamp"):
        return None
    spec = spec_of(swarm)
    return None if spec is None else look(ctx.cache, swarm, spec, ctx.now())


async def _work(
    ctx: Context,
    key: Key,
    command: Object,
    view: View,
    action: Action,
    executor: Executor,
) -> None:
    """Decide and do until there is an answer or something to wait for."""
    pinned: Optional[Mapping[str, Any]] = None
    if phase_of(command) == "Running":
        pinned = answers.recorded(command)
    outcome = failed("")
    for _ in range(_ROUNDS):
        request = _request(ctx, command, view, action)
        try:
            if pinned is None:
                pinned = executor.pin(request)
            outcome = executor.decide(replace(request, pinned=pinned))
        except Exception:
            # A defect of ours: whoever waits gets an answer, and the next one a turn.
            log.exception("%s: %s", key.name, action.normalized)
            outcome = failed("internal error: the operator's log has the details")
            await answer(
                ctx,
                command,
                action,
                outcome,
                reason="InternalError",
                pinned=pinned,
                swarm=view.swarm,
            )
            return
        if not is_change(command["spec"], action) and not _needs_a_job(
            command, outcome
        ):
            await _only_look(ctx, command, action, outcome)
            return
        if not outcome.effects:
            break
        made = changes(outcome.effects)
        command = await _record(ctx, command, action, pinned, made, outcome)
        try:
            await carry_out(ctx, key.namespace, outcome.effects)
        except errors.Invalid as error:
            outcome = failed(error.message)
            break
        if outcome.success is not None:
            break
        fresh = _view(ctx, key, command)
        if fresh is None:
            break
        view = fresh
    if outcome.success is None:
        await unfinished(ctx, key, command, action, pinned or {}, outcome, view.swarm)
        return
    await answer(ctx, command, action, outcome, pinned=pinned, swarm=view.swarm)


def _request(ctx: Context, command: Object, view: View, action: Action) -> Request:
    metadata = command["metadata"]
    return Request(
        view=view,
        action=action,
        name=metadata["name"],
        uid=metadata["uid"],
        settings=ctx.settings,
        commands=ctx.cache.of_swarm(COMMANDS, view.namespace, view.name),
        health=ctx.health,
    )


async def _only_look(
    ctx: Context, command: Object, action: Action, outcome: Outcome
) -> None:
    """Answer a command that changes nothing: a look, or a dry run."""
    if command["spec"].get("dryRun"):
        outcome = answers.dry_run(outcome, changes(outcome.effects))
    await answer(ctx, command, action, outcome)


async def _record(
    ctx: Context,
    command: Object,
    action: Action,
    pinned: Mapping[str, Any],
    made: Sequence[Mapping[str, str]],
    outcome: Outcome,
) -> Object:
    """Write down what is going to be changed, unless it is written already."""
    known = (command.get("status") or {}).get("changes") or []
    if known == answers.all_changes(command, made) and phase_of(command) == "Running":
        return command
    status = answers.running(
        command,
        action,
        pinned=pinned,
        changes=made,
        outcome=outcome,
        reason=WORKING,
        now=ctx.now(),
    )
    return await ctx.patch_status(COMMANDS, command, status)


async def _said_before(ctx: Context, key: Key, command: Object, action: Action) -> bool:
    """Answer a command whose correlation id was used before: nothing is done twice."""
    wanted = command["spec"].get("correlationId")
    if not wanted or phase_of(command) == "Running":
        return False
    first = _first_said(ctx, key, command, wanted)
    if first is None or first["metadata"]["name"] == key.name:
        return False
    name, status = first["metadata"]["name"], first.get("status") or {}
    if first["spec"]["command"] != command["spec"]["command"]:
        if phase_of(first) not in FINISHED:
            return True
        outcome = failed(
            f"correlation id {wanted} was already used with other text by {name}; "
            f"result of the first: {status.get('message') or phase_of(first)}",
            first=name,
        )
        await answer(
            ctx, command, action, outcome, phase="Rejected", reason="CorrelationIdUsed"
        )
    elif phase_of(first) in FINISHED:
        result = status.get("result") or {}
        message = f"carried out once, as {name}: {status.get('message', '')}"
        data = {**(result.get("data") or {}), "first": name}
        outcome = Outcome(bool(result.get("success")), message, data)
        await answer(ctx, command, action, outcome)
    # Else the first is still at work; its answer wakes this one.
    return True


def _first_said(
    ctx: Context, key: Key, command: Object, correlation: str
) -> Optional[Object]:
    """The command that was first with a correlation id.

    All others wait for its answer, so of those with an answer it had the first; without
    one it is the first in the backlog, which decides whose turn it is.
    """
    swarm = command["spec"]["swarm"]
    answered = [
        item
        for item in ctx.cache.of_swarm(COMMANDS, key.namespace, swarm)
        if item["spec"].get("correlationId") == correlation
        and phase_of(item) in FINISHED
    ]
    if answered:
        return min(answered, key=lambda item: str(item["status"].get("finishedAt")))
    name = ctx.backlog.first_said(command)
    return ctx.cache.get(COMMANDS, key.namespace, name)


async def _no_swarm(ctx: Context, key: Key, command: Object, action: Action) -> None:
    created = parse_time(command["metadata"].get("creationTimestamp")) or ctx.now()
    age = (ctx.now() - created).total_seconds()
    if age < _PATIENCE:
        ctx.queue.add_after(key, min(1.0, _PATIENCE - age + 0.1))
        return
    name = command["spec"]["swarm"]
    outcome = failed(f"there is no KiroSwarm {name} in namespace {key.namespace}")
    await answer(ctx, command, action, outcome, reason="SwarmNotFound")


async def _afterwards(ctx: Context, key: Key, command: Object) -> None:
    """What is left to do for a command that has its answer."""
    view = _view(ctx, key, command) if unlogged(command) else None
    if view is not None:
        await log_cancelled(ctx, command, view.swarm)
        return  # its own write wakes it
    await _expire(ctx, key, command)


async def _expire(ctx: Context, key: Key, command: Object) -> None:
    ttl = command["spec"].get("ttlSecondsAfterFinished")
    finished = parse_time((command.get("status") or {}).get("finishedAt"))
    if ttl is None or finished is None:
        return
    left = (finished + timedelta(seconds=ttl) - ctx.now()).total_seconds()
    if left > 0:
        ctx.queue.add_after(key, left)
    else:
        uid = command["metadata"]["uid"]
        await ctx.client.delete(COMMANDS, key.namespace, key.name, uid=uid)
