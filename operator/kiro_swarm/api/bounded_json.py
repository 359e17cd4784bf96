"""JSON of somebody else, bounded before it is parsed. Pure.

Whoever reads JSON that a repository, an agent, a person or another release has written reads it
through here: the agent socket, task files, the published graph, the logs that are chained by
hashes, answers. ``tests/unit/test_untrusted_parsers.py`` knows every such place.

Guarantees: text within the bounds is parsed in time and memory of its length, everything else
raises BoundsError, and nothing else is ever raised.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from typing import Iterator, NamedTuple, NoReturn, Optional, Union

_DIGITS = 64
# Strings as wholes, so that what they hold is not counted; a string without its end
# swallows the rest, which no parser accepts. Possessive by construction: one way to match.
_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[][{},:]|\d+', re.DOTALL)


class BoundsError(ValueError):
    """A text that is no JSON within the bounds; the message says why."""


#: What a sign adds to the depth, the values and the members.
_STEPS = {
    "[": (1, 1, 0),
    "{": (1, 1, 0),
    "]": (-1, 0, 0),
    "}": (-1, 0, 0),
    ",": (0, 1, 0),
    ":": (0, 0, 1),
}
#: Characters after which ``scan`` stops for a moment.
_PIECE = 32 * 1024


class Mark(NamedTuple):
    """A bracket, comma, colon, string or number: its first character, its place in the text,
    how deep it is afterwards, and how many values have begun until then."""

    first: str
    start: int
    end: int
    nested: int
    values: int


def check_json(
    text: Union[str, bytes],
    *,
    depth: int,
    values: int,
    members: Optional[int] = None,
    longest: Optional[int] = None,
) -> None:
    """Raise BoundsError for nesting, values, numbers or strings beyond bounds.

    It says nothing on whether ``text`` is JSON.

    :param members: of all objects together; each costs its reader more than a value.
    :param longest: of a string, as it is written.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    walk = scan(text, depth=depth, values=values, members=members, longest=longest)
    deque(walk, maxlen=0)


def scan(
    text: str,
    *,
    depth: int,
    values: int,
    members: Optional[int] = None,
    longest: Optional[int] = None,
    level: int = 0,
) -> Iterator[Optional[Mark]]:
    """The same piece by piece: None after each, and what is nested ``level`` deep at most.

    Of bytes it is given as Latin-1: a byte a character.
    """
    most_members = values if members is None else members
    nested, seen, seen_members = 0, 0, 0
    at, size = 0, len(text)
    while at < size:
        edge = min(size, at + _PIECE)
        for token in _TOKENS.finditer(text, at, edge):
            start = token.start()
            first = text[start]
            at = 0
            step = _STEPS.get(first)
            if step is not None:
                nested += step[0]
                seen += step[1]
                seen_members += step[2]
            else:
                end = token.end()
                if end >= edge - 1 and edge < size:
                    at = end = _end_of(text, start, first, longest)
                _check_length(first, end - start, longest)
            if not 0 <= nested <= depth:
                deep = f"JSON nested deeper than {depth}"
                raise BoundsError(
                    deep if nested > 0 else "JSON that closes what it did not open"
                )
            if seen > values or seen_members > most_members:
                most = f"{values} values and {most_members} members"
                raise BoundsError(f"JSON of more than {most}")
            if nested <= level:
                yield Mark(first, start, at or token.end(), nested, seen)
            if at:
                break  # it went beyond the piece: the next one begins after it
        else:
            at = edge
        yield None


def _end_of(text: str, start: int, first: str, longest: Optional[int]) -> int:
    """Where a string or number ends that the end of a piece may have cut; of one that is
    longer than may be, no more than that is looked at."""
    most = _DIGITS if first != '"' else len(text) if longest is None else longest
    token = _TOKENS.match(text, start, min(len(text), start + most + 2))
    assert token is not None  # noqa: S101 - one begins there
    return token.end()


def _check_length(first: str, size: int, longest: Optional[int]) -> None:
    """Refuse a string or a number that is too long."""
    if first != '"' and size > _DIGITS:
        raise BoundsError(f"a number of more than {_DIGITS} digits")
    if first == '"' and longest is not None and size > longest:
        raise BoundsError(f"a string of more than {longest} characters")


def read_json(text: Union[str, bytes], *, size: int, depth: int, values: int) -> object:
    """The value in ``text``, of ``size`` characters at most; raises BoundsError."""
    if len(text) > size:
        raise BoundsError(f"JSON longer than {size} characters")
    try:
        # As bytes it could be UTF-16, which the check would not see through.
        whole = text if isinstance(text, str) else text.decode("utf-8")
        if not whole.isascii():
            whole.encode("utf-8")  # refuses what no UTF-8 is, half of a pair
        check_json(whole, depth=depth, values=values)
        found: object = json.loads(
            whole, parse_float=_finite, parse_constant=_no_constant
        )
        if "\\u" in whole:
            # Half of a surrogate pair could be written nowhere later on.
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except BoundsError:
        raise
    except (ValueError, RecursionError) as error:
        raise BoundsError(f"no JSON: {error}") from error
    return found


def read_object(
    text: Union[str, bytes], *, size: int, depth: int, values: int
) -> dict[str, object]:
    """The JSON object in ``text``; raises BoundsError."""
    found = read_json(text, size=size, depth=depth, values=values)
    if not isinstance(found, dict):
        raise BoundsError("JSON that is not an object")
    return found


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise BoundsError("a number too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise BoundsError(f"{name} for a number")
