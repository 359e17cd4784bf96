"""``kubectl swarm graph``: the task graph as a layered drawing in the terminal.

A task stands below what it waits for. Lines that only cross do not touch: the horizontal
one makes way. A line that joins another on the way into a task has an arrowhead. What does
not fit the width is bundled, and a line under the drawing says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kiro_swarm.cli.kubectl.views.grid import Cell, Lines, Part
from kiro_swarm.cli.kubectl.views.layers import Drawing, Point, draw
from kiro_swarm.cli.kubectl.views.objects import Object, in_file_order
from kiro_swarm.cli.kubectl.views.style import STATES, glyph
from kiro_swarm.cli.kubectl.views.text import plural

_UP: Final = 1
_DOWN: Final = 2
_LEFT: Final = 4
_RIGHT: Final = 8
_LINES: Final = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"


def graph_terminal(tasks: Sequence[Object], width: int = 80) -> Lines:
    """The drawing, at most ``width`` columns wide, with what its signs mean."""
    if not tasks:
        return Lines([[("no tasks", "dim")]])
    drawing = draw(in_file_order(tasks), max(20, width))
    lines: list[Cell] = []
    for place, layer in enumerate(drawing.layers):
        lines.append(_layer(layer))
        if place + 1 < len(drawing.layers):
            lines += [[(row, "dim")] for row in _channel(layer)]
    shown = {point.state for layer in drawing.layers for point in layer}
    legend: list[Part] = []
    for name in STATES:
        if name in shown:
            sign, style = glyph(name)
            legend += [(f"{sign} ", style), (f"{name.lower()}  ", "dim")]
    return Lines([*lines, "", legend, *([(n, "dim")] for n in _notes(drawing))])


def _notes(drawing: Drawing) -> list[str]:
    notes = []
    if drawing.bundled:
        notes.append(
            f"{plural(drawing.bundled, 'task')} stand together as +N: "
            "-o mermaid and -o dot have them all"
        )
    if drawing.dropped:
        notes.append(f"no room for {plural(drawing.dropped, 'edge')} over many layers")
    if drawing.implied:
        notes.append(
            f"{plural(drawing.implied, 'edge')} left out that follow from others"
        )
    if drawing.circular:
        notes.append(
            f"{plural(drawing.circular, 'task')} left out that wait in a circle"
        )
    return notes


def _layer(layer: Sequence[Point]) -> list[Part]:
    row: list[Part] = []
    at = 0
    for point in layer:
        begin = point.x - point.width // 2
        row.append((" " * (begin - at), ""))
        if not point.label:
            row.append(("│", "dim"))
        elif not point.state:
            row.append((f"⋯ {point.label}", "dim"))
        else:
            sign, style = glyph(point.state)
            row.append((f"{sign} {point.label}", style))
        at = begin + point.width
    return row


def _channel(layer: Sequence[Point]) -> list[str]:
    """The rows between a layer and the next."""
    nets = [(p.x, sorted({q.x for q in p.below})) for p in layer if p.below]
    rows = _tracks(nets)
    height = max(rows.values(), default=0) + 1
    cells: list[dict[int, dict[int, int]]] = [{} for _ in range(height)]

    def mark(row: int, x: int, net: int, mask: int) -> None:
        cell = cells[row].setdefault(x, {})
        cell[net] = cell.get(net, 0) | mask

    for net, (x, targets) in enumerate(nets):
        row = rows.get(net, 0)
        for above in range(row):
            mark(above, x, net, _UP | _DOWN)
        mark(row, x, net, _UP)
        left, right = min(x, targets[0]), max(x, targets[-1])
        for column in range(left, right + 1):
            mark(row, column, net, _LEFT * (column > left) | _RIGHT * (column < right))
        for target in targets:
            mark(row, target, net, _DOWN)
            for below in range(row + 1, height):
                mark(below, target, net, _UP | _DOWN)
    return [_text(row, [x for x, _ in nets]) for row in cells]


def _tracks(nets: Sequence[tuple[int, Sequence[int]]]) -> dict[int, int]:
    """The row of the horizontal part of each net that has one.

    No two overlap in a row; a net that leaves a column which others arrive at turns above
    them, or it would seem to be theirs.
    """
    wide = [n for n, (x, targets) in enumerate(nets) if list(targets) != [x]]
    leaves = {nets[net][0]: net for net in wide}
    later = {
        net: {leaves[t] for t in nets[net][1] if t in leaves} - {net} for net in wide
    }
    rows: dict[int, int] = {}
    waiting = sorted(wide, key=lambda n: abs(nets[n][0] - nets[n][1][0]))
    while waiting:
        net = next((n for n in waiting if later[n] <= rows.keys()), waiting[0])
        waiting.remove(net)
        x, targets = nets[net]
        span = (min(x, targets[0]), max(x, targets[-1]))
        row = max((rows[other] + 1 for other in later[net] if other in rows), default=0)
        while any(rows[other] == row and _touch(span, nets[other]) for other in rows):
            row += 1
        rows[net] = row
    return rows


def _touch(span: tuple[int, int], net: tuple[int, Sequence[int]]) -> bool:
    x, targets = net
    return span[0] <= max(x, targets[-1]) and min(x, targets[0]) <= span[1]


def _text(row: dict[int, dict[int, int]], sources: Sequence[int]) -> str:
    """One row as text; a net that joins the line of others into a task has an arrowhead."""
    signs: dict[int, str] = {}
    for x, cell in row.items():
        joining = [net for net, mask in cell.items() if _arrives(mask)]
        others = [mask for mask in cell.values() if mask & _UP]
        arrows = {}
        for net in joining if others else ():
            side = 1 if sources[net] > x else -1
            if row.get(x + side) == {net: _LEFT | _RIGHT}:
                arrows[x + side] = "◂" if side == 1 else "▸"
        signs.update(arrows)
        kept = others if joining and len(arrows) == len(joining) else cell.values()
        signs.setdefault(x, _LINES[_glyph(list(kept))])
    return "".join(signs.get(x, " ") for x in range(max(signs, default=-1) + 1))


def _arrives(mask: int) -> bool:
    return bool(mask & _DOWN and not mask & _UP)


def _glyph(masks: Sequence[int]) -> int:
    """The lines of a cell; one that only passes sideways makes way for one that does not."""
    both = 0
    for mask in [mask for mask in masks if mask & (_UP | _DOWN)] or masks:
        both |= mask
    return both
