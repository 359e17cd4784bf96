"""Writes that the API server has not answered, by what may still come of them.

Whoever gives a task to an instance, or takes an instance or its pod away, says so here before the
write; whoever does the other of the two asks here first. Guarantees: as long as a write may
still be carried out, nothing is decided as if it were not. A write names the version of the object
that it is based on, so nothing can come of it once that object is seen at another version; nor
after an answer, nor long after the API server gives up a request. Nothing here is needed by
a new process but for that.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable, Final, Optional

from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy.ownership import is_same

#: An API server works at a request for a minute, if it is not told another time.
_LONGEST: Final = 90.0
_TOO_MANY_REQUESTS: Final = 429
#: How an API server begins to say that it did nothing, for it could not ask whether it may.
_NOT_ASKED: Final = "failed calling webhook"


def is_over(error: errors.ClusterError) -> bool:
    """Whether the answer to a write says that nothing will come of it any more."""
    if not isinstance(error, errors.Unavailable):
        return True
    unasked = bool(error.status) and _NOT_ASKED in error.message
    return unasked or error.status == _TOO_MANY_REQUESTS


@dataclass(frozen=True)
class Binding:
    """A task as it was when it was given to an instance, and when that was (monotonic)."""

    task: KiroTask
    instance: str
    since: float


class Bindings:
    """Those of one swarm."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], Binding] = {}

    def begin(self, task: KiroTask, instance: str) -> bool:
        """A task is about to be given to an instance; whether that was so before."""
        key = task["metadata"]["name"], instance
        known = self._known.get(key)
        self._known[key] = Binding(task, instance, self._clock())
        return known is not None

    def end(self, task: KiroTask) -> None:
        """Nothing can come any more of what was begun for a task."""
        name = task["metadata"]["name"]
        for key in [key for key in self._known if key[0] == name]:
            del self._known[key]

    def open(self, cache: Cache) -> list[Binding]:
        """Those of which something may come."""
        for key, one in list(self._known.items()):
            before = one.task["metadata"]
            now = cache.get(TASKS, before["namespace"], before["name"])
            if (
                now is None
                or not is_same(now, before["uid"])
                or now["metadata"]["resourceVersion"] != before["resourceVersion"]
                or self._clock() - one.since > _LONGEST
            ):
                del self._known[key]
        return list(self._known.values())


class Going:
    """The objects of one cluster whose deletion was asked for."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        #: By uid: since when (monotonic), and how many requests are under way.
        self._known: dict[str, tuple[float, int]] = {}
        #: By uid: how many are about to ask for it.
        self._meant = Counter[str]()

    def __bool__(self) -> bool:
        return bool(self._known or self._meant)

    def __contains__(self, uid: Optional[str]) -> bool:
        since, under_way = self._known.get(uid or "", (float("-inf"), 0))
        asked = bool(under_way) or self._clock() - since <= _LONGEST
        return asked or uid in self._meant

    def forget(self, uid: str) -> None:
        """It is gone. What is under way is known until its end."""
        if not self._known.get(uid, (0.0, 0))[1]:
            self._known.pop(uid, None)

    def uids(self) -> set[str]:
        """Those that may be on their way out."""
        return set(self._known)

    @contextlib.contextmanager
    def meant(self, uid: str) -> Iterator[None]:
        """Between the decision that an object goes and the request: nobody gives it a task."""
        self._meant[uid] += 1
        try:
            yield
        finally:
            self._meant[uid] -= 1
            if not self._meant[uid]:
                del self._meant[uid]

    @contextlib.contextmanager
    def asked(self, uid: str) -> Iterator[None]:
        """While the deletion of an object is asked for, and then until that is known."""
        self._note(uid, 1)
        try:
            yield
        except errors.ClusterError as error:
            self._note(uid, -1, over=is_over(error))
            raise
        except BaseException:
            self._note(uid, -1)
            raise
        self._note(uid, -1, over=True)

    def _note(self, uid: str, change: int, *, over: bool = False) -> None:
        under_way = self._known.get(uid, (0.0, 0))[1] + change
        now = self._clock()
        self._known[uid] = now, under_way
        if over and not under_way:
            del self._known[uid]
        if not change > 0:
            for one, (since, count) in list(self._known.items()):
                if not count and now - since > _LONGEST:
                    del self._known[one]
