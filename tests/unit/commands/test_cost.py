"""What it costs to read a text, in counted steps: linear in its length, whatever it is."""

from __future__ import annotations

import contextlib
import sys
from types import FrameType
from typing import Any, Callable, Optional

import pytest

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.lexer import MAX_BYTES
from kiro_swarm.commands.parser import PARSER, Parser, first_permission, read
from tests.support.hostile_sentences import hostile

#: Lines of Python a byte, and once: several times what the dearest text takes.
LINES_A_BYTE, LINES_ONCE = 12, 12_000
TEXTS = hostile(120)


class Counting(Parser):
    """Counts the characters that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_in_all = 0

    def _read(self, text: str, advise: bool = True) -> Action:
        self.read_in_all += len(text)
        return super()._read(text, advise)


def lines_of(text: str) -> int:
    """How many lines of Python are run to understand a text."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Optional[Any]:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        PARSER.parse(text)
    except SentenceError:
        pass
    finally:
        sys.settrace(before)
    return count


def test_the_texts_are_as_long_as_they_may_be() -> None:
    assert {len(text.encode()) > MAX_BYTES - 4 for text in TEXTS} == {True}
    assert max(len(text.encode()) for text in TEXTS) == MAX_BYTES


def test_of_no_text_more_is_read_than_twice_its_length_and_some() -> None:
    parser = Counting()
    for text in TEXTS:
        parser.read_in_all = 0
        with contextlib.suppress(SentenceError):
            parser.parse(text)
        # The examples of the table, of which some are read again, are short.
        assert parser.read_in_all <= len(text) + 4096 + 1000, text[:80]


def test_no_text_takes_more_steps_than_its_length_says() -> None:
    dearest = max(TEXTS, key=lines_of)
    assert lines_of(dearest) <= LINES_A_BYTE * MAX_BYTES + LINES_ONCE, dearest[:80]


def position_or_action(parser: Callable[[str], Action], text: str) -> object:
    try:
        return parser(text)
    except SentenceError as error:
        return error.position


@pytest.mark.parametrize("text", TEXTS[::6], ids=lambda text: ascii(text[:20]))
def test_reading_without_advice_says_the_same(text: str) -> None:
    """And the first word needs the permission that the sentence does."""
    found = position_or_action(PARSER.parse, text)
    assert position_or_action(read, text) == found
    if isinstance(found, Action):
        assert first_permission(text) == found.permission


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("  STOP   all tasks\n", "stop"),
        ("halt\r\n", "stop"),
        ("pause", "pause"),
        ('"stop" all tasks', ""),
        ("rollbac\u212a x", ""),
        ("", ""),
    ],
)
def test_the_first_word_alone_says_what_is_needed(text: str, permission: str) -> None:
    assert first_permission(text) == permission
