"""What a task asks for, as a hash: what counts for it and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.policy.asked import asked_of, same_work

TASK: Any = {
    "id": "1",
    "title": "Write the parser",
    "description": "- [ ] a lexer\n- [ ] errors with positions",
}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"description": "- [x] a lexer\n- [X] errors with positions"}, True),
        ({"description": "  - [ ] a lexer\r\n  - [~] errors  with positions\n"}, True),
        ({"order": 9, "line": 99, "priority": 3, "maxAttempts": 7}, True),
        ({"title": "Write the printer"}, False),
        ({"description": "- [ ] a lexer"}, False),
        ({"title": "", "description": "Write the parser"}, False),
        ({"title": "Write the parser - [ ] a lexer", "description": ""}, False),
    ],
)
def test_title_and_text_count_and_ticks_and_lines_do_not(
    change: Any, same: bool
) -> None:
    changed: Any = {**TASK, **change}
    assert (asked_of(changed) == asked_of(TASK)) is same
    assert len(asked_of(changed)) == 16


def test_strange_texts_have_one_too() -> None:
    for text in ("", "\ud800", "\0", "[ ]" * 1000):
        strange: Any = {"title": text, "description": text}
        assert len(asked_of(strange)) == 16
    nothing: Any = {}
    assert len(asked_of(nothing)) == 16


def test_a_merge_of_an_earlier_release_is_believed() -> None:
    assert same_work("", "a" * 16)
    assert same_work("a" * 16, "a" * 16)
    assert not same_work("a" * 16, "b" * 16)
