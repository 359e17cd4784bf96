"""Each check of a run finds what was planted for it, and nothing in a good one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Optional

import pytest

from tests.support.journal import Attempt, Moment
from tests.support.judging import (
    begun_early,
    begun_without,
    bound_during,
    given_two,
    met,
    not_merged_once,
    passed_over,
)

START = datetime(2026, 11, 22, tzinfo=timezone.utc)
NEEDS = {"a": (), "b": ("a",), "c": ("a", "b")}


def worked(
    task: str,
    bound: int,
    ended: int,
    number: int = 1,
    outcome: str = "Merged",
    late: Optional[int] = None,
) -> Attempt:
    """An attempt whose times and versions are the same numbers, but for ``late``."""
    begin, end = moment(bound), moment(ended)
    if late is not None:
        end = replace(end, at=moment(late).at)
    return Attempt(task, number, "one", begin, begin, end, end, outcome)


def moment(number: int) -> Moment:
    return Moment(START.replace(microsecond=number), number)


CHAIN = [worked("a", 1, 2), worked("b", 3, 4), worked("c", 5, 6)]


def test_an_instance_with_two_tasks_is_found() -> None:
    one, other = worked("a", 1, 4), worked("b", 3, 6)
    assert given_two([one, other]) == ["one had a/1 and b/1 at once"]
    assert given_two([one, replace(other, instance="two")]) == []
    # Done, and its merge still to come: the instance may have another.
    assert given_two([replace(one, left=one.bound), other]) == []


@pytest.mark.parametrize(
    ("ready", "bound", "said"),
    [
        (3, 7, ["b/1 waited while a/1 was bound"]),
        (6, 7, []),
        (3, 4, []),
        (3, 5, []),
    ],
    ids=["passed over", "ready later", "bound before", "in the same decision"],
)
def test_an_urgent_task_that_is_passed_over_is_found(
    ready: int, bound: int, said: list[str]
) -> None:
    lazy = worked("a", 5, 9)
    urgent = replace(worked("b", bound, 9), ready=moment(ready))
    assert passed_over([lazy, urgent], {"a": 1, "b": 2}) == said
    for urgency in ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1}):
        assert passed_over([lazy, urgent], urgency) == []
    assert passed_over([lazy, replace(urgent, number=2)], {"a": 1, "b": 2}) == []


def test_a_good_run_has_nothing_wrong() -> None:
    again = [worked("a", 1, 2, 1, "InstanceLost"), worked("a", 3, 4, 2)]
    assert not_merged_once(CHAIN, NEEDS) == []
    assert not_merged_once(again, ["a"]) == []
    assert begun_early(CHAIN, NEEDS) == []
    assert met(CHAIN, NEEDS) == []
    assert given_two(CHAIN) == []
    line = ["start", "ma", "mb", "mc"]
    merges = {"a": "ma", "b": "mb", "c": "mc"}
    assert begun_without(line, merges, dict(zip("abc", line)), NEEDS) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ([], "a: []"),
        ([worked("a", 1, 2, 1, "GateFailed")], "a: ['1 GateFailed']"),
        ([worked("a", 1, 2), worked("a", 3, 4, 2)], "a: ['1 Merged', '2 Merged']"),
        ([worked("a", 1, 2, 2)], "a: ['2 Merged']"),
        (
            [worked("a", 1, 2), worked("a", 3, 4, 2, "Stopped")],
            "a: ['1 Merged', '2 Stopped']",
        ),
    ],
    ids=["never", "failed", "twice", "the first attempt is missing", "before the last"],
)
def test_a_task_that_is_not_merged_once_is_found(
    planted: list[Attempt], said: str
) -> None:
    assert not_merged_once([*planted, *CHAIN[1:]], NEEDS) == [said]


def test_an_unknown_task_is_found() -> None:
    found = [worked("x", 7, 8, 1, "Stopped"), *CHAIN]
    assert not_merged_once(found, NEEDS) == ["x: ['1 Stopped']"]


@pytest.mark.parametrize(
    "planted",
    [
        [worked("a", 1, 4), worked("b", 3, 5)],
        [worked("a", 1, 2, late=4), worked("b", 3, 5)],
        [worked("a", 1, 2), worked("b", 3, 4, 2), worked("b", 0, 1, 1, "GateFailed")],
        [worked("a", 1, 2, 1, "GateFailed"), worked("b", 3, 4)],
        [worked("b", 3, 4)],
    ],
    ids=["overlapping", "by the clock alone", "an earlier attempt", "red", "missing"],
)
def test_a_task_that_is_begun_before_what_it_needs_is_found(
    planted: list[Attempt],
) -> None:
    (said,) = begun_early(planted, NEEDS)
    assert said.endswith("was bound before a was merged")


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ((1, 2), (3, 4), False),
        ((3, 4), (1, 2), False),
        ((1, 3), (2, 4), True),
        ((2, 4), (1, 3), True),
        ((1, 4), (2, 3), True),
        ((1, 2), (1, 2), True),
    ],
    ids=["one first", "other first", "one begins", "other begins", "inside", "same"],
)
def test_two_that_are_in_the_air_at_once_are_found(
    one: tuple[int, int], other: tuple[int, int], meet: bool
) -> None:
    planted = [worked("a", *one), worked("b", *other), worked("c", 1, 9)]
    assert met(planted, ("a", "b")) == (["a/1 and b/1 at once"] if meet else [])


def test_a_lost_attempt_counts_as_being_in_the_air() -> None:
    planted = [
        worked("a", 1, 4, 1, "InstanceLost"),
        worked("b", 2, 3),
        worked("a", 5, 6, 2),
    ]
    assert met(planted, ("a", "b")) == ["a/1 and b/1 at once"]


def test_what_was_bound_meanwhile_is_told() -> None:
    found = [
        worked("a", 2, 8),
        worked("b", 1, 3),
        worked("c", 4, 9),
        worked("d", 9, 10),
    ]
    assert bound_during(found, found[0]) == ["c"]


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("start", "c began from start, where b is not merged"),
        ("elsewhere", "elsewhere"),
    ],
    ids=["too old", "not on the branch"],
)
def test_a_branch_that_was_cut_without_what_it_needs_is_found(
    base: str, said: str
) -> None:
    line = ["start", "ma", "mb"]
    found = begun_without(line, {"a": "ma", "b": "mb"}, {"b": "ma", "c": base}, NEEDS)
    assert len(found) == 2
    assert said in found[-1]
