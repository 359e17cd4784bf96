"""SwarmCommand: a sentence is understood, carried out once, and answered.

What a sentence does is decided by its executor, a pure function; this module does what was
decided. The life of a command that may change something: it waits for its turn; it begins by
recording what it will change; it does it, waits for the outcome if there is one to wait for,
goes into the audit log, and the answer is its last write. Whoever dies in between finds the
record and finishes the work. A command that only looks is written once: the answer.

To be read from top to bottom; what is written is in ``answer/``, the decisions are in
``executors/``.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from difflib import get_close_matches
from typing import Optional, Sequence

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import Change, Result, SwarmCommand
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.lifecycle.guard import IllegalEdgeError
from kiro_swarm.policy.times import parse as parse_time
from kiro_swarm.reconcile.commands.answer.write import (
    answer,
    log_cancelled,
    record,
    unfinished,
)
from kiro_swarm.reconcile.commands.effects import carry_out, changes
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Executor, Outcome, failed
from kiro_swarm.reconcile.commands.run import CommandRun
from kiro_swarm.reconcile.engine.backlog import FINISHED, phase_of, unlogged
from kiro_swarm.reconcile.engine.context import Context, Key

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
    run = CommandRun(ctx, key, command)
    if phase_of(command) in FINISHED:
        await _afterwards(run)
        return
    try:
        action = run.action = parse(run.spec["command"])
    except SentenceError as error:
        await answer(run, _not_understood(error), phase="Rejected")
        return
    executor = EXECUTORS.get(action.command.name)
    if action.unavailable or executor is None:
        missing = action.unavailable or (f"'{action.command.name}' is not available",)
        outcome = failed("; ".join(missing), missing=list(missing))
        await answer(run, outcome, reason="NotAvailable")
        return
    view = run.look()
    if view is None:
        await _no_swarm(run)
        return
    if await _said_before(run):
        return
    if run.changing and not ctx.backlog.turn(command):
        return  # who is before it wakes it
    run.view = view
    await _work(run, executor)


def _not_understood(error: SentenceError) -> Outcome:
    """The answer to a text that is no sentence."""
    message = error.message
    if error.suggestions:
        asked = "did you mean" in message
        lead = " For example" if asked else "; did you mean"
        message += f"{lead}: {' | '.join(error.suggestions)}"
    return Outcome(False, message, error.to_wire())


async def _no_swarm(run: CommandRun) -> None:
    """Wait a moment for a swarm that is not there; then say so."""
    created = parse_time(run.command["metadata"].get("creationTimestamp")) or run.now
    age = (run.now - created).total_seconds()
    if age < _PATIENCE:
        run.ctx.queue.add_after(run.key, min(1.0, _PATIENCE - age + 0.1))
        return
    where = f"{run.spec['swarm']} in namespace {run.key.namespace}"
    names = [
        swarm["metadata"]["name"]
        for swarm in run.ctx.cache.all(SWARMS)
        if swarm["metadata"]["namespace"] == run.key.namespace
    ]
    near = ", ".join(get_close_matches(run.spec["swarm"], names))
    hint = f"; nearest: {near}" if near else ""
    outcome = failed(f"there is no KiroSwarm {where}{hint}")
    await answer(run, outcome, reason="SwarmNotFound")


# ------------------------------------------------------------------ said before


async def _said_before(run: CommandRun) -> bool:
    """Answer a command whose correlation id was used before: nothing is done twice."""
    wanted = run.spec.get("correlationId")
    if not wanted or run.begun:
        return False
    first = _first_said(run, wanted)
    if first is None or first["metadata"]["name"] == run.key.name:
        return False
    name, status = first["metadata"]["name"], status_of(first)
    if first["spec"]["command"] != run.spec["command"]:
        if phase_of(first) not in FINISHED:
            return True
        outcome = failed(
            f"correlation id {wanted} was already used with other text by {name}; "
            f"result of the first: {status.get('message') or phase_of(first)}",
            first=name,
        )
        await answer(run, outcome, phase="Rejected", reason="CorrelationIdUsed")
    elif phase_of(first) in FINISHED:
        result: Result = status.get("result") or {"success": False}
        message = f"carried out once, as {name}: {status.get('message', '')}"
        data = {**(result.get("data") or {}), "first": name}
        await answer(run, Outcome(result["success"], message, data))
    # Else the first is still at work; its answer wakes this one.
    return True


def _first_said(run: CommandRun, correlation: str) -> Optional[SwarmCommand]:
    """The command that was first with a correlation id.

    All others wait for its answer, so of those with an answer it had the first; without
    one it is the first in the backlog, which decides whose turn it is.
    """
    cache, namespace = run.ctx.cache, run.key.namespace
    finished = [
        item
        for item in cache.of_swarm(COMMANDS, namespace, run.spec["swarm"])
        if item["spec"].get("correlationId") == correlation
        and phase_of(item) in FINISHED
    ]
    if finished:
        return min(finished, key=lambda item: str(item["status"].get("finishedAt")))
    return cache.get(COMMANDS, namespace, run.ctx.backlog.first_said(run.command))


# ------------------------------------------------------------------ its turn


async def _work(run: CommandRun, executor: Executor) -> None:
    """Decide and do until there is an answer or something to wait for."""
    outcome = failed("")
    for _ in range(_ROUNDS):
        try:
            outcome = run.decide(executor)
        except Exception:
            log.exception("%s: %s", run.key.name, run.sentence)
            await _defect(run)
            return
        if run.dry:
            await answer(run, _dry_run(outcome, changes(outcome.effects)))
            return
        if not outcome.effects:
            break
        await record(run, outcome, changes(outcome.effects))
        try:
            await carry_out(run.ctx, run.key.namespace, outcome.effects)
        except errors.Invalid as error:
            outcome = failed(error.message)
            break
        except IllegalEdgeError:
            # Asked again it would be refused again, and all after it would wait.
            log.exception("%s: %s", run.key.name, run.sentence)
            await _defect(run)
            return
        if outcome.success is not None:
            break
        view = run.look()
        if view is None:
            break
        run.view = view
    if outcome.success is None:
        await unfinished(run, outcome)
    else:
        await answer(run, outcome)


async def _defect(run: CommandRun) -> None:
    """A defect of ours: whoever waits gets an answer, and the next one a turn."""
    outcome = failed("internal error: the operator's log has the details")
    await answer(run, outcome, reason="InternalError")


def _dry_run(outcome: Outcome, would: Sequence[Change]) -> Outcome:
    """The answer to a dry run: what would be changed, and that nothing was."""
    if outcome.success is False:
        return Outcome(False, f"dry run: {outcome.message}", outcome.data)
    words = "; ".join(item["says"] for item in would)
    if words:
        message = f"dry run, nothing is changed. It would change {words}"
    else:
        message = f"dry run, nothing would be changed: {outcome.message}"
    return Outcome(True, message, {**outcome.data, "wouldChange": list(would)})


# ------------------------------------------------------------------ afterwards


async def _afterwards(run: CommandRun) -> None:
    """What is left to do for a command that has its answer."""
    view = run.look() if unlogged(run.command) else None
    if view is not None:
        await log_cancelled(run, parse(run.spec["command"]), view.swarm)
        return  # its own write wakes it
    await _expire(run)


async def _expire(run: CommandRun) -> None:
    ttl = run.spec.get("ttlSecondsAfterFinished")
    finished = parse_time(run.status.get("finishedAt"))
    if ttl is None or finished is None:
        return
    left = (finished + timedelta(seconds=ttl) - run.now).total_seconds()
    if left > 0:
        run.ctx.queue.add_after(run.key, left)
    else:
        key, uid = run.key, run.command["metadata"]["uid"]
        await run.ctx.client.delete(COMMANDS, key.namespace, key.name, uid=uid)
