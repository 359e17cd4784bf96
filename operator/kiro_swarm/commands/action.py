"""What a sentence means (Action) and what came of it (ActionResult). Plain data.

Made by the parser and by executors; ``to_wire`` gives the JSON form (camelCase) for
SwarmCommand.status and for messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Mapping, NamedTuple

from kiro_swarm.commands.values import Value


class Action(NamedTuple):
    """A parsed sentence; immutable.

    ``command`` is the name of the table's row, which executors are found by; it stays
    in the process. ``arguments`` and ``parameters`` hold read values; ``modifiers`` the
    qualifier, if the command has one (``up``), and then the table's names in the
    table's order; ``normalized`` the canonical sentence. The parser knows no clock and
    no sender: the last three fields are for the caller (``_replace``); timestamp is
    RFC 3339 UTC.

    A named tuple and not a frozen dataclass, because making one takes a third of the
    time and is a large part of parsing a sentence.
    """

    command: str
    verb: str
    noun: str
    arguments: Mapping[str, Value]
    modifiers: tuple[str, ...]
    parameters: Mapping[str, Value]
    permission: str
    normalized: str
    timestamp: str = ""
    source_instance: str = ""
    correlation_id: str = ""

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready form; fields of the caller only when set."""
        wire: dict[str, Any] = {
            "verb": self.verb,
            "noun": self.noun,
            "arguments": dict(self.arguments),
            "modifiers": list(self.modifiers),
            "parameters": dict(self.parameters),
            "permission": self.permission,
            "normalized": self.normalized,
        }
        sender = {
            "timestamp": self.timestamp,
            "sourceInstance": self.source_instance,
            "correlationId": self.correlation_id,
        }
        wire.update((name, value) for name, value in sender.items() if value)
        return wire


@dataclass(frozen=True)
class ActionResult:
    """What came of an action: a message for people, data for programs.

    ``side_effects`` are the changes made, one short sentence each.
    """

    success: bool
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)
    execution_time: timedelta = timedelta()
    side_effects: tuple[str, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready form; the time as seconds."""
        effects: list[str] = list(self.side_effects)
        return {
            "success": self.success,
            "message": self.message,
            "data": dict(self.data),
            "executionSeconds": self.execution_time.total_seconds(),
            "sideEffects": effects,
        }
