"""``kubectl swarm get instances``: who there is, in which colour, and on what they work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Optional

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid
from kiro_swarm.cli.kubectl.views.objects import (
    Object,
    colour_code,
    created,
    name,
    number,
    part,
    task_id,
    worked_seconds,
    working,
)
from kiro_swarm.cli.kubectl.views.style import phase_cell, swatch
from kiro_swarm.cli.kubectl.views.text import age, clean, duration

_HEADINGS = ["INSTANCE", "COLOUR", "PHASE", "TASK", "FOR", "BRANCH", "POD", "AGE"]
_WIDE = ["WANTED", "NODE", "RESTARTS", "CODE", "MESSAGE"]


def instances_table(
    swarm: Object,
    instances: Sequence[Object],
    tasks: Sequence[Object],
    wide: bool = False,
    *,
    now: datetime,
) -> Grid:
    """The instances of ``swarm`` by number, with what ``tasks`` say they work on."""
    busy = working(instances, tasks)
    rows = [
        _row(instance, busy.get(name(instance)), wide, now)
        for instance in by_index(instances)
    ]
    return Grid(
        _HEADINGS + (_WIDE if wide else []),
        rows,
        elastic=[3, 5, 6, 12] if wide else [3, 5, 6],
        right=[4],
        empty=f"{clean(part(swarm, 'metadata').get('name'))} has no instances",
    )


def by_index(instances: Sequence[Object]) -> list[Object]:
    """Instances by their number in the swarm."""
    return sorted(
        instances, key=lambda i: (number(part(i, "spec").get("index")), name(i))
    )


def phase_of(instance: Object, task: Optional[Object]) -> str:
    """Its phase; Ready with a task in hand is Busy, however old the status is."""
    phase = clean(part(instance, "status").get("phase"), 32) or "Pending"
    return "Busy" if task is not None and phase == "Ready" else phase


def _row(
    instance: Object, task: Optional[Object], wide: bool, now: datetime
) -> list[Cell]:
    spec, status = part(instance, "spec"), part(instance, "status")
    code = colour_code(instance)
    held = part(task, "status") if task is not None else status
    row: list[Cell] = [
        swatch(code, name(instance)),
        clean(spec.get("colourName"), 64) or code,
        phase_cell(phase_of(instance, task)),
        task_id(task) if task is not None else clean(status.get("task"), 128),
        duration(worked_seconds(task, now)) if task is not None else "",
        clean(held.get("branch"), 255),
        clean(status.get("pod"), 253),
        age(created(instance), now),
    ]
    if wide:
        row += [
            clean(spec.get("desired"), 32) or "Running",
            clean(status.get("node"), 253),
            str(int(number(status.get("restarts")))),
            code,
            [(clean(status.get("message"), 1024), "dim")],
        ]
    return row
