"""One process tree of the agent container, from its request to its last frame.

Called by the entrypoint, one at a time. Guarantees: when `run` returns, raises or is
cancelled, nothing that the request started is alive; the last frame is sent after the
last output.
"""

from __future__ import annotations

import asyncio
import codecs
import logging
import os
import sys
import tempfile
from typing import Any, Awaitable, Callable, Optional

from kiro_swarm.sandbox.frames import MAX_CHUNK_BYTES, ExecRequest
from kiro_swarm.sandbox.port import (
    DEADLINE_EXCEEDED,
    EXITED,
    IDLE_DEADLINE_EXCEEDED,
    NOT_STARTED,
)
from kiro_swarm.sandbox.processes import Processes

log = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], Awaitable[None]]

# How long the client may take to read what the pipes still held at the end.
_DRAIN_SECONDS = 10.0
_HUNG_UP = "HungUp"


class Execution:
    """Runs one request; `hung_up` is done as soon as the client is gone."""

    def __init__(
        self,
        request: ExecRequest,
        processes: Processes,
        send: Send,
        hung_up: asyncio.Future[None],
        grace_seconds: float,
    ) -> None:
        self._request = request
        self._processes = processes
        self._send = send
        self._hung_up = hung_up
        self._grace_seconds = grace_seconds
        self._loop = asyncio.get_running_loop()
        self._started_at = self._last_output_at = self._loop.time()

    async def run(self) -> None:
        """Start the process, stream it, end its whole tree, send the last frame."""
        pumps: list[asyncio.Task[None]] = []
        try:
            pid, ended, descriptors = self._start()
        except (OSError, ValueError) as error:
            message = f"could not be started: {error}"
            await self._send(_last_frame(None, NOT_STARTED, 0.0, message))
            return
        try:
            log.info("started %d: %s", pid, self._request.argv[0])
            await self._send({"started": pid})
            for stream, descriptor in descriptors.items():
                pumps.append(self._loop.create_task(self._pump(stream, descriptor)))
            reason, message = await self._supervise(ended)
            seconds = self._loop.time() - self._started_at
        finally:
            await self._processes.end_all(self._grace_seconds)
            if pumps:
                await asyncio.wait(pumps, timeout=_DRAIN_SECONDS)
            for pump in pumps:
                pump.cancel()
        code = ended.result() if ended.done() else None
        log.info("ended %d: %s", pid, reason)
        if reason != _HUNG_UP:
            await self._send(_last_frame(code, reason, seconds, message))

    def _start(self) -> tuple[int, asyncio.Future[int], dict[str, int]]:
        pipes = {"stdout": os.pipe(), "stderr": os.pipe()}
        try:
            with tempfile.TemporaryFile() as stdin:
                stdin.write(self._request.stdin.encode("utf-8", "replace"))
                stdin.seek(0)
                pid, ended = self._processes.start(
                    self._request.argv,
                    cwd=self._request.cwd,
                    env={**os.environ, **self._request.env},
                    stdin=stdin.fileno(),
                    stdout=pipes["stdout"][1],
                    stderr=pipes["stderr"][1],
                )
        except (OSError, ValueError):
            for read_end, _ in pipes.values():
                os.close(read_end)
            raise
        finally:
            for _, write_end in pipes.values():
                os.close(write_end)
        return pid, ended, {name: ends[0] for name, ends in pipes.items()}

    async def _reader(self, descriptor: int) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(limit=MAX_CHUNK_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        await self._loop.connect_read_pipe(
            lambda: protocol, os.fdopen(descriptor, "rb", buffering=0)
        )
        return reader

    async def _pump(self, stream: str, descriptor: int) -> None:
        reader = await self._reader(descriptor)
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        ended = False
        while not ended:
            chunk = await reader.read(MAX_CHUNK_BYTES)
            ended = not chunk
            self._last_output_at = self._loop.time()
            text = decoder.decode(chunk, final=ended)
            if not text:
                continue
            sys.stdout.buffer.write(text.encode("utf-8"))
            sys.stdout.flush()
            try:
                await self._send({"stream": stream, "data": text})
            except ConnectionError:
                return

    async def _supervise(self, ended: asyncio.Future[int]) -> tuple[str, str]:
        """Wait for the end, a deadline or the client's going: the reason, in words."""
        timeout = self._request.timeout_seconds
        idle: Optional[float] = self._request.idle_timeout_seconds
        waiting: set[asyncio.Future[Any]] = {ended, self._hung_up}
        deadline = self._started_at + timeout
        while True:
            due = deadline
            if idle is not None:
                due = min(due, self._last_output_at + idle)
            left = due - self._loop.time()
            if left <= 0 and due == deadline:
                return (
                    DEADLINE_EXCEEDED,
                    f"was stopped: still at work after {timeout:g} s",
                )
            if left <= 0:
                return IDLE_DEADLINE_EXCEEDED, f"was stopped: no output for {idle:g} s"
            await asyncio.wait(
                waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            if ended.done():
                return EXITED, ""
            if self._hung_up.done():
                return _HUNG_UP, ""


def _last_frame(
    code: Optional[int], reason: str, seconds: float, message: str
) -> dict[str, Any]:
    by_signal = code is not None and code < 0
    return {
        "exit": None if by_signal else code,
        "signal": -code if code is not None and by_signal else None,
        "reason": reason,
        "seconds": round(seconds, 3),
        "message": message,
    }
