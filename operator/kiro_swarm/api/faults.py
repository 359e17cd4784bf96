"""How an error of pydantic is told in one line, whatever the other side wrote.

Called by all who read what others wrote. The place and the words of an error have names and
values in them that only the other side knows, with line ends and signs that steer a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Union

from pydantic import ValidationError

#: A name that shows what it is. Any other one is shown escaped and quoted.
_PLAIN = re.compile(r"[A-Za-z0-9_@/=.\[\]-]{1,64}")
_SHOWN = 64
_MOST_PARTS = 10
_LONGEST = 400


def first_fault(error: ValidationError, *, skip: int = 0, whole: str = "it") -> str:
    """``<field>: <what is wrong>`` of the first thing that is wrong, in one printable line.

    ``skip``: how many names at the start of the place are left out; ``whole``: what the
    field is called when nothing is left.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    where = field_path(first["loc"][skip:]) or whole
    return f"{where}: {_escaped(first['msg'])[:_LONGEST]}"


def field_path(parts: Iterable[Union[str, int]]) -> str:
    """``spec.tasks.0`` of the place of an error; "" for the whole."""
    return ".".join(_part(str(part)) for part in list(parts)[:_MOST_PARTS])


def _part(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else ascii(name[:_SHOWN])


def _escaped(text: str) -> str:
    """The text with what cannot be printed written out, letters of any language kept."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:_LONGEST]
    )
