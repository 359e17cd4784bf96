"""Words of others are harmless, whatever they are, and stay what they were otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.cli.kubectl.views.text import clean, clean_lines
from kiro_swarm.policy.words import all_harmless, harmless, one_line
from tests.support.hostile_words import HOSTILE, is_harmless
from tests.support.pace import in_proportion

TEXTS = st.text(
    st.characters() | st.sampled_from("\x00\x1b\x9b\x9d\u202e\u200b[];m\r\n")
)


@given(TEXTS)
def test_nothing_in_a_text_does_anything(text: str) -> None:
    for made in (harmless(text), clean(text), *clean_lines(text)):
        assert is_harmless(made)
    assert is_harmless(one_line(text))
    assert "\n" not in one_line(text)
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_hostile_is_seen_as_such_and_taken_away(text: str) -> None:
    assert not is_harmless(text)
    assert is_harmless(harmless(text))


@pytest.mark.parametrize(
    "text", ["plain", "two\nlines\tand a tab", "ünïcödé 日本語 emoji \U0001f680", ""]
)
def test_what_is_harmless_stays(text: str) -> None:
    assert harmless(text) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        return [text for item in inner for text in texts(item)]
    return []


@given(JSON)
def test_every_text_in_a_value_is_made_harmless_and_nothing_else(value: Any) -> None:
    made = all_harmless(value)
    assert all(is_harmless(text) for text in texts(made))
    assert [harmless(text) for text in texts(value)] == texts(made)


@pytest.mark.parametrize(
    "piece", ["\x1b]", "\x9d", "\x1b[", "\x1b[0", "\u202e", "\x1b"]
)
def test_the_cost_is_linear(piece: str) -> None:
    in_proportion(lambda size: piece * size, harmless, 200_000)


def test_a_line_is_cut_with_a_mark() -> None:
    assert one_line("a\r\nb\x00 c", 4) == "a b…"
