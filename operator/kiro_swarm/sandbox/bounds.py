"""JSON of somebody else, bounded before it is parsed.

Used for requests and answers of the agent socket and for what programs in the agent
container print. Guarantees: text within the bounds is parsed in time and memory of its
length, everything else raises ProtocolError, and nothing else is ever raised.
"""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn, Union

from pydantic import ValidationError

_DIGITS = 64
# Strings as wholes, so that what they hold is not counted; a string without its end
# swallows the rest, which no parser accepts. Possessive by construction: one way to match.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[][{},]|\d+', re.DOTALL)


class ProtocolError(Exception):
    """The other side said something that is not in the protocol; the message says what."""


def check_json(text: Union[str, bytes], *, depth: int, values: int) -> None:
    """Raise ProtocolError for nesting, values or numbers beyond bounds.

    It says nothing on whether ``text`` is JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    nested = 0
    left = values
    for token in _TOKENS.finditer(text):
        first = text[token.start()]
        if first in "[{":
            nested += 1
            left -= 1
            if nested > depth:
                raise ProtocolError(f"JSON nested deeper than {depth}")
        elif first in "]}":
            nested -= 1
            if nested < 0:
                raise ProtocolError("JSON that closes what it did not open")
        elif first == ",":
            left -= 1
        elif first != '"' and token.end() - token.start() > _DIGITS:
            raise ProtocolError(f"a number of more than {_DIGITS} digits")
        if left < 0:
            raise ProtocolError(f"JSON of more than {values} values")


def read_object(
    text: str, *, depth: int = 8, values: int = 100_000
) -> dict[str, object]:
    """The JSON object in ``text``; raises ProtocolError."""
    check_json(text, depth=depth, values=values)
    try:
        found = json.loads(text, parse_float=_finite, parse_constant=_no_constant)
        if "\\u" in text:
            # Half of a surrogate pair could be written nowhere later on.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ProtocolError("JSON that is not an object")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ProtocolError("a number too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ProtocolError(f"{name} for a number")


def first_error(error: ValidationError, skip: int = 0) -> str:
    """The first thing that is wrong: the field, without the first ``skip`` parts, and why."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"][skip:]) or "it"
    return f"{where}: {first['msg']}"[:512]
