"""What the values of fields say: times, scales, names, requirements, paths.

Used by ``details``. Every function answers None (or leaves an item out) for what it cannot
read; it is the caller who says so.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final, Optional

from kiro_swarm.tasks.file.composed import compose
from kiro_swarm.tasks.file.model import Complexity

#: Words and signs that mean "no value".
NOTHING: Final = frozenset(
    {
        *("", "-", "–", "—", "none", "n/a", "nothing", "nil", "null", "no", "[]"),
        *(
            "无",
            "無",
            "没有",
            "无依赖",
            "無依賴",
            "なし",
            "無し",
            "ない",
            "없음",
            "keine",
            "keiner",
        ),
        *(
            "aucune",
            "aucun",
            "ninguna",
            "ninguno",
            "nenhuma",
            "nenhum",
            "nessuna",
            "нет",
            "không",
            "không có",
        ),
    }
)
_COMMENT: Final = re.compile(r"\([^()]*\)|（[^（）]*）")
_TRAILING_COMMENT: Final = re.compile(r"\s\([^()]*\)\Z")
_NUMBER: Final = r"[0-9]{1,6}(?:\.[0-9]{1,2})?"
#: A day and a week of work, as people estimate them.
_UNITS: Final = {"w": 40 * 3600, "d": 8 * 3600, "h": 3600, "m": 60, "s": 1}
_TIME: Final = re.compile(
    r"[~≈]?\s?(?:(?:about|approx\.?|ca\.?)\s)?"
    rf"(?:(?P<from>{_NUMBER})\s?[a-z]{{0,7}}\s?(?:-|–|to)\s?)?"
    rf"(?P<parts>(?:{_NUMBER}\s?[a-z]{{1,7}}[\s,]{{0,2}}){{1,4}})",
    re.IGNORECASE,
)
_PART: Final = re.compile(
    rf"(?P<number>{_NUMBER})\s?(?P<unit>w(?:ee)?ks?|w|days?|d|hours?|hrs?|h"
    r"|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])",
    re.IGNORECASE,
)
_PRIORITIES: Final = {
    **dict.fromkeys(("critical", "highest", "urgent", "blocker", "p0"), 100),
    **dict.fromkeys(("high", "important", "p1"), 50),
    **dict.fromkeys(("medium", "normal", "moderate", "default", "p2"), 0),
    **dict.fromkeys(("low", "minor", "p3"), -50),
    **dict.fromkeys(("lowest", "trivial", "p4"), -100),
}
_COMPLEXITIES: Final[dict[str, Complexity]] = {
    **dict.fromkeys(("low", "simple", "easy", "trivial", "small", "xs", "s"), "Low"),
    **dict.fromkeys(("medium", "moderate", "normal", "m"), "Medium"),
    **dict.fromkeys(
        ("high", "complex", "hard", "difficult", "large", "l", "xl"), "High"
    ),
}
_OF_TEN: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,2})?)(?:\s?/\s?10)?")


def is_nothing(value: str) -> bool:
    """Whether a value says that there is none."""
    return compose(value).text.lower() in NOTHING


def read_seconds(value: str) -> Optional[int]:
    """``30min``, ``1h 30m``, ``2-3 hours`` (its middle), ``1 day`` (8 h) in seconds.

    None if it is none of them.
    """
    match = _TIME.fullmatch(_COMMENT.sub("", value[:200]).strip(" .*_`"))
    if match is None:
        return None
    parts = match.group("parts")
    found = list(_PART.finditer(parts))
    if not found or _PART.sub("", parts).strip(" ,"):
        return None
    seconds = sum(
        float(part.group("number")) * _UNITS[part.group("unit")[0].lower()]
        for part in found
    )
    if match.group("from"):
        low = float(match.group("from")) * _UNITS[found[0].group("unit")[0].lower()]
        seconds = (low + seconds) / 2 if low <= seconds else seconds
    return int(seconds)


def read_priority(value: str) -> Optional[int]:
    """``critical`` 100, ``high`` or ``P1`` 50, ``low`` -50, a number from -1000 to 1000."""
    word = _word(value)
    if re.fullmatch(r"[+-]?[0-9]{1,4}", word):
        number = int(word)
        return number if -1000 <= number <= 1000 else None
    return _PRIORITIES.get(word)


def read_complexity(value: str) -> Optional[Complexity]:
    """``low``, ``M``, ``7/10`` and the like on three steps."""
    word = _word(value)
    match = _OF_TEN.fullmatch(word)
    if match is None:
        return _COMPLEXITIES.get(word)
    number = float(match.group(1))
    if number > 10:
        return None
    return "Low" if number < 4 else "Medium" if number < 7 else "High"


def _word(value: str) -> str:
    """A value without comments and decoration such as a coloured circle."""
    plain = _COMMENT.sub("", value[:200]).strip().lower()
    return re.sub(r"\A[^\w+-]+|[\W_]+\Z", "", plain)


def read_requirements(value: str) -> list[str]:
    """``Requirements 2.1, 2.3`` -> ``2.1``, ``2.3``; prose and ranges as they are."""
    text = re.sub(r"^requirements?\b:?\s*", "", value, flags=re.IGNORECASE)
    return [item for item in (part.strip() for part in text.split(",")) if item]


def read_names(value: str) -> list[str]:
    """A list of files or parts: backticks and trailing comments taken off."""
    items = (
        _TRAILING_COMMENT.sub("", item.strip()).strip("`").strip()
        for item in value.split(",")
    )
    return [item for item in items if not is_nothing(item)]


def inside_repository(path: str) -> Optional[str]:
    """A path in its shortest form, or None when it leaves the repository."""
    short = posixpath.normpath(path.replace("\\", "/"))
    climbs = short == ".." or short.startswith(("../", "/", "~"))
    return None if climbs else short
