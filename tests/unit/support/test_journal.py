"""What is read from a journal, and what makes it useless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.journal import Attempt, Journal, attempts
from tests.support.judging import busy, elapsed


def at(second: float) -> str:
    return f"2026-11-22T10:00:{second:09.6f}Z"


def event(version: int, task: str, state: str, number: int = 1, **more: Any) -> Any:
    """A version of a task as the watch shows it."""
    status = {"state": state, "attempt": number, "instance": "one", **more}
    return {
        "type": "MODIFIED",
        "object": {
            "spec": {"id": task},
            "metadata": {"resourceVersion": str(version)},
            "status": status,
        },
    }


def test_attempts_are_read_with_when_they_were_bound_and_how_they_ended() -> None:
    lost = {"attempt": 1, "outcome": "InstanceLost", "finishedAt": at(4)}
    read = attempts(
        [
            event(10, "a", "Blocked", 0),
            event(9, "b", "Ready", 0, readyAt=at(0.5)),
            event(11, "a", "Ready", 0, readyAt=at(0.5)),
            event(12, "a", "Bound", boundAt=at(1)),
            event(13, "b", "Bound", boundAt=at(2), instance="two"),
            event(14, "a", "Running", boundAt=at(1)),
            event(15, "a", "Ready", readyAt=at(0.5), history=[lost]),
            event(16, "a", "Bound", 2, boundAt=at(5), history=[lost]),
            event(17, "b", "Done", finishedAt=at(5)),
            event(18, "b", "Merged", finishedAt=at(5), mergedAt=at(6)),
            event(19, "a", "Merged", 2, mergedAt=at(7.5), history=[lost]),
            event(20, "a", "Merged", 2, mergedAt=at(7.5), history=[lost]),
        ]
    )
    assert [
        (str(each), each.instance, each.outcome, *versions(each)) for each in read
    ] == [
        ("a/1", "one", "InstanceLost", 11, 12, 15, 15),
        ("b/1", "two", "Merged", 9, 13, 17, 18),
        ("a/2", "one", "Merged", 15, 16, 19, 19),
    ]
    assert elapsed(read) == 6.5
    # From 1 to 4, from 2 to 5, from 5 to 7.5.
    assert busy(read) == 8.5 / 6.5


def versions(attempt: Attempt) -> list[int]:
    moments = (attempt.ready, attempt.bound, attempt.left, attempt.ended)
    return [each.version for each in moments]


@pytest.mark.parametrize(
    "events",
    [
        [event(1, "a", "Bound", boundAt=at(1))],
        [event(1, "a", "Merged", mergedAt=at(1))],
        [
            event(1, "a", "Bound", 1, boundAt=at(1)),
            event(2, "a", "Merged", 2, mergedAt=at(2)),
        ],
    ],
    ids=["no end", "no beginning", "another attempt ended"],
)
def test_a_gap_in_the_journal_is_an_error(events: list[Any]) -> None:
    with pytest.raises(ValueError, match="begun and not ended"):
        attempts(events)


def test_a_time_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"version 1 .* 'soon'"):
        attempts([event(1, "a", "Bound", boundAt="soon")])


def test_the_journal_leaves_out_what_is_only_half_written(tmp_path: Path) -> None:
    file = tmp_path / "events"
    journal = Journal(file)
    file.write_text("")
    assert (journal.events(), journal.states()) == ([], {})
    whole = [event(1, "a", "Ready"), event(2, "a", "Bound"), event(3, "b", "Ready")]
    text = "\n".join(json.dumps(each, indent=4) for each in whole)
    file.write_text(text + "\n")
    assert journal.events() == whole
    assert journal.states() == {"a": "Bound", "b": "Ready"}
    file.write_text(text[:-3])
    assert journal.states() == {"a": "Bound"}
