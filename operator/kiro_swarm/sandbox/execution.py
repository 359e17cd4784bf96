"""One process tree of the agent container, from its request to its last frame.

Called by the entrypoint, one at a time. Guarantees: when ``run`` returns, raises or is
cancelled, nothing that the request started is alive; the last frame is sent after the
last output.
"""

from __future__ import annotations

import asyncio
import codecs
import logging
import os
import signal
import sys
from typing import Awaitable, Callable, Optional

from kiro_swarm.sandbox.frames import Exit, Stream
from kiro_swarm.sandbox.handshake import RunRequest
from kiro_swarm.sandbox.link import Link
from kiro_swarm.sandbox.pipes import ReadEnd, WriteEnd
from kiro_swarm.sandbox.port import (
    DEADLINE_EXCEEDED,
    EXITED,
    IDLE_DEADLINE_EXCEEDED,
    NOT_STARTED,
    OUTPUT_LIMIT_EXCEEDED,
    PROTOCOL_ERROR,
)
from kiro_swarm.sandbox.processes import Processes

log = logging.getLogger(__name__)

# How long the client may take to read what the pipes still held at the end.
_DRAIN_SECONDS = 5.0
_HUNG_UP = "HungUp"


class Execution:
    """Runs one request. Make it inside the running event loop."""

    def __init__(
        self,
        request: RunRequest,
        processes: Processes,
        link: Link,
        end_all: Callable[[], Awaitable[None]],
    ) -> None:
        """``end_all`` returns when nothing of it is alive, and nobody was told yet."""
        self._request = request
        self._processes = processes
        self._link = link
        self._end_all = end_all
        self._loop = asyncio.get_running_loop()
        self._started_at = self._active_at = self._loop.time()
        self._over_limit: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Start the process, pass its streams on, end its whole tree, tell how it ended."""
        try:
            pid, ended, stdin, outputs = self._start()
        except (OSError, ValueError) as error:
            self._link.exit(
                _exit(None, NOT_STARTED, 0.0, f"could not be started: {error}")
            )
            return
        feeding = self._loop.create_task(self._feed(stdin))
        pumps: list[asyncio.Task[None]] = []
        try:
            log.info("started %d: %s", pid, self._request.argv[0])
            self._link.started(pid)
            self._link.on_signal = lambda name: self._signal(pid, name)
            pumps += [
                self._loop.create_task(self._pump(stream, end))
                for stream, end in outputs.items()
            ]
            reason, message = await self._supervise(ended)
            seconds = self._loop.time() - self._started_at
        finally:
            await self._end_all()
            complete = await self._drained(pumps)
            for task in (feeding, *pumps):
                task.cancel()
            # Before the descriptors are closed: their numbers are somebody else's then.
            await asyncio.wait((feeding, *pumps))
            for end in (stdin, *outputs.values()):
                end.close()
        if reason == EXITED and self._over_limit.done():
            reason, message = self._too_much()
        log.info("ended %d: %s", pid, reason)
        if reason != _HUNG_UP:
            code = ended.result() if ended.done() else None
            self._link.exit(_exit(code, reason, seconds, message, complete))

    async def _drained(self, pumps: list[asyncio.Task[None]]) -> bool:
        """Let the runner take what the pipes still hold; whether it took all of it."""
        left: set[asyncio.Future[None]] = set(pumps)
        until = self._loop.time() + _DRAIN_SECONDS
        while left and not self._link.gone.done() and self._loop.time() < until:
            waiting: set[asyncio.Future[None]] = left | {self._link.gone}
            done, _ = await asyncio.wait(
                waiting,
                timeout=until - self._loop.time(),
                return_when=asyncio.FIRST_COMPLETED,
            )
            left -= done
        return not left

    def _start(
        self,
    ) -> tuple[int, asyncio.Future[int], WriteEnd, dict[Stream, ReadEnd]]:
        pipes = {stream: os.pipe() for stream in Stream}
        ours = {stream: pipes[stream][stream is Stream.STDIN] for stream in Stream}
        theirs = {
            stream: pipes[stream][stream is not Stream.STDIN] for stream in Stream
        }
        try:
            pid, ended = self._processes.start(
                self._request.argv,
                cwd=self._request.cwd,
                env={**os.environ, **self._request.env},
                stdin=theirs[Stream.STDIN],
                stdout=theirs[Stream.STDOUT],
                stderr=theirs[Stream.STDERR],
            )
        except (OSError, ValueError):
            for descriptor in ours.values():
                os.close(descriptor)
            raise
        finally:
            for descriptor in theirs.values():
                os.close(descriptor)
        outputs = {one: ReadEnd(ours[one]) for one in (Stream.STDOUT, Stream.STDERR)}
        return pid, ended, WriteEnd(ours[Stream.STDIN]), outputs

    def _signal(self, pid: int, name: str) -> None:
        log.info("signal for %d: %s", pid, name)
        self._processes.signal_group(pid, signal.Signals[f"SIG{name}"])

    async def _feed(self, stdin: WriteEnd) -> None:
        try:
            async for data in self._link.stdin:
                await stdin.write(data)
                self._active_at = self._loop.time()
        except BrokenPipeError:
            self._link.end(Stream.STDIN)
        finally:
            stdin.close()

    async def _pump(self, stream: Stream, source: ReadEnd) -> None:
        write = _logger() if stream.name.lower() in self._request.log else None
        while True:
            await self._link.wait_for_credit(stream)
            self._active_at = self._loop.time()
            # From here to the sending nothing waits, so the room stays as it is.
            room = self._link.room(stream)
            data = source.read(room or 1)
            if data is None:
                await source.readable()
                continue
            self._active_at = self._loop.time()
            if write is not None and (room or not data):
                write(data)
            if not data:
                self._link.end(stream)
                return
            if not room:
                if not self._over_limit.done():
                    self._over_limit.set_result(None)
                return
            self._link.output(stream, data)

    async def _supervise(self, ended: asyncio.Future[int]) -> tuple[str, str]:
        """Wait for the end, a deadline or the runner's going: the reason, in words."""
        timeout = self._request.timeout_seconds
        idle: Optional[float] = self._request.idle_timeout_seconds
        deadline = self._started_at + timeout
        while True:
            now = self._loop.time()
            due = deadline
            if idle is not None:
                # It is not silent that is not listened to.
                active_at = now if self._link.is_held_up else self._active_at
                due = min(due, active_at + idle)
            if due <= now and due == deadline:
                return (
                    DEADLINE_EXCEEDED,
                    f"was stopped: still at work after {timeout:g} s",
                )
            if due <= now:
                return IDLE_DEADLINE_EXCEEDED, f"was stopped: no output for {idle:g} s"
            await asyncio.wait(
                (ended, self._link.gone, self._over_limit),
                timeout=due - now,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ended.done():
                return EXITED, ""
            if self._over_limit.done():
                return self._too_much()
            if self._link.gone.done():
                if not self._link.broke:
                    return _HUNG_UP, ""
                return PROTOCOL_ERROR, f"the runner sent {self._link.broke}"

    def _too_much(self) -> tuple[str, str]:
        limit = self._request.output_limit_bytes
        return (
            OUTPUT_LIMIT_EXCEEDED,
            f"was stopped: more than {limit} bytes of output",
        )


def _logger() -> Callable[[bytes], None]:
    """Writes to this process's own stdout, which is the container's log: text only."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def write(data: bytes) -> None:
        sys.stdout.buffer.write(decoder.decode(data, final=not data).encode("utf-8"))
        sys.stdout.flush()

    return write


def _exit(
    code: Optional[int],
    reason: str,
    seconds: float,
    message: str,
    complete: bool = True,
) -> Exit:
    by_signal = code is not None and code < 0
    return Exit.model_validate(
        {
            "exit": None if by_signal else code,
            "signal": -code if code is not None and by_signal else None,
            "reason": reason,
            "seconds": round(seconds, 3),
            "message": message.encode("utf-8", "replace").decode("utf-8")[:512],
            "complete": complete,
        }
    )
