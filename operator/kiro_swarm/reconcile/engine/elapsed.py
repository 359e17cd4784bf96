"""How long ago something was written down, by a clock that does not jump.

Role: whoever ends something for its age asks here: the deadline of a command, the time to live of
one. What is stored is a time of the wall clock, which a person, NTP or a suspended machine moves.
Guarantees: it is compared with the wall once, when this process first sees it; from then on only
time counts that has passed here. A new process gives it some seconds whatever the wall says, and a
wall that was moved back makes nothing last longer than it was to last, from then on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Final, Optional

from kiro_swarm.policy.times import parse

#: What is over by the wall when it is first seen still has so long.
FIRST_SIGHT_SECONDS: Final = 30.0


class Elapsed:
    """What was written when, as this process has seen it.

    :param monotonic: the time that delays are measured in.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: Uid -> what was written, its age when that was first seen, and when (monotonic).
        self._seen: dict[str, tuple[str, float, float]] = {}

    def left(
        self, uid: str, since: Optional[str], limit: float, now: datetime
    ) -> float:
        """How many seconds of ``limit`` are left since the time ``since`` was written.

        :param now: by the clock that wrote it.
        """
        at = parse(since)
        if since is None or at is None:
            return limit
        known = self._seen.get(uid)
        if known is None or known[0] != since:
            age = max(0.0, (now - at).total_seconds())
            known = self._seen[uid] = since, age, self._monotonic()
        _, age, first = known
        here = self._monotonic() - first
        return max(limit - age, min(limit, FIRST_SIGHT_SECONDS)) - here

    def forget(self, uid: str) -> None:
        """It is gone."""
        self._seen.pop(uid, None)
