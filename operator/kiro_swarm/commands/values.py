"""Readers of values: text to value by the kind of the argument. Used by the grammar.

A reader returns the value or raises ValueError with a message that names the
argument and what it may be, without a column; the parser adds that.
"""

from __future__ import annotations

import string
from typing import Callable, Union

from kiro_swarm.commands.errors import shown
from kiro_swarm.commands.table import Argument

Value = Union[int, str]
Reader = Callable[[str, Argument], Value]

_LETTERS = string.ascii_letters + string.digits
_NAME = string.ascii_lowercase + string.digits + "-"
_TASK = _LETTERS + "._-"


def expectation(argument: Argument) -> str:
    """What this argument may be, in words, as ``COUNT (an integer from 0 to 1000)``."""
    if argument.kind == "integer":
        kind = f"an integer from {argument.minimum} to {argument.maximum}"
    else:
        kind = _KINDS_IN_WORDS[argument.kind]
    return f"{argument.name.upper()} ({kind})"


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


def read_text(text: str, argument: Argument) -> Value:
    """Any text up to the length of the argument."""
    if len(text) > argument.maximum:
        raise ValueError(
            f"{argument.name} has at most {argument.maximum} characters, "
            f"got {len(text)}"
        )
    return text


READERS: dict[str, Reader] = {
    "integer": read_integer,
    "name": read_name,
    "task": read_task,
    "text": read_text,
}

_KINDS_IN_WORDS = {"name": "a name", "task": "a task id", "text": "a text"}
