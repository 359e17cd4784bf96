"""Columns: they fit a terminal, are whole in a pipe, and are plain where they must be."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, cut, width_of
from kiro_swarm.cli.kubectl.views.style import bar, glyph, state_cell, swatch
from kiro_swarm.cli.kubectl.views.text import clean
from tests.unit.cli.kubectl.views.sample import shown

HEADINGS = ["A", "NUMBER", "WORDS"]


def grid(*rows: list[Cell]) -> Grid:
    return Grid(HEADINGS, rows, elastic=[2], right=[1], empty="nothing here")


def test_columns_stand_under_their_headings() -> None:
    said = shown(grid(["one", "1", "first"], ["three", "333", "third"])).splitlines()
    assert said == [
        "A      NUMBER  WORDS",
        "one         1  first",
        "three     333  third",
    ]


def test_no_line_ends_in_blanks() -> None:
    said = shown(grid(["one", "", ""], ["two", "2", ""])).splitlines()
    assert said[1:] == ["one", "two       2"]


def test_an_elastic_column_is_cut_to_the_terminal() -> None:
    long = grid(["one", "1", "x" * 100])
    assert all(len(line) <= 40 for line in shown(long, 40).splitlines())
    assert shown(long, 40).splitlines()[1].endswith("x…")


def test_the_widest_elastic_column_is_cut_first() -> None:
    both = Grid(["A", "B"], [["x" * 60, "y" * 20]], elastic=[0, 1])
    line = shown(both, 50).splitlines()[1]
    assert line == "x" * 27 + "…  " + "y" * 20


def test_where_nothing_is_elastic_the_end_of_the_line_is_cut() -> None:
    stiff = Grid(["A", "B"], [["x" * 60, "y" * 20]])
    assert shown(stiff, 50).splitlines()[1] == "x" * 49 + "…"


def test_nothing_is_cut_in_a_pipe() -> None:
    assert "x" * 500 in shown(grid(["one", "1", "x" * 500]), 40, terminal=False)


def test_without_rows_a_word_is_said() -> None:
    assert shown(grid()) == "nothing here\n"


def test_whole_lines_are_never_cut() -> None:
    assert shown(Lines(["x" * 90], whole=True), 40).rstrip("\n") == "x" * 90
    assert shown(Lines(["x" * 90]), 40).rstrip("\n") == "x" * 39 + "…"


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), max_size=5),
    st.integers(1, 60),
)
def test_no_line_is_wider_than_it_may_be(
    texts: list[tuple[str, str]], width: int
) -> None:
    rows: list[list[Cell]] = [[clean(a), "1", clean(b)] for a, b in texts]
    for line in Grid(HEADINGS, rows, elastic=[2], right=[1]).lines(width):
        assert width_of(line) <= width


def test_letters_that_take_two_columns_count_twice() -> None:
    assert cell_len("".join(text for text, _ in cut("漢字漢字", 5))) <= 5
    said = shown(grid(["漢字", "1", "x"], ["abcd", "1", "x"])).splitlines()
    assert said[1:] == ["漢字       1  x", "abcd       1  x"]


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(file=file, width=60, force_terminal=True, color_system=None)
    console.print(Lines([[*state_cell("Merged"), *bar(1, 2, 4)], "漢"]), soft_wrap=True)
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    assert file.buffer.getvalue() == b"+ Merged==--\n?\n"


def test_an_unknown_state_has_a_sign_and_nobody_has_no_swatch() -> None:
    assert glyph("Sleeping")[0] == "?"
    assert swatch("#ff0000", "") == []
    assert swatch("", "demo-1") == [("demo-1", "")]
    assert bar(1, 0, 4) == [("", "green"), ("────", "dim")]
