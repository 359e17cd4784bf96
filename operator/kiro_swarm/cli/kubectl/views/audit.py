"""``kubectl swarm audit``: the lines of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from kiro_swarm.api.bounded_json import BoundsError, read_json
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
            (f" {_difference(one.get('before'), one.get('after'))}", ""),
        ]
    more = int(number(record.get("changesInAll"), len(made))) - min(3, len(made))
    return [*shown, (f" and {more} more", "dim")] if more > 0 else shown


def _difference(before: object, after: object) -> str:
    """``spec.instances 3 → 5`` where both are JSON objects, else the two texts."""
    old, new = _leaves(before), _leaves(after)
    if old is None or new is None:
        return f"{_text(before)} → {_text(after)}"
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return ", ".join(
        f"{key} {_value(old.get(key))} → {_value(new.get(key))}" for key in keys
    )


def _leaves(text: object) -> Optional[dict[str, object]]:
    """The values of a JSON object by their paths; None for anything else."""
    try:
        value = (
            read_json(text, size=64 * 1024, depth=16, values=10_000)
            if isinstance(text, str)
            else text
        )
    except BoundsError:
        return None
    if not isinstance(value, dict):
        return None
    found: dict[str, object] = {}
    waiting = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        for key, item in inner.items():
            if isinstance(item, dict) and item:
                waiting.append((f"{path}{clean(key, 64)}.", item))
            else:
                found[path + clean(key, 64)] = item
    return found


def _value(value: object) -> str:
    return "none" if value is None else clean(value, 80) or "none"


def _text(value: object) -> str:
    return clean(value, 120) or "none"
