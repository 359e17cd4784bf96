"""The status of a SwarmCommand, from first sight to the answer. Pure: nothing is written.

Called by ``write``. A status is built from the one before: what was recorded when the
command began stays.
"""

from __future__ import annotations

import json
from typing import Mapping, Optional, Sequence

from kiro_swarm.api.command import Change, CommandPhase, SwarmCommandStatus
from kiro_swarm.api.common import Condition
from kiro_swarm.commands.action import ActionResult
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.policy.words import harmless, one_line
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from kiro_swarm.reconcile.commands.run import CommandRun

Status = SwarmCommandStatus
_MESSAGE_BYTES = 4096
_DATA_BYTES = 16384
_MOST_CHANGES = 64


def running(
    run: CommandRun,
    outcome: Outcome,
    reason: str,
    changes: Sequence[Change] = (),
) -> Status:
    """The status of a command that has begun: what it will change, how far it is.

    :param reason: ``WORKING`` before the changes are made, ``WAITING`` afterwards.
    """
    return {
        **_common(run),
        "phase": "Running",
        "reason": reason,
        "message": said(outcome.message),
        "startedAt": run.status.get("startedAt") or stamp(run.now),
        "changes": all_changes(run, changes),
        "partialResults": [part.to_wire() for part in outcome.partial],
    }


def all_changes(run: CommandRun, changes: Sequence[Change] = ()) -> list[Change]:
    """What is recorded already and what is new, each once, at most 64."""
    known = list(run.status.get("changes") or [])
    said = {item["says"] for item in known}
    known += [item for item in changes if item["says"] not in said]
    return known[:_MOST_CHANGES]


def answered(
    run: CommandRun, outcome: Outcome, phase: Optional[CommandPhase], reason: str
) -> Status:
    """The last status of a command."""
    phase = phase or ("Succeeded" if outcome.success else "Failed")
    reason = reason or phase
    finished = stamp(run.now)
    started = str(run.status.get("startedAt") or finished)
    message = said(outcome.message)
    made = all_changes(run)
    result = ActionResult(
        bool(outcome.success),
        cut(harmless(outcome.message), _MESSAGE_BYTES),
        outcome.data if fits(outcome.data) else {},
        side_effects=tuple(item["says"] for item in made),
    ).to_wire()
    result["executionSeconds"] = round(seconds_between(started, finished), 6)
    status: Status = {
        **_common(run),
        "phase": phase,
        "reason": reason,
        "message": message,
        "result": result,
        "startedAt": started,
        "finishedAt": finished,
        "partialResults": [part.to_wire() for part in outcome.partial],
        "conditions": [
            condition(
                [],
                "Complete" if outcome.success else "Failed",
                True,
                reason,
                message,
                generation=run.command["metadata"].get("generation", 1),
                now=run.now,
            )
        ],
    }
    return {**status, "changes": made} if made else status


def logged(run: CommandRun, there: bool, reason: str, message: str) -> Condition:
    """The condition of a command whose line in the audit log comes after its answer."""
    return condition(
        run.status.get("conditions") or [],
        "Logged",
        there,
        reason,
        message,
        generation=run.command["metadata"].get("generation", 1),
        now=run.now,
    )


def _common(run: CommandRun) -> Status:
    metadata = run.command["metadata"]
    status: Status = {
        "observedGeneration": metadata.get("generation", 1),
        "correlationId": str(run.spec.get("correlationId") or metadata["uid"]),
    }
    if run.spec.get("requestedBy"):
        status["requestedBy"] = run.spec["requestedBy"]
    created = run.ctx.backlog.created_at(run.command)
    if created is not None:
        status["creationVersion"] = str(created)
    if run.swarm is not None:
        status["swarmUid"] = run.swarm["metadata"]["uid"]
    if run.action is not None:
        action = run.action.to_status()
        # A dry run did not begin: what it would have pinned is nothing to go by.
        pinned = {} if run.dry else run.pinned or {}
        action["parameters"] = {**action["parameters"], **pinned}
        status["action"] = action
    return status


def fits(data: Mapping[str, object]) -> bool:
    """Whether data is small enough for a status."""
    return len(json.dumps(data).encode()) <= _DATA_BYTES


def said(message: str) -> str:
    """A message as a status has it: one printable line, whoever's words are in it.

    What has several lines has them in the result.
    """
    lines = [line.strip() for line in message.splitlines()]
    text = "; ".join(line for line in lines if line)
    return cut(one_line(text, _MESSAGE_BYTES), _MESSAGE_BYTES)


def cut(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes of UTF-8, with a mark if cut."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode(errors="ignore") + "…"


def cut_as_json(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes as JSON travels, with a mark if cut."""
    if len(json.dumps(text)) <= most:
        return text
    # An escaped character is at most six times as long as one that is not.
    kept = text[:most]
    while len(json.dumps(kept)) > most - 16:
        kept = kept[: len(kept) * 9 // 10]
    return kept + "…"
