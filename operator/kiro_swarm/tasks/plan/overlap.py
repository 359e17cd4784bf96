"""Do two tasks say that they touch the same files?

Used by ``schedule`` and ``ready``. A claim is a path or the name of a part; a directory
claims what is below it, a pattern (``src/**/*.py``) the directory that it starts in. Too
wide rather than too narrow: two tasks that need not wait for each other lose time, two
that should have waited lose work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Optional

_PATTERN: Final = re.compile(r"[*?\[{]")
Steps = tuple[str, ...]


def _steps(claim: str) -> Steps:
    """A claim as path components; a pattern ends before its first wild component."""
    steps = []
    for step in claim.replace("\\", "/").split("/"):
        if _PATTERN.search(step):
            break
        if step not in ("", "."):
            steps.append(step)
    return tuple(steps)


class Claims:
    """What running tasks have claimed. Asking costs the depth of a path, not their number.

    Every claim has an owner, a number that the caller chooses; a claim that is never given
    back needs none.
    """

    def __init__(self) -> None:
        # dicts as ordered sets: who claims exactly this, and who something at or below it.
        self._claimed: dict[Steps, dict[int, None]] = {}
        self._above: dict[Steps, dict[int, None]] = {}
        self._held: dict[int, list[Steps]] = {}

    def add(self, files: Iterable[str], owner: int = -1) -> None:
        """Claim files."""
        for claim in files:
            steps = _steps(claim)
            self._held.setdefault(owner, []).append(steps)
            self._claimed.setdefault(steps, {})[owner] = None
            for length in range(len(steps) + 1):
                self._above.setdefault(steps[:length], {})[owner] = None

    def release(self, owner: int) -> None:
        """Give back all that an owner has claimed."""
        for steps in self._held.pop(owner, ()):
            _forget(self._claimed, steps, owner)
            for length in range(len(steps) + 1):
                _forget(self._above, steps[:length], owner)

    def holder(self, files: Iterable[str]) -> Optional[int]:
        """An owner of something that one of ``files`` is, contains or lies in; or None."""
        for claim in files:
            steps = _steps(claim)
            owners = self._above.get(steps)
            if owners:
                return next(iter(owners))
            for length in range(len(steps)):
                owners = self._claimed.get(steps[:length])
                if owners:
                    return next(iter(owners))
        return None

    def overlap(self, files: Iterable[str]) -> bool:
        """Whether one of ``files`` is, contains or lies in something claimed."""
        return self.holder(files) is not None


def _forget(table: dict[Steps, dict[int, None]], steps: Steps, owner: int) -> None:
    owners = table.get(steps)
    if owners is not None:
        owners.pop(owner, None)
        if not owners:
            del table[steps]
