"""A keyed work queue: what a handler puts in, a worker reconciles, one key at a time.

A key that is added while it is waiting is there once; a key that is added while it is
worked on is worked on again afterwards. Failures come back later and later. Domain-free.

A key may belong to a flow (its ``flow``, a text): flows take turns, so that many keys of one
hold up no other, and all of them together get every second turn where keys without a flow
wait as well. A key that is worked on may wait half a minute for a request that hangs: one flow
has a quarter of the workers at most, all flows together three quarters.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from typing import Callable, Hashable, Optional

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 60.0


class WorkQueue:
    """Keys to reconcile. Made and used inside one running event loop.

    :param clock: monotonic seconds.
    :param workers: how many keys are worked on at a time.
    """

    def __init__(self, clock: Callable[[], float], workers: int = 32) -> None:
        self._clock = clock
        self._most_of_flow = max(1, workers // 4)
        self._most_of_flows = max(1, workers - max(1, workers // 4))
        self._ready: set[Hashable] = set()
        self._plain: dict[Hashable, None] = {}
        #: In the order in which it is their turn; none is empty.
        self._flows: dict[str, dict[Hashable, None]] = {}
        self._flow_next = False
        self._working: set[Hashable] = set()
        #: Keys of flows that are worked on: how many of each.
        self._busy: Counter[str] = Counter()
        self._flow_of: dict[Hashable, str] = {}
        self._again: set[Hashable] = set()
        self._later: list[tuple[float, int, Hashable]] = []
        self._due: dict[Hashable, float] = {}
        self._failures: dict[Hashable, int] = {}
        self._order = itertools.count()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._ready) + len(self._working)

    def add(self, key: Hashable) -> None:
        """Have ``key`` reconciled as soon as a worker is free."""
        if key in self._working:
            self._again.add(key)
            return
        if key not in self._ready:
            self._ready.add(key)
            flow = str(getattr(key, "flow", ""))
            (self._flows.setdefault(flow, {}) if flow else self._plain)[key] = None
        self._wake.set()

    def add_after(self, key: Hashable, seconds: float) -> None:
        """Have ``key`` reconciled in ``seconds``; the earliest wish wins."""
        due = self._clock() + max(0.0, seconds)
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        heapq.heappush(self._later, (due, next(self._order), key))
        self._wake.set()

    def failed(self, key: Hashable, retry_after: Optional[float] = None) -> None:
        """Have ``key`` reconciled again after a delay that doubles each time."""
        count = self._failures.get(key, 0)
        self._failures[key] = count + 1
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** min(count, 16))
        self.add_after(key, max(delay, retry_after or 0.0))

    def succeeded(self, key: Hashable) -> None:
        """Forget the failures of ``key``."""
        self._failures.pop(key, None)

    def forget(self, key: Hashable) -> None:
        """What ``key`` stood for is gone: nothing of it is to be done later."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    async def take(self) -> Hashable:
        """The next key; the caller must say ``done`` when it is finished with it."""
        while True:
            self._move_due()
            key = self._first()
            if key is not None:
                self._ready.discard(key)
                self._working.add(key)
                return key
            self._wake.clear()
            # Not `wait_for`: before Python 3.12 it can lose a cancellation that comes in
            # the same moment as a key, and the worker would work on after its end.
            timer = self._alarm()
            try:
                await self._wake.wait()
            finally:
                if timer is not None:
                    timer.cancel()

    def _first(self) -> Optional[Hashable]:
        """The key whose turn it is, taken out; None: none may be worked on now."""
        flow = self._next_flow() if self._flow_next or not self._plain else None
        if flow is None and not self._plain:
            return None
        self._flow_next = flow is None
        if flow is None:
            key = next(iter(self._plain))
            del self._plain[key]
            return key
        keys = self._flows.pop(flow)
        self._busy[flow] += 1
        key = next(iter(keys))
        del keys[key]
        self._flow_of[key] = flow
        if keys:
            self._flows[flow] = keys  # behind the others
        return key

    def _next_flow(self) -> Optional[str]:
        """The flow whose turn it is, of those that have a worker left."""
        if sum(self._busy.values()) >= self._most_of_flows:
            return None
        free = (flow for flow in self._flows if self._busy[flow] < self._most_of_flow)
        return next(free, None)

    def done(self, key: Hashable) -> None:
        """``key`` is finished; if it was added meanwhile it is ready again."""
        self._working.discard(key)
        flow = self._flow_of.pop(key, None)
        if flow is not None:
            self._busy -= Counter([flow])
            self._wake.set()  # another of it may have its turn
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _alarm(self) -> Optional[asyncio.TimerHandle]:
        """Wakes whoever waits when the next key is due, if there is one."""
        if not self._later:
            return None
        wait = max(0.0, self._later[0][0] - self._clock())
        return asyncio.get_running_loop().call_later(wait, self._wake.set)

    def _move_due(self) -> None:
        now = self._clock()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        if len(self._later) > 2 * len(self._due):
            # Most of them were wished for earlier since, or are gone.
            later = [one for one in self._later if self._due.get(one[2]) == one[0]]
            heapq.heapify(later)
            self._later = later
