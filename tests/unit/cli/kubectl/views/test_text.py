"""Words for people: nothing from the cluster reaches the terminal as a command."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.text import (
    age,
    clean,
    clean_lines,
    duration,
    plural,
)
from kiro_swarm.policy.times import stamp
from tests.unit.cli.kubectl.views.sample import NOW

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("plain words", "plain words"),
        ("  two\n lines\tof  it ", "two lines of it"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]0;new title\x07after", "after"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\after", "after"),
        ("\x1b(0box", "box"),
        ("\x1bcreset", "reset"),
        ("end \x1b", "end"),
        ("a\x08\x08b\x00c\x7f", "abc"),
        ("over\u202egnp.exe", "overgnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half \ud800 a pair", "half a pair"),
        ("[bold]not markup[/bold]", "[bold]not markup[/bold]"),
        (None, ""),
        (12, "12"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_a_text_is_one_harmless_line(hostile: object, harmless: str) -> None:
    assert clean(hostile) == harmless


@given(ANY_TEXT)
@example("\x1b\x1b[[31m")
@example("\x1b]\x1b[2J")
@example("\x1b[\x9b\x9d0;a")
def test_no_text_keeps_a_control_character(text: str) -> None:
    for line in (clean(text), *clean_lines(text)):
        found = {unicodedata.category(letter) for letter in line}
        assert not found & {"Cc", "Cs"}
        assert not any(letter in "\u202e\u2066\u2069\u200f" for letter in line)
        line.encode()


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert clean("x" * 100, 10) == "x" * 9 + "…"
    assert len(clean("x" * 10**6)) == 4096


def test_lines_keep_their_indentation() -> None:
    assert clean_lines("a\r\n\tb\n  c\x1b[0m") == ["a", "        b", "  c"]
    assert clean_lines(None) == [""]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (-5, "0s"),
        (0, "0s"),
        (0.42, "0.4s"),
        (3.0, "3s"),
        (12.3, "12s"),
        (59.7, "1m00s"),
        (192, "3m12s"),
        (7500, "2h05m"),
        (277200, "3d5h"),
    ],
)
def test_a_duration_is_short(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-3, "0s"),
        (5, "5s"),
        (119, "119s"),
        (120, "2m"),
        (450, "7m30s"),
        (3000, "50m"),
        (10800, "3h"),
        (12600, "3h30m"),
        (100000, "27h"),
        (3 * 86400, "3d"),
        (3 * 86400 + 7200, "3d2h"),
        (100 * 86400, "100d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ],
)
def test_an_age_is_said_as_kubectl_says_it(seconds: int, said: str) -> None:
    assert age(stamp(NOW - timedelta(seconds=seconds)), NOW) == said


@pytest.mark.parametrize("nonsense", [None, "", "yesterday", 7, {}])
def test_an_age_of_nonsense_is_unknown(nonsense: object) -> None:
    assert age(nonsense, NOW) == "<unknown>"


def test_one_has_no_plural() -> None:
    assert (plural(1, "task"), plural(0, "task")) == ("1 task", "0 tasks")
