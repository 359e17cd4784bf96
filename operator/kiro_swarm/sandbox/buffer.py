"""Bytes on their way to one reader inside a process.

Used for the streams of a session on both sides, and by the fake. How much may be in it is
the business of who feeds it: the credit of a conversation.
"""

from __future__ import annotations

import asyncio
from typing import AsyncIterator, Callable, Optional


class Buffer:
    """Fed without waiting, read with it; ``on_read`` is told how much was read.

    Make it inside the running event loop.
    """

    def __init__(self, on_read: Callable[[int], None]) -> None:
        self._on_read = on_read
        # One block, so that many small pieces cost no more than their bytes.
        self._data = bytearray()
        self._ended = False
        self._waiting: Optional[asyncio.Future[None]] = None

    def feed(self, data: bytes) -> None:
        """Add bytes; after the end they are dropped."""
        if not self._ended:
            self._data += data
            self._wake()

    def end(self) -> None:
        """Nothing follows; what is in it can still be read."""
        self._ended = True
        self._wake()

    def drop(self) -> None:
        """Nothing follows, and what is in it is gone."""
        self._data.clear()
        self.end()

    async def read(self, limit: int = 65536) -> bytes:
        """At least one byte and at most ``limit``; nothing only at the end."""
        while not self._data:
            if self._ended:
                return b""
            if self._waiting is not None:
                raise RuntimeError("somebody else reads this stream")
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        data = bytes(self._data[:limit])
        del self._data[:limit]
        self._on_read(len(data))
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks until the end."""
        while True:
            data = await self.read()
            if not data:
                return
            yield data

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
