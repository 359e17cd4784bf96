"""Actions back to sentences. Used by Action.normalized.

The canonical sentence: fixed words, arguments in the table's order, modifiers,
parameters; single spaces; quotes only where a value would be read as something else.
Parsing it gives the same action again.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from kiro_swarm.commands.table import Argument, Command
from kiro_swarm.commands.values import WRITERS, Value

if TYPE_CHECKING:
    from kiro_swarm.commands.action import Action

_PLAIN = string.ascii_letters + string.digits + "._-/:@,"


def format_action(action: Action) -> str:
    """The canonical sentence of an action.

    An argument after an optional one that was left out has its own word before it, as
    ``to 5``, or is named, as ``id=2.1``.
    """
    command = action.command
    words = [command.name]
    in_place = True
    for argument in command.arguments:
        value = action.arguments.get(argument.name)
        if value is None:
            in_place = False
        elif argument.after:
            words += [argument.after, write_value(value, argument, command)]
        elif in_place:
            words.append(write_value(value, argument, command))
        else:
            words.append(f"{argument.name}={write_value(value, argument, command)}")
    words += action.modifiers[len(command.fixed_modifiers) :]
    for parameter in command.parameters:
        value = action.parameters.get(parameter.name)
        if value is not None:
            words.append(f"{parameter.name}={write_value(value, parameter, command)}")
    return " ".join(words)


def write_value(value: Value, argument: Argument, command: Command) -> str:
    """A value as a word, in quotes when it could be misread."""
    text = WRITERS.get(argument.kind, str)(value)
    # strip() leaves nothing when every character is a plain one.
    if text and not text.strip(_PLAIN) and text.lower() not in command.reserved:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
