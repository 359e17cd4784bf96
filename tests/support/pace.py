"""Whether work takes the time that its size asks for, on any machine and under any tracer.

A bound in seconds is one of a machine, an interpreter and of what looks on. These are of the
code: work is compared with a quarter of it, and with other work of the same process. Processor
time counts: what runs beside is no matter. The tracer of coverage looks away: it takes several
times as long for a loop of ours as for one inside of the interpreter, so with it two kinds of
work could not be compared.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable, Dict, Generic, Iterator, TypeVar

T = TypeVar("T")
R = TypeVar("R")
#: How many times a quarter of the work the whole may take. Linear work takes 4, squared 16.
MOST = 8.0
#: Seconds that say nothing, for what takes next to none.
NOISE = 0.02
#: The shortest of these counts: caches of the processor are shared with whatever runs.
_TRIES = 5


@dataclass(frozen=True)
class Measured(Generic[R]):
    """Work, and the processor time that it took in seconds."""

    seconds: float
    result: R


@contextmanager
def undisturbed() -> Iterator[None]:
    """This thread without a tracer, and without passes of the garbage collector.

    These look through all that earlier tests have left in the process, and longer work has
    more of them.
    """
    tracer, collects = sys.gettrace(), gc.isenabled()
    sys.settrace(None)
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
        sys.settrace(tracer)


def measured(work: Callable[[], R]) -> Measured[R]:
    """Do it once."""
    with undisturbed():
        begun = time.process_time()
        result = work()
        return Measured(time.process_time() - begun, result)


class Norm:
    """Seconds of some work that other work is compared with."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure
        self._shortest = float("inf")

    def at_most(self, times: float, found: float, again: Callable[[], float]) -> None:
        """It fails if work takes more than so many times as long.

        ``found`` is what was measured of it. Where that is too much, both are measured once
        more, for the shortest counts: a disturbed norm or work says nothing.
        """
        for _ in range(_TRIES):
            if self._shortest == float("inf"):
                self._shortest = self._measure()
            if found <= times * self._shortest + NOISE:
                return
            self._shortest = min(self._shortest, self._measure())
            found = min(found, again())
        raise AssertionError(
            f"{found:.3f} s, {found / self._shortest:.1f} times as long as what it is"
            f" compared with: at most {times:.1f} times"
        )


def in_proportion(
    make: Callable[[int], T], work: Callable[[T], R], size: int
) -> Measured[R]:
    """The work on what is made of ``size``; it fails if that is not linear in the size."""
    part, whole = make(size // 4), make(size)
    short = long = float("inf")
    for _ in range(_TRIES):
        # Twice: a single one that was disturbed would let squared work pass.
        for _ in range(2):
            short = min(short, measured(lambda: work(part)).seconds)
        done = measured(lambda: work(whole))
        long = min(long, done.seconds)
        if long <= MOST * short + NOISE:
            return Measured(long, done.result)
    raise AssertionError(
        f"{long:.3f} s for the whole, {short:.3f} s for a quarter: {long / short:.1f} times"
    )


def untraced() -> Dict[str, str]:
    """The environment for a child that is measured: coverage does not begin in it.

    pyproject.toml has it begin in all children, for some of them run what is tested.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE_", "COV_CORE_"))
    }
