"""A process of the fake container: a coroutine with streams and signals.

Used by ``fake``; a test that brings a program of its own writes it against FakeProcess.
"""

from __future__ import annotations

import asyncio
from typing import Awaitable, Callable, Mapping, Sequence

from kiro_swarm.sandbox.buffer import Buffer
from kiro_swarm.sandbox.frames import WINDOW_BYTES, Stream
from kiro_swarm.sandbox.handshake import RunRequest


class Pipe:
    """A buffer that holds its writer up once a window is in it."""

    def __init__(self) -> None:
        self.buffer = Buffer(self._was_read)
        self.room = WINDOW_BYTES
        self.closed = False
        self.touched = asyncio.get_running_loop().time()
        self._changed = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Write all of it, or raise BrokenPipeError."""
        rest = memoryview(data)
        while rest:
            if self.closed:
                raise BrokenPipeError
            if not self.room:
                self._changed.clear()
                await self._changed.wait()
                continue
            part = bytes(rest[: self.room])
            self.buffer.feed(part)
            self.room -= len(part)
            rest = rest[len(part) :]
            self.touched = asyncio.get_running_loop().time()

    def end(self, *, drop: bool = False) -> None:
        """Nothing more is written; with ``drop``, nothing more is read either."""
        self.closed = True
        self._changed.set()
        (self.buffer.drop if drop else self.buffer.end)()

    def _was_read(self, count: int) -> None:
        self.room += count
        self.touched = asyncio.get_running_loop().time()
        self._changed.set()


class FakeProcess:
    """What a program sees: its command, its streams, the signals it is sent.

    A signal ends it, unless ``handlers`` has it (KILL: always).
    """

    def __init__(self, request: RunRequest) -> None:
        self.argv: Sequence[str] = request.argv
        self.cwd = request.cwd
        self.env: Mapping[str, str] = request.env
        self.handlers: dict[str, Callable[[], None]] = {}
        self.pipes = {stream: Pipe() for stream in Stream}
        self.killed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.over_limit: asyncio.Future[None] = (
            asyncio.get_running_loop().create_future()
        )
        self._output_left = request.output_limit_bytes

    async def read(self, limit: int = 65536) -> bytes:
        """From stdin; nothing at its end."""
        return await self.pipes[Stream.STDIN].buffer.read(limit)

    async def write(self, data: bytes, stream: Stream = Stream.STDOUT) -> None:
        """To stdout or stderr; waits while nobody reads a full one."""
        allowed = data[: self._output_left]
        self._output_left -= len(allowed)
        await self.pipes[stream].write(allowed)
        if len(allowed) < len(data):
            if not self.over_limit.done():
                self.over_limit.set_result(None)
            await asyncio.get_running_loop().create_future()

    def close(self, stream: Stream) -> None:
        """Close a stream before the end of the process."""
        self.pipes[stream].end(drop=stream is Stream.STDIN)

    def signal(self, name: str) -> None:
        """Be sent a signal."""
        if name in self.handlers and name != "KILL":
            self.handlers[name]()
        elif not self.killed.done():
            self.killed.set_result(name)


#: Does its work and returns the exit code.
Program = Callable[[FakeProcess], Awaitable[int]]
