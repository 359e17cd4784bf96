"""The table of commands: the single source of the language.

Parser, formatter, help, completion, the docs page and permissions derive from these
rows; a new command is one row in a module of this package and one function that
executes it, found by ``Command.name``. Read by the other modules of this package and by
whoever executes actions.

The first word of a sentence alone decides which permission it needs, so that an
admission policy can check it without a parser; the grammar refuses a table in which
one first word stands for two permissions.
"""

from __future__ import annotations

from kiro_swarm.commands.table import instances, integration, protocol, tasks, watching
from kiro_swarm.commands.table.instances import MAX_INSTANCES
from kiro_swarm.commands.table.rows import (
    CONNECTORS,
    FILLERS,
    Argument,
    Command,
    Modifier,
)

__all__ = [
    "COMMANDS",
    "CONNECTORS",
    "FILLERS",
    "MAX_INSTANCES",
    "VERB_SYNONYMS",
    "Argument",
    "Command",
    "Modifier",
]

COMMANDS: tuple[Command, ...] = (
    *watching.ROWS,
    *tasks.ROWS,
    *instances.ROWS,
    *integration.ROWS,
    *protocol.ROWS,
)

#: Other words for a verb, for every command of that verb.
VERB_SYNONYMS: dict[str, tuple[str, ...]] = {
    "approve": ("accept",),
    "assign": ("give",),
    "cancel": ("abort",),
    "log": ("logs",),
    "pause": ("hold", "suspend"),
    "reassign": ("redistribute",),
    "reject": ("decline",),
    "restart": ("reboot",),
    "resume": ("continue", "unpause"),
    "run": ("execute", "start", "launch"),
    "scale": ("resize",),
    "status": ("show", "get"),
    "stop": ("halt", "terminate", "kill", "shutdown"),
    "sync": ("synchronize",),
}
