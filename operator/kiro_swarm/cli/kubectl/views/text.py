"""Words for people: cleaned text, durations, ages. Called by every view; no rich here."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Optional

from kiro_swarm.policy.times import parse
from kiro_swarm.policy.words import CONTROLS, SEQUENCES, harmless

_SPACE: Final = re.compile(r"\s+")


def clean(value: object, longest: int = 4096) -> str:
    """``value`` as one line that does nothing to a terminal; '' for None.

    Control sequences vanish, every white space becomes one blank, what is longer than
    ``longest`` characters ends in an ellipsis.
    """
    text = "" if value is None else str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if not _plain(text):
        text = CONTROLS.sub("", SEQUENCES.sub("", _SPACE.sub(" ", text)))
    elif "  " not in text:
        return text.strip()
    return _SPACE.sub(" ", text).strip()


def _plain(text: str) -> bool:
    """Whether nothing is to be cleaned: most texts, so this is the quick way out."""
    return text.isascii() and text.isprintable()


def clean_lines(value: object) -> list[str]:
    """The lines of ``value``, each harmless; tabs become blanks, indentation stays."""
    text = ("" if value is None else str(value)).expandtabs(8)
    text = text.replace("\r\n", "\n")
    return [harmless(line) for line in text.split("\n")]


def duration(seconds: Optional[float]) -> str:
    """``0.4s``, ``12s``, ``3m12s``, ``2h05m``, ``3d4h``; '' for None."""
    if seconds is None:
        return ""
    if 0 < seconds < 9.95:
        return f"{seconds:.1f}s".replace(".0s", "s")
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600}h"


def age(since: object, now: datetime) -> str:
    """How long ago an RFC 3339 time was, as kubectl says it: ``5s``, ``7m30s``, ``3d``."""
    start = parse(since) if isinstance(since, str) else None
    if start is None:
        return "<unknown>"
    whole = max(0, int((now - start).total_seconds()))
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m" + (f"{whole % 60}s" if whole % 60 else "")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if days < 2:
        return f"{hours}h"
    if days < 8:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y" + (f"{days % 365}d" if days < 2920 else "")


def plural(count: int, noun: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
