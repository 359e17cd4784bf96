"""Long work beside the event loop's other work: a piece, a turn for the others, a piece.

Called by reconciles with what is proportional to something that people or machines wrote. A
thread would not help: what reads JSON holds the interpreter until it has read all of it.
"""

from __future__ import annotations

import asyncio
from typing import cast

from kiro_swarm.api.pieces import Pieces, T


async def in_turns(work: Pieces[T]) -> T:
    """What comes of the work; everything else of this process goes on meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return cast(T, end.value)
        await asyncio.sleep(0)
