"""The end of a command: result ConfigMap, audit line, answer, Events. And the waiting.

Called by the command reconcile. The order makes the answer the commit: what is written
before it has a name of the command's own and is found again after a crash.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Mapping, Optional

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, SWARMS
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.parser import parse
from kiro_swarm.observe import audit
from kiro_swarm.policy import naming
from kiro_swarm.policy.times import parse as parse_time
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.commands import answers
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from kiro_swarm.reconcile.engine.backlog import WAITING, is_change
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.objects.manifests import Object, owner

#: An object of the API has 1 MiB at most.
_DOCUMENT_BYTES = 900 * 1024


async def unfinished(
    ctx: Context,
    key: Key,
    command: Object,
    action: Action,
    pinned: Mapping[str, Any],
    outcome: Outcome,
    swarm: Object,
) -> None:
    """Say how far the command is, and come back; or give it up when its time is over."""
    status = answers.running(
        command,
        action,
        pinned=pinned,
        changes=(),
        outcome=outcome,
        reason=WAITING,
        now=ctx.now(),
    )
    started = parse_time(status["startedAt"]) or ctx.now()
    limit = int(command["spec"].get("timeoutSeconds") or 600)
    left = (started + timedelta(seconds=limit) - ctx.now()).total_seconds()
    if left <= 0:
        message = f"not finished after {limit} s: {outcome.message}"
        late = Outcome(False, message, outcome.data, partial=outcome.partial)
        await answer(
            ctx,
            command,
            action,
            late,
            reason="DeadlineExceeded",
            pinned=pinned,
            swarm=swarm,
        )
        return
    before = command.get("status") or {}
    if any(before.get(field) != value for field, value in status.items() if value):
        await ctx.patch_status(COMMANDS, command, status)
    ctx.queue.add_after(key, min(left, outcome.again_in or left))


async def answer(
    ctx: Context,
    command: Object,
    action: Optional[Action],
    outcome: Outcome,
    *,
    phase: str = "",
    reason: str = "",
    pinned: Optional[Mapping[str, Any]] = None,
    swarm: Optional[Object] = None,
) -> None:
    """Write the answer, the last and only commit of a command; then tell about it.

    :param swarm: the KiroSwarm whose audit log the command goes into; None: into none.
    """
    status = answers.answered(
        command,
        action,
        outcome,
        phase=phase,
        reason=reason,
        pinned=pinned,
        now=ctx.now(),
    )
    reference = await _put_aside(ctx, command, outcome)
    if reference is not None:
        status["dataRef"] = reference
    changing = action is not None and is_change(command["spec"], action)
    if changing and action is not None and swarm is not None:
        status["audit"] = await _log(ctx, command, action, status, swarm)
    await ctx.patch_status(COMMANDS, command, status)
    if changing or status["phase"] == "Rejected":
        await _tell(ctx, command, status, swarm)


async def log_cancelled(ctx: Context, command: Object, swarm: Object) -> None:
    """Put a command that another one cancelled into the audit log: what it changed stays."""
    action = parse(command["spec"]["command"])
    line = await _log(ctx, command, action, command["status"], swarm)
    await ctx.patch_status(COMMANDS, command, {"audit": line})


async def _log(
    ctx: Context,
    command: Object,
    action: Action,
    status: Mapping[str, Any],
    swarm: Object,
) -> dict[str, Any]:
    """Put the command into the audit log; its place there."""
    entry = audit.entry(
        command,
        what=action.normalized,
        permission=action.permission,
        changes=status.get("changes") or [],
        outcome=status["phase"],
        message=status["message"],
        time=stamp(ctx.now()),
    )
    line = await ctx.audit.append(swarm, entry)
    metadata = swarm["metadata"]
    ctx.queue.add(Key(SWARMS, metadata["namespace"], metadata["name"]))
    return line.to_wire()


async def _put_aside(
    ctx: Context, command: Object, outcome: Outcome
) -> Optional[dict[str, Any]]:
    """Put what is too long for a status into a ConfigMap; where it is, or None."""
    if outcome.data_ref:
        return dict(outcome.data_ref)
    if outcome.document:
        key, text = "document.txt", outcome.document
    elif not answers.fits(outcome.data):
        key, text = "data.json", json.dumps(outcome.data, indent=1)
    else:
        return None
    metadata = command["metadata"]
    name = naming.result_name(metadata["name"])
    kept = answers.cut_as_json(text, _DOCUMENT_BYTES)
    body = {
        "apiVersion": CONFIG_MAPS.api_version,
        "kind": CONFIG_MAPS.kind,
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "ownerReferences": [owner(command)],
        },
        "data": {key: kept},
    }
    await ctx.create(CONFIG_MAPS, metadata["namespace"], body)
    return {
        "configMap": name,
        "key": key,
        "sizeBytes": len(kept.encode()),
        "truncated": kept != text,
    }


async def _tell(
    ctx: Context, command: Object, status: Mapping[str, Any], swarm: Optional[Object]
) -> None:
    """An Event on the command and on the swarm: who looks at either sees it."""
    news: dict[str, Any] = {
        "reason": status["reason"],
        "now": ctx.now(),
        "warning": status["phase"] != "Succeeded",
    }
    sentence = (status.get("action") or {}).get("normalized") or "not understood"
    try:
        message = status["message"]
        await emit(ctx.client, COMMANDS, command, message=message, **news)
        if swarm is not None:
            who = command["spec"].get("requestedBy")
            said = f"{sentence}{f' ({who})' if who else ''}: {message}"
            await emit(ctx.client, SWARMS, swarm, message=said, **news)
    except errors.ClusterError:
        return  # an Event is a courtesy; the answer is written
