"""SwarmCommand: a sentence is parsed, carried out once, and answered.

One status write for a command whose repetition changes nothing: the answer. A command that
is not repeatable (``scale up``) is written twice: first what it will do, by value, then
the answer; whoever dies in between finds the value and finishes the work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Mapping, Optional

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.commands.action import Action, ActionResult
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.times import parse as parse_time
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.context import Context, Key
from kiro_swarm.reconcile.executors import EXECUTORS, fix
from kiro_swarm.reconcile.manifests import Object
from kiro_swarm.reconcile.pods import spec_of
from kiro_swarm.reconcile.view import View, look

_FINISHED = ("Succeeded", "Failed", "Rejected")
#: A command may arrive before its swarm does: pipelines apply both at once.
_PATIENCE = 10.0


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one command to its answer; delete it when its time is up."""
    command = ctx.cache.get(COMMANDS, key.namespace, key.name)
    if command is None or command["metadata"].get("deletionTimestamp"):
        return
    status = command.get("status") or {}
    if status.get("phase") in _FINISHED:
        await _expire(ctx, key, command)
        return
    started = str(status.get("startedAt") or stamp(ctx.now()))
    try:
        action = parse(command["spec"]["command"])
    except SentenceError as error:
        await _answer(ctx, command, None, _rejected(error), started, phase="Rejected")
        return
    view = _view(ctx, key, command)
    if view is None:
        await _no_swarm(ctx, key, command, action, started)
        return
    result = _unavailable(action)
    fixed = dict((status.get("action") or {}).get("parameters") or {})
    if result is None and not fixed:
        fixed = fix(action, view)
        if fixed:
            command = await _begin(ctx, command, action, fixed, started)
    if result is None:
        uid = command["metadata"]["uid"]
        try:
            result = await EXECUTORS[action.command.name](ctx, view, action, fixed, uid)
        except errors.Invalid as error:
            result = ActionResult(False, error.message)
    await _answer(ctx, command, action, result, started, fixed=fixed)


def _view(ctx: Context, key: Key, command: Object) -> Optional[View]:
    swarm = ctx.cache.get(SWARMS, key.namespace, command["spec"]["swarm"])
    if swarm is None or swarm["metadata"].get("deletionTimestamp"):
        return None
    spec = spec_of(swarm)
    return None if spec is None else look(ctx.cache, swarm, spec, ctx.now())


def _rejected(error: SentenceError) -> ActionResult:
    message = error.message
    if error.suggestions:
        message += f"; did you mean: {' | '.join(error.suggestions)}"
    return ActionResult(False, message, error.to_wire())


def _unavailable(action: Action) -> Optional[ActionResult]:
    """The answer for a word that is understood but cannot be done yet."""
    missing = [
        modifier.name
        for modifier in action.command.modifiers
        if modifier.name in action.modifiers and not modifier.available
    ]
    if not missing:
        return None
    without = " ".join(
        word for word in action.normalized.split() if word not in missing
    )
    return ActionResult(
        False,
        f"'{missing[0]}' is not available in this version; '{without}' is",
        {"missing": missing},
    )


async def _no_swarm(
    ctx: Context, key: Key, command: Object, action: Action, started: str
) -> None:
    created = parse_time(command["metadata"].get("creationTimestamp")) or ctx.now()
    age = (ctx.now() - created).total_seconds()
    if age < _PATIENCE:
        ctx.queue.add_after(key, min(1.0, _PATIENCE - age + 0.1))
        return
    name = command["spec"]["swarm"]
    message = f"there is no KiroSwarm {name} in namespace {key.namespace}"
    await _answer(ctx, command, action, ActionResult(False, message), started)


async def _begin(
    ctx: Context,
    command: Object,
    action: Action,
    fixed: Mapping[str, Any],
    started: str,
) -> Object:
    """Record what a command will do, by value, before it does it."""
    status = {
        "phase": "Running",
        "startedAt": started,
        "action": _wire(action, fixed),
        "correlationId": _correlation(command),
    }
    return await ctx.patch_status(COMMANDS, command, status)


def _wire(action: Action, fixed: Mapping[str, Any]) -> dict[str, Any]:
    wire = action.to_wire()
    wire["parameters"] = {**wire["parameters"], **fixed}
    return wire


def _correlation(command: Object) -> str:
    return str(command["spec"].get("correlationId") or command["metadata"]["uid"])


async def _answer(
    ctx: Context,
    command: Object,
    action: Optional[Action],
    result: ActionResult,
    started: str,
    *,
    phase: str = "",
    fixed: Optional[Mapping[str, Any]] = None,
) -> None:
    """Write the answer: the last and only commit of a command."""
    now: datetime = ctx.now()
    finished = stamp(now)
    phase = phase or ("Succeeded" if result.success else "Failed")
    generation = command["metadata"].get("generation", 1)
    wire = result.to_wire()
    wire["message"] = wire["message"][:4096]
    wire["executionSeconds"] = round(seconds_between(started, finished), 6)
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "phase": phase,
        "message": wire["message"],
        "result": wire,
        "correlationId": _correlation(command),
        "startedAt": started,
        "finishedAt": finished,
        "conditions": [
            condition(
                [],
                "Complete" if result.success else "Failed",
                True,
                phase,
                wire["message"],
                generation=generation,
                now=now,
            )
        ],
    }
    if action is not None:
        status["action"] = _wire(action, fixed or {})
    await ctx.patch_status(COMMANDS, command, status)


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
