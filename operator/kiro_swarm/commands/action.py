"""What a sentence means (Action) and what came of it (ActionResult). Plain data.

Made by the parser and by executors; ``to_wire`` gives the JSON form (camelCase) for
SwarmCommand.status and for messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Mapping, NamedTuple

from kiro_swarm.commands.formatter import format_action
from kiro_swarm.commands.table import Command
from kiro_swarm.commands.values import Value

if (
    TYPE_CHECKING
):  # pydantic takes a tenth of a second, and completion has no use for it
    from kiro_swarm.api.command import Action as ActionStatus
    from kiro_swarm.api.command import Result


class Action(NamedTuple):
    """A parsed sentence; immutable.

    ``command`` is the row of the table; executors are found by its name.
    ``arguments`` and ``parameters`` hold read values by name; ``modifiers`` the
    command's qualifier and suffix, if it has some (``up``), and then the names of what
    was said, in the table's order. The parser knows no clock and no sender: the last three fields
    are for the caller (``_replace``); timestamp is RFC 3339 UTC.

    A named tuple and not a frozen dataclass, because making one takes a third of the
    time and is a large part of parsing a sentence.
    """

    command: Command
    arguments: Mapping[str, Value]
    modifiers: tuple[str, ...]
    parameters: Mapping[str, Value]
    timestamp: str = ""
    source_instance: str = ""
    correlation_id: str = ""

    @property
    def verb(self) -> str:
        """What to do; of the table, whatever synonym was said."""
        return self.command.verb

    @property
    def noun(self) -> str:
        """To what."""
        return self.command.noun

    @property
    def permission(self) -> str:
        """The RBAC verb on kiroswarms that it needs."""
        return self.command.permission

    @property
    def normalized(self) -> str:
        """The canonical sentence, which parses to this action again."""
        return format_action(self)

    @property
    def unavailable(self) -> tuple[str, ...]:
        """What this version lacks to do it, a clause for each word that asks for it.

        Empty when it can be done.
        """
        asked = [(self.command.name, self.command.missing)]
        asked += [
            (item.name, item.missing)
            for item in self.command.modifiers
            if item.name in self.modifiers
        ]
        return tuple(
            f"'{word}' is not available: {missing}"
            for word, missing in asked
            if missing
        )

    def to_status(self) -> ActionStatus:
        """As in ``SwarmCommand.status.action``."""
        return {
            "verb": self.verb,
            "noun": self.noun,
            "arguments": _wire(self.arguments),
            "modifiers": list(self.modifiers),
            "parameters": _wire(self.parameters),
            "permission": self.permission,
            "normalized": self.normalized,
        }

    def to_wire(self) -> dict[str, object]:
        """JSON-ready form; fields of the caller only when set."""
        sender = {
            "timestamp": self.timestamp,
            "sourceInstance": self.source_instance,
            "correlationId": self.correlation_id,
        }
        said = {name: value for name, value in sender.items() if value}
        return {**self.to_status(), **said}


def _wire(values: Mapping[str, Value]) -> dict[str, object]:
    """Values as JSON has them: lists for tuples."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }


@dataclass(frozen=True)
class ActionResult:
    """What came of an action: a message for people, data for programs.

    ``side_effects`` are the changes made, one short sentence each.
    """

    success: bool
    message: str
    data: Mapping[str, object] = field(default_factory=dict)
    execution_time: timedelta = timedelta()
    side_effects: tuple[str, ...] = ()

    def to_wire(self) -> Result:
        """JSON-ready form; the time as seconds."""
        return {
            "success": self.success,
            "message": self.message,
            "data": dict(self.data),
            "executionSeconds": self.execution_time.total_seconds(),
            "sideEffects": list(self.side_effects),
        }
