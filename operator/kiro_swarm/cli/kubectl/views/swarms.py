"""``kubectl swarm get swarms``: every swarm in one line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid
from kiro_swarm.cli.kubectl.views.objects import Object, created, name, number, part
from kiro_swarm.cli.kubectl.views.style import bar, phase_cell
from kiro_swarm.cli.kubectl.views.text import age, clean

_BAR = 10


def swarms_table(
    swarms: Sequence[Object], wide: bool = False, *, now: datetime
) -> Grid:
    """The swarms by name, with a namespace column when they are of several."""
    spaces = {clean(part(swarm, "metadata").get("namespace")) for swarm in swarms}
    headings = ["NAME", "PHASE", "PROGRESS", "INSTANCES", "SPEED-UP", "AGE", "MESSAGE"]
    if wide:
        headings[6:6] = ["REPOSITORY", "BRANCH", "HEAD"]
    rows: list[list[Cell]] = []
    for swarm in sorted(swarms, key=_place):
        row = _row(swarm, wide, now)
        if len(spaces) > 1:
            row.insert(0, clean(part(swarm, "metadata").get("namespace")))
        rows.append(row)
    if len(spaces) > 1:
        headings.insert(0, "NAMESPACE")
    last = len(headings) - 1
    return Grid(
        headings,
        rows,
        elastic=[last, last - 3, last - 2] if wide else [last],
        empty="no swarms found",
    )


def _place(swarm: Object) -> tuple[str, str]:
    return clean(part(swarm, "metadata").get("namespace")), name(swarm)


def progress_of(swarm: Object) -> tuple[int, int]:
    """How many tasks are merged, of how many."""
    counts = part(part(swarm, "status"), "tasks")
    return int(number(counts.get("merged"))), int(number(counts.get("total")))


def speedup_of(swarm: Object) -> str:
    """``2.4x``, or '' while nothing was measured."""
    ratio = number(part(part(swarm, "status"), "speedup").get("ratio"))
    return f"{ratio:.1f}x" if ratio else ""


def _row(swarm: Object, wide: bool, now: datetime) -> list[Cell]:
    spec, status = part(swarm, "spec"), part(swarm, "status")
    merged, total = progress_of(swarm)
    wanted = int(number(spec.get("instances"), 1))
    row: list[Cell] = [
        [(name(swarm), "bold")],
        phase_cell(clean(status.get("phase")) or "Pending"),
        [*bar(merged, total, _BAR), (f" {merged}/{total}", "")] if total else "",
        clean(status.get("readiness"))
        or f"{int(number(status.get('readyReplicas')))}/{wanted}",
        speedup_of(swarm),
        age(created(swarm), now),
        clean(status.get("message")),
    ]
    if wide:
        integration = part(status, "integration")
        row[6:6] = [
            clean(part(spec, "repository").get("url")),
            clean(integration.get("branch")),
            [(clean(integration.get("head"))[:10], "yellow")],
        ]
    return row
