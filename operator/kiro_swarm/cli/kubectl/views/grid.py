"""Columns of text for the terminal: what all tables of the views are made of.

Called by the views. A cell is a list of ``(text, style)`` parts and never markup. A grid
fits itself to the width of a terminal by cutting its elastic columns, the widest first;
where the output is no terminal (a pipe, a file) nothing is cut. Ten thousand rows render
in well under a second, which rich's own tables do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Optional, Union

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment

Part = tuple[str, str]
Cell = Union[str, list[Part]]
_GAP: Final = 2
_LEAST: Final = 6
#: What a terminal without Unicode sees; all else becomes a question mark.
_ASCII: Final = {
    **dict(zip(map(ord, "○◇◔●◕✔✘⊘■…⋯→·"), "o<%*@+x/#~~>.")),
    **dict(zip(map(ord, "│─┌┐└┘├┤┬┴┼╵╷╴╶"), "|-+++++++++||--")),
    **dict(zip(map(ord, "━┅╌◂▸"), "=:~<>")),
}


def parts(cell: Cell) -> list[Part]:
    """A cell as its parts."""
    return [(cell, "")] if isinstance(cell, str) else cell


def width_of(cell: Cell) -> int:
    """Columns of the terminal that a cell takes."""
    return sum(_columns(text) for text, _ in parts(cell))


def _columns(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def cut(cell: Cell, width: int) -> list[Part]:
    """A cell that takes at most ``width`` columns, with an ellipsis where it was cut."""
    if width_of(cell) <= width:
        return parts(cell)
    kept: list[Part] = []
    left = width - 1
    for text, style in parts(cell):
        size = _columns(text)
        if size > left:
            # Wide letters are why a slice alone is not enough.
            head = text[: max(0, left)]
            shown = head if head.isascii() else set_cell_size(head, max(0, left))
            kept.append((shown.rstrip() + "…", style))
            break
        kept.append((text, style))
        left -= size
    return kept if width > 0 else []


class Lines:
    """Lines of parts; cut to the width of a terminal, printed whole elsewhere.

    ``whole``: never cut, for what is read or copied to the end.
    """

    def __init__(self, lines: Iterable[Cell], *, whole: bool = False) -> None:
        self.lines = list(lines)
        self.whole = whole

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        for line in self.lines:
            if options.is_terminal and not self.whole:
                line = cut(line, options.max_width)
            yield from segments(console, line, options.ascii_only)
            yield Segment.line()


def segments(console: Console, cell: Cell, ascii_only: bool) -> Iterable[Segment]:
    """A cell for the console; glyphs become plain where the encoding has none."""
    for text, style in parts(cell):
        if ascii_only:
            text = text.translate(_ASCII).encode("ascii", "replace").decode()
        yield Segment(text, console.get_style(style) if style else None)


class Grid:
    """Rows under headings, columns as wide as their content.

    :param elastic: indexes of the columns that may be cut, see the module.
    :param right: indexes of the columns that are set flush right.
    :param indent: blanks before every line.
    """

    def __init__(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        *,
        elastic: Sequence[int] = (),
        right: Sequence[int] = (),
        empty: str = "nothing found",
        indent: int = 0,
    ) -> None:
        self.headings = list(headings)
        self.rows = rows
        self.elastic = list(elastic)
        self.right = frozenset(right)
        self.empty = empty
        self.indent = indent

    def lines(self, width: Optional[int] = None) -> list[list[Part]]:
        """All lines; with ``width`` none is longer than that."""
        if not self.rows:
            said: list[Part] = [(" " * self.indent + self.empty, "dim")]
            return [said if width is None else cut(said, width)]
        head: list[Cell] = [[(heading, "bold")] for heading in self.headings]
        table = [head, *self.rows] if any(self.headings) else list(self.rows)
        sizes = [[width_of(cell) for cell in row] for row in table]
        widths = [max(column) for column in zip(*sizes)]
        if width is not None:
            self._shrink(widths, width)
        lines = [self._line(*row, widths) for row in zip(table, sizes)]
        return lines if width is None else [cut(line, width) for line in lines]

    def _shrink(self, widths: list[int], width: int) -> None:
        excess = self.indent + sum(widths) + _GAP * (len(widths) - 1) - width
        while excess > 0:
            open_columns = [c for c in self.elastic if widths[c] > _LEAST]
            if not open_columns:
                return
            widest = max(open_columns, key=lambda column: widths[column])
            others = [widths[c] for c in open_columns if c != widest]
            step = max(1, min(excess, widths[widest] - max([*others, _LEAST])))
            widths[widest] -= step
            excess -= step

    def _line(
        self, row: Sequence[Cell], sizes: Sequence[int], widths: Sequence[int]
    ) -> list[Part]:
        line: list[Part] = [(" " * self.indent, "")] if self.indent else []
        owed = 0
        for column, cell in enumerate(row):
            shown, size = parts(cell), sizes[column]
            if size > widths[column]:
                shown = cut(cell, widths[column])
                size = width_of(shown)
            missing = widths[column] - size
            if column in self.right:
                owed += missing
                missing = 0
            if size:
                if owed:
                    line.append((" " * owed, ""))
                line += shown
                owed = 0
            owed += missing + _GAP
        return line

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> RenderResult:
        width = options.max_width if options.is_terminal else None
        yield from Lines(self.lines(width)).__rich_console__(console, options)
