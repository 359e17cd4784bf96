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

import contextlib
import logging
from typing import AsyncIterator, Optional, Sequence

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import Change, Result, SwarmCommand
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse
from kiro_swarm.lifecycle.guard import IllegalEdgeError
from kiro_swarm.policy.nearest import nearest
from kiro_swarm.policy.ownership import PATIENCE_SECONDS
from kiro_swarm.reconcile.commands.afterwards import afterwards
from kiro_swarm.reconcile.commands.answer.write import (
    answer,
    deliver,
    record,
    unfinished,
)
from kiro_swarm.reconcile.commands.effects import carry_out, changes
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Executor, Outcome, done, failed
from kiro_swarm.reconcile.commands.refused import has_moved, held_up
from kiro_swarm.reconcile.commands.run import CommandRun
from kiro_swarm.reconcile.commands.unwritten import await_turn, not_written
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    is_urgent,
    looks_up,
    may_change,
    phase_of,
    scope_of,
)
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.places import MOST_LOOKED_UP, MOST_UNANSWERED
from kiro_swarm.reconcile.engine.turns import acquired

log = logging.getLogger(__name__)
#: Rounds of deciding and doing before others get their turn.
_ROUNDS = 8
#: What ends work waits so long for what was said before it and is being done.
_URGENT_PATIENCE = 2.0


async def reconcile(ctx: Context, key: Key) -> None:
    """Bring one command to its answer; delete it when its time is up."""
    command = ctx.cache.get(COMMANDS, key.namespace, key.name)
    if command is None:
        ctx.queue.forget(key)
        return
    if command["metadata"].get("deletionTimestamp"):
        return
    run = CommandRun(ctx, key, command)
    if phase_of(command) in FINISHED:
        ctx.answers.pop(command["metadata"]["uid"], None)
        await afterwards(run)
        return
    try:
        await _bring_on(run)
    except errors.ClusterError as error:
        if run.unwritten:
            await not_written(run, error)
        raise


async def _bring_on(run: CommandRun) -> None:
    """Bring a command that has no answer yet a step on."""
    ctx, command = run.ctx, run.command
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
    kept = ctx.answers.get(command["metadata"]["uid"])
    if kept is not None:
        run.view = run.look(_of_leaving(run, executor))
        await deliver(run, kept)
        return
    if run.said_to_another:
        await answer(run, _replaced(run), reason="SwarmReplaced")
        return
    if ctx.backlog.excess(command):
        await answer(run, _too_many(run), phase="Rejected", reason="TooManyCommands")
        return
    if run.swarm_there:
        if await _said_before(run):
            return
        if run.changing and not _may_begin(run):
            return  # who is before it wakes it
    await run.gather()
    view = run.look(_of_leaving(run, executor))
    if view is None:
        await _no_swarm(run, executor)
        return
    run.view = view
    await _work(run, executor)


def _replaced(run: CommandRun) -> Outcome:
    """The answer to what was said to a swarm that is gone."""
    return failed(
        f"KiroSwarm {run.spec['swarm']} is another one than this was said to: that one was "
        "deleted, and this one was made after it. Say it again if it is meant for this one"
    )


def _too_many(run: CommandRun) -> Outcome:
    """The answer to whoever has too many commands without one."""
    who = run.spec.get("requestedBy") or "nobody in particular"
    few = f"{MOST_LOOKED_UP} diffs and logs, or " if looks_up(run.spec) else ""
    return failed(
        f"{few}{MOST_UNANSWERED} commands of {who} to swarm {run.spec['swarm']} have no answer "
        "yet: say it again when they have"
    )


def _may_begin(run: CommandRun) -> bool:
    """Whether it is the turn of a command that may change something.

    What ends work waits for nobody who is stuck, and not long for who is not.
    """
    backlog, command = run.ctx.backlog, run.command
    if backlog.turn(command) or backlog.overtaken_by(command) is not None:
        return True
    if not is_urgent(command):
        await_turn(run)
        return False
    left = _urgent_patience(run)
    if backlog.held_up(command) or left <= 0:
        return True
    run.ctx.queue.add_after(run.key, left)
    return False


def _urgent_patience(run: CommandRun) -> float:
    """How long what ends work still waits for others."""
    now, since = run.ctx.monotonic(), run.ctx.backlog.seen(run.command)
    return max(0.0, _URGENT_PATIENCE - (now - (now if since is None else since)))


def _not_understood(error: SentenceError) -> Outcome:
    """The answer to a text that is no sentence."""
    message = error.message
    if error.suggestions:
        asked = "did you mean" in message  # of one word
        lead = " Your sentence, corrected" if asked else "; did you mean"
        message += f"{lead}: {' | '.join(error.suggestions)}"
    return Outcome(False, message, error.to_wire())


def _of_leaving(run: CommandRun, executor: Executor) -> bool:
    """Whether it is carried out for a swarm that is being deleted: who only looks may."""
    looks = not (executor.makes or run.changing or run.dry)
    return executor.leaving or looks


async def _no_swarm(run: CommandRun, executor: Executor) -> None:
    """Wait a moment for a swarm that is not there; then say so."""
    if executor.leaving and run.begun:
        # It went with what this began, before that could be said.
        await answer(run, done(f"KiroSwarm {run.spec['swarm']} is gone"))
        return
    now, seen = run.ctx.monotonic(), run.ctx.backlog.seen(run.command)
    age = now - (now if seen is None else seen)
    if age < PATIENCE_SECONDS:
        run.ctx.queue.add_after(run.key, min(1.0, PATIENCE_SECONDS - age + 0.1))
        return
    where = f"{run.spec['swarm']} in namespace {run.key.namespace}"
    names = [
        swarm["metadata"]["name"]
        for swarm in run.ctx.cache.all(SWARMS)
        if swarm["metadata"]["namespace"] == run.key.namespace
    ]
    near = ", ".join(nearest(run.spec["swarm"], names, 3))
    hint = f"; nearest: {near}" if near else ""
    problem = f"there is no KiroSwarm {where}{hint}"
    if run.is_leaving:
        problem = (
            f"KiroSwarm {where} is being deleted: nothing but `cancel rescue` changes "
            "anything in it now"
        )
    outcome = failed(problem)
    await answer(run, outcome, reason="SwarmNotFound")


# ------------------------------------------------------------------ said before


async def _said_before(run: CommandRun) -> bool:
    """Answer a command whose correlation id was used before: nothing is done twice."""
    wanted = run.spec.get("correlationId")
    if not wanted or run.begun:
        return False
    first = _first_said(run)
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


def _first_said(run: CommandRun) -> Optional[SwarmCommand]:
    """The command that was first with a correlation id, of those that the id is one for.

    All others wait for its answer, so of those with an answer it had the first; without
    one it is the first in the backlog, which decides whose turn it is. One that was no
    sentence, or was too much, has no id: nothing was done for it.
    """
    cache, namespace = run.ctx.cache, run.key.namespace
    correlation, scope = run.spec["correlationId"], scope_of(run.spec, run.changing)
    finished = [
        item
        for item in cache.of_swarm(COMMANDS, namespace, run.spec["swarm"])
        if item["spec"].get("correlationId") == correlation
        and run.is_for_the_same(item)
        and phase_of(item) in FINISHED - {"Rejected"}
        and scope_of(item["spec"], may_change(item["spec"])) == scope
    ]
    if finished:
        return min(finished, key=lambda item: str(item["status"].get("finishedAt")))
    return cache.get(COMMANDS, namespace, run.ctx.backlog.first_said(run.command))


# ------------------------------------------------------------------ its turn


async def _work(run: CommandRun, executor: Executor) -> None:
    """Decide and do until there is an answer or something to wait for."""
    outcome = failed("")
    for _ in range(_ROUNDS):
        async with _alone(run, executor):
            decided = await _decided(run, executor)
            if decided is None:
                return
            outcome = decided
            if outcome.effects and not await _do(run, outcome):
                return
        if (
            not outcome.effects
            or outcome.success is not None
            or not run.look_again(_of_leaving(run, executor))
        ):
            break
    if outcome.success is None:
        await unfinished(run, outcome)
    else:
        await answer(run, outcome)


@contextlib.asynccontextmanager
async def _alone(run: CommandRun, executor: Executor) -> AsyncIterator[None]:
    """While no other command of the swarm writes; who only looks need not wait for that."""
    if run.dry or not (run.changing or executor.makes):
        yield
        return
    lock = run.ctx.backlog.lock(run.key.namespace, run.spec["swarm"])
    waits = lock.locked()
    # A write of another one may take half a minute to fail: what ends work goes on without
    # the lock then. Each write names the version that it is based on.
    urgent = is_urgent(run.command)
    held = await acquired(lock, _urgent_patience(run) if urgent else None)
    try:
        if waits:
            run.look_again(_of_leaving(run, executor))  # what was seen is of before
        yield
    finally:
        if held:
            lock.release()


async def _decided(run: CommandRun, executor: Executor) -> Optional[Outcome]:
    """What is left to do; None when there is an answer already."""
    try:
        outcome = run.decide(executor)
    except Exception:
        log.exception("%s: %s", run.key.name, run.sentence)
        await _defect(run)
        return None
    if run.dry:
        await answer(run, _dry_run(outcome, changes(outcome.effects)))
        return None
    return outcome


async def _do(run: CommandRun, outcome: Outcome) -> bool:
    """Write what was decided; False: that is all for now, or for ever."""
    later = run.ctx.backlog.overtaken_by(run.command) if run.changing else None
    if later is not None:
        message = f"command {later} was said after this one and is done already"
        if run.status.get("changes"):
            message += "; what this one began may be done or not"
        overtaken = failed(f"{message}: say this one again if it still holds")
        await answer(run, overtaken, reason="Overtaken")
        return False
    await record(run, outcome, changes(outcome.effects))
    try:
        await carry_out(run.ctx, run.key.namespace, outcome.effects)
    except errors.Invalid as error:
        await answer(run, failed(error.message))
        return False
    except errors.ClusterError as error:
        if has_moved(run, outcome, error):
            raise  # it is another one now, or is gone: decide again
        await held_up(run, outcome, error)
        return False
    except IllegalEdgeError:
        # Asked again it would be refused again, and all after it would wait.
        log.exception("%s: %s", run.key.name, run.sentence)
        await _defect(run)
        return False
    run.ctx.refused.pop(run.command["metadata"]["uid"], None)
    return True


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
