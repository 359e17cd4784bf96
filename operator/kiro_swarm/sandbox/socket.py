"""The client of the agent socket.

Called by the runner (agent, worktree, verification) and by the integrate Job (gates).
The other side runs where code of a repository runs, so every answer is bounded and
checked. ``exec`` never raises for what happens there: it says so in its result.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Mapping, Optional, Sequence

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.conversation import RunnerSide
from kiro_swarm.sandbox.handshake import (
    MAX_ANSWER_BYTES,
    HeldRequest,
    PingRequest,
    RefusedError,
    RenewRequest,
    Request,
    RunRequest,
    VersionError,
    check_answer,
    request_line,
    run_request,
)
from kiro_swarm.sandbox.lines import answered, within
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    NOT_STARTED,
    OUTPUT_LIMIT_BYTES,
    STDIN_LIMIT_BYTES,
    ExecResult,
    Held,
    OnOutput,
    SessionError,
)
from kiro_swarm.sandbox.record import EXEC_OUTPUT_BYTES, Record
from kiro_swarm.sandbox.session import CUT, Sink, SocketSession

__all__ = ["AgentSocket", "ExecResult"]

# On top of a request's own deadline: the end of an earlier process, and the last frame.
_MARGIN_SECONDS = 60.0
_HANDSHAKE_SECONDS = 30.0
_PING_SECONDS = 2.0
_HELD_SECONDS = 10.0
# To remove millions of small files, after what runs has ended.
_RENEW_SECONDS = 600.0
_RESTART_SECONDS = 60.0
_BUFFER = 64 * 1024
_Accepted = tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]


class AgentSocket:
    """Talks to one agent container: an ExecPort and a SessionPort."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def ping(self) -> bool:
        """Whether the agent container answers within two seconds."""
        return not await self.problem()

    async def problem(self) -> str:
        """Why the agent container cannot be used now, in words; empty when it can."""
        try:
            _, writer, _ = await self._ask(PingRequest(), _PING_SECONDS)
        except SessionError as error:
            return str(error)
        writer.transport.abort()
        return ""

    async def until_ready(self, seconds: float) -> str:
        """Wait that long for the agent container; why it cannot be used, empty when it can.

        One that speaks another version of the protocol is not waited for: its image is of
        another release, and stays so.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            try:
                _, writer, _ = await self._ask(PingRequest(), _PING_SECONDS)
            except SessionError as error:
                other = isinstance(error.__cause__, VersionError)
                if other or loop.time() > deadline:
                    return str(error)
                await asyncio.sleep(0.1)
            else:
                writer.transport.abort()
                return ""

    async def renew(self, seconds: float = _RESTART_SECONDS) -> str:
        """See ``RenewPort``. ``seconds``: how long one that starts again is waited for."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            try:
                _, writer, _ = await self._ask(RenewRequest(), _RENEW_SECONDS)
            except SessionError as error:
                other = isinstance(error.__cause__, VersionError)
                if other or loop.time() >= deadline:
                    return str(error)
                await asyncio.sleep(0.1)
            else:
                writer.transport.abort()
                return ""

    async def held(self, place: str) -> Held:
        """What processes there hold on the volume of ``place`` and is in no folder.

        Nothing where the container cannot tell; one of an earlier release cannot.
        """
        try:
            request = HeldRequest(place=place)
            (_, writer, _), held = await self._asked(request, _HELD_SECONDS)
        except SessionError:
            return Held()
        writer.transport.abort()
        return held

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
        """Run ``argv`` in ``cwd`` of the agent container and wait for its end.

        ``env`` is added to the container's own environment. ``on_output`` is called with
        ("stdout" or "stderr", text) as output comes in. Cancelling closes the
        connection, which ends the process and everything it started.
        """
        record = Record(on_output)
        data = stdin.encode("utf-8", "replace")
        try:
            request = run_request(
                argv,
                cwd=cwd,
                env=env,
                timeout_seconds=timeout_seconds,
                idle_timeout_seconds=idle_timeout_seconds,
                stdin_limit_bytes=len(data),
                output_limit_bytes=EXEC_OUTPUT_BYTES,
                log=["stdout", "stderr"],
            )
            session = await self._begin(request, record.feed)
        except SessionError as error:
            return record.not_begun(error)
        async with session:
            writing = asyncio.ensure_future(_give(session, data))
            try:
                return record.result(await session.wait())
            finally:
                writing.cancel()

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
    ) -> SocketSession:
        """See ``SessionPort.open``; its stderr also goes to the container's log."""
        request = run_request(
            argv,
            cwd=cwd,
            env=env,
            timeout_seconds=timeout_seconds,
            idle_timeout_seconds=idle_timeout_seconds,
            stdin_limit_bytes=stdin_limit_bytes,
            output_limit_bytes=output_limit_bytes,
            log=["stderr"],
        )
        session = await self._begin(request, None)
        try:
            await session.started()
        except BaseException:
            await session.close()
            raise
        return session

    async def _begin(self, request: RunRequest, sink: Optional[Sink]) -> SocketSession:
        try:
            reader, writer, rest = await self._ask(request, _HANDSHAKE_SECONDS)
        except SessionError as error:
            if error.reason != NOT_STARTED:
                raise
            message = f"could not be started: {error}"
            raise SessionError(NOT_STARTED, message) from error
        return SocketSession(
            reader,
            writer,
            rest,
            RunnerSide(request.stdin_limit_bytes, request.output_limit_bytes),
            request.timeout_seconds + _MARGIN_SECONDS,
            sink,
        )

    async def _ask(self, request: Request, seconds: float) -> _Accepted:
        """Connect and have ``request`` accepted; raises SessionError."""
        return (await self._asked(request, seconds))[0]

    async def _asked(self, request: Request, seconds: float) -> tuple[_Accepted, Held]:
        """The same, with what the answer says is held."""
        try:
            line = request_line(request)
            connection = await _connected(self._path)
        except OSError as error:
            message = f"no agent container at {self._path}: {error}"
            raise SessionError(NOT_STARTED, message) from error
        except ProtocolError as error:
            raise SessionError(NOT_STARTED, str(error)) from error
        accepted = False
        try:
            asking = answered(connection, line, MAX_ANSWER_BYTES)
            answer, rest = await within(seconds, asking)
            held = check_answer(answer)
            reader, writer = await asyncio.open_unix_connection(
                sock=connection, limit=_BUFFER
            )
            accepted = True
        except (VersionError, RefusedError) as error:
            raise SessionError(NOT_STARTED, str(error)) from error
        except asyncio.TimeoutError:
            message = f"the agent container gave no answer within {seconds:g} s"
            raise SessionError(CONNECTION_LOST, message) from None
        except (OSError, EOFError) as error:
            raise SessionError(CONNECTION_LOST, CUT) from error
        except ProtocolError as error:
            message = f"the agent container answered nonsense: {error}"
            raise SessionError(CONNECTION_LOST, message) from error
        finally:
            if not accepted:
                connection.close()
        return (reader, writer, rest), held


async def _connected(path: str) -> socket.socket:
    """A connection that does not block. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


async def _give(session: SocketSession, data: bytes) -> None:
    """Write stdin and end it; that a process reads none of it is no error."""
    with suppress(SessionError):
        await session.write(data)
        await session.close_stdin()
