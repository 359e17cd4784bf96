"""How long will a task take, judging by what this swarm and spec took so far?

Used for ranks and forecasts. What was declared is a guess of somebody; what was measured
corrects it. Times of work are log-normal: what is learned is how many times its guess a
task takes, first over all tasks, then, as far as there are measurements, for each class of
complexity. With nothing measured the guess stands, with a wide margin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Optional

from kiro_swarm.tasks.plan.graph import DEFAULT_ESTIMATE_SECONDS

#: Half of the tasks take between half and twice their guess: ln 2 is 0.675 deviations.
_FIRST_DEVIATION: Final = 1.03
#: What the first deviation, the guess, and the mean of all classes count for, in
#: measurements.
_FIRST_WEIGHT: Final = 3.0
_GUESS_WEIGHT: Final = 1.0
_ALL_WEIGHT: Final = 3.0
#: The same for the assumption that all instances are alike.
_SPEED_WEIGHT: Final = 4.0
#: Four of five tasks are between low and high.
_LOW_TO_HIGH: Final = 1.2816
#: Measurements beyond this many times the guess, up or down, are counted as that.
_MOST_TIMES: Final = math.log(1000)


@dataclass(frozen=True)
class Observation:
    """One task that was done: its measured seconds, and what was known before."""

    seconds: float
    declared: Optional[float] = None
    complexity: str = ""


@dataclass(frozen=True)
class Estimate:
    """Seconds that a task takes: as likely more as less; of five, one each beyond an end.

    ``spread`` is the deviation of ln(seconds) of this task by itself; ``doubt`` that of
    its class, shared with the others of it.
    """

    seconds: float
    spread: float
    doubt: float = 0.0

    @property
    def low(self) -> float:
        """One of ten takes less."""
        return self.seconds * math.exp(
            -_LOW_TO_HIGH * math.hypot(self.spread, self.doubt)
        )

    @property
    def high(self) -> float:
        """One of ten takes more."""
        return self.seconds * math.exp(
            _LOW_TO_HIGH * math.hypot(self.spread, self.doubt)
        )


@dataclass
class _Sums:
    """Of ln(measured / guess)."""

    number: int = 0
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.number += 1
        self.total += value
        self.squares += value * value

    def squares_around(self, mean: float) -> float:
        around = self.squares - 2 * mean * self.total + self.number * mean * mean
        return max(0.0, around)


@dataclass
class _Learned:
    """Of the tasks with a declared estimate, or of those without."""

    all: _Sums = field(default_factory=_Sums)
    classes: dict[str, _Sums] = field(default_factory=dict)


class Estimates:
    """What was learned from observations. The order of them does not matter."""

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        self._learned = {True: _Learned(), False: _Learned()}
        for seen in sorted(observations, key=_in_any_order):
            if not 0 < seen.seconds < math.inf:
                continue  # a clock that was put back
            learned = self._learned[_is_declared(seen.declared)]
            times = math.log(seen.seconds / _guess(seen.declared))
            times = min(_MOST_TIMES, max(-_MOST_TIMES, times))
            learned.all.add(times)
            learned.classes.setdefault(seen.complexity, _Sums()).add(times)

    def of(self, declared: Optional[float] = None, complexity: str = "") -> Estimate:
        """The estimate of a task; ``declared`` None or 0 where nobody said anything."""
        learned = self._learned[_is_declared(declared)]
        everything = learned.all
        common = everything.total / (everything.number + _GUESS_WEIGHT)
        sums = learned.classes.get(complexity, _Sums())
        weight = sums.number + _ALL_WEIGHT
        mean = (sums.total + _ALL_WEIGHT * common) / weight
        variance = (
            _FIRST_WEIGHT * _FIRST_DEVIATION**2 + sums.squares_around(mean)
        ) / (_FIRST_WEIGHT + sums.number)
        return Estimate(
            _guess(declared) * math.exp(mean),
            math.sqrt(variance),
            math.sqrt(variance / weight),
        )


def speeds(finished: Iterable[tuple[str, float, float]]) -> dict[str, float]:
    """How fast each instance is beside the others, for ``IdleInstance.speed``.

    ``finished``: instance, expected and measured seconds of each task that it finished. 2
    is twice as fast as the others; with few tasks the answer stays near 1.
    """
    gains: dict[str, _Sums] = {}
    for name, expected, measured in sorted(finished):
        sums = gains.setdefault(name, _Sums())
        if expected > 0 and 0 < measured < math.inf:
            times = math.log(expected / measured)
            sums.add(min(_MOST_TIMES, max(-_MOST_TIMES, times)))
    number = sum(sums.number for sums in gains.values())
    usual = sum(sums.total for sums in gains.values()) / number if number else 0.0
    return {
        name: math.exp(
            (sums.total - sums.number * usual) / (sums.number + _SPEED_WEIGHT)
        )
        for name, sums in gains.items()
    }


def _is_declared(declared: Optional[float]) -> bool:
    return declared is not None and declared > 0


def _guess(declared: Optional[float]) -> float:
    return (
        declared if declared is not None and declared > 0 else DEFAULT_ESTIMATE_SECONDS
    )


def _in_any_order(seen: Observation) -> tuple[float, float, str]:
    """Sums of floats depend on their order, so there is one."""
    return seen.seconds, seen.declared or 0.0, seen.complexity
