"""What a Job pushes, and how often it asks the server for that."""

from __future__ import annotations

import asyncio

from kiro_swarm.jobs.pushing import Pushing
from kiro_swarm.workspace.errors import RemoteUnavailable


class Remote:
    """A branch, what the server has of it, and how often it was asked."""

    def __init__(self) -> None:
        self.head, self.has, self.asked, self.noted = "1", "", 0, 0
        self.away = False
        self.pushing = Pushing(self._send, self._note, lambda: self.head)

    async def _send(self) -> str:
        self.asked += 1
        sent = self.head
        await asyncio.sleep(0)
        if self.away:
            raise RemoteUnavailable("away")
        self.has = sent
        return sent

    async def _note(self) -> None:
        self.noted += 1

    async def push(self) -> None:
        """Push, and wait for it."""
        self.pushing.begin()
        await self.pushing.settled()


async def test_what_the_server_has_is_not_pushed_again() -> None:
    remote = Remote()
    await remote.push()
    await remote.push()
    assert (remote.asked, remote.noted, remote.pushing.pushed) == (1, 1, "1")
    remote.head = "2"
    await remote.push()
    assert (remote.asked, remote.has) == (2, "2")


async def test_what_comes_while_it_is_pushed_is_pushed_after_it() -> None:
    remote = Remote()
    remote.pushing.begin()
    await asyncio.sleep(0)
    remote.head = "2"
    await remote.push()
    assert (remote.asked, remote.has) == (2, "2")


async def test_nothing_that_comes_while_it_is_pushed_asks_nobody() -> None:
    remote = Remote()
    remote.pushing.begin()
    await asyncio.sleep(0)
    await remote.push()
    assert (remote.asked, remote.has) == (1, "1")


async def test_what_failed_is_pushed_again() -> None:
    remote = Remote()
    await remote.push()
    remote.head, remote.away = "2", True
    await remote.push()
    remote.head, remote.away = "1", False
    await remote.push()
    assert (remote.asked, remote.pushing.error) == (3, None)
