"""A session with a process in the agent container: the runner's side of a connection.

Made by ``socket``. The other side runs where code of a repository runs, so everything that
comes in passes ``Decoder`` and ``RunnerSide``; what they refuse ends the session with
ConnectionLost. Guarantees: at most a window a stream is kept here; the session is over, at
the latest, a minute after its deadline, whatever the container does or does not.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from types import TracebackType
from typing import Callable, Mapping, Optional, Type, Union

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.buffer import Buffer
from kiro_swarm.sandbox.conversation import (
    MAX_SIGNALS,
    Data,
    End,
    RunnerSide,
    Started,
)
from kiro_swarm.sandbox.frames import (
    FRAMES_AT_ONCE,
    MAX_DATA_BYTES,
    Decoder,
    Exit,
    Frame,
    Kind,
    Stream,
    encode,
    end_of,
)
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    SIGNALS,
    STDIN_CLOSED,
    STDIN_LIMIT_EXCEEDED,
    TOO_MANY_SIGNALS,
    SessionEnd,
    SessionError,
)

CUT = (
    "lost its container: the connection was cut "
    "(restarted, or out of memory: see `kubectl describe pod`)"
)
SILENT = "lost its container: it fell silent"
_CHUNK = 64 * 1024

#: Takes output as it comes in, in place of the streams.
Sink = Callable[[Stream, bytes], None]


class SocketSession:
    """See ``port.Session``. Make it inside the running event loop, after the handshake.

    ``rest`` is what came with the answer. ``sink`` takes the output; without one it is read
    from ``stdout`` and ``stderr``. ``seconds`` is how long the session may live from now on.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rest: bytes,
        side: RunnerSide,
        seconds: float,
        sink: Optional[Sink] = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._reader = reader
        self._writer = writer
        self._side = side
        self._sink = sink
        self._began = time.monotonic()
        self._buffers: Mapping[Stream, Buffer] = {
            stream: Buffer(partial(self._was_read, stream))
            for stream in (Stream.STDOUT, Stream.STDERR)
        }
        self.stdout = self._buffers[Stream.STDOUT]
        self.stderr = self._buffers[Stream.STDERR]
        self._writing = asyncio.Lock()
        self._more_credit = asyncio.Event()
        self._signals_left = MAX_SIGNALS
        self._started_or_over = asyncio.Event()
        self._end: asyncio.Future[SessionEnd] = loop.create_future()
        self._receiving = asyncio.ensure_future(self._receive(rest))
        self._silence = loop.call_later(seconds, self._lost, SILENT)

    async def started(self) -> None:
        """Return when the process runs; raises SessionError when it will not."""
        await self._started_or_over.wait()
        if not self._side.started:
            end = await self.wait()
            raise SessionError(end.reason, end.message)

    async def write(self, data: bytes) -> None:
        """See ``Session.write``."""
        async with self._writing:
            if len(data) > self._side.stdin_left:
                raise SessionError(
                    STDIN_LIMIT_EXCEEDED,
                    f"stdin: {len(data)} bytes more are over the limit of the session",
                )
            rest = memoryview(data)
            while rest:
                size = min(len(rest), await self._stdin_credit(), MAX_DATA_BYTES)
                self._writer.write(self._side.input(bytes(rest[:size])))
                rest = rest[size:]

    async def _stdin_credit(self) -> int:
        while True:
            if self._end.done() or self._side.stdin_refused or self._side.stdin.ended:
                raise SessionError(STDIN_CLOSED, "stdin: nobody reads it any more")
            if self._side.stdin.credit:
                return self._side.stdin.credit
            self._more_credit.clear()
            await self._more_credit.wait()

    async def close_stdin(self) -> None:
        """See ``Session.close_stdin``."""
        async with self._writing:
            if not self._side.stdin.ended and not self._end.done():
                self._side.stdin.ended = True
                self._writer.write(end_of(Stream.STDIN))

    async def signal(self, name: str) -> None:
        """See ``Session.signal``."""
        if name not in SIGNALS:
            raise ValueError(f"signal {name!r}: must be one of {', '.join(SIGNALS)}")
        if self._end.done():
            return
        if not self._signals_left:
            message = f"more than {MAX_SIGNALS} signals in one session"
            raise SessionError(TOO_MANY_SIGNALS, message)
        self._signals_left -= 1
        self._writer.write(encode(Kind.SIGNAL, name.encode("ascii")))

    async def wait(self) -> SessionEnd:
        """See ``Session.wait``."""
        return await asyncio.shield(self._end)

    async def close(self) -> None:
        """See ``Session.close``."""
        for buffer in self._buffers.values():
            buffer.drop()
        self._lost("was closed by the runner")

    async def __aenter__(self) -> SocketSession:
        """See ``Session.__aenter__``."""
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """See ``Session.__aexit__``."""
        await self.close()

    async def _receive(self, data: bytes) -> None:
        decoder = Decoder()
        try:
            while not self._end.done():
                for count, frame in enumerate(decoder.feed(data), 1):
                    self._take(frame)
                    if count % FRAMES_AT_ONCE == 0:
                        await asyncio.sleep(0)
                if not self._end.done():
                    data = await self._reader.read(_CHUNK)
                    if not data:
                        self._lost(CUT)
        except OSError:
            self._lost(CUT)
        except ProtocolError as error:
            self._lost(f"the agent container answered nonsense: {error}")
        except Exception as error:  # noqa: BLE001 (of the sink)
            self._over(error)

    def _take(self, frame: Frame) -> None:
        event = self._side.receive(frame)
        if isinstance(event, Data):
            if self._sink is None:
                self._buffers[event.stream].feed(event.data)
            else:
                self._sink(event.stream, event.data)
                self._was_read(event.stream, len(event.data))
        elif isinstance(event, End) and event.stream is not Stream.STDIN:
            self._buffers[event.stream].end()
        elif isinstance(event, Started):
            self._started_or_over.set()
        elif isinstance(event, Exit):
            self._over(_session_end(event))
        else:
            self._more_credit.set()

    def _was_read(self, stream: Stream, count: int) -> None:
        frame = self._side.out[stream].read(count)
        if frame is not None and not self._end.done():
            self._writer.write(frame)

    def _lost(self, message: str) -> None:
        seconds = time.monotonic() - self._began
        self._over(SessionEnd(None, None, CONNECTION_LOST, seconds, message, False))

    def _over(self, end: Union[SessionEnd, Exception]) -> None:
        """The end, once; the connection goes at once, with whatever was to be sent."""
        if self._end.done():
            return
        if isinstance(end, SessionEnd):
            self._end.set_result(end)
        else:
            self._end.set_exception(end)
        self._silence.cancel()
        self._receiving.cancel()
        self._writer.transport.abort()
        for buffer in self._buffers.values():
            buffer.end()
        self._started_or_over.set()
        self._more_credit.set()


def _session_end(end: Exit) -> SessionEnd:
    return SessionEnd(
        exit_code=end.exit,
        signal=end.signal,
        reason=end.reason if end.reason != "ProtocolError" else CONNECTION_LOST,
        seconds=end.seconds,
        message=end.message,
        complete=end.complete,
    )
