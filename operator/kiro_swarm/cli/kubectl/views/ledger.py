"""``kubectl swarm ledger``: the moves of the integration branch. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Part
from kiro_swarm.cli.kubectl.views.objects import Object, items, moment, number, part
from kiro_swarm.cli.kubectl.views.text import clean

_HEADINGS = ["NO", "TIME", "KIND", "BEFORE", "AFTER", "TASKS", "GATES"]
_SHOWN = 5


def ledger_table(entries: Sequence[Object]) -> Grid:
    """The entries in their order; a gate that failed has a cross."""
    return Grid(
        _HEADINGS,
        [_row(entry) for entry in entries],
        elastic=[5, 6],
        right=[0],
        empty="the ledger is empty",
    )


def _row(entry: Object) -> list[Cell]:
    when = moment(entry.get("time"))
    return [
        clean(entry.get("sequence"), 20),
        when.strftime("%Y-%m-%d %H:%M:%S") if when else clean(entry.get("time"), 40),
        [(clean(entry.get("kind"), 32), "bold")],
        [(clean(entry.get("before"), 64)[:10] or "-", "dim")],
        [(clean(entry.get("after"), 64)[:10], "yellow")],
        _tasks(entry),
        _gates(entry),
    ]


def _tasks(entry: Object) -> str:
    """``1.1, 1.2#3``: an attempt after the first has its number."""
    made = [part({"t": one}, "t") for one in items(entry.get("tasks"))]
    named = [
        clean(one.get("id"), 128)
        + (f"#{attempt}" if (attempt := int(number(one.get("attempt"), 1))) > 1 else "")
        for one in made[:_SHOWN]
    ]
    return ", ".join(named) + _more(made)


def _gates(entry: Object) -> Cell:
    made = [part({"g": one}, "g") for one in items(entry.get("gates"))]
    shown: list[Part] = []
    for gate in made[:_SHOWN]:
        passed = gate.get("passed") is True
        mark = ("✓ ", "green") if passed else ("✗ ", "red")
        shown += [mark, (f"{clean(gate.get('name'), 253)} ", "")]
    return [*shown, (_more(made), "dim")] if shown else ""


def _more(made: Sequence[object]) -> str:
    more = len(made) - _SHOWN
    return f" and {more} more" if more > 0 else ""
