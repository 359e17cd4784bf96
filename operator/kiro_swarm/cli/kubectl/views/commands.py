"""``kubectl swarm get commands``: what was said to a swarm, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Optional

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid
from kiro_swarm.cli.kubectl.views.objects import Object, created, moment, name, part
from kiro_swarm.cli.kubectl.views.style import phase_cell
from kiro_swarm.cli.kubectl.views.text import age, clean, duration

_HEADINGS = ["NAME", "SENTENCE", "PHASE", "BY", "TOOK", "AGE", "ANSWER"]
_WIDE = ["SWARM", "NEEDS", "AUDIT", "CORRELATION"]


def commands_table(
    commands: Sequence[Object], wide: bool = False, *, now: datetime
) -> Grid:
    """The commands, the latest last."""
    return Grid(
        _HEADINGS + (_WIDE if wide else []),
        [_row(command, wide, now) for command in by_time(commands)],
        elastic=[0, 1, 3, 6],
        right=[4],
        empty="no commands found",
    )


def by_time(commands: Sequence[Object]) -> list[Object]:
    """Commands in the order in which they were created."""
    return sorted(commands, key=lambda c: (clean(created(c)), name(c)))


def sentence_of(command: Object) -> str:
    """The sentence as it was understood, or else as it was said."""
    action = part(part(command, "status"), "action")
    return clean(action.get("normalized")) or clean(
        part(command, "spec").get("command")
    )


def answer_of(command: Object) -> str:
    """The answer in one line; while it runs, how far it is."""
    status = part(command, "status")
    answer = clean(part(status, "result").get("message")) or clean(
        status.get("message")
    )
    partial = status.get("partialResults")
    if not status.get("finishedAt") and isinstance(partial, list) and partial:
        done = sum(1 for one in partial if isinstance(one, dict) and one.get("done"))
        return f"{done}/{len(partial)} {answer}".strip()
    return answer


def took(command: Object, now: Optional[datetime] = None) -> str:
    """How long the answer took, or has taken until ``now``."""
    status = part(command, "status")
    start, end = moment(status.get("startedAt")), moment(status.get("finishedAt"))
    if start is None or (end is None and now is None):
        return ""
    if end is not None:
        return duration(max(0.0, (end - start).total_seconds()))
    return duration(max(0.0, (now - start).total_seconds())) if now else ""


def _row(command: Object, wide: bool, now: datetime) -> list[Cell]:
    spec, status = part(command, "spec"), part(command, "status")
    sentence: list[tuple[str, str]] = [(sentence_of(command), "bold")]
    if spec.get("dryRun") is True:
        sentence.append((" (dry run)", "cyan"))
    row: list[Cell] = [
        name(command),
        sentence,
        phase_cell(clean(status.get("phase"), 32) or "Pending"),
        clean(status.get("requestedBy") or spec.get("requestedBy"), 512),
        took(command, now),
        age(created(command), now),
        answer_of(command),
    ]
    if wide:
        row += [
            clean(spec.get("swarm"), 63),
            clean(part(status, "action").get("permission"), 64),
            clean(part(status, "audit").get("sequence")),
            clean(status.get("correlationId") or spec.get("correlationId"), 128),
        ]
    return row
