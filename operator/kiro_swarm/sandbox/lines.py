"""The first line of a connection, read by either side within bounds and in time."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Coroutine, Protocol, TypeVar

from kiro_swarm.sandbox.bounds import ProtocolError

T = TypeVar("T")

_CHUNK = 64 * 1024


class _Reader(Protocol):
    async def read(self, n: int) -> bytes:
        """At least one byte and at most ``n``; nothing only at the end."""
        ...


class _Socket:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    async def read(self, n: int) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._connection, n)


async def answered(
    connection: socket.socket, line: bytes, limit: int
) -> tuple[bytes, bytes]:
    """Send ``line`` and read one, as ``read_line`` does; ``connection`` does not block.

    Who refuses may close before it has read anything, or before anything is written. A stream of
    asyncio would then throw away the refusal that it has not been asked for yet; the kernel
    gives it out first.
    """
    with suppress(BrokenPipeError, ConnectionResetError):
        await asyncio.get_running_loop().sock_sendall(connection, line)
    return await read_line(_Socket(connection), limit)


async def read_line(reader: _Reader, limit: int) -> tuple[bytes, bytes]:
    """The first line, and what came with it.

    Raises ProtocolError for more than ``limit`` bytes without an end, EOFError where the
    connection ends before the line does. How long it may take is for the caller to say.
    """
    line = bytearray()
    while True:
        data = await reader.read(_CHUNK)
        if not data:
            raise EOFError
        at = data.find(b"\n")
        line += data if at < 0 else data[: at + 1]
        if len(line) > limit:
            raise ProtocolError(f"a first line longer than {limit} bytes")
        if at >= 0:
            return bytes(line), data[at + 1 :]


async def within(seconds: float, work: Coroutine[None, None, T]) -> T:
    """The result of ``work``; raises asyncio.TimeoutError where it takes longer.

    Unlike ``asyncio.wait_for`` before Python 3.12 it never swallows a cancellation.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
