"""Colours, times and conditions."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest

from kiro_swarm.api.common import Condition
from kiro_swarm.policy.colours import colour_of
from kiro_swarm.policy.conditions import condition, find, is_true
from kiro_swarm.policy.times import parse, seconds_between, stamp
from tests.support.shapes import valid

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
LATER = NOW + timedelta(hours=1)


def test_no_two_instances_of_a_swarm_share_a_colour() -> None:
    codes = [colour_of(index).code for index in range(1, 1001)]
    assert len(set(codes)) == 1000
    assert all(re.fullmatch(r"#[0-9a-f]{6}", code) for code in codes)


def test_a_colour_is_stable_and_the_first_are_the_favourites_of_peacock() -> None:
    assert [colour_of(n) for n in range(1, 201)] == [
        colour_of(n) for n in range(1, 201)
    ]
    assert (colour_of(1).name, colour_of(1).code) == ("Azure Blue", "#007fff")
    assert colour_of(9).name == "Mandalorian Blue"
    assert colour_of(10).name.startswith("Hue ")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T10:00:00.000000Z", 0.0),
        ("2026-11-22T10:00:00Z", 0.0),
        ("2026-11-22T12:00:01+02:00", 1.0),
        ("2026-11-22T10:00:00.500000", 0.5),
    ],
)
def test_times_of_others_are_read(text: str, seconds: float) -> None:
    assert parse(text) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-40T99:00:00Z"])
def test_nonsense_is_no_time(text: Optional[str]) -> None:
    assert parse(text) is None
    assert seconds_between(text, stamp(NOW)) == 0.0
    assert seconds_between(stamp(NOW), text) == 0.0


def test_time_is_written_in_utc_with_microseconds() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=2)))
    assert stamp(east) == "2026-11-22T10:00:00.000000Z"
    assert seconds_between(stamp(NOW), stamp(LATER)) == 3600.0
    assert seconds_between(stamp(LATER), stamp(NOW)) == 0.0, "never negative"


@pytest.mark.parametrize(
    ("case", "before", "status", "moves"),
    [
        ("a condition that was not there", None, True, True),
        ("the same status", True, True, False),
        ("another status", True, False, True),
        ("to unknown", False, None, True),
        ("still unknown", None, None, True),
    ],
)
def test_the_transition_time_moves_only_with_the_status(
    case: str, before: Optional[bool], status: Optional[bool], moves: bool
) -> None:
    old = []
    if before is not None:
        old = [condition([], "Ready", before, "A", "", generation=1, now=NOW)]
    new = condition(old, "Ready", status, "B", "text", generation=2, now=LATER)
    assert new["lastTransitionTime"] == stamp(LATER if moves else NOW), case
    assert (new["reason"], new["observedGeneration"]) == ("B", 2)
    valid(Condition, new)


def test_a_condition_of_another_type_is_not_looked_at() -> None:
    other = condition([], "Stalled", True, "A", "m" * 9999, generation=1, now=NOW)
    assert len(other["message"]) == 4096
    assert find([other], "Ready") is None
    assert find([other], "Stalled") is other
    assert is_true([other], "Stalled")
    assert not is_true([other], "Ready")
