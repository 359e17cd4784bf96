"""`kubectl swarm audit`: the lines of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Part
from kiro_swarm.cli.kubectl.views.objects import Object, items, moment, number, part
from kiro_swarm.cli.kubectl.views.style import phase_cell
from kiro_swarm.cli.kubectl.views.text import clean

_HEADINGS = ["NO", "TIME", "WHO", "SENTENCE", "OUTCOME", "CHANGES", "HASH"]


def audit_table(records: Sequence[Object]) -> Grid:
    """The records in their order, each with what it changed and the head of its hash."""
    return Grid(
        _HEADINGS,
        [_row(record) for record in records],
        elastic=[2, 3, 5],
        right=[0],
        empty="the audit log is empty",
    )


def _row(record: Object) -> list[Cell]:
    when = moment(record.get("time"))
    return [
        clean(record.get("sequence"), 20),
        when.strftime("%Y-%m-%d %H:%M:%S") if when else clean(record.get("time"), 40),
        clean(record.get("who"), 512) or [("(nobody)", "dim")],
        [(clean(record.get("what")), "bold")],
        phase_cell(clean(record.get("outcome"), 32)),
        _changes(record),
        [(clean(record.get("hash"), 64)[:12], "yellow")],
    ]


def _changes(record: Object) -> Cell:
    """``spec.instances 2 -> 5``; what more there is, as a number; else the message."""
    made = items(record.get("changes"))
    if not made:
        return [(clean(record.get("message"), 512), "dim")]
    shown: list[Part] = []
    for change in made[:3]:
        one = part({"c": change}, "c")
        shown += [
            ("; " if shown else "", "dim"),
            (clean(one.get("object"), 300), "dim"),
            (f" {_value(one.get('before'))} → {_value(one.get('after'))}", ""),
        ]
    more = int(number(record.get("changesInAll"), len(made))) - min(3, len(made))
    return [*shown, (f" and {more} more", "dim")] if more > 0 else shown


def _value(value: Any) -> str:
    return "none" if value is None else clean(value, 80)
