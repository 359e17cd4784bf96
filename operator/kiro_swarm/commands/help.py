"""The table in words and as JSON: help texts, ``kiro-swarm command list``. Pure."""

from __future__ import annotations

import json
from itertools import chain, repeat
from typing import Sequence

from typing_extensions import Required, TypedDict

from kiro_swarm.commands.errors import any_of
from kiro_swarm.commands.grammar import fold
from kiro_swarm.commands.table import COMMANDS, VERB_SYNONYMS, Argument, Command
from kiro_swarm.commands.values import in_words


class ArgumentHelp(TypedDict, total=False):
    """An argument or a parameter; ``minimum`` where it is a number."""

    name: Required[str]
    kind: Required[str]
    expects: Required[str]
    minimum: int
    maximum: Required[int]
    optional: Required[bool]
    after: Required[str]
    choices: Required[list[str]]
    help: Required[str]


class ModifierHelp(TypedDict):
    """A word that says how."""

    name: str
    help: str
    available: bool
    missing: str
    synonyms: list[str]


class CommandHelp(TypedDict):
    """A row of the table. Programs read it: no key of it is renamed or dropped."""

    name: str
    usage: str
    verb: str
    verbSynonyms: list[str]
    noun: str
    arguments: list[ArgumentHelp]
    modifiers: list[ModifierHelp]
    parameters: list[ArgumentHelp]
    permission: str
    destructive: bool
    available: bool
    missing: str
    help: str
    examples: list[str]
    synonyms: list[str]
    connectors: list[str]


def describe(commands: Sequence[Command] = COMMANDS) -> list[CommandHelp]:
    """One JSON-ready object a command, in the table's order."""
    return [
        {
            "name": command.name,
            "usage": command.usage,
            "verb": command.verb,
            "verbSynonyms": list(VERB_SYNONYMS.get(command.verb, ())),
            "noun": command.noun,
            "arguments": [_argument(item) for item in command.arguments],
            "modifiers": [
                {
                    "name": item.name,
                    "help": item.help,
                    "available": item.available,
                    "missing": item.missing,
                    "synonyms": list(item.synonyms),
                }
                for item in command.modifiers
            ],
            "parameters": [_argument(item) for item in command.parameters],
            "permission": command.permission,
            "destructive": command.destructive,
            "available": command.available,
            "missing": command.missing,
            "help": command.help,
            "examples": list(command.examples),
            "synonyms": list(command.synonyms),
            "connectors": sorted(command.connectors),
        }
        for command in commands
    ]


def describe_json(commands: Sequence[Command] = COMMANDS) -> str:
    """The same as a JSON text with a final line break."""
    return json.dumps(describe(commands), indent=2) + "\n"


def help_text(verb: str = "", commands: Sequence[Command] = COMMANDS) -> str:
    """Every sentence in one line; with a verb or another first word, its full help.

    Raises KeyError when no command has this first word.
    """
    if not verb:
        width = max(len(command.usage) for command in commands)
        lines = [
            f"{item.usage:<{width}}  {item.help}"
            + ("" if item.available else " (not available)")
            for item in commands
        ]
        return "\n".join(lines) + "\n"
    chosen = [command for command in commands if fold(verb) in _first_words(command)]
    if not chosen:
        raise KeyError(verb)
    return "\n".join(_page(command) for command in chosen)


def _first_words(command: Command) -> set[str]:
    """The words that a sentence of this command may begin with."""
    phrases = {words[0] for words in command.phrases()}
    return {command.verb, *VERB_SYNONYMS.get(command.verb, ()), *phrases}


def _page(command: Command) -> str:
    """Everything about one command."""
    lines = [command.usage, f"    {command.help}", ""]
    if command.missing:
        lines.append(f"    Not available: {command.missing}.")
    for item in (*command.arguments, *command.parameters):
        lines.append(f"    {item.name.upper()}: {item.help}")
    for modifier in command.modifiers:
        note = f" Not available: {modifier.missing}." if modifier.missing else ""
        lines.append(f"    {modifier.name}: {modifier.help}{note}")
    lines.append(f"    Permission: {command.permission} on kiroswarms")
    others = VERB_SYNONYMS.get(command.verb, ())
    if others:
        lines.append(f"    Instead of '{command.verb}': {any_of(others)}")
    for label, phrase in zip(chain(["Also: "], repeat("      ")), command.synonyms):
        lines.append(f"    {label}{phrase}")
    lines.append("    Examples:")
    lines += [f"        {example}" for example in command.examples]
    return "\n".join(lines) + "\n"


def _argument(item: Argument) -> ArgumentHelp:
    told: ArgumentHelp = {
        "name": item.name,
        "kind": item.kind,
        "expects": in_words(item),
        "maximum": item.maximum,
        "optional": item.optional,
        "after": item.after,
        "choices": list(item.choices),
        "help": item.help,
    }
    if item.kind in ("integer", "duration"):
        told["minimum"] = item.minimum
    return told
