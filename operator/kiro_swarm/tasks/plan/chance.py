"""Numbers that look like chance and are the same every time, for the pure packages.

Used by ``plan`` and ``forecast``: what they find must not depend on when or where they run.
A 64-bit linear congruential generator with the constants of Knuth's MMIX.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

_MASK: Final = (1 << 64) - 1
_NORMAL: Final = NormalDist()


class Chance:
    """A sequence of numbers that follows from its seed alone."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK
        for _ in range(3):  # small seeds begin alike
            self.fraction()

    def fraction(self) -> float:
        """The next number, evenly between 0 and 1, neither of them included."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & _MASK
        return ((self._state >> 11) + 0.5) / (1 << 53)

    def normal(self) -> float:
        """The next number, normally distributed around 0 with deviation 1."""
        return _NORMAL.inv_cdf(self.fraction())
