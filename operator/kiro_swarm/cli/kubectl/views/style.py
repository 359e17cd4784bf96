"""Glyph and colour of every state and phase, swatches, bars. Called by the views.

Every glyph stands beside a word or has a shape of its own, so nothing is told by colour
alone.
"""

from __future__ import annotations

from typing import Final

from kiro_swarm.cli.kubectl.views.grid import Part

#: State of a task -> glyph, style.
STATES: Final[dict[str, tuple[str, str]]] = {
    "Blocked": ("○", "dim"),
    "Ready": ("◇", "cyan"),
    "Bound": ("◔", "blue"),
    "Running": ("●", "yellow"),
    "Done": ("◕", "magenta"),
    "Merged": ("✔", "green"),
    "Failed": ("✘", "bold red"),
    "Skipped": ("⊘", "dim"),
}
#: Phase of a swarm, an instance or a command, type of an Event -> style.
PHASES: Final[dict[str, str]] = {
    "Pending": "dim",
    "Preparing": "cyan",
    "Running": "yellow",
    "Ready": "green",
    "Busy": "yellow",
    "Paused": "cyan",
    "Suspended": "cyan",
    "Draining": "cyan",
    "Restarting": "magenta",
    "Stopped": "dim",
    "Succeeded": "green",
    "Failed": "bold red",
    "Rejected": "bold red",
    "Cancelled": "magenta",
    "Deleting": "dim",
    "Warning": "yellow",
    "Normal": "dim",
}
SWATCH: Final = "■"


def glyph(state: str) -> Part:
    """The sign of a state, ``?`` for one that is not known."""
    return STATES.get(state, ("?", "dim"))


def state_cell(state: str) -> list[Part]:
    """Glyph and word."""
    sign, style = glyph(state)
    return [(f"{sign} {state}", style)]


def phase_cell(phase: str) -> list[Part]:
    """The word in its colour."""
    return [(phase, PHASES.get(phase, ""))]


def swatch(code: str, label: str) -> list[Part]:
    """A square of the colour ``#rrggbb`` before a label; the label alone without one."""
    if not label:
        return []
    return [(f"{SWATCH} ", code), (label, "")] if code else [(label, "")]


def bar(done: float, total: float, width: int, style: str = "green") -> list[Part]:
    """A progress bar of ``width`` columns."""
    filled = int(width * min(1.0, done / total)) if total > 0 else 0
    return [("━" * filled, style), ("─" * (width - filled), "dim")]
