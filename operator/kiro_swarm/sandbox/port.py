"""The ports to the container that runs foreign code: start a process there, talk to it.

Called by the runner, the Jobs and the agent drivers, which see nothing else of this package.
``ExecPort`` is for what is asked and answers once, ``SessionPort`` for what is talked with, in
bytes, ``RenewPort`` for what comes between two tasks. ``fake`` has all in memory for tests.
What comes back is bounded, and never evidence that work was done. One process tree at a
time: another one waits until it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import (
    AsyncIterator,
    Callable,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Type,
)

EXITED = "Exited"
DEADLINE_EXCEEDED = "DeadlineExceeded"
IDLE_DEADLINE_EXCEEDED = "IdleDeadlineExceeded"
OUTPUT_LIMIT_EXCEEDED = "OutputLimitExceeded"
NOT_STARTED = "NotStarted"
CONNECTION_LOST = "ConnectionLost"
#: The container's word for a runner that broke the protocol; seen by no caller.
PROTOCOL_ERROR = "ProtocolError"
#: Why a session takes no more of what it is sent.
STDIN_CLOSED = "StdinClosed"
STDIN_LIMIT_EXCEEDED = "StdinLimitExceeded"
TOO_MANY_SIGNALS = "TooManySignals"

#: What a session can send; to the whole process group of what it started.
SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM")

MEBIBYTE = 1024 * 1024
STDIN_LIMIT_BYTES = 64 * MEBIBYTE
OUTPUT_LIMIT_BYTES = 256 * MEBIBYTE

OnOutput = Callable[[str, str], None]


class Held(NamedTuple):
    """What is open in the container and in no folder: bytes, and files."""

    bytes: int = 0
    files: int = 0


@dataclass(frozen=True)
class ProcessEnd:
    """How one process in the agent container ended.

    ``reason`` is one of the constants above; ``exit_code`` and ``signal`` are set only when
    the process was started and its end was seen.
    """

    exit_code: Optional[int]
    signal: Optional[int]
    reason: str
    seconds: float
    message: str

    @property
    def succeeded(self) -> bool:
        """Whether the process ended by itself with exit code 0."""
        return self.reason == EXITED and self.exit_code == 0

    def describe(self) -> str:
        """One clause for a person: how the process ended."""
        if self.reason != EXITED:
            return self.message or self.reason
        if self.signal is not None:
            return f"was ended by signal {self.signal}"
        return f"exited with {self.exit_code}"


@dataclass(frozen=True)
class ExecResult(ProcessEnd):
    """How a process ended, and what it said.

    ``tail`` is the end of stdout and stderr as they came in (at most 64 Ki characters),
    ``stdout`` the beginning of stdout alone (at most 1 Mi characters).
    """

    tail: str
    stdout: str = ""


@dataclass(frozen=True)
class SessionEnd(ProcessEnd):
    """How a session ended; ``complete`` is false where output of it was lost."""

    complete: bool = True


class SessionError(Exception):
    """A session that cannot be opened, or written to; ``reason`` is one CamelCase word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ExecPort(Protocol):
    """Runs a process in the agent container; never raises for what happens there."""

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        stdin: str = "",
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        on_output: Optional[OnOutput] = None,
    ) -> ExecResult:
        """Run ``argv`` in the directory ``cwd`` until it ends or a deadline ends it.

        ``on_output`` gets ("stdout" or "stderr", text). Cancelling ends the process.
        """
        ...


class RenewPort(Protocol):
    """Makes the agent container as new."""

    async def renew(self) -> str:
        """Let nothing be left of what ran there: files, processes, shared memory.

        Why that is not so, in words; empty when it is. Waits for what runs.
        """
        ...


class WorktreePort(ExecPort, RenewPort, Protocol):
    """What git work in the agent container needs."""


class OutputStream(Protocol):
    """What a process writes, in bytes. Who does not read it holds the process up."""

    async def read(self, limit: int = 65536) -> bytes:
        """At least one byte and at most ``limit``; nothing only at the end.

        The end comes when the process closes the stream and however the session ends;
        ``Session.wait`` says how. One reader at a time.
        """
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks until the end."""
        ...


class Session(Protocol):
    """A process that is talked with. Leaving the context ends it and its whole tree.

    A process whose output is not read waits once a window (256 KiB a stream) is full, and
    so does ``write`` while the process does not read: read both streams.
    """

    @property
    def stdout(self) -> OutputStream:
        """What it writes to descriptor 1."""
        ...

    @property
    def stderr(self) -> OutputStream:
        """What it writes to descriptor 2."""
        ...

    async def write(self, data: bytes) -> None:
        """Write all of ``data`` to its stdin; waits while it does not read.

        Raises SessionError: nobody reads stdin any more (``StdinClosed``), or this would
        be more than the limit (``StdinLimitExceeded``; then nothing of ``data`` is sent).

        A cancelled call may have sent a part.
        """
        ...

    async def close_stdin(self) -> None:
        """End its stdin once everything is written. A second time is nothing."""
        ...

    async def signal(self, name: str) -> None:
        """Send a signal of ``SIGNALS`` to its process group; nothing once it has ended.

        Raises ValueError: it is none of ``SIGNALS``.
        Raises SessionError: more than a thousand (``TooManySignals``).
        """
        ...

    async def wait(self) -> SessionEnd:
        """How it ended, once it has. Never raises for what happens there."""
        ...

    async def close(self) -> None:
        """End the process and everything it started; what is not read is lost."""
        ...

    async def __aenter__(self) -> Session:
        """The session itself."""
        ...

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        """As ``close``."""
        ...


class SessionPort(Protocol):
    """Opens sessions in the agent container."""

    async def open(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        stdin_limit_bytes: int = STDIN_LIMIT_BYTES,
        output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Session:
        """Start ``argv`` in ``cwd`` and talk with it; returns when it runs.

        ``timeout_seconds`` bounds the session, ``idle_timeout_seconds`` the time in which it
        neither writes nor reads anything (not the time in which nobody takes its output).
        A process that writes more than ``output_limit_bytes``, both streams together, is
        ended with ``OutputLimitExceeded``.

        Raises SessionError: it was not started (``NotStarted``), or the container is lost
        (``ConnectionLost``).
        """
        ...


async def tail_of(stream: OutputStream, limit: int) -> bytes:
    """Read ``stream`` to its end and keep the last ``limit`` bytes: for a stderr."""
    tail = b""
    async for chunk in stream:
        tail = (tail + chunk)[-limit:]
    return tail
