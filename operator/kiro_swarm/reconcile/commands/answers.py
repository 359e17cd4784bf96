"""The status of a SwarmCommand, from first sight to the answer. Pure.

Called by the command reconcile, which writes what comes out of here. A status is built from
the one before: what was recorded when the command began stays.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Mapping, Optional, Sequence

from kiro_swarm.commands.action import Action, ActionResult
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.commands.executors.plan import Outcome
from kiro_swarm.reconcile.objects.manifests import Object

Status = dict[str, Any]
_MESSAGE_BYTES = 4096
_DATA_BYTES = 16384
_MOST_CHANGES = 64


def recorded(command: Object) -> Mapping[str, Any]:
    """What was pinned when the command began; empty before."""
    status = command.get("status") or {}
    return (status.get("action") or {}).get("parameters") or {}


def running(
    command: Object,
    action: Action,
    *,
    pinned: Mapping[str, Any],
    changes: Sequence[Mapping[str, str]],
    outcome: Outcome,
    reason: str,
    now: datetime,
) -> Status:
    """The status of a command that has begun: what it will change, how far it is.

    :param reason: ``WORKING`` before the changes are made, ``WAITING`` afterwards.
    """
    before = command.get("status") or {}
    return {
        **_common(command, action, pinned),
        "phase": "Running",
        "reason": reason,
        "message": cut(outcome.message, _MESSAGE_BYTES),
        "startedAt": before.get("startedAt") or stamp(now),
        "changes": all_changes(command, changes),
        "partialResults": [part.to_wire() for part in outcome.partial],
    }


def all_changes(
    command: Object, changes: Sequence[Mapping[str, str]]
) -> list[Mapping[str, str]]:
    """What is recorded already and what is new, each once, at most 64."""
    known = list((command.get("status") or {}).get("changes") or [])
    said = {item["says"] for item in known}
    known += [item for item in changes if item["says"] not in said]
    return known[:_MOST_CHANGES]


def answered(
    command: Object,
    action: Optional[Action],
    outcome: Outcome,
    *,
    phase: str = "",
    reason: str = "",
    pinned: Optional[Mapping[str, Any]] = None,
    changes: Sequence[Mapping[str, str]] = (),
    now: datetime,
) -> Status:
    """The last status of a command."""
    before = command.get("status") or {}
    phase = phase or ("Succeeded" if outcome.success else "Failed")
    started = str(before.get("startedAt") or stamp(now))
    finished = stamp(now)
    message = cut(outcome.message, _MESSAGE_BYTES)
    made = all_changes(command, changes)
    result = ActionResult(
        bool(outcome.success),
        message,
        outcome.data if fits(outcome.data) else {},
        side_effects=tuple(item["says"] for item in made),
    ).to_wire()
    result["executionSeconds"] = round(seconds_between(started, finished), 6)
    status: Status = {
        **_common(command, action, pinned or {}),
        "phase": phase,
        "reason": reason or phase,
        "message": message,
        "result": result,
        "startedAt": started,
        "finishedAt": finished,
        "changes": made,
        "partialResults": [part.to_wire() for part in outcome.partial],
        "conditions": [
            condition(
                [],
                "Complete" if outcome.success else "Failed",
                True,
                reason or phase,
                message,
                generation=command["metadata"].get("generation", 1),
                now=now,
            )
        ],
    }
    return {key: value for key, value in status.items() if value or key != "changes"}


def _common(
    command: Object, action: Optional[Action], pinned: Mapping[str, Any]
) -> Status:
    spec, metadata = command["spec"], command["metadata"]
    status: Status = {
        "observedGeneration": metadata.get("generation", 1),
        "correlationId": str(spec.get("correlationId") or metadata["uid"]),
    }
    if spec.get("requestedBy"):
        status["requestedBy"] = spec["requestedBy"]
    if action is not None:
        wire = action.to_wire()
        wire["parameters"] = {**wire["parameters"], **pinned}
        status["action"] = wire
    return status


def rejected(error: SentenceError) -> Outcome:
    """The answer to a text that is no sentence."""
    message = error.message
    if error.suggestions:
        message += f"; did you mean: {' | '.join(error.suggestions)}"
    return Outcome(False, message, error.to_wire())


def dry_run(outcome: Outcome, changes: Sequence[Mapping[str, str]]) -> Outcome:
    """The answer to a dry run: what would be changed, and that nothing was."""
    if outcome.success is False:
        return Outcome(False, f"dry run: {outcome.message}", outcome.data)
    would = "; ".join(item["says"] for item in changes)
    if would:
        message = f"dry run, nothing is changed. It would change {would}"
    else:
        message = f"dry run, nothing would be changed: {outcome.message}"
    return Outcome(True, message, {**outcome.data, "wouldChange": list(changes)})


def fits(data: Mapping[str, Any]) -> bool:
    """Whether data is small enough for a status."""
    return len(json.dumps(data).encode()) <= _DATA_BYTES


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
