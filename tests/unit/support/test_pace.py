"""What is judged by its pace: the same code is told apart on any machine."""

from __future__ import annotations

import pytest

from tests.support.pace import in_proportion, untraced


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
        in_proportion(numbers, squared, 4_000)


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
