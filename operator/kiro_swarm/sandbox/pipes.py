"""The ends of the pipes to a process, read and written without blocking or reading ahead.

Used by ``execution``. Nothing is kept here: what is not wanted yet stays in the kernel's
pipe, where it holds the process up.
"""

from __future__ import annotations

import asyncio
import os
from typing import Optional


class _PipeEnd:
    """Owns a descriptor. Make it inside the running event loop."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: Optional[int] = descriptor
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Give the descriptor back; a second time is nothing."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            self._loop.remove_reader(descriptor)
            self._loop.remove_writer(descriptor)
            os.close(descriptor)

    def _number(self) -> int:
        if self._descriptor is None:
            raise BrokenPipeError("closed on this side")
        return self._descriptor


class ReadEnd(_PipeEnd):
    """Where output comes from."""

    async def readable(self) -> None:
        """Wait until there is something, or the end."""
        number = self._number()
        ready = self._loop.create_future()
        self._loop.add_reader(number, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_reader(number)

    def read(self, limit: int) -> Optional[bytes]:
        """At most ``limit`` bytes that are there; None when there are none now."""
        try:
            return os.read(self._number(), limit)
        except BlockingIOError:
            return None


class WriteEnd(_PipeEnd):
    """Where stdin goes to."""

    async def write(self, data: bytes) -> None:
        """Write all of it; raises BrokenPipeError when nobody reads it."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._number(), rest) :]
            except BlockingIOError:
                await self._writable()

    async def _writable(self) -> None:
        number = self._number()
        ready = self._loop.create_future()
        self._loop.add_writer(number, _resolve, ready)
        try:
            await ready
        finally:
            self._loop.remove_writer(number)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
