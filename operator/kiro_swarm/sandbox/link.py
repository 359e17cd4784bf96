"""The container's side of a connection on which a process was asked for.

Made by ``entrypoint`` after the handshake, used by ``execution``. Guarantees: at most a window
a stream is kept here; a runner that hangs up or breaks the protocol is noticed whatever
else is going on, also while it takes no output and while the process takes no input.
"""

from __future__ import annotations

import asyncio
from typing import Callable

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.buffer import Buffer
from kiro_swarm.sandbox.conversation import ContainerSide, Credit, Data, End, Signal
from kiro_swarm.sandbox.frames import (
    FRAMES_AT_ONCE,
    Decoder,
    Exit,
    Frame,
    Stream,
    end_of,
    exited,
    started,
)

_CHUNK = 64 * 1024


class Link:
    """Make it inside the running event loop. ``rest`` is what came with the request.

    ``gone`` is done as soon as the runner is; ``broke`` is what it said that is not in the
    protocol, empty where it hung up.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rest: bytes,
        side: ContainerSide,
    ) -> None:
        self.stdin = Buffer(self._stdin_was_read)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.broke = ""
        self.on_signal: Callable[[str], None] = lambda _: None
        self._reader = reader
        self._writer = writer
        self._side = side
        self._held_up: set[Stream] = set()
        self._credit = {stream: asyncio.Event() for stream in side.out}
        self._receiving = asyncio.ensure_future(self._receive(rest))

    def room(self, stream: Stream) -> int:
        """How many bytes of output may be sent now: without credit, or over the limit, 0."""
        return self._side.room(stream)

    @property
    def is_held_up(self) -> bool:
        """Whether the runner leaves output of a stream waiting."""
        return bool(self._held_up)

    async def wait_for_credit(self, stream: Stream) -> None:
        """Return when the runner takes more of this stream."""
        # Until the waiter itself goes on, not until credit has come: see `is_held_up`.
        self._held_up.add(stream)
        try:
            while not self._side.out[stream].credit:
                self._credit[stream].clear()
                await self._credit[stream].wait()
        finally:
            self._held_up.discard(stream)

    def started(self, pid: int) -> None:
        """Tell that the process runs."""
        self._writer.write(started(pid))

    def output(self, stream: Stream, data: bytes) -> None:
        """Send output, of at most ``room`` bytes. Nothing is lost, nothing piles up."""
        self._writer.write(self._side.output(stream, data))

    def end(self, stream: Stream) -> None:
        """Tell that a stream has ended; for stdin, that nobody reads it."""
        if stream is Stream.STDIN:
            self.stdin.drop()
        self._writer.write(end_of(stream))

    def exit(self, end: Exit) -> None:
        """Tell how it ended: the last frame."""
        self._writer.write(exited(end))

    def refuse(self) -> None:
        """Tell a runner that broke the protocol before its turn came."""
        if self.broke:
            message = f"could not be started: the runner sent {self.broke}"
            self.exit(Exit(reason="NotStarted", seconds=0.0, message=message[:512]))

    def close(self) -> None:
        """Stop listening to the runner."""
        self._receiving.cancel()
        self.stdin.drop()

    async def _receive(self, data: bytes) -> None:
        decoder = Decoder()
        try:
            while True:
                for count, frame in enumerate(decoder.feed(data), 1):
                    self._take(frame)
                    if count % FRAMES_AT_ONCE == 0:
                        await asyncio.sleep(0)
                data = await self._reader.read(_CHUNK)
                if not data:
                    break
        except OSError:
            pass
        except ProtocolError as error:
            self.broke = str(error)
        self.gone.set_result(None)

    def _take(self, frame: Frame) -> None:
        event = self._side.receive(frame)
        if isinstance(event, Data):
            self.stdin.feed(event.data)
        elif isinstance(event, End):
            self.stdin.end()
        elif isinstance(event, Credit):
            self._credit[event.stream].set()
        elif isinstance(event, Signal):
            self.on_signal(event.name)

    def _stdin_was_read(self, count: int) -> None:
        frame = self._side.stdin.read(count)
        if frame is not None:
            self._writer.write(frame)
