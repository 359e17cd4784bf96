"""Time as the API writes it: RFC 3339, UTC, microseconds."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional


def stamp(now: datetime) -> str:
    """``2026-11-22T10:00:00.000000Z`` for an aware datetime."""
    return now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: Optional[str]) -> Optional[datetime]:
    """The aware datetime of an RFC 3339 time, or None for none or nonsense."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def seconds_between(start: Optional[str], end: Optional[str]) -> float:
    """Seconds from ``start`` to ``end``, never negative; 0 when either is missing."""
    first, last = parse(start), parse(end)
    if first is None or last is None:
        return 0.0
    return max(0.0, (last - first).total_seconds())
