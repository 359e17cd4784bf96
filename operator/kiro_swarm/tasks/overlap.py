"""Do two tasks say that they touch the same files?

Used by ``schedule``. A claim is a path or the name of a part; a directory claims what is
below it, a pattern (``src/**/*.py``) the directory that it starts in. Too wide rather than
too narrow: two tasks that need not wait for each other lose time, two that should have
waited lose work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_PATTERN: Final = re.compile(r"[*?\[{]")


def _steps(claim: str) -> tuple[str, ...]:
    """A claim as path components; a pattern ends before its first wild component."""
    steps = []
    for step in claim.replace("\\", "/").split("/"):
        if _PATTERN.search(step):
            break
        if step not in ("", "."):
            steps.append(step)
    return tuple(steps)


class Claims:
    """What running tasks have claimed. Asking costs the depth of a path, not their number."""

    def __init__(self) -> None:
        self._claimed: set[tuple[str, ...]] = set()
        self._above: set[tuple[str, ...]] = set()

    def add(self, files: Iterable[str]) -> None:
        """Claim files."""
        for claim in files:
            steps = _steps(claim)
            self._claimed.add(steps)
            self._above.update(steps[:length] for length in range(len(steps) + 1))

    def overlap(self, files: Iterable[str]) -> bool:
        """Whether one of ``files`` is, contains or lies in something claimed."""
        for claim in files:
            steps = _steps(claim)
            if steps in self._above:
                return True
            if any(steps[:length] in self._claimed for length in range(len(steps))):
                return True
        return False
