"""The frames of the agent socket: what follows a request that was accepted.

A frame is one byte of kind, four bytes of length (big endian) and so many bytes. Both
sides read with ``Decoder``. Guarantees: whatever bytes come in, ``Decoder.feed`` yields
frames within the bounds below or raises ProtocolError, and keeps at most one frame that
is not whole yet. No clock, no I/O.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Iterator, Literal, NamedTuple, Optional

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Annotated, Self

from kiro_swarm.api.faults import first_fault
from kiro_swarm.sandbox.bounds import ProtocolError, check_json

MAX_DATA_BYTES = 64 * 1024
MAX_EXIT_BYTES = 4 * 1024
#: What may be on its way in one direction of one stream before the reader has read it.
WINDOW_BYTES = 256 * 1024
#: Of a flood of small ones, before others get a turn in the event loop.
FRAMES_AT_ONCE = 500

_HEADER = struct.Struct(">BI")
_CREDIT = struct.Struct(">BI")
_PID = struct.Struct(">I")


class Stream(IntEnum):
    """The streams of a process, by their descriptors."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2


class Kind(IntEnum):
    """What a frame is. The runner sends STDIN, SIGNAL, END and CREDIT."""

    STDIN = 1
    STDOUT = 2
    STDERR = 3
    #: One byte: this stream has ended (from the container for stdin: nobody reads it).
    END = 4
    #: The name of a signal in ASCII.
    SIGNAL = 5
    #: A stream, and how many more bytes of it may be sent.
    CREDIT = 6
    #: The pid.
    STARTED = 7
    #: The last frame: JSON, see `Exit`.
    EXIT = 8


# Fewest and most bytes of each kind. None is empty, so that a flood has to cost bytes.
_SIZES = {
    Kind.STDIN: (1, MAX_DATA_BYTES),
    Kind.STDOUT: (1, MAX_DATA_BYTES),
    Kind.STDERR: (1, MAX_DATA_BYTES),
    Kind.END: (1, 1),
    Kind.SIGNAL: (1, 8),
    Kind.CREDIT: (_CREDIT.size, _CREDIT.size),
    Kind.STARTED: (_PID.size, _PID.size),
    Kind.EXIT: (2, MAX_EXIT_BYTES),
}
DATA = {
    Stream.STDIN: Kind.STDIN,
    Stream.STDOUT: Kind.STDOUT,
    Stream.STDERR: Kind.STDERR,
}


class Frame(NamedTuple):
    """One frame, its size checked."""

    kind: Kind
    payload: bytes


class Decoder:
    """Makes frames of bytes as they come in."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not whole yet: at the end of a connection, a cut."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole with ``data``; use up the iterator before the next."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= _HEADER.size:
                number, size = _HEADER.unpack_from(buffer, at)
                kind = _checked(number, size)
                end = at + _HEADER.size + size
                if len(buffer) < end:
                    return
                yield Frame(kind, bytes(buffer[at + _HEADER.size : end]))
                at = end
        finally:
            del buffer[:at]


def _checked(number: int, size: int) -> Kind:
    try:
        kind = Kind(number)
    except ValueError:
        raise ProtocolError(f"a frame of unknown kind {number}") from None
    least, most = _SIZES[kind]
    if not least <= size <= most:
        raise ProtocolError(f"a {kind.name} frame of {size} bytes")
    return kind


class Exit(BaseModel):
    """How the process ended, as the container says it.

    ``complete`` is false where output was thrown away because nobody took it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    reason: Literal[
        "Exited",
        "DeadlineExceeded",
        "IdleDeadlineExceeded",
        "OutputLimitExceeded",
        "NotStarted",
        "ProtocolError",
    ]
    exit: Optional[Annotated[int, Field(ge=0, le=255)]] = None
    signal: Optional[Annotated[int, Field(ge=1, le=64)]] = None
    seconds: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]
    message: Annotated[str, Field(max_length=512)] = ""
    complete: bool = True

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        ends = (self.exit is not None) + (self.signal is not None)
        if ends > 1 or (self.reason == "Exited" and ends == 0):
            raise ValueError("needs either an exit code or a signal")
        return self


def encode(kind: Kind, payload: bytes) -> bytes:
    """One frame as bytes."""
    return _HEADER.pack(kind, len(payload)) + payload


def end_of(stream: Stream) -> bytes:
    """The frame that ends ``stream``."""
    return encode(Kind.END, bytes((stream,)))


def credit_for(stream: Stream, count: int) -> bytes:
    """The frame that lets the other side send ``count`` more bytes of ``stream``."""
    return encode(Kind.CREDIT, _CREDIT.pack(stream, count))


def started(pid: int) -> bytes:
    """The frame that says that the process runs."""
    return encode(Kind.STARTED, _PID.pack(pid))


def exited(end: Exit) -> bytes:
    """The last frame."""
    return encode(Kind.EXIT, end.model_dump_json().encode("utf-8"))


def read_stream(payload: bytes) -> Stream:
    """The stream that an END or CREDIT frame is about."""
    try:
        return Stream(payload[0])
    except ValueError:
        raise ProtocolError(f"a frame about the unknown stream {payload[0]}") from None


def read_credit(payload: bytes) -> tuple[Stream, int]:
    """What a CREDIT frame says."""
    _, count = _CREDIT.unpack(payload)
    return read_stream(payload), int(count)


def read_exit(payload: bytes) -> Exit:
    """What an EXIT frame says."""
    check_json(payload, depth=1, values=16)
    try:
        return Exit.model_validate_json(payload)
    except ValidationError as error:
        raise ProtocolError(f"an EXIT frame with {first_fault(error)}") from error
