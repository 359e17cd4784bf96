"""Lines of a ledger that somebody else wrote: not believed, and nothing is raised."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiro_swarm.policy import chain
from kiro_swarm.policy.ledger import Book

GOOD: dict[str, Any] = {
    "kind": "merge",
    "before": "",
    "after": "a" * 40,
    "tasks": [{"id": "1.1", "uid": "u", "attempt": 1}],
    "gates": [{"name": "unit", "passed": True, "seconds": 1.5}],
    "time": "2026-11-29T22:00:00Z",
    "job": "demo-integrate-1",
    "swarm": "uid",
    "command": "",
}


def believed(line: dict[str, object]) -> bool:
    return Book("uid").add(chain.chained(line, 1, chain.BEGINNING)) is not None


def test_a_line_of_ours_is_believed() -> None:
    assert believed(GOOD)


@pytest.mark.parametrize("name", ["before", "after", "time", "job", "swarm", "command"])
@pytest.mark.parametrize(
    "value", ["-x", "--all", "\ud800", "\0", f"{'f' * 40}\n", "f" * 300]
)
def test_what_neither_git_nor_a_status_can_take_is_not(name: str, value: str) -> None:
    assert not believed({**GOOD, name: value})


@pytest.mark.parametrize(
    "changed",
    [
        {"after": ""},
        {"tasks": [{"id": "\ud800", "uid": "u", "attempt": 1}]},
        {"tasks": [{"id": "1.1", "uid": "", "attempt": 1}]},
        {"tasks": GOOD["tasks"] * 31},
        {"gates": GOOD["gates"] * 17},
        {"gates": [{"name": "unit", "passed": True, "seconds": float("nan")}]},
        {"time": "2026-02-31T00:00:00Z"},
    ],
)
def test_what_is_out_of_bounds_is_not(changed: dict[str, object]) -> None:
    assert not believed({**GOOD, **changed})


def test_a_line_that_nests_too_deep_or_is_too_long_cannot_be_read() -> None:
    """It could be parsed, and not written again for its hash."""
    line = json.dumps({**GOOD, "sequence": 1})[:-1]
    for more in ("[" * 900 + "]" * 900, json.dumps("x" * 70_000)):
        text = f'{line},"more":{more}}}'
        decoded = chain.decode(chain.key_of(1), text)
        assert "unreadable" in decoded
        assert Book("uid").add(decoded) is None
