"""Dependency fields in brackets, quotes, code or tags, which are not read: where they are.

Used by ``near_fields``, which tells them: ``(_Depends: 3_)``, ``"_Blocks: 3_"``,
``<u>Depends: 3</u>``. What stands in brackets without a mark is prose, and told as such. Pure and
linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from kiro_swarm.tasks.file.names import NAMES

_NAMES: Final = "|".join(n for n, kind in NAMES if kind in ("depends", "blocks"))
_BEGIN: Final = re.compile(
    r"(?P<sign>[(\[{（【「『《\"'“”„«‘`~=>$/\\,·])[ \t]?(?P<open>[_*]{0,3})"
    rf"(?P<name>{_NAMES})(?P<mid>[_*]{{0,3}})[ \t]?[:：]",
    re.IGNORECASE,
)
#: Without a mark it is a field behind these alone.
_PLAIN: Final = frozenset("`>/,\\")
_VALUE: Final = re.compile(
    r"(?:[_*]{1,3}|</?[A-Za-z]{1,10}>|[ \t]){0,6}"
    r"(?P<value>[^)\]}）】」』》\"”»’`<~=$|\n]{1,300})"
)


class Enclosed(NamedTuple):
    """A field that is not read; ``start`` is the place of its first mark or letter."""

    name: str
    value: str
    start: int


def enclosed(text: str) -> Iterator[Enclosed]:
    """All fields of a line that stand directly behind such a sign."""
    for match in _BEGIN.finditer(text):
        if not match.group("open") and match.group("sign") not in _PLAIN:
            continue
        value = _VALUE.match(text, match.end())
        if value:
            said = value.group("value").strip(" \t*_.\\")
            yield Enclosed(match.group("name"), said, match.start("open"))
