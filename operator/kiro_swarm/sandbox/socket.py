"""The client of the agent socket.

Called by the runner (agent, worktree, verification) and by the integrate Job (gates).
The other side runs where code of a repository runs, so every answer is bounded and
checked. `exec` never raises for what happens there: it says so in its result.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Mapping, Optional, Sequence

from kiro_swarm.sandbox.frames import MAX_FRAME_BYTES, encode
from kiro_swarm.sandbox.port import CONNECTION_LOST, NOT_STARTED, ExecResult, OnOutput

__all__ = ["AgentSocket", "ExecResult"]

TAIL_CHARACTERS = 64 * 1024
STDOUT_CHARACTERS = 1024 * 1024
# On top of a request's own deadline: the end of an earlier process, and the last frame.
_MARGIN_SECONDS = 60.0
_PING_SECONDS = 2.0


class _ProtocolError(Exception):
    """The other side said something that is not in the protocol."""


class AgentSocket:
    """Talks to one agent container."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def ping(self) -> bool:
        """Whether the agent container answers within two seconds."""
        conversation = asyncio.ensure_future(self._ping())
        await asyncio.wait({conversation}, timeout=_PING_SECONDS)
        if conversation.done():
            return conversation.result()
        conversation.cancel()
        return False

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
        """Run `argv` in `cwd` of the agent container and wait for its end.

        `env` is added to the container's own environment. `on_output` is called with
        ("stdout" or "stderr", text) as output comes in. Cancelling closes the
        connection, which ends the process and everything it started.
        """
        record = _Record(on_output)
        request = {
            "op": "exec",
            "argv": list(argv),
            "cwd": cwd,
            "env": dict(env or {}),
            "stdin": stdin,
            "timeoutSeconds": timeout_seconds,
            "idleTimeoutSeconds": idle_timeout_seconds,
        }
        conversation = asyncio.ensure_future(self._exec(request, record))
        try:
            await asyncio.wait(
                {conversation}, timeout=timeout_seconds + _MARGIN_SECONDS
            )
            if conversation.done():
                return conversation.result()
            return record.result(CONNECTION_LOST, "the agent container fell silent")
        finally:
            conversation.cancel()

    async def _ping(self) -> bool:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            return False
        try:
            writer.write(encode({"op": "ping"}))
            return _frame(await reader.readline()).get("ok") is True
        except (OSError, ValueError, _ProtocolError):
            return False
        finally:
            writer.close()

    async def _exec(self, request: dict[str, Any], record: _Record) -> ExecResult:
        try:
            reader, writer = await asyncio.open_unix_connection(
                self._path, limit=2 * MAX_FRAME_BYTES
            )
        except OSError as error:
            message = (
                f"could not be started: no agent container at {self._path}: {error}"
            )
            return record.result(NOT_STARTED, message)
        try:
            writer.write(encode(request))
            while True:
                line = await reader.readline()
                if not line:
                    return record.result(CONNECTION_LOST, _CUT)
                result = record.take(_frame(line))
                if result is not None:
                    return result
        except OSError:
            return record.result(CONNECTION_LOST, _CUT)
        except (ValueError, _ProtocolError) as error:
            message = f"the agent container answered nonsense: {error}"
            return record.result(CONNECTION_LOST, message)
        finally:
            writer.close()


_CUT = (
    "lost its container: the connection was cut "
    "(restarted, or out of memory: see `kubectl describe pod`)"
)


class _Record:
    """What came in over one connection so far."""

    def __init__(self, on_output: Optional[OnOutput]) -> None:
        self._on_output = on_output
        self._began = time.monotonic()
        self._tail = ""
        self._stdout = ""

    def take(self, frame: dict[str, Any]) -> Optional[ExecResult]:
        """Take one frame in; returns the result if it was the last one."""
        if "stream" in frame:
            self._output(frame["stream"], frame.get("data"))
        elif "error" in frame:
            message = f"could not be started: {frame['error']}"[:1024]
            return self.result(NOT_STARTED, message)
        elif "reason" in frame:
            return ExecResult(
                exit_code=_number(frame.get("exit")),
                signal=_number(frame.get("signal")),
                reason=str(frame["reason"])[:64],
                seconds=time.monotonic() - self._began,
                message=str(frame.get("message", ""))[:1024],
                tail=self._tail,
                stdout=self._stdout,
            )
        elif "started" not in frame:
            raise _ProtocolError(f"unknown frame {sorted(frame)[:5]}")
        return None

    def result(self, reason: str, message: str) -> ExecResult:
        """The result where the other side did not give one."""
        seconds = time.monotonic() - self._began
        return ExecResult(
            None, None, reason, seconds, message, self._tail, self._stdout
        )

    def _output(self, stream: object, data: object) -> None:
        if stream not in ("stdout", "stderr") or not isinstance(data, str):
            raise _ProtocolError("a frame of output without stream or text")
        self._tail = (self._tail + data)[-TAIL_CHARACTERS:]
        if stream == "stdout":
            self._stdout += data[: STDOUT_CHARACTERS - len(self._stdout)]
        if self._on_output is not None:
            self._on_output(str(stream), data)


def _frame(line: bytes) -> dict[str, Any]:
    frame = json.loads(line)
    if not isinstance(frame, dict):
        raise _ProtocolError("a frame that is not an object")
    return frame


def _number(value: object) -> Optional[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
