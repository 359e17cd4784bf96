"""What is under way between a client and the fake API server: tests wait for that, not for time.

Each request has a number, which both ends know. A test that keeps requests waiting says so by
``hold``; all others are answered by themselves, however slow the machine is.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Callable, Mapping, Optional

from aiohttp import web

from kiro_swarm.cluster.connection import Connection

_HEADER = "X-Number-Of-The-Test"
#: More turns of the loop than there are between the end of a request, what follows from it, and
#: the next request: nothing in between waits for anything but the loop.
_TURNS = 20
_NO_MORE: Mapping[str, str] = {}


class Traffic:
    """The requests of all clients that have no answer yet."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._held: dict[object, Callable[[], bool]] = {}
        self._numbers = map(str, itertools.count(1))
        self._begun = 0
        self._news = asyncio.Event()

    @contextlib.contextmanager
    def asking(self) -> Iterator[str]:
        """A client asks: the number of its request, until it has the answer."""
        number = next(self._numbers)
        self._begun += 1
        self._asked.add(number)
        self._tell()
        try:
            yield number
        finally:
            self._asked.discard(number)
            self._tell()

    async def hold(
        self, request: Optional[web.Request], over: Callable[[], bool]
    ) -> None:
        """Wait until ``over()``, and let others know that this request waits so long.

        None: nobody waits for what comes then.
        """
        number = object() if request is None else request.headers[_HEADER]
        self._held[number] = over
        self._tell()
        try:
            while not over():  # noqa: ASYNC110 (no clock of a test tells when it moves)
                await asyncio.sleep(0.002)
        finally:
            del self._held[number]
            self._tell()

    async def at_rest(self) -> None:
        """Return when nothing moves: what is asked is answered, and heard, or held."""
        if self._asked or self._held:
            await self._lasting(lambda: self._asked <= self._waiting())

    async def stuck(self) -> None:
        """Return when requests are held, and nothing else is under way."""
        await self._lasting(
            lambda: bool(self._asked) and self._asked <= self._waiting()
        )

    def _waiting(self) -> set[object]:
        """The requests that are held for longer. Whatever is due is to come first."""
        due = any(over() for over in self._held.values())
        return set() if due else set(self._held)

    async def _lasting(self, holds: Callable[[], bool]) -> None:
        turns, begun = 0, self._begun
        while turns < _TURNS:
            if holds():
                await asyncio.sleep(0)
                turns = turns + 1 if begun == self._begun else 0
            else:
                turns = 0
                # Not with wait_for, which Python 3.9 cannot be cancelled in at any moment.
                await self._news.wait()
            begun = self._begun

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class CountedConnection(Connection):
    """One whose requests are part of ``traffic``; its watches are not."""

    traffic: Traffic
    _number: ContextVar[str] = ContextVar("_number")

    async def json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        with self.traffic.asking() as number:
            self._number.set(number)
            return await super().json(method, path, **how)

    async def beginning(self, path: str, **how: Any) -> tuple[bytes, bool]:
        with self.traffic.asking() as number:
            self._number.set(number)
            return await super().beginning(path, **how)

    async def stream(
        self, method: str, path: str, *, more: Mapping[str, str] = _NO_MORE, **how: Any
    ) -> Any:
        more = {**more, _HEADER: self._number.get("")}
        return await super().stream(method, path, more=more, **how)
