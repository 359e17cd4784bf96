"""Writes into a SwarmCommand: record, progress, and the end of it: result ConfigMap, audit
line, answer, Events.

Called by the command reconcile. The order makes the answer the commit: what is written
before it has a name of the command's own and is found again after a crash.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import partial
from typing import Optional, Sequence

from kiro_swarm.api.command import (
    AuditReference,
    Change,
    CommandPhase,
    DataReference,
    SwarmCommandStatus,
)
from kiro_swarm.api.kubernetes import ConfigMap
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, SWARMS
from kiro_swarm.commands.action import Action
from kiro_swarm.observe import audit
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.commands.answer.status import (
    all_changes,
    answered,
    cut_as_json,
    fits,
    logged,
    running,
)
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from kiro_swarm.reconcile.commands.run import CommandRun
from kiro_swarm.reconcile.engine import audit as audit_log
from kiro_swarm.reconcile.engine.command_facts import (
    LOGGED,
    OVERTAKEN,
    WAITING,
    WORKING,
)
from kiro_swarm.reconcile.engine.owned import must_be_ours
from kiro_swarm.reconcile.engine.places import MOST_PASSED
from kiro_swarm.reconcile.objects.manifests import owner

log = logging.getLogger(__name__)
#: What trying again soon does not help against.
_NEVER = (errors.Forbidden, errors.Invalid, errors.NameTaken)
#: An object of the API has 1 MiB at most.
_DOCUMENT_BYTES = 900 * 1024
#: A long answer is tried so long to be put aside.
_ASIDE_PATIENCE = 30.0
#: The audit log of a swarm that could not be written is left alone so long.
_LOG_PAUSE = 30.0


async def record(run: CommandRun, outcome: Outcome, changes: Sequence[Change]) -> None:
    """Write down what is going to be changed, unless it is written already."""
    known = run.status.get("changes") or []
    changes = [*_passed(run), *changes]
    if run.begun and known == all_changes(run, changes):
        return
    await run.write(running(run, outcome, WORKING, changes))


def _passed(run: CommandRun) -> list[Change]:
    """Whom a command passed over that begins now: none of them is carried out afterwards."""
    if not run.changing:
        return []
    return [
        {
            "object": f"swarmcommand/{name}",
            "says": f"passes command {name}, whose status cannot be written",
            "before": "unanswered",
            "after": OVERTAKEN,
        }
        for name in run.ctx.backlog.passed(run.command)[:MOST_PASSED]
    ]


async def unfinished(run: CommandRun, outcome: Outcome) -> None:
    """Say how far the command is, and come back; or give it up when its time is over."""
    left = run.seconds_left
    if left <= 0:
        limit = int(run.spec.get("timeoutSeconds") or 600)
        message = f"not finished after {limit} s: {outcome.message}"
        late = Outcome(False, message, outcome.data, partial=outcome.partial)
        await answer(run, late, reason="DeadlineExceeded")
        return
    await _say(run, running(run, outcome, WAITING))
    run.ctx.queue.add_after(run.key, min(left, outcome.again_in or left))


async def stuck(run: CommandRun, outcome: Outcome, why: str, reason: str) -> None:
    """Say why a command does not get on.

    :param reason: ``WAITING``: others need not wait for it meanwhile.
    """
    said = f"{outcome.message}; {why}" if outcome.success is None else why
    await _say(run, running(run, replace(outcome, message=said), reason))


async def _say(run: CommandRun, status: SwarmCommandStatus) -> None:
    """Write how far the command is, unless that is written already."""
    if any(run.status.get(field) != value for field, value in status.items() if value):
        await run.write(status)


async def answer(
    run: CommandRun,
    outcome: Outcome,
    *,
    phase: Optional[CommandPhase] = None,
    reason: str = "",
) -> None:
    """Write the answer, the last and only commit of a command; then emit Events of it.

    What cannot be written beside it does not keep it back: that would stop all who wait. A
    long answer that has no place is said to be lost; a line of the audit log follows.
    """
    try:
        reference = await _put_aside(run, outcome)
    except errors.ClusterError as error:
        _is_lost(run, error)
        lost = f"{outcome.message}; the rest of the answer is lost: {error.message}"
        good = outcome.success and run.changing
        outcome = replace(outcome, success=good, message=lost, document="")
        reference = None
        reason = reason or "ResultNotStored"
    status = answered(run, outcome, phase, reason)
    if reference is not None:
        status["dataRef"] = reference
    if run.changing and run.action is not None and run.swarm is not None:
        try:
            status["audit"] = await _log(run, run.action, run.swarm, status)
        except errors.ClusterError as error:
            log.warning("%s: not in the audit log: %s", run.key.name, error.message)
            said = logged(run, False, "AuditLogRefused", error.message)
            status["conditions"].append(said)
    await deliver(run, status)


async def deliver(run: CommandRun, status: SwarmCommandStatus) -> None:
    """Write an answer that is decided; it is kept until it is written.

    Of what was changed nobody decides again meanwhile: what is said later may be done by then,
    and the same decision would undo it.
    """
    answers, uid = run.ctx.answers, run.command["metadata"]["uid"]
    if status.get("changes") or status["reason"] == "Overtaken":
        answers[uid] = status
    await run.write(status)
    answers.pop(uid, None)
    if run.changing or status["phase"] == "Rejected":
        await _emit_events(run)


def _is_lost(run: CommandRun, error: errors.ClusterError) -> None:
    """See whether a long answer is lost; raises the error again while it is not."""
    if isinstance(error, _NEVER):
        return
    uid, ctx = run.command["metadata"]["uid"], run.ctx
    left = _ASIDE_PATIENCE - (ctx.monotonic() - ctx.refused.setdefault(uid, run.since))
    if left > 0:
        ctx.backlog.stumble(run.command)
        ctx.queue.add_after(run.key, left)
        raise error
    ctx.refused.pop(uid, None)


async def log_afterwards(run: CommandRun, action: Action, swarm: KiroSwarm) -> bool:
    """Put an answered command into the audit log that is not in it; whether it is now.

    Another one cancelled it, and what it changed stays; or the log could not be written.
    """
    try:
        line = await _log(run, action, swarm, run.status)
    except errors.ClusterError as error:
        log.warning("%s: not in the audit log: %s", run.key.name, error.message)
        return False
    patch: SwarmCommandStatus = {"audit": line}
    before = run.status.get("conditions") or []
    if find(before, LOGGED) is not None:
        kept = [item for item in before if item["type"] != LOGGED]
        patch["conditions"] = [*kept, logged(run, True, "LoggedLate", "")]
    await run.ctx.patch_status(COMMANDS, run.command, patch)
    return True


async def _log(
    run: CommandRun, action: Action, swarm: KiroSwarm, status: SwarmCommandStatus
) -> AuditReference:
    """Put the command into the audit log; its place there."""
    entry = audit.entry(
        run.command,
        what=action.normalized,
        permission=action.permission,
        changes=status.get("changes") or [],
        outcome=status["phase"],
        message=status["message"],
        time=stamp(run.now),
    )
    line = await _append(run, swarm, entry)
    metadata = swarm["metadata"]
    run.ctx.queue.add(run.ctx.key(SWARMS, metadata["namespace"], metadata["name"]))
    return line.to_wire()


async def _append(
    run: CommandRun, swarm: KiroSwarm, entry: audit.Record
) -> audit_log.Line:
    """Append to the log of a swarm, unless it could not be written a moment ago.

    A write that fails may take half a minute to do so, and one command waits for another.
    """
    ctx, uid = run.ctx, swarm["metadata"]["uid"]
    failed_at, why = ctx.log_failures.get(uid, (-_LOG_PAUSE, ""))
    if ctx.monotonic() - failed_at < _LOG_PAUSE:
        raise errors.Unavailable(why)
    try:
        try:
            line = await ctx.audit.append(swarm, entry)
        except errors.Conflict as error:
            if isinstance(error, errors.NameTaken):
                raise
            line = await ctx.audit.append(swarm, entry)  # it has been read again
    except errors.Unavailable as error:
        ctx.log_failures[uid] = ctx.monotonic(), error.message
        raise
    ctx.log_failures.pop(uid, None)
    return line


async def _put_aside(run: CommandRun, outcome: Outcome) -> Optional[DataReference]:
    """Put what is too long for a status into a ConfigMap; where it is, or None."""
    if outcome.data_ref:
        return outcome.data_ref
    if outcome.document:
        key, text = "document.txt", outcome.document
    elif not fits(outcome.data):
        key, text = "data.json", json.dumps(outcome.data, indent=1)
    else:
        return None
    name, namespace = naming.result_name(run.key.name), run.key.namespace
    kept = cut_as_json(text, _DOCUMENT_BYTES)
    body: ConfigMap = {
        "apiVersion": CONFIG_MAPS.api_version,
        "kind": CONFIG_MAPS.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "ownerReferences": [owner(run.command)],
        },
        "data": {key: kept},
    }
    if await run.ctx.create(CONFIG_MAPS, namespace, body) is None:
        await must_be_ours(run.ctx, CONFIG_MAPS, namespace, body)
    return {
        "configMap": name,
        "key": key,
        "sizeBytes": len(kept.encode()),
        "truncated": kept != text,
    }


async def _emit_events(run: CommandRun) -> None:
    """An Event on the command and on the swarm: who looks at either sees it."""
    client, status = run.ctx.client, run.status
    message = status["message"]
    emitted = partial(
        emit,
        client,
        reason=status["reason"],
        now=run.now,
        warning=status["phase"] != "Succeeded",
    )
    await emitted(COMMANDS, run.command, message=message)
    if run.swarm is not None:
        who = run.spec.get("requestedBy")
        said = f"{run.sentence}{f' ({who})' if who else ''}: {message}"
        await emitted(SWARMS, run.swarm, message=said)
