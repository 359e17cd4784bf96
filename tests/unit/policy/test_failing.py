"""Integrate Jobs that fail in a row: each is counted once, and the pause grows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.policy.failing import Failing, after_jobs, next_try

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("failures", "ended", "then"),
    [
        # failures in a row, end of the last and next try: seconds from now
        (1, 0, 15),
        (2, 0, 30),
        (3, 0, 60),
        (4, 0, 120),
        (5, 0, 240),
        (6, 0, 300),
        (7, 0, 300),
        (10**9, 0, 300),
        (1, -10, 5),
        (6, -60, 240),
        (6, -3600, -3300),
        # What nobody can have written.
        (0, 0, 15),
        (-7, 0, 15),
        # By a clock that is ahead.
        (1, 3600, 15),
        (6, 3600, 300),
    ],
)
def test_when_the_next_try_is(failures: int, ended: int, then: int) -> None:
    found = next_try(failures, NOW + timedelta(seconds=ended), NOW)
    assert found == NOW + timedelta(seconds=then)


@pytest.mark.parametrize(
    ("known", "ended", "after"),
    [
        ((0, 0), {}, (0, 0)),
        ((0, 0), {1: False, 2: False, 3: False}, (3, 3)),
        ((0, 0), {3: False, 1: False, 2: True}, (3, 1)),
        ((3, 3), {1: False, 2: False, 3: False}, (3, 3)),
        ((3, 3), {4: False}, (4, 4)),
        ((3, 3), {2: True, 4: False}, (4, 4)),
        ((3, 3), {4: True}, (4, 0)),
        # Of a name that ends with no number that counts.
        ((3, 3), {0: False, -1: True}, (3, 3)),
    ],
)
def test_what_is_counted(
    known: tuple[int, int], ended: dict[int, bool], after: tuple[int, int]
) -> None:
    assert after_jobs(Failing(*known), ended) == Failing(*after)


@given(st.lists(st.booleans(), max_size=30), st.data())
def test_each_job_is_counted_once_whenever_the_status_is_written(
    outcomes: list[bool], data: st.DataObject
) -> None:
    """As long as no Job goes before it is counted, which writes were lost does not matter."""
    ended = dict(enumerate(outcomes, 1))
    known = Failing()
    for number in ended:
        first = data.draw(st.integers(1, known.counted + 1))
        there = {job: ended[job] for job in range(first, number + 1)}
        if data.draw(st.booleans()):
            known = after_jobs(known, there)
    known = after_jobs(known, ended)
    succeeded = [number for number, ok in ended.items() if ok]
    row = len(ended) - max(succeeded, default=0)
    assert known == Failing(len(ended), row)
