"""What is judged by its pace: the same code is told apart on any machine."""

from __future__ import annotations

import gc
import sys
from types import FrameType

import pytest

from tests.support.pace import Norm, in_proportion, measured, untraced


def linear(items: list[int]) -> int:
    return sum(item * item for item in items)


def squared(items: list[int]) -> int:
    return sum(1 for item in items if items.index(item) < 0)


def numbers(count: int) -> list[int]:
    return list(range(count))


def test_what_is_linear_is_told_with_its_result() -> None:
    done = in_proportion(numbers, linear, 200_000)
    assert done.result == linear(numbers(200_000))
    assert done.seconds > 0


def test_what_is_squared_fails() -> None:
    with pytest.raises(AssertionError, match="s for a quarter"):
        in_proportion(numbers, squared, 8_000)


def test_what_is_linear_and_then_squared_fails() -> None:
    def both(items: list[int]) -> int:
        return linear(items * 40) + squared(items)

    with pytest.raises(AssertionError, match="times"):
        in_proportion(numbers, both, 6_000)


def test_a_child_that_is_measured_has_no_tracer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "x")
    monkeypatch.setenv("COVERAGE_PROCESS_START", "x")
    monkeypatch.setenv("KEPT", "x")
    assert untraced()["KEPT"] == "x"
    assert not [name for name in untraced() if name.startswith("COVERAGE")]


def test_the_tracer_looks_away_and_comes_back() -> None:
    seen = []
    before = sys.gettrace()

    def tracer(frame: FrameType, _event: str, _value: object) -> None:
        seen.append(frame.f_code.co_name)

    sys.settrace(tracer)
    try:
        measured(lambda: linear([1]))
        assert sys.gettrace() is tracer
        assert not measured(gc.isenabled).result
        assert gc.isenabled()
        linear([2])
    finally:
        sys.settrace(before)
    assert seen.count("linear") == 1


def test_disturbed_work_is_measured_again_and_so_is_the_norm() -> None:
    norm, work = [2.0, 1.0], [9.0, 11.0]
    Norm(norm.pop).at_most(10.0, 10.0, work.pop)
    assert (norm, work) == ([2.0], [9.0, 11.0])
    norm = [3.0, 2.0, 1.0]
    Norm(norm.pop).at_most(10.0, 30.0, work.pop)
    assert (norm, work) == ([], [])


def test_what_is_always_too_long_fails_and_says_how_long() -> None:
    norm = Norm(lambda: 1.0)
    norm.at_most(3.0, 3.0, lambda: 3.0)
    with pytest.raises(
        AssertionError, match=r"4\.0 times as long .* at most 3.0 times"
    ):
        norm.at_most(3.0, 5.0, lambda: 4.0)
