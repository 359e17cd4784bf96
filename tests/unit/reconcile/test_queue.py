"""The work queue: one key at a time, no wish lost, failures come back later."""

from __future__ import annotations

import asyncio
import time
from typing import Optional

import pytest

from kiro_swarm.reconcile.engine.queue import WorkQueue
from tests.unit.reconcile.surroundings import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def queue(clock: Clock) -> WorkQueue:
    return WorkQueue(clock.monotonic)


async def take(queue: WorkQueue) -> Optional[str]:
    """What can be taken at this moment."""
    waiting = asyncio.ensure_future(queue.take())
    for _ in range(4):
        await asyncio.sleep(0)
    if waiting.done():
        return str(waiting.result())
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return None


async def test_a_key_is_there_once_and_in_order(queue: WorkQueue) -> None:
    for key in "abab":
        queue.add(key)
    assert len(queue) == 2
    assert [await take(queue) for _ in range(3)] == ["a", "b", None]


async def test_a_key_added_while_it_is_worked_on_comes_again_and_not_before(
    queue: WorkQueue,
) -> None:
    queue.add("a")
    assert await take(queue) == "a"
    queue.add("a")
    queue.add("a")
    assert await take(queue) is None, "never twice at the same time"
    queue.done("a")
    assert await take(queue) == "a"
    queue.done("a")
    assert await take(queue) is None
    assert len(queue) == 0


async def test_a_later_key_comes_when_it_is_due_and_the_earliest_wish_wins(
    queue: WorkQueue, clock: Clock
) -> None:
    queue.add_after("a", 10)
    queue.add_after("a", 3)
    queue.add_after("a", 20)
    queue.add_after("b", -5)
    assert [await take(queue), await take(queue)] == ["b", None]
    clock.seconds = 3.0
    assert await take(queue) == "a"
    queue.done("a")
    clock.seconds = 100.0
    assert await take(queue) is None, "one wish, one turn"


async def test_failures_come_back_later_each_time_until_one_succeeds(
    queue: WorkQueue, clock: Clock
) -> None:
    delays = []
    for _ in range(12):
        queue.failed("a")
        before = clock.seconds
        while await take(queue) is None:
            clock.seconds += max(0.02, (clock.seconds - before) / 50)
        delays.append(clock.seconds - before)
        queue.done("a")
    assert delays[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8], rel=0.25)
    assert delays[-2:] == pytest.approx([60.0, 60.0], rel=0.05)
    queue.succeeded("a")
    queue.failed("a")
    clock.seconds += 0.11
    assert await take(queue) == "a"


async def test_a_server_that_asks_for_patience_gets_it(
    queue: WorkQueue, clock: Clock
) -> None:
    queue.failed("a", retry_after=30)
    clock.seconds = 29.0
    assert await take(queue) is None
    clock.seconds = 30.0
    assert await take(queue) == "a"


async def test_a_waiting_worker_wakes_for_what_is_added(queue: WorkQueue) -> None:
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    assert await asyncio.wait_for(waiting, 30) == "a"


async def test_a_waiting_worker_wakes_for_what_becomes_due() -> None:
    queue = WorkQueue(time.monotonic)
    queue.add_after("a", 0.02)
    assert await asyncio.wait_for(queue.take(), 30) == "a"


@pytest.mark.parametrize("steps", range(5))
async def test_a_cancelled_worker_ends_whatever_comes_in_that_moment(
    queue: WorkQueue, steps: int
) -> None:
    queue.add_after("later", 60)
    taking = asyncio.ensure_future(queue.take())
    for _ in range(5):
        await asyncio.sleep(0)
    queue.add("a")
    for _ in range(steps):
        await asyncio.sleep(0)
    if taking.cancel():
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert await queue.take() == "a", "the key is there for the next one"
    else:
        assert taking.result() == "a", "it was taken before"


class OfFlow:
    """A key of somebody."""

    def __init__(self, flow: str) -> None:
        self.flow = flow


async def test_a_flow_has_a_quarter_of_the_workers_and_all_flows_three_quarters(
    clock: Clock,
) -> None:
    """Each key that is worked on may wait for a request that hangs."""
    queue = WorkQueue(clock.monotonic, 16)
    many = {who: [OfFlow(who) for _ in range(20)] for who in ("a", "b", "c", "d", "e")}
    for keys in many.values():
        for key in keys:
            queue.add(key)
    taken = []
    while await take(queue) is not None:
        taken.append(1)
    assert len(taken) == 12
    queue.add("of ours")
    assert await take(queue) == "of ours"


async def test_a_flow_that_has_all_its_workers_gets_the_next_when_one_is_free(
    clock: Clock,
) -> None:
    queue = WorkQueue(clock.monotonic, 8)
    keys = [OfFlow("a") for _ in range(5)]
    for key in keys:
        queue.add(key)
    first = [await queue.take() for _ in range(2)]
    assert await take(queue) is None
    waiting = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.done(first[0])
    assert await waiting in keys
