"""Where each task of a graph is drawn: its layer, its place in it, its column. Pure.

Layered drawing in the manner of Sugiyama: a task stands below all that it waits for, an
edge over several layers bends through a point on each of them, places are ordered by the
mean of their neighbours, and columns are as near to the neighbours as the widths allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kiro_swarm.cli.kubectl.views.objects import Object, dependencies, state, task_id

_GAP: Final = 3
_SWEEPS: Final = 6
_LABEL: Final = 16
_NEAR: Final = 8
#: Least room between two points where one of them was moved.
_CLOSE: Final = 2
#: Drawn first where a layer is too wide.
_INTERESTING: Final = {"Running": 0, "Failed": 1, "Done": 2, "Bound": 3, "Ready": 4}


@dataclass
class Point:
    """A task, a bundle of tasks (``+12``), or a bend of an edge (no label)."""

    label: str
    state: str = ""
    x: int = 0
    above: list[Point] = field(default_factory=list)
    below: list[Point] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Columns it takes: a label has a glyph and a blank before it."""
        return len(self.label) + 2 if self.label else 1

    @property
    def end(self) -> int:
        """The column after its last."""
        return self.x - self.width // 2 + self.width


@dataclass
class Drawing:
    """Layers from the top, and what of the graph is not in them."""

    layers: list[list[Point]]
    implied: int = 0
    bundled: int = 0
    dropped: int = 0
    circular: int = 0


def reduced(needs: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], int]:
    """Each task in an order of the graph with the edges that do not follow from others.

    Tasks on a circle are left out. The number is that of the edges left out.
    """
    waiting = {task: {n for n in found if n in needs} for task, found in needs.items()}
    after: dict[str, list[str]] = {task: [] for task in needs}
    for task, found in waiting.items():
        for needed in found:
            after[needed].append(task)
    missing = {task: len(found) for task, found in waiting.items()}
    order = [task for task, count in missing.items() if count == 0]
    for task in order:
        for other in after[task]:
            missing[other] -= 1
            if missing[other] == 0:
                order.append(other)
    bit = {task: 1 << place for place, task in enumerate(order)}
    reach: dict[str, int] = {}
    kept: dict[str, list[str]] = {}
    implied = 0
    for task in order:
        behind = 0
        for needed in waiting[task]:
            behind |= reach[needed]
        kept[task] = [
            n for n in needs[task] if n in waiting[task] and not bit[n] & behind
        ]
        kept[task] = list(dict.fromkeys(kept[task]))
        implied += len(waiting[task]) - len(kept[task])
        reach[task] = behind
        for needed in kept[task]:
            reach[task] |= bit[needed]
    return kept, implied


def draw(tasks: Sequence[Object], width: int) -> Drawing:
    """The drawing of ``tasks`` (in the order of the file) in ``width`` columns."""
    states = {task_id(task): state(task) for task in tasks}
    needs, implied = reduced({task_id(task): dependencies(task) for task in tasks})
    depth: dict[str, int] = {}
    for task, found in needs.items():
        depth[task] = 1 + max((depth[needed] for needed in found), default=-1)
    drawing = Drawing(
        [[] for _ in range(max(depth.values(), default=-1) + 1)],
        implied=implied,
        circular=len(states) - len(needs),
    )
    point_of = _points(drawing, depth, states, width)
    _edges(drawing, needs, depth, point_of, width)
    _order(drawing.layers)
    _columns(drawing.layers, width)
    return drawing


def _points(
    drawing: Drawing, depth: Mapping[str, int], states: Mapping[str, str], width: int
) -> dict[str, Point]:
    """Points for the tasks; what is too much for a layer goes into a bundle."""
    members: list[list[str]] = [[] for _ in drawing.layers]
    for task in states:
        if task in depth:
            members[depth[task]].append(task)
    point_of: dict[str, Point] = {}
    for layer, found in zip(drawing.layers, members):
        made = {task: Point(_short(task), states[task]) for task in found}
        room = width if len(drawing.layers) == 1 else width * 4 // 5
        if sum(point.width + _GAP for point in made.values()) - _GAP > room:
            left = room - len(f"+{len(found)}") - 2
            bundle = Point("")
            hidden = 0
            for task in sorted(found, key=lambda t: _INTERESTING.get(states[t], 9)):
                left -= made[task].width + _GAP
                if left < 0:
                    made[task] = bundle
                    hidden += 1
            bundle.label = f"+{hidden}"
            drawing.bundled += hidden
        layer += _distinct(made)
        point_of.update(made)
    return point_of


def _short(task: str) -> str:
    return task if len(task) <= _LABEL else task[: _LABEL - 1] + "…"


def _distinct(made: Mapping[str, Point]) -> list[Point]:
    return list({id(point): point for point in made.values()}.values())


def _edges(
    drawing: Drawing,
    needs: Mapping[str, Sequence[str]],
    depth: Mapping[str, int],
    point_of: Mapping[str, Point],
    width: int,
) -> None:
    """Join the points; a task's edges over several layers share one line of bends."""
    room = [
        (width - sum(p.width + _GAP for p in layer)) // (1 + _GAP)
        for layer in drawing.layers
    ]
    bends: dict[tuple[int, int], Point] = {}
    done: set[tuple[int, int]] = set()
    for task, found in needs.items():
        target = point_of[task]
        for needed in found:
            source = point_of[needed]
            if (id(source), id(target)) in done:
                continue
            done.add((id(source), id(target)))
            between = range(depth[needed] + 1, depth[task])
            fresh = [level for level in between if (id(source), level) not in bends]
            if any(room[level] <= 0 for level in fresh):
                drawing.dropped += 1
                continue
            at = source
            for level in between:
                key = (id(source), level)
                if key not in bends:
                    bends[key] = Point("")
                    drawing.layers[level].append(bends[key])
                    room[level] -= 1
                    _join(at, bends[key])
                at = bends[key]
            _join(at, target)


def _join(upper: Point, lower: Point) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _order(layers: list[list[Point]]) -> None:
    """Order each layer by the mean place of the neighbours, down and up, some times."""
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            for place, point in enumerate(layer):
                point.x = place
        for layer in layers[1:] if down else reversed(layers[:-1]):
            keys = {}
            for place, point in enumerate(layer):
                near = point.above if down else point.below
                keys[id(point)] = (
                    sum(other.x for other in near) / len(near) if near else place
                )
            layer.sort(key=lambda point: keys[id(point)])
            for place, point in enumerate(layer):
                point.x = place


def _columns(layers: list[list[Point]], width: int) -> None:
    """The middle column of each point; none overlap, all are inside ``width``."""
    for layer in layers:
        at = 0
        for point in layer:
            point.x = at + point.width // 2
            at += point.width + _GAP
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted = []
            for point in layer:
                near = (point.above if down else point.below) or [point]
                wanted.append(sum(other.x for other in near) / len(near))
            _place(layer, wanted, width)
    for upper, lower in zip(layers, layers[1:]):
        _adjust(upper, lower, width, straight=True)
        if _entangled(upper):
            _adjust(upper, lower, width, straight=False)


def _entangled(layer: Sequence[Point]) -> bool:
    """Whether lines below ``layer`` would have to turn above each other in a circle."""
    leaving = {point.x: point for point in layer if point.below}
    before = {
        point.x: {q.x for q in point.below if q.x in leaving} - {point.x}
        for point in leaving.values()
    }
    while before:
        free = [x for x, others in before.items() if not others & before.keys()]
        if not free:
            return True
        for x in free:
            del before[x]
    return False


def _adjust(
    upper: Sequence[Point], lower: Sequence[Point], width: int, *, straight: bool
) -> None:
    """Move points a little: out of foreign columns, and right under what is above them.

    Not ``straight``: out of the columns of what is above them, too.
    """
    for place, point in enumerate(lower):
        least = lower[place - 1].end + _CLOSE if place else 0
        most = width
        if place + 1 < len(lower):
            most = lower[place + 1].end - lower[place + 1].width - _CLOSE
        left = point.width // 2
        columns = range(
            max(point.x - _NEAR, least + left),
            min(point.x + _NEAR, most - point.width + left) + 1,
        )
        # Where lines of others leave or pass close by, it is hard to see whose are whose.
        own = {id(other) for other in point.above}
        leaving = {q.x: straight and id(q) in own for q in upper if q.below}
        nearest = min((q.x for q in point.above), key=_distance(point.x), default=-1)

        def cost(
            x: int, leaving: dict[int, bool] = leaving, nearest: int = nearest
        ) -> int:
            foreign = 8 if leaving.get(x) is False else 0
            beside = sum(2 + leaving[n] for n in (x - 1, x + 1) if n in leaving)
            return foreign + beside - (straight and x == nearest)

        now = point.x
        point.x = min(columns, key=lambda x: (cost(x), abs(x - now)), default=point.x)


def _distance(x: int) -> Callable[[int], int]:
    return lambda other: abs(other - x)


def _place(layer: list[Point], wanted: Sequence[float], width: int) -> None:
    """Put points as near to the ``wanted`` columns as their order and widths allow.

    Isotonic regression: blocks of points that would overlap share their mean shift.
    """
    offsets = []
    at = 0
    for point in layer:
        offsets.append(at + point.width // 2)
        at += point.width + _GAP
    most = max(0, width - (at - _GAP))
    blocks: list[list[float]] = []  # sum of shifts, number of points
    for offset, want in zip(offsets, wanted):
        blocks.append([want - offset, 1])
        while len(blocks) > 1 and (
            blocks[-2][0] / blocks[-2][1] >= blocks[-1][0] / blocks[-1][1]
        ):
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    shifts = [total / count for total, count in blocks for _ in range(int(count))]
    for point, offset, shift in zip(layer, offsets, shifts):
        point.x = offset + round(min(most, max(0, shift)))
