"""How names, times and foreign texts are put into a line for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

MOST_NAMES = 5
_LONGEST_LINE = 300
_SOON = timedelta(minutes=10)


def listed(names: Iterable[str]) -> str:
    """The first few names, and how many more."""
    named = list(names)
    more = len(named) - MOST_NAMES
    shown = ", ".join(named[:MOST_NAMES])
    return f"{shown} and {more} more" if more > 0 else shown


def short(text: str) -> str:
    """The first line of a text, as far as it fits."""
    return text.strip().partition("\n")[0][:_LONGEST_LINE]


def spoken(seconds: float) -> str:
    """``42 s``, ``7 min`` or ``3.5 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def clock(when: datetime, now: datetime) -> str:
    """``14:05 UTC``; with seconds when that is near, with the date when it is far."""
    when = when.astimezone(timezone.utc)
    if abs(when - now) > timedelta(hours=20):
        return f"{when:%Y-%m-%d %H:%M} UTC"
    return f"{when:%H:%M:%S} UTC" if abs(when - now) < _SOON else f"{when:%H:%M} UTC"
