"""How long ago something was written down, by a clock that does not jump.

Role: whoever ends or begins something for its age asks here: the deadline of a command, the time to
live of one, the pause before what failed is tried again. What is stored is a time of a wall clock,
ours or another's, which a person, NTP or a suspended machine moves.
Guarantees: it is compared with the wall once, when this process first sees it; from then on only
time counts that has passed here. A new process gives it some seconds whatever the wall says, and a
wall that was moved back makes nothing last longer than it was to last, from then on. What ended
under this process's eyes is not older than its sight of it, however far the clock that told of
the end is from ours: two machines need not agree for a pause to be one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Callable, Final, Optional

from kiro_swarm.policy.times import parse

#: What is over by the wall when it is first seen still has so long.
FIRST_SIGHT_SECONDS: Final = 30.0
#: Times of one object that are known: the oldest go, for they change as it does.
_MOST_TIMES: Final = 4


class Elapsed:
    """What was written when, as this process has seen it.

    :param monotonic: the time that delays are measured in.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        #: Uid -> what was written, its age when that was first seen, and when (monotonic).
        self._seen: dict[str, dict[str, tuple[float, float]]] = {}
        #: Uid -> the last end that was seen, its age when that was first seen, and when.
        self._ends: dict[str, tuple[str, float, float]] = {}

    def left(
        self, uid: str, since: Optional[str], limit: float, now: datetime
    ) -> float:
        """How many seconds of ``limit`` are left since the time ``since`` was written.

        :param now: by the clock that wrote it.
        """
        if since is None or parse(since) is None:
            return limit
        before, here = self._known(uid, since, now)
        return max(limit - before, min(limit, FIRST_SIGHT_SECONDS)) - here

    def age(self, uid: str, since: str, now: datetime) -> float:
        """How many seconds ago the time ``since`` was written; of one to come: since it was seen.

        :param now: by the clock that wrote it, as far as anybody knows.
        """
        return sum(self._known(uid, since, now))

    def since_end(self, uid: str, ended: str, now: datetime) -> float:
        """How many seconds ago the last of what runs for an object ended.

        Asked at every look at the object. One that was not there at the look before has ended
        since: it is as old as its sight. Only of one that a new process finds is the wall asked.

        :param ended: when that was, by the clock of whoever ends it.
        :param now: by ours.
        """
        here, known = self._monotonic(), self._ends.get(uid)
        if known is None or known[0] != ended:
            before = 0.0 if known else (now - (parse(ended) or now)).total_seconds()
            known = self._ends[uid] = ended, max(0.0, before), here
        return known[1] + here - known[2]

    def _known(self, uid: str, since: str, now: datetime) -> tuple[float, float]:
        """Its age when it was first seen, and how long ago that was."""
        seen = self._seen.setdefault(uid, {})
        if since not in seen:
            at = parse(since) or now
            seen[since] = max(0.0, (now - at).total_seconds()), self._monotonic()
            if len(seen) > _MOST_TIMES:
                del seen[next(iter(seen))]
        before, first = seen[since]
        return before, self._monotonic() - first

    def uids(self) -> set[str]:
        """Of what anything is known."""
        return {*self._seen, *self._ends}

    def forget(self, uid: str) -> None:
        """It is gone."""
        self._seen.pop(uid, None)
        self._ends.pop(uid, None)
