"""An agent container in memory, for tests of drivers: no process, no socket.

Programs are coroutines; they are found by the first word of a command. It implements both
ports whole, with the limits, windows, deadlines and errors of the real one: one suite of
tests holds both to that (tests/unit/sandbox/test_contract.py).
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from types import TracebackType
from typing import Callable, Mapping, Optional, Sequence, Type

from kiro_swarm.sandbox.conversation import MAX_SIGNALS
from kiro_swarm.sandbox.fake_process import FakeProcess, Program
from kiro_swarm.sandbox.frames import Stream
from kiro_swarm.sandbox.handshake import RunRequest, run_request
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    DEADLINE_EXCEEDED,
    EXITED,
    IDLE_DEADLINE_EXCEEDED,
    NOT_STARTED,
    OUTPUT_LIMIT_BYTES,
    OUTPUT_LIMIT_EXCEEDED,
    SIGNALS,
    STDIN_CLOSED,
    STDIN_LIMIT_BYTES,
    STDIN_LIMIT_EXCEEDED,
    TOO_MANY_SIGNALS,
    ExecResult,
    OnOutput,
    OutputStream,
    SessionEnd,
    SessionError,
)
from kiro_swarm.sandbox.record import EXEC_OUTPUT_BYTES, Record


class FakeContainer:
    """See ``ExecPort`` and ``SessionPort``. Make it inside the running event loop."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = dict(programs)
        self._one_at_a_time = asyncio.Lock()

    async def ping(self) -> bool:
        """It is always there."""
        return True

    async def problem(self) -> str:
        """There never is one."""
        return ""

    async def renew(self) -> str:
        """See ``RenewPort``; programs in memory leave nothing."""
        async with self._one_at_a_time:
            return ""

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
        """See ``ExecPort.exec``."""
        record = Record(on_output)
        try:
            session = await self.open(
                argv,
                cwd=cwd,
                env=env,
                timeout_seconds=timeout_seconds,
                idle_timeout_seconds=idle_timeout_seconds,
                output_limit_bytes=EXEC_OUTPUT_BYTES,
            )
        except SessionError as error:
            return record.not_begun(error)

        async def give() -> None:
            with suppress(SessionError):
                await session.write(stdin.encode("utf-8", "replace"))
                await session.close_stdin()

        async def take(stream: Stream, source: OutputStream) -> None:
            async for data in source:
                record.feed(stream, data)

        async with session:
            giving = asyncio.ensure_future(give())
            try:
                await asyncio.gather(
                    take(Stream.STDOUT, session.stdout),
                    take(Stream.STDERR, session.stderr),
                )
                return record.result(await session.wait())
            finally:
                giving.cancel()

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
    ) -> FakeSession:
        """See ``SessionPort.open``."""
        request = run_request(
            argv,
            cwd=cwd,
            env=env,
            timeout_seconds=timeout_seconds,
            idle_timeout_seconds=idle_timeout_seconds,
            stdin_limit_bytes=stdin_limit_bytes,
            output_limit_bytes=output_limit_bytes,
        )
        await self._one_at_a_time.acquire()
        program = self._programs.get(request.argv[0])
        if program is None:
            self._one_at_a_time.release()
            message = f"could not be started: no such program: {request.argv[0]!r}"
            raise SessionError(NOT_STARTED, message)
        return FakeSession(request, program, self._one_at_a_time.release)


class FakeSession:
    """See ``Session``."""

    def __init__(
        self, request: RunRequest, program: Program, on_end: Callable[[], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self._request = request
        self._process = FakeProcess(request)
        self._stdin = self._process.pipes[Stream.STDIN]
        self.stdout: OutputStream = self._process.pipes[Stream.STDOUT].buffer
        self.stderr: OutputStream = self._process.pipes[Stream.STDERR].buffer
        self._stdin_left = request.stdin_limit_bytes
        self._signals_left = MAX_SIGNALS
        self._writing = asyncio.Lock()
        self._began = loop.time()
        self._closed: asyncio.Future[None] = loop.create_future()
        self._end: asyncio.Future[SessionEnd] = loop.create_future()
        self._on_end = on_end
        self._program = asyncio.ensure_future(_code(program, self._process))
        self._supervising = asyncio.ensure_future(self._supervise())

    async def write(self, data: bytes) -> None:
        """See ``Session.write``."""
        async with self._writing:
            if len(data) > self._stdin_left:
                raise SessionError(
                    STDIN_LIMIT_EXCEEDED,
                    f"stdin: {len(data)} bytes more are over the limit of the session",
                )
            self._stdin_left -= len(data)
            try:
                await self._stdin.write(data)
            except BrokenPipeError:
                message = "stdin: nobody reads it any more"
                raise SessionError(STDIN_CLOSED, message) from None

    async def close_stdin(self) -> None:
        """See ``Session.close_stdin``."""
        async with self._writing:
            self._stdin.end()

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
        self._process.signal(name)

    async def wait(self) -> SessionEnd:
        """See ``Session.wait``; raises what the program raised."""
        return await asyncio.shield(self._end)

    async def close(self) -> None:
        """See ``Session.close``."""
        for stream in (Stream.STDOUT, Stream.STDERR):
            self._process.pipes[stream].end(drop=True)
        if not self._closed.done():
            self._closed.set_result(None)
        await asyncio.wait({self._supervising})

    async def __aenter__(self) -> FakeSession:
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

    async def _supervise(self) -> None:
        code: Optional[int] = None
        number: Optional[int] = None
        reason, message = await self._reason()
        if reason == EXITED and self._process.killed.done():
            number = signal.Signals[f"SIG{self._process.killed.result()}"].value
        elif reason == EXITED:
            code = 0
        self._program.cancel()
        await asyncio.wait({self._program})
        for stream, pipe in self._process.pipes.items():
            pipe.end(drop=stream is Stream.STDIN)
        failure = None if self._program.cancelled() else self._program.exception()
        if failure is not None:
            self._end.set_exception(failure)
        else:
            if code is not None:
                code = self._program.result()
            seconds = asyncio.get_running_loop().time() - self._began
            lost = reason == CONNECTION_LOST
            self._end.set_result(
                SessionEnd(code, number, reason, seconds, message, not lost)
            )
        self._on_end()

    async def _reason(self) -> tuple[str, str]:
        request, loop = self._request, asyncio.get_running_loop()
        process = self._process
        deadline = self._began + request.timeout_seconds
        idle = request.idle_timeout_seconds
        while True:
            now = loop.time()
            due = deadline
            if idle is not None:
                outputs = (process.pipes[Stream.STDOUT], process.pipes[Stream.STDERR])
                held_up = not all(pipe.room for pipe in outputs)
                touched = max(pipe.touched for pipe in process.pipes.values())
                due = min(due, (now if held_up else touched) + idle)
            if due <= now and due == deadline:
                seconds = f"{request.timeout_seconds:g} s"
                return DEADLINE_EXCEEDED, f"was stopped: still at work after {seconds}"
            if due <= now:
                return IDLE_DEADLINE_EXCEEDED, f"was stopped: no output for {idle:g} s"
            await asyncio.wait(
                (self._program, process.killed, process.over_limit, self._closed),
                timeout=due - now,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._program.done() or process.killed.done():
                return EXITED, ""
            if process.over_limit.done():
                limit = request.output_limit_bytes
                message = f"was stopped: more than {limit} bytes of output"
                return OUTPUT_LIMIT_EXCEEDED, message
            if self._closed.done():
                return CONNECTION_LOST, "was closed by the runner"


async def _code(program: Program, process: FakeProcess) -> int:
    return await program(process)
