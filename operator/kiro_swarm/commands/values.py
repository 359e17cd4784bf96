"""Readers of values: text to value by the kind of the argument. Used by the grammar.

A reader returns the value or raises ValueError with a message that names the
argument and what it may be, without a column; the parser adds that. A duration is its
whole seconds, a list is a tuple; WRITERS turn those back into words.
"""

from __future__ import annotations

import re
import string
from typing import Callable, Tuple, Union

from kiro_swarm.commands.errors import any_of, shown
from kiro_swarm.commands.table import Argument

Value = Union[int, str, Tuple[str, ...]]
Reader = Callable[[str, Argument], Value]

_LETTERS = string.ascii_letters + string.digits
_NAME = string.ascii_lowercase + string.digits + "-"
_TASK = _LETTERS + "._-"
_IN_BRANCH = _LETTERS + "._-/"
_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*(?<!\.)(?<!\.lock)"
_BRANCH = re.compile(rf"(?!refs/){_PART}(?:/{_PART})*")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _UNITS))
_MOST_NAMES = 50


def expectation(argument: Argument) -> str:
    """The argument and what it may be, as ``COUNT (an integer from 0 to 1000)``."""
    return f"{argument.name.upper()} ({in_words(argument)})"


def in_words(argument: Argument) -> str:
    """What this argument may be, as ``an integer from 0 to 1000``."""
    if argument.kind == "integer":
        return f"an integer from {argument.minimum} to {argument.maximum}"
    if argument.kind == "choice":
        return any_of(argument.choices)
    return _KINDS_IN_WORDS[argument.kind]


def read_integer(text: str, argument: Argument) -> Value:
    """Decimal digits within the bounds of the argument."""
    # Nine digits hold every bound and keep int() away from hostile lengths.
    if text.isascii() and text.isdigit() and len(text) <= 9:
        value = int(text)
        if argument.minimum <= value <= argument.maximum:
            return value
    limits = f" (the limits of {argument.bounded_by})" if argument.bounded_by else ""
    raise ValueError(
        f"{argument.name} must be an integer from {argument.minimum} to "
        f"{argument.maximum}{limits}, got {shown(text)}"
    )


def read_duration(text: str, argument: Argument) -> Value:
    """Whole seconds of ``90s``, ``10m``, ``1h30m``, ``2d``, within the bounds."""
    found = _DURATION.fullmatch(text)
    if text and found:
        parts = zip(found.groups(default="0"), _UNITS.values())
        value = sum(int(count) * seconds for count, seconds in parts)
        if argument.minimum <= value <= argument.maximum:
            return value
    low, high = write_duration(argument.minimum), write_duration(argument.maximum)
    raise ValueError(
        f"{argument.name} must be a duration from {low} to {high}, written as 90s, 10m "
        f"or 1h30m, got {shown(text)}"
    )


def write_duration(value: Value) -> str:
    """``1h30m`` for 5400."""
    left, words = int(str(value)), ""
    for unit, seconds in _UNITS.items():
        count, left = divmod(left, seconds)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def read_name(text: str, argument: Argument) -> Value:
    """The name of a Kubernetes object that is a DNS label."""
    # strip() leaves nothing when every character is an allowed one.
    if (
        not text
        or text.strip(_NAME)
        or len(text) > argument.maximum
        or text[0] == "-"
        or text[-1] == "-"
    ):
        raise ValueError(
            f"{shown(text)} is not a valid {argument.name}: use a-z, 0-9 and '-', with "
            f"a letter or digit at both ends (max {argument.maximum})"
        )
    return text


def read_names(text: str, argument: Argument) -> Value:
    """Such names, with commas between them."""
    names = text.split(",")
    if len(names) > _MOST_NAMES:
        raise ValueError(
            f"{argument.name} takes at most {_MOST_NAMES} names, got {len(names)}"
        )
    return tuple(str(read_name(name, argument)) for name in names)


def read_command(text: str, argument: Argument) -> Value:
    """The name of a Kubernetes object that is a DNS subdomain: labels and dots."""
    for label in text.split("."):
        read_name(label, argument)
    if len(text) > argument.maximum:
        raise ValueError(f"{argument.name} has at most {argument.maximum} characters")
    return text


def read_task(text: str, argument: Argument) -> Value:
    """A task id as KiroTask.spec.id allows it, case kept; never a path."""
    if (
        not text
        or text.strip(_TASK)
        or len(text) > argument.maximum
        or text[0] not in _LETTERS
    ):
        raise ValueError(
            f"{shown(text)} is not a valid {argument.name}: use letters, digits, '.', "
            f"'_' and '-', begin with a letter or digit (max {argument.maximum})"
        )
    return text


def read_branch(text: str, argument: Argument) -> Value:
    """The short name of a branch; stricter than git, which would accept ``a$(id)``."""
    if _BRANCH.fullmatch(text) and len(text) <= argument.maximum and ".." not in text:
        return text
    if text.startswith("refs/"):
        raise ValueError(f"give the short branch name, not {shown(text)}")
    if ".." in text:
        raise ValueError(f"branch {shown(text)} is not allowed: '..' in a ref")
    for place, char in enumerate(text, 1):
        if char not in _IN_BRANCH:
            raise ValueError(
                f"branch contains {shown(char)} at position {place}; "
                "allowed: A-Z a-z 0-9 . _ - /"
            )
    if len(text) > argument.maximum:
        raise ValueError(f"a branch has at most {argument.maximum} characters")
    raise ValueError(
        f"branch {shown(text)} is not allowed: each part between '/' begins with a "
        "letter, digit or '_' and does not end with '.' or '.lock'"
    )


def read_choice(text: str, argument: Argument) -> Value:
    """One of a few words."""
    if text not in argument.choices:
        raise ValueError(
            f"{argument.name} must be {any_of(argument.choices)}, got {shown(text)}"
        )
    return text


def read_text(text: str, argument: Argument) -> Value:
    """Any text up to the length of the argument."""
    if len(text) > argument.maximum:
        raise ValueError(
            f"{argument.name} has at most {argument.maximum} characters, "
            f"got {len(text)}"
        )
    return text


READERS: dict[str, Reader] = {
    "branch": read_branch,
    "choice": read_choice,
    "command": read_command,
    "duration": read_duration,
    "instance": read_name,
    "integer": read_integer,
    "name": read_name,
    "names": read_names,
    "swarm": read_name,
    "task": read_task,
    "text": read_text,
}

#: Kinds whose value is not its own text.
WRITERS: dict[str, Callable[[Value], str]] = {
    "duration": write_duration,
    "names": lambda value: ",".join(value) if isinstance(value, tuple) else str(value),
}

_KINDS_IN_WORDS = {
    "branch": "a short branch name",
    "command": "the name of a command",
    "duration": "a duration such as 90s, 10m or 1h30m",
    "instance": "the name of an instance",
    "name": "a name",
    "names": "names with commas between them",
    "swarm": "the name of the swarm",
    "task": "a task id",
    "text": "a text",
}
