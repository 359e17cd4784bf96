"""Long work in pieces: one piece in a turn of the loop, however many ask; locks with an end."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from kiro_swarm.api.pieces import Pieces
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.reconcile.engine.turns import acquired, in_turns

PIECES = 20


class Turns:
    """How many pieces were done in the turn of the loop in which most were."""

    def __init__(self) -> None:
        self.now = self.most = self.count = 0
        self._beating = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        while True:
            self.most, self.now = max(self.most, self.now), 0
            await asyncio.sleep(0)

    def work(self, number: int) -> Pieces[int]:
        for _ in range(PIECES):
            self.now += 1
            self.count += 1
            yield
        return number

    def stop(self) -> None:
        self._beating.cancel()


async def test_a_turn_of_the_loop_has_one_piece_whoever_asks() -> None:
    turns = Turns()
    await asyncio.sleep(0)
    done = await asyncio.gather(*(in_turns(turns.work(n)) for n in range(32)))
    turns.stop()
    assert done == list(range(32))
    assert turns.count == 32 * PIECES
    assert turns.most == 1


async def test_work_that_fails_or_is_cancelled_keeps_nobody_from_a_turn() -> None:
    def failing() -> Pieces[None]:
        yield
        raise ValueError("no")

    turns = Turns()
    slow = asyncio.ensure_future(in_turns(turns.work(1)))
    await asyncio.sleep(0)
    with pytest.raises(ValueError):
        await in_turns(failing())
    slow.cancel()
    assert await in_turns(turns.work(2)) == 2
    turns.stop()


class Follower:
    """Counts what it is told."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def put(self, item: Any) -> None:
        self._told.append(item["metadata"]["name"])

    def remove(self, item: Any) -> None:
        self._told.remove(item["metadata"]["name"])


async def test_what_many_ask_for_is_made_once_and_anew_where_its_maker_ended() -> None:
    cache, told = Cache(), cast("list[str]", [])
    for number in range(1000):
        metadata = {"name": f"t{number}", "namespace": "n", "uid": f"u{number}"}
        item: Any = {"metadata": metadata, "spec": {"swarm": "s"}}
        cache.put(TASKS, item)

    def asked() -> Pieces[Follower]:
        return cache.following(TASKS, "n", "s", "u", lambda _: Follower(told))

    first = asyncio.ensure_future(in_turns(asked()))
    await asyncio.sleep(0)
    assert 0 < len(told) < 1000
    first.cancel()
    await asyncio.wait({first})
    told.clear()
    found = await asyncio.gather(*(in_turns(asked()) for _ in range(32)))
    assert len(set(map(id, found))) == 1
    assert len(told) == 1000


async def test_a_lock_is_waited_for_and_not_for_ever() -> None:
    lock = asyncio.Lock()
    assert await acquired(lock, 0.0)
    assert not await acquired(lock, 0.01)
    waiting = asyncio.ensure_future(acquired(lock, 5.0))
    await asyncio.sleep(0.01)
    lock.release()
    assert await waiting
    cancelled = asyncio.ensure_future(acquired(lock, 5.0))
    await asyncio.sleep(0.01)
    cancelled.cancel()
    await asyncio.wait({cancelled})
    lock.release()
    assert await acquired(lock, None)


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_is_cancelled_leaves_no_lock_behind(turns: int) -> None:
    """At any turn of the loop, also at one at which the lock is its own already."""
    lock = asyncio.Lock()
    taking = asyncio.ensure_future(acquired(lock, 5.0))
    for _ in range(turns):
        await asyncio.sleep(0)
    taking.cancel()
    (done,) = await asyncio.gather(taking, return_exceptions=True)
    await asyncio.sleep(0)
    assert lock.locked() is (done is True)
