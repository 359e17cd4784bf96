"""Actions back to sentences. Used by the parser and by whoever shows an action.

The canonical sentence: fixed words, arguments in the table's order, modifiers,
parameters; single spaces; quotes only where a value would be read as something else.
Parsing it gives the same action again.
"""

from __future__ import annotations

import string
from typing import Mapping, Sequence

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.table import COMMANDS, Command
from kiro_swarm.commands.values import Value

_PLAIN = string.ascii_letters + string.digits + "._-/:@"
_BY_NAME = {command.name: command for command in COMMANDS}


def format_action(action: Action) -> str:
    """The canonical sentence of an action of the table."""
    command = _BY_NAME[action.command]
    return sentence(command, action.arguments, action.modifiers, action.parameters)


def sentence(
    command: Command,
    arguments: Mapping[str, Value],
    modifiers: Sequence[str],
    parameters: Mapping[str, Value],
) -> str:
    """The canonical sentence of a command with these values.

    An argument after an optional one that was left out is named, as ``id=2.1``.
    """
    words = [command.name]
    in_place = True
    for argument in command.arguments:
        value = arguments.get(argument.name)
        if value is None:
            in_place = False
        elif in_place:
            words.append(write_value(value, command))
        else:
            words.append(f"{argument.name}={write_value(value, command)}")
    words += modifiers[1:] if command.qualifier else modifiers
    for name, value in parameters.items():
        words.append(f"{name}={write_value(value, command)}")
    return " ".join(words)


def write_value(value: Value, command: Command) -> str:
    """A value as a word, in quotes when it could be misread."""
    text = str(value)
    # strip() leaves nothing when every character is a plain one.
    if text and not text.strip(_PLAIN) and text.lower() not in command.reserved:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
