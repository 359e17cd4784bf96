"""Task ids: which are allowed, and what their numbering says.

Used by the parser and its parts. An id becomes a branch, a path and an object's name,
so it is an allow-list: digits with dots (``0``, ``1.10``, ``1.2a``) or a word in
capitals and a number (``CORE-1``, ``T1``).
"""

from __future__ import annotations

import re
from typing import Final

#: What an id looks like, for other patterns.
PATTERN: Final = (
    r"(?:[0-9]{1,6}|[A-Z]{1,16}(?:-[A-Z]{1,16}){0,2}-?[0-9]{1,6})"
    r"(?:\.[0-9]{1,6}){0,5}[a-z]?"
)
_ID: Final = re.compile(PATTERN)
MAX_LENGTH: Final = 48

ALLOWED: Final = (
    "an id is digits with dots (1.2), such with a letter (1.2a), "
    "or a word in capitals and a number (CORE-1)"
)


def is_id(text: str) -> bool:
    """Whether ``text`` is an allowed task id."""
    return len(text) <= MAX_LENGTH and _ID.fullmatch(text) is not None


def is_numeric(task_id: str) -> bool:
    """Whether an id is made of numbers, so that it says its own place."""
    return task_id[0].isdigit()


def prefixes(task_id: str) -> list[str]:
    """The groups an id belongs to by its numbering, nearest first.

    ``1.2.3`` -> ``1.2``, ``1``; ``CORE-1`` -> none.
    """
    parts = task_id.split(".")
    return [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
