"""Reads the drawing of a task graph back: the checker of the tests of ``graph``."""

from __future__ import annotations

import re

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_OPEN = dict(zip(" ╵╷│╴┘┐┤╶└┌├─┴┬┼", range(16)))
_OPEN["◂"] = _OPEN["▸"] = _LEFT | _RIGHT
_LABEL = re.compile(r"[○◇◔●◕✔✘⊘⋯?] (\S+)")
_BACK = {_DOWN: _UP, _LEFT: _RIGHT, _RIGHT: _LEFT}
_STEP = {_DOWN: (1, 0), _LEFT: (0, -1), _RIGHT: (0, 1)}


def read_edges(drawing: str) -> set[tuple[str, str]]:
    """All (upper, lower) pairs of labels that lines lead to, as an eye follows them.

    The eye goes down and sideways, never up; straight across a line that crosses; into an
    arrowhead and never out of it.
    """
    rows = drawing.split("\n\n")[0].split("\n")
    width = max(map(len, rows))
    rows = [row.ljust(width) for row in rows]
    labels = [
        (line, found.start(), found.end(), found.group(1))
        for line, row in enumerate(rows)
        for found in _LABEL.finditer(row)
    ]
    at = {
        (line, x): label
        for line, begin, end, label in labels
        for x in range(begin, end)
    }
    edges = set()
    for line, begin, end, label in labels:
        for x in range(begin, end):
            for reached in _follow(rows, at, line, x):
                edges.add((label, reached))
    return edges


def _follow(
    rows: list[str], at: dict[tuple[int, int], str], line: int, x: int
) -> set[str]:
    reached: set[str] = set()
    seen: set[tuple[int, int, int]] = set()
    waiting = [(line + 1, x, _DOWN)]
    while waiting:
        step = waiting.pop()
        y, x, going = step
        if step in seen or not (0 <= y < len(rows) and 0 <= x < len(rows[0])):
            continue
        seen.add(step)
        if (y, x) in at:
            if going == _DOWN:
                reached.add(at[y, x])
            continue
        sign = rows[y][x]
        opened = _OPEN[sign]
        if going != _DOWN and sign == "│":
            before = rows[y][x - 1] if going == _RIGHT else rows[y][x + 1]
            if before in "◂▸":  # the arrow joins this line; a line behind it goes on
                waiting.append((y + 1, x, _DOWN))
            waiting.append((y, x + _STEP[going][1], going))
            continue
        if sign == ("◂" if going == _RIGHT else "▸") or not opened & _BACK[going]:
            continue
        for way, (down, aside) in _STEP.items():
            if opened & way and way != _BACK.get(going, 0):
                waiting.append((y + down, x + aside, way))
    return reached
