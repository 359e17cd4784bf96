"""A command whose own status cannot be written: who waits for it, and when it is given up.

Called by the command reconcile. Guarantees: a command that may change something holds up those
behind it for half a minute (five seconds, where the API server refuses and is not in trouble),
counted from the beginning of the first try, and only while some other command can be written:
an API server that is away for all refuses nobody and changes no order. At its deadline it is
given up: an Event says so, for nothing else can, and whatever heals later, all that is written
then is that answer. What stops work waits for nobody of them. Why this is no matter of
``engine/steps`` is in ``refused``.
"""

from __future__ import annotations

import logging

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.commands.answer.status import answered
from kiro_swarm.reconcile.commands.executors.plan import failed
from kiro_swarm.reconcile.commands.run import CommandRun

log = logging.getLogger(__name__)
#: Others wait so long for whoever's status cannot be written. An API server that has just started
#: refuses what it allows a moment later.
_PATIENCE, _REFUSED_PATIENCE = 30.0, 5.0
#: Pauses between two tries while others wait, and while nobody does.
_SOON, _SELDOM = 5.0, 30.0


async def not_written(run: CommandRun, error: errors.ClusterError) -> None:
    """The status of a command could not be written; the caller has it tried again."""
    ctx, backlog, command = run.ctx, run.ctx.backlog, run.command
    refused = isinstance(error, (errors.Forbidden, errors.Invalid, errors.NameTaken))
    since = backlog.unwritten(command, run.since)
    waited = ctx.monotonic() - since
    left = (_REFUSED_PATIENCE if refused else _PATIENCE) - waited
    if waited > 0 and _is_over(run, waited):
        await _give_up(run, error)
    pause = min(_SELDOM, max(0.5, waited / 2))
    if run.changing and (left <= 0 or backlog.is_passing(command)):
        following = backlog.pass_over(command)
        if following is not None:
            ctx.queue.add(ctx.key(COMMANDS, run.key.namespace, following))
    elif run.changing:
        pause = min(_SOON, pause, left)
    ctx.queue.add_after(run.key, pause)


def await_turn(run: CommandRun) -> None:
    """It is not the turn of a command: see to it that whoever is before it is tried.

    Who is passed over is woken by nobody, and tries again by itself.
    """
    ctx, backlog = run.ctx, run.ctx.backlog
    if backlog.passed_over(run.command):
        ctx.queue.add_after(run.key, _SOON)
    elif backlog.held_up(run.command) and not backlog.tried(run.command):
        before = backlog.next(run.key.namespace, str(run.spec["swarm"]))
        if before is not None:
            ctx.queue.add_after(ctx.key(COMMANDS, run.key.namespace, before), 0.5)


def _is_over(run: CommandRun, waited: float) -> bool:
    """Whether the time of a command is over: it has as much of it before it begins as then.

    Another process may have given up one that is older than its time: half a minute more.
    """
    limit = float(run.spec.get("timeoutSeconds") or 600)
    if waited >= limit or (run.begun and run.seconds_left <= 0):
        return True
    metadata = run.command["metadata"]
    created = metadata.get("creationTimestamp") or stamp(run.now)
    age = run.ctx.elapsed.age(metadata["uid"], created, run.now)
    return age - waited > limit and waited >= _PATIENCE


async def _give_up(run: CommandRun, error: errors.ClusterError) -> None:
    """Decide the answer, and say on what can be written that nothing more will be done."""
    ctx, uid = run.ctx, run.command["metadata"]["uid"]
    if uid in ctx.ensured:
        return
    ctx.ensured.add(uid)
    kept = ctx.answers.get(uid)
    why = f"its status cannot be written: {error.message}"
    if kept is not None:
        message, reason = f"{kept['message']}; {why}", kept["reason"]
    else:
        message, reason = f"given up: {why}", "Refused"
        if run.status.get("changes"):
            message += "; what it began may be done or not"
        ctx.answers[uid] = answered(run, failed(message), None, reason)
    log.warning("%s: %s", run.key.name, message)
    client, now = ctx.client, run.now
    for resource, item, said in (
        (COMMANDS, run.command, message),
        (SWARMS, run.swarm, f"command {run.key.name}: {message}"),
    ):
        if item is not None:
            await emit(
                client,
                resource,
                item,
                reason=reason,
                message=said,
                now=now,
                warning=True,
            )
