"""Long work beside the event loop's other work: a piece, a turn for the others, a piece.

And a turn that is waited for, but not for ever: ``acquired``.

Called by reconciles with what is proportional to something that people or machines wrote. A
thread would not help: what reads JSON holds the interpreter until it has read all of it.
"""

from __future__ import annotations

import asyncio
from typing import Optional, cast
from weakref import WeakKeyDictionary

from kiro_swarm.api.pieces import Pieces, T

_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def in_turns(work: Pieces[T]) -> T:
    """What comes of the work; everything else of this process goes on meanwhile.

    However many ask for such work at a time, one piece is done in a turn of the loop.
    """
    loop = asyncio.get_running_loop()
    gate = _gates.get(loop)
    if gate is None:
        gate = _gates[loop] = asyncio.Lock()
    try:
        while True:
            async with gate:
                try:
                    next(work)
                except StopIteration as end:
                    return cast(T, end.value)
                await asyncio.sleep(0)
    finally:
        work.close()  # others may wait for it, or make it themselves


async def acquired(lock: asyncio.Lock, seconds: Optional[float]) -> bool:
    """Whether a lock is the caller's now, who waits so long for it; None: until it is."""
    if seconds is None:
        return await lock.acquire()
    # Not `wait_for`: before Python 3.12 it can lose a cancellation.
    taking = asyncio.ensure_future(lock.acquire())
    try:
        await asyncio.wait({taking}, timeout=seconds)
        taking.cancel()
        await asyncio.wait({taking})
    except asyncio.CancelledError:
        # It has it, or had it been cancelled before.
        if not taking.cancel() and not taking.cancelled():
            lock.release()
        raise
    return not taking.cancelled()
