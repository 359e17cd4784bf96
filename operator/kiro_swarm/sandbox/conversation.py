"""What may be said when after the handshake, as one state machine a side. Pure.

Used by ``session`` (the runner's side) and ``entrypoint`` (the container's). Guarantees: a
frame that is out of order, out of credit, over a limit or not the sender's to send raises
ProtocolError. Every frame either carries data that counts against a limit, or gives credit
for such data, or can come once or a bounded number of times: so a conversation has an end
in bytes, and nobody has to keep more than a window a stream.

A stream flows like this: the reader's side begins with ``WINDOW_BYTES`` of credit given, the
writer's side sends no more than that, and whatever the reader takes is given again.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.frames import (
    DATA,
    MAX_DATA_BYTES,
    WINDOW_BYTES,
    Exit,
    Frame,
    Kind,
    Stream,
    credit_for,
    encode,
    read_credit,
    read_exit,
    read_stream,
)
from kiro_swarm.sandbox.port import SIGNALS

MAX_SIGNALS = 1000
# Credit is given in portions, not for each byte that was read.
_PORTION = WINDOW_BYTES // 4


class Data(NamedTuple):
    """Bytes of a stream."""

    stream: Stream
    data: bytes


class End(NamedTuple):
    """A stream has ended; for stdin from the container: nobody reads it any more."""

    stream: Stream


class Credit(NamedTuple):
    """More of a stream may be sent."""

    stream: Stream


class Signal(NamedTuple):
    """The runner asks for a signal: a name of ``port.SIGNALS``."""

    name: str


class Started(NamedTuple):
    """The process runs."""


Event = Union[Data, End, Credit, Signal, Started, Exit]


class Sender:
    """What this side sends of a stream: its credit, its limit."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.credit = WINDOW_BYTES
        self.ended = False

    def data(self, data: bytes) -> bytes:
        """The frame for ``data``, which fits in a frame and in the credit."""
        if self.ended or not 0 < len(data) <= min(self.credit, MAX_DATA_BYTES):
            raise AssertionError(f"{len(data)} bytes of {self.stream.name} now")
        self.credit -= len(data)
        return encode(DATA[self.stream], data)

    def more(self, count: int) -> None:
        """The other side gave credit."""
        if not 0 < count <= WINDOW_BYTES - self.credit:
            raise ProtocolError(f"credit of {count} for {self.stream.name}")
        self.credit += count


class Receiver:
    """What comes in of a stream: the credit given, what was read of it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.ended = False
        self._given = WINDOW_BYTES
        self._read = 0

    def data(self, count: int) -> None:
        """So many bytes came in."""
        if self.ended:
            raise ProtocolError(f"{self.stream.name} goes on after its end")
        if count > self._given:
            raise ProtocolError(f"more of {self.stream.name} than it has credit for")
        self._given -= count

    def end(self) -> None:
        """The other side ended the stream."""
        if self.ended:
            raise ProtocolError(f"{self.stream.name} ends twice")
        self.ended = True

    def read(self, count: int) -> Optional[bytes]:
        """So many bytes were taken; returns the frame to send for it, if one is due."""
        self._read += count
        if self.ended or self._read < _PORTION:
            return None
        count, self._read = self._read, 0
        self._given += count
        return credit_for(self.stream, count)


class ContainerSide:
    """The container: it is sent stdin and signals, and sends output."""

    def __init__(self, stdin_limit: int, output_limit: int) -> None:
        self.stdin = Receiver(Stream.STDIN)
        self.out = {one: Sender(one) for one in (Stream.STDOUT, Stream.STDERR)}
        self.output_left = output_limit
        self._stdin_left = stdin_limit
        self._signals_left = MAX_SIGNALS

    def receive(self, frame: Frame) -> Event:
        """What a frame from the runner means."""
        kind, payload = frame
        if kind is Kind.STDIN:
            if len(payload) > self._stdin_left:
                raise ProtocolError("more on stdin than the limit of the request")
            self.stdin.data(len(payload))
            self._stdin_left -= len(payload)
            return Data(Stream.STDIN, payload)
        if kind is Kind.END and read_stream(payload) is Stream.STDIN:
            self.stdin.end()
            return End(Stream.STDIN)
        if kind is Kind.SIGNAL:
            return self._signal(payload)
        if kind is Kind.CREDIT:
            stream, count = read_credit(payload)
            if stream in self.out:
                self.out[stream].more(count)
                return Credit(stream)
        raise ProtocolError(f"a frame that a runner does not send: {kind.name}")

    def _signal(self, payload: bytes) -> Signal:
        self._signals_left -= 1
        if self._signals_left < 0:
            raise ProtocolError(f"more than {MAX_SIGNALS} signals")
        name = payload.decode("latin-1")
        if name not in SIGNALS:
            raise ProtocolError(f"the signal {name!r}: not one of {', '.join(SIGNALS)}")
        return Signal(name)

    def room(self, stream: Stream) -> int:
        """How many bytes of ``stream`` the next frame may carry."""
        return min(self.out[stream].credit, self.output_left, MAX_DATA_BYTES)

    def output(self, stream: Stream, data: bytes) -> bytes:
        """The frame for output of at most ``room`` bytes."""
        self.output_left -= len(data)
        return self.out[stream].data(data)


class RunnerSide:
    """The runner: it is sent output and the exit, and sends stdin and signals."""

    def __init__(self, stdin_limit: int, output_limit: int) -> None:
        self.stdin = Sender(Stream.STDIN)
        self.out = {one: Receiver(one) for one in (Stream.STDOUT, Stream.STDERR)}
        self.stdin_left = stdin_limit
        self.stdin_refused = False
        self._output_left = output_limit
        self.started = False
        self._exited = False

    def receive(self, frame: Frame) -> Event:
        """What a frame from the container means."""
        kind, payload = frame
        if self._exited:
            raise ProtocolError(f"a frame after the last one: {kind.name}")
        if kind is Kind.EXIT:
            return self._exit(read_exit(payload))
        if kind is Kind.STARTED and not self.started:
            self.started = True
            return Started()
        if self.started:
            if kind in (Kind.STDOUT, Kind.STDERR):
                return self._output(Stream[kind.name], payload)
            if kind is Kind.END:
                return self._end(read_stream(payload))
            if kind is Kind.CREDIT:
                stream, count = read_credit(payload)
                if stream is Stream.STDIN:
                    self.stdin.more(count)
                    return Credit(stream)
        raise ProtocolError(f"a frame that is not due: {kind.name}")

    def _exit(self, end: Exit) -> Exit:
        if self.started == (end.reason == "NotStarted"):
            raise ProtocolError(f"an EXIT frame that is not due: {end.reason}")
        self._exited = True
        return end

    def _output(self, stream: Stream, data: bytes) -> Data:
        if len(data) > self._output_left:
            raise ProtocolError("more output than the limit of the request")
        self.out[stream].data(len(data))
        self._output_left -= len(data)
        return Data(stream, data)

    def _end(self, stream: Stream) -> End:
        if stream is not Stream.STDIN:
            self.out[stream].end()
        elif self.stdin_refused:
            raise ProtocolError("STDIN is refused twice")
        else:
            # May cross with our own end of it.
            self.stdin_refused = True
        return End(stream)

    def input(self, data: bytes) -> bytes:
        """The frame for stdin, within its credit and ``stdin_left``."""
        self.stdin_left -= len(data)
        return self.stdin.data(data)
