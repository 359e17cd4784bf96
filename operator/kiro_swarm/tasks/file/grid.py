"""A drawing as a grid: boxes, lines and arrows between labels -> which label leads to which.

Used by ``drawn``. Reads what people and tools draw with ``+--+``, ``┌──┐``, ``-->``, ``├──``, ``|``
and ``/``: boxes with labels, forks, joins, trees. Knows nothing of tasks. Each character is looked
at a bounded number of times.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Optional

from kiro_swarm.tasks.file import arrows

_UP, _DOWN, _LEFT, _RIGHT = (-1, 0), (1, 0), (0, -1), (0, 1)
_Side = tuple[int, int]
#: Where a sign leads to.
_OPEN: Final[dict[str, tuple[_Side, ...]]] = {
    **dict.fromkeys("─━═╌╍┄┅-=<>", (_LEFT, _RIGHT)),
    **dict.fromkeys(arrows.RIGHT + arrows.LEFT, (_LEFT, _RIGHT)),
    **dict.fromkeys("│┃║┆┇┊|vV^" + arrows.UP + arrows.DOWN, (_UP, _DOWN)),
    **dict.fromkeys("┌╭┏╔", (_DOWN, _RIGHT)),
    **dict.fromkeys("┐╮┓╗", (_DOWN, _LEFT)),
    **dict.fromkeys("└╰┗╚`", (_UP, _RIGHT)),
    **dict.fromkeys("┘╯┛╝", (_UP, _LEFT)),
    **dict.fromkeys("├┣╠╟╞", (_UP, _DOWN, _RIGHT)),
    **dict.fromkeys("┤┫╣╢╡", (_UP, _DOWN, _LEFT)),
    **dict.fromkeys("┬┳╦╤", (_DOWN, _LEFT, _RIGHT)),
    **dict.fromkeys("┴┻╩╧", (_UP, _LEFT, _RIGHT)),
    **dict.fromkeys("┼╋╬+/\\", (_UP, _DOWN, _LEFT, _RIGHT)),
}
#: Which way an arrow points.
_HEADS: Final[dict[str, _Side]] = {
    **dict.fromkeys(">" + arrows.RIGHT, _RIGHT),
    **dict.fromkeys("<" + arrows.LEFT, _LEFT),
    **dict.fromkeys("vV" + arrows.DOWN, _DOWN),
    **dict.fromkeys("^" + arrows.UP, _UP),
}
_SIGNS: Final = re.compile(
    f"[─━═╌╍┄┅{arrows.RIGHT}{arrows.LEFT}{arrows.UP}{arrows.DOWN}│┃║┆┇┊|"
    "┌╭┏╔┐╮┓╗└╰┗╚┘╯┛╝├┣╠╟╞┤┫╣╢╡┬┳╦╤┴┻╩╧┼╋╬]"
    r"|<?(?:-{2,}|={3,}|==(?=>))>?|[-=]>|<[-=]|\+(?=[-=|\s]|\Z)|`(?=--)|(?<![^\s|])[/\\vV^](?![^\s|])|\\(?=--)"
)
#: What stands around a label and belongs to none.
_AROUND: Final = arrows.EMOJI + " \t[](){}<>*_`\"'"
_LONGEST: Final = 400
#: Blanks between a line and the label that it leads to.
_GAP: Final = 2
#: So far beside a slash is what it leads to.
_SLANT: Final = 4
#: So many labels above a branch are looked at for what it hangs on.
_FAR: Final = 100


class Row(NamedTuple):
    """A line of a drawing: its number and the text with the blanks in front of it."""

    number: int
    text: str


@dataclass
class Node:
    """A label, or a box of labels: the place in the grid that it takes."""

    top: int
    bottom: int
    left: int
    right: int
    #: (row, column, text), the first of them at the top.
    labels: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """From a node to another one. ``directed``: an arrow says so, not only its place."""

    before: Node
    after: Node
    directed: bool


def links_of(rows: Sequence[Row]) -> Iterator[Link]:
    """What the lines of a drawing join."""
    grid = _Grid(rows)
    if grid.nodes:
        yield from grid.links()


class _Grid:
    def __init__(self, rows: Sequence[Row]) -> None:
        self._signs: dict[tuple[int, int], str] = {}
        self.nodes: list[Node] = []
        for at, row in enumerate(rows):
            self._read(at, row.text[:_LONGEST])
        self._box()
        self._tops = [node.top for node in self.nodes]
        self._at: dict[tuple[int, int], Node] = {}
        for node in self.nodes:
            for top in {node.top, node.bottom}:
                for column in range(node.left, node.right + 1):
                    self._at[top, column] = node
            for row_at in range(node.top, node.bottom + 1):
                self._at[row_at, node.left] = self._at[row_at, node.right] = node

    def _read(self, at: int, text: str) -> None:
        """The signs of a row, and its labels between them."""
        end = 0
        for match in (*_SIGNS.finditer(text), None):
            start = len(text) if match is None else match.start()
            inside = text[end:start]
            label = inside.strip(_AROUND)
            if label and not label.isspace():
                left = end + inside.index(label)
                whole = inside.strip()
                first = end + inside.index(whole)
                self.nodes.append(
                    Node(at, at, first, first + len(whole) - 1, [(at, left + 1, label)])
                )
            if match is not None:
                end = match.end()
                for column in range(start, end):
                    self._signs[at, column] = text[column]

    def _box(self) -> None:
        """Make one node of the labels that are inside of a box."""
        boxes = list(self._boxes())
        if not boxes:
            return
        inside: dict[tuple[int, int], Node] = {}
        for box in boxes:
            for row in range(box.top, box.bottom + 1):
                for column in range(box.left, box.right + 1):
                    inside.setdefault((row, column), box)
        kept: list[Node] = []
        for node in self.nodes:
            around = inside.get((node.top, node.left))
            if around is None:
                kept.append(node)
            else:
                around.labels += node.labels
        for place in inside:
            self._signs.pop(place, None)
        self.nodes = sorted(
            kept + [box for box in boxes if box.labels],
            key=lambda node: (node.top, node.left),
        )

    def _boxes(self) -> Iterator[Node]:
        """All boxes; a box around others is none, so that its area is looked at once."""
        taken: dict[int, int] = {}
        for top, left in sorted(self._signs):
            if self._signs[top, left] not in "┌╭┏╔+":
                continue
            right = self._side(top, left)
            bottom = None if right is None else self._bottom(top, left, right)
            if right is None or bottom is None or bottom - top < 2:
                continue
            columns = range(left, right + 1)
            if all(taken.get(column, -1) < top for column in columns):
                taken.update(dict.fromkeys(columns, bottom))
                yield Node(top, bottom, left, right)

    def _side(self, row: int, left: int) -> Optional[int]:
        """The right corner of the upper side that begins at a place."""
        column = left + 1
        while self._signs.get((row, column), " ") in "─━═╌┄-=┬┴┼┳┻╦╩▼▲":
            column += 1
        corner = self._signs.get((row, column), " ")
        return column if column > left + 2 and corner in "┐╮┓╗+" else None

    def _bottom(self, top: int, left: int, right: int) -> Optional[int]:
        """The last row of the box with this upper side."""
        row = top + 1
        sides = "│┃║|├┤┣┫╠╣+▶►◀◄"
        while (
            self._signs.get((row, left), " ") in sides
            and self._signs.get((row, right), " ") in sides
        ):
            row += 1
            below = self._signs.get((row - 1, left + 1), " ")
            if self._signs[row - 1, left] == "+" and below in "-=":
                return row - 1
        corner = self._signs.get((row, left), " ")
        return row if corner in "└╰┗╚" and (row, right) in self._signs else None

    def links(self) -> Iterator[Link]:
        seen: set[tuple[int, int]] = set()
        for place in sorted(self._signs):
            if place not in seen:
                yield from self._joined(self._line(place, seen))

    def _line(
        self, start: tuple[int, int], seen: set[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """All signs that are joined with one."""
        seen.add(start)
        found, waiting = [], [start]
        while waiting:
            at = waiting.pop()
            found.append(at)
            for side in _OPEN[self._signs[at]]:
                other = at[0] + side[0], at[1] + side[1]
                back = -side[0], -side[1]
                sign = self._signs.get(other)
                if sign and other not in seen and back in _OPEN[sign]:
                    seen.add(other)
                    waiting.append(other)
        return found

    def _joined(self, line: list[tuple[int, int]]) -> Iterator[Link]:
        """The links of one line, from all its tails to all its heads."""
        tails, heads = self._ends(line)
        above = self._root(line, tails)
        if above is not None:
            tails, heads, before = [], heads or tails, [above]
        else:
            before = tails
        if heads:
            directed = above is None or any(self._signs[at] in _HEADS for at in line)
        else:
            ends = sorted(tails, key=lambda node: (node.top, node.left))
            before, heads, directed = ends[:1], ends[1:], False
        if not directed and len(line) == 1 and self._signs[line[0]] in "|│":
            return  # a fraction, a column: too little to be a drawing
        for one in before:
            for other in heads:
                if one is not other:
                    yield Link(one, other, directed)

    def _ends(self, line: list[tuple[int, int]]) -> tuple[list[Node], list[Node]]:
        """The nodes that a line comes from, and those that it points to."""
        tails: dict[int, Node] = {}
        heads: dict[int, Node] = {}
        for at in line:
            for side in _OPEN[self._signs[at]]:
                node = self._beside(at, side)
                if node is not None:
                    head = _HEADS.get(self._signs[at]) == side
                    (heads if head else tails)[id(node)] = node
        return list(tails.values()), list(heads.values())

    def _root(self, line: list[tuple[int, int]], tails: list[Node]) -> Optional[Node]:
        """What a line hangs on that begins at no label: a branch of a tree."""
        first = min(line)
        if all(node.top >= first[0] and node.left > first[1] for node in tails):
            return self._above(first, min(column for _, column in line))
        return None

    def _above(self, first: tuple[int, int], left: int) -> Optional[Node]:
        """What a tree hangs on: the nearest node above that begins no further right."""
        row, _ = first
        stop = bisect_left(self._tops, row)
        for node in reversed(self.nodes[max(0, stop - _FAR) : stop]):
            if node.bottom < row and node.left <= left:
                return node
        return None

    def _beside(self, at: tuple[int, int], side: _Side) -> Optional[Node]:
        """The node that a sign leads to on one side."""
        row, column = at[0] + side[0], at[1] + side[1]
        if side in (_LEFT, _RIGHT):
            if self._signs[at] in "/\\":
                return None
            for gap in range(_GAP + 1):
                place = row, column + gap * side[1]
                if place in self._at or place in self._signs:
                    return self._at.get(place)
            return None
        reach = _SLANT if self._signs[at] in "/\\" else 1
        near = sorted(range(-reach, reach + 1), key=abs)
        found = (self._at.get((row, column + by)) for by in near)
        return next((node for node in found if node is not None), None)
