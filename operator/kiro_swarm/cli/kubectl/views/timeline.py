"""``kubectl swarm timeline``: a Gantt chart in the terminal, one row an instance.

An attempt begins with the id of its task and lasts as long as its line; dashes that end in
a cross failed, an open end still runs. The colour is the instance's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.cells import cell_len

from kiro_swarm.cli.kubectl.views.bars import Bar, Timeline, tick_label, ticks, timeline
from kiro_swarm.cli.kubectl.views.grid import Cell, Lines, Part, cut, width_of
from kiro_swarm.cli.kubectl.views.objects import Object, name, named_colour
from kiro_swarm.cli.kubectl.views.style import swatch
from kiro_swarm.cli.kubectl.views.swarms import progress_of, speedup_of
from kiro_swarm.cli.kubectl.views.text import duration, plural

_LEAST: Final = 20
_PER_TICK: Final = 10
_LEGEND: Final[list[Part]] = [
    ("━━ ", "green"),
    ("worked  ", "dim"),
    ("╌╌✘ ", "red"),
    ("failed  ", "dim"),
    ("━▸ ", "yellow"),
    ("still running  ", "dim"),
    ("✔ ", "green"),
    ("merged", "dim"),
]


def timeline_terminal(
    swarm: Object, tasks: Sequence[Object], now: datetime, width: int = 80
) -> Lines:
    """The chart, ``width`` columns wide, from the first attempt to the last change."""
    line = timeline(tasks, now)
    if not line.lanes:
        return Lines([[(f"no task of {name(swarm)} has started yet", "dim")]])
    labels = {who: swatch(named_colour(who), who) for who in line.lanes}
    margin = min(24, max([8, *(width_of(label) for label in labels.values())])) + 1
    room = max(_LEAST, width - margin)
    lines: list[Cell] = [_head(swarm, line), ""]
    for instance, lanes in line.lanes.items():
        label: list[Part] = labels[instance]
        for lane in lanes:
            lines.append(_fill(label, margin) + _row(line, lane, room))
            label = []
    lines.append(_fill([("merged", "dim")], margin) + _merges(line, room))
    lines += [_fill([], margin) + row for row in _axis(line, room)]
    return Lines([*lines, "", _LEGEND])


def _head(swarm: Object, line: Timeline) -> list[Part]:
    merged, total = progress_of(swarm)
    failed = sum(bar.outcome == "failed" for bar in line.bars)
    said = f"{merged}/{total} merged in {duration(line.seconds)}"
    said += f", {plural(len(line.bars), 'attempt')}"
    said += f", {failed} failed" if failed else ""
    speedup = speedup_of(swarm)
    return [
        (f"{name(swarm)}  ", "bold"),
        (said + (f", {speedup}" if speedup else ""), ""),
    ]


def _fill(label: list[Part], width: int) -> list[Part]:
    label = cut(label, width - 1)
    return [*label, (" " * (width - width_of(label)), "")]


def _column(line: Timeline, when: datetime, room: int) -> int:
    return min(room - 1, int(line.share(when) * room))


def _row(line: Timeline, lane: Sequence[Bar], room: int) -> list[Part]:
    row: list[Part] = []
    at = 0
    for place, bar in enumerate(lane):
        begin = max(at, _column(line, bar.start, room))
        end = max(begin + 1, round(line.share(bar.end) * room))
        if place + 1 < len(lane):
            end = min(end, max(begin + 1, _column(line, lane[place + 1].start, room)))
        if end > room:
            continue
        row += [(" " * (begin - at), "dim"), *_bar(bar, end - begin)]
        at = end
    return row


def _bar(bar: Bar, size: int) -> list[Part]:
    failed, running = bar.outcome == "failed", bar.outcome == "running"
    tip = "✘" if failed else "▸" if running else ""
    rest = size - cell_len(bar.task)
    label = bar.task if rest >= 0 else ""
    rest = size - cell_len(label)
    colour = named_colour(bar.instance)
    tip = tip if rest >= 1 else ""
    fill = ("╌" if failed else "━") * (rest - len(tip))
    return [
        (label, f"bold {colour}".strip()),
        (fill, colour),
        (tip, "red" if failed else "bold yellow"),
    ]


def _merges(line: Timeline, room: int) -> list[Part]:
    marks = Counter(
        _column(line, bar.merged_at, room) for bar in line.bars if bar.merged_at
    )
    return [
        (_mark(marks[place]), "green") if place in marks else (" ", "")
        for place in range(room)
    ]


def _mark(count: int) -> str:
    return "✔" if count == 1 else str(count) if count < 10 else "+"


def _axis(line: Timeline, room: int) -> list[list[Part]]:
    rule, words = ["─"] * room, [" "] * room
    for when in ticks(line, room // _PER_TICK):
        place = _column(line, when, room)
        label = tick_label((when - line.start).total_seconds())
        rule[place] = "┼" if place else "├"
        if place + len(label) <= room:
            words[place : place + len(label)] = label
    return [[("".join(rule), "dim")], [("".join(words).rstrip(), "dim")]]
