"""A session with real processes, on connections that are cut, drip and lie."""

from __future__ import annotations

import asyncio
import json
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kiro_swarm.sandbox.entrypoint import MAX_CONNECTIONS
from kiro_swarm.sandbox.frames import (
    Decoder,
    Exit,
    Kind,
    Stream,
    credit_for,
    encode,
    end_of,
    exited,
    read_exit,
    started,
)
from kiro_swarm.sandbox.handshake import answer_line, request_line, run_request
from kiro_swarm.sandbox.port import Session, SessionError, tail_of
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import Entrypoint, alive, eventually, python
from tests.unit.sandbox.programs import PROCESSES

MEBIBYTE = 1024 * 1024


async def opened(server: Entrypoint, argv: list[str], cwd: str = "/") -> Session:
    return await AgentSocket(server.socket).open(argv, cwd=cwd, timeout_seconds=120)


async def nothing_left(server: Entrypoint) -> None:
    """Until it has dealt with each connection, taken or not, and has no child."""

    def idle() -> bool:
        return server.connections() == 0 and not server.children()

    await asyncio.to_thread(eventually, idle, "nothing is left")


async def test_fifty_megabytes_there_and_back_fill_no_memory(
    server: Entrypoint,
) -> None:
    block = os.urandom(MEBIBYTE)
    count = 50
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with await opened(server, ["cat"]) as session:

        async def write() -> None:
            for _ in range(count):
                await session.write(block)
            await session.close_stdin()

        writing = asyncio.ensure_future(write())
        received = 0
        pending = b""
        async for chunk in session.stdout:
            received += len(chunk)
            pending += chunk
            while len(pending) >= MEBIBYTE:
                assert pending[:MEBIBYTE] == block
                pending = pending[MEBIBYTE:]
        await writing
        assert (await session.wait()).succeeded
    assert received == count * MEBIBYTE
    assert server.peak_memory() < 80 * MEBIBYTE
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 20 * MEBIBYTE


async def test_a_flood_on_stderr_does_not_hold_up_the_talk_on_stdout(
    server: Entrypoint,
) -> None:
    code = (
        "import os, threading\n"
        "def flood():\n    while True: os.write(2, b'e' * 4096)\n"
        "threading.Thread(target=flood, daemon=True).start()\n"
        "while True:\n    data = os.read(0, 100)\n    if not data: os._exit(0)\n"
        "    os.write(1, data)\n"
    )
    async with await opened(server, python(code)) as session:
        for number in range(20):
            await session.write(b"%03d" % number)
            assert await session.stdout.read() == b"%03d" % number
        # Nobody has read a byte of stderr; now somebody does.
        tail = asyncio.ensure_future(tail_of(session.stderr, 100))
        await session.close_stdin()
        assert (await session.wait()).succeeded
        assert await tail == b"e" * 100


async def test_a_daemon_that_it_left_is_gone_with_the_session(
    server: Entrypoint, tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid(); signal.signal(15, signal.SIG_IGN)\n"
        "    if os.fork(): os._exit(0)\n"
        "    os.write(1, b'%d' % os.getpid()); time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    for ending in ("signal", "close"):
        session = await opened(server, python(code), str(tmp_path))
        daemon = int(await session.stdout.read())
        assert alive(daemon)
        if ending == "signal":
            await session.signal("KILL")
            assert (await session.wait()).signal == 9
            assert not alive(daemon)
        await session.close()
        await nothing_left(server)
        assert not alive(daemon)


async def test_a_process_that_ends_while_it_is_written_to(server: Entrypoint) -> None:
    async with await opened(server, ["sh", "-c", "head -c 1000; exit 3"]) as session:
        with pytest.raises(SessionError) as caught:
            await session.write(b"x" * 10 * MEBIBYTE)
        assert caught.value.reason == "StdinClosed"
        assert len(await session.stdout.read()) == 1000
        assert (await session.wait()).exit_code == 3


async def test_its_errors_are_in_the_log_of_the_container_and_its_talk_is_not(
    server: Entrypoint,
) -> None:
    argv = ["sh", "-c", "echo to the runner; echo to people >&2"]
    async with await opened(server, argv) as session:
        assert (await session.wait()).succeeded
    log = server.log.read_text()
    assert log.endswith("to people\n")
    assert "to the runner" not in log


REQUEST = request_line(
    run_request(
        PROCESSES["echo"],
        cwd="/",
        env={},
        timeout_seconds=20,
        idle_timeout_seconds=None,
        stdin_limit_bytes=1000,
        output_limit_bytes=1000,
    )
)
SAID = (
    encode(Kind.STDIN, b"hello") + encode(Kind.SIGNAL, b"USR1") + end_of(Stream.STDIN)
)


async def test_a_runner_cut_off_at_any_point_leaves_nothing(
    server: Entrypoint,
) -> None:
    whole = REQUEST + SAID
    for cut in (*range(0, len(REQUEST), 40), *range(len(REQUEST) - 1, len(whole) + 1)):
        _, writer = await asyncio.open_unix_connection(server.socket)
        writer.write(whole[:cut])
        await writer.drain()
        writer.close()
        # Where it serves as many as it may, it refuses the next one.
        await asyncio.to_thread(
            eventually, lambda: server.connections() < MAX_CONNECTIONS // 2, "a place"
        )
    await nothing_left(server)
    result = await AgentSocket(server.socket).exec(
        ["true"], cwd="/", timeout_seconds=60
    )
    assert result.succeeded
    assert server.peak_memory() < 80 * MEBIBYTE


async def test_a_request_that_drips_in_is_served_and_answered_whole(
    server: Entrypoint,
) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    said = encode(Kind.STDIN, b"hello") + end_of(Stream.STDIN)
    for byte in REQUEST + said:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0)
    assert await reader.readline() == answer_line()
    frames = list(Decoder().feed(await reader.read(-1)))
    writer.close()
    assert b"hello" in [frame.payload for frame in frames]
    assert read_exit(frames[-1].payload).reason == "Exited"


async def test_who_writes_when_it_has_ended_still_learns_how(
    server: Entrypoint,
) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    writer.write(REQUEST + encode(Kind.SIGNAL, b"KILL"))
    assert await reader.readline() == answer_line()
    frames = list(Decoder().feed(await reader.read(-1)))
    assert read_exit(frames[-1].payload).signal == 9
    for _ in range(20):
        # With a socket that is closed at the other end this would be a broken pipe, and
        # asyncio would throw away what had not been read before it.
        writer.write(encode(Kind.STDIN, b"x"))
        await writer.drain()
        await asyncio.sleep(0.01)
    writer.close()
    await nothing_left(server)


@pytest.mark.parametrize(
    ("nonsense", "names"),
    [
        (b"\xff" * 100, "a frame of unknown kind 255"),
        (b"\x01\xff\xff\xff\xff", "a STDIN frame of 4294967295 bytes"),
        (encode(Kind.STDIN, b"x" * 1001), "more on stdin than the limit"),
        (encode(Kind.SIGNAL, b"STOP"), "the signal 'STOP'"),
        (credit_for(Stream.STDOUT, 2**32 - 1), "credit of 4294967295"),
        (started(1), "a frame that a runner does not send: STARTED"),
        (exited(Exit(reason="Exited", exit=0, seconds=1)), "does not send: EXIT"),
    ],
)
async def test_a_runner_that_breaks_the_protocol_is_told_and_its_tree_ended(
    server: Entrypoint, nonsense: bytes, names: str
) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    writer.write(REQUEST)
    assert await reader.readline() == answer_line()
    first = await reader.read(9)
    writer.write(nonsense)
    frames = list(Decoder().feed(first + await reader.read(-1)))
    writer.close()
    end = read_exit(frames[-1].payload)
    assert end.reason == "ProtocolError"
    assert names in end.message
    await nothing_left(server)


async def test_connections_are_counted(server: Entrypoint) -> None:
    held = [
        await asyncio.open_unix_connection(server.socket)
        for _ in range(MAX_CONNECTIONS)
    ]
    socket = AgentSocket(server.socket)
    with pytest.raises(SessionError, match=f"{MAX_CONNECTIONS} others are served"):
        await socket.open(["true"], cwd="/", timeout_seconds=60)
    for _, writer in held:
        writer.close()
    assert await socket.until_ready(60) == ""


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def container(path: Path, answer: Answer) -> AsyncIterator[AgentSocket]:
    """A container that answers every request in its own way, then hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readline()
            await answer(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_unix_server(serve, str(path))
    try:
        yield AgentSocket(str(path))
    finally:
        server.close()


ANSWERS = (
    answer_line()
    + started(7)
    + encode(Kind.STDOUT, b"out")
    + encode(Kind.STDERR, b"err")
    + end_of(Stream.STDOUT)
    + exited(Exit(reason="Exited", exit=0, seconds=1.0))
)


async def test_a_container_cut_off_at_any_point_is_lost_and_nothing_hangs(
    folder: Path,
) -> None:
    cut = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWERS[:cut])

    async with container(folder / "s", answer) as socket:
        for cut in range(len(ANSWERS) + 1):
            whole = cut == len(ANSWERS)
            result = await socket.exec(["x"], cwd="/", timeout_seconds=20)
            assert result.reason == ("Exited" if whole else "ConnectionLost"), cut
            assert "the connection was cut" in result.message or whole
            if cut < len(answer_line() + started(7)):
                with pytest.raises(SessionError) as caught:
                    await socket.open(["x"], cwd="/", timeout_seconds=20)
                assert caught.value.reason == "ConnectionLost"
                continue
            session = await socket.open(["x"], cwd="/", timeout_seconds=20)
            async with session:
                said = b"".join([chunk async for chunk in session.stdout])
                assert said == (b"out" if cut >= 33 else b"")
                assert (await session.wait()).succeeded == whole


async def test_a_container_that_drips_is_understood(folder: Path) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        for byte in ANSWERS:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.001)

    async with container(folder / "s", answer) as socket:
        result = await socket.exec(["x"], cwd="/", timeout_seconds=20)
        assert (result.stdout, sorted(result.tail)) == ("out", sorted("outerr"))
        assert result.succeeded


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * 65536,
        b"[" * 65536,
        answer_line() * 4000,
        answer_line() + started(7) + encode(Kind.STDOUT, b"x") * 11_000,
        answer_line() + started(7) + encode(Kind.STDERR, b"x" * 65536),
        answer_line() + started(7) + credit_for(Stream.STDIN, 1) * 11_000,
        answer_line() + started(7) + end_of(Stream.STDIN) * 11_000,
    ],
)
async def test_a_container_that_floods_is_cut_off_within_bounds(
    folder: Path, flood: bytes
) -> None:
    sent = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        frames = flood[len(answer_line() + started(7)) :]
        writer.write(flood)
        while True:
            await writer.drain()
            writer.write(frames)
            sent += len(frames)

    async with container(folder / "s", answer) as socket:
        reason, message = await asyncio.wait_for(_end_of(socket), 60)
    assert reason == "ConnectionLost"
    assert "nonsense" in message
    assert sent < 8 * MEBIBYTE


async def _end_of(socket: AgentSocket) -> tuple[str, str]:
    """How a session ends of which nobody reads anything, so that no credit is given."""
    try:
        session = await socket.open(["x"], cwd="/", timeout_seconds=60)
    except SessionError as error:
        return error.reason, str(error)
    end = await session.wait()
    return end.reason, end.message


async def test_an_exec_is_cut_off_at_the_limit_of_its_output(folder: Path) -> None:
    """It takes everything, so only the limit of the conversation ends a liar's flood."""
    limit = b'{"reason":"OutputLimitExceeded","seconds":1.0,"message":"was stopped"}'

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(answer_line() + started(7) + encode(Kind.EXIT, limit))

    async with container(folder / "s", answer) as socket:
        result = await socket.exec(["x"], cwd="/", timeout_seconds=20)
        assert (result.reason, result.describe()) == (
            "OutputLimitExceeded",
            "was stopped",
        )
        assert json.loads(limit)["reason"] == result.reason


async def test_an_error_of_who_listens_comes_out_of_exec(server: Entrypoint) -> None:
    def fail(stream: str, text: str) -> None:
        raise KeyError(text)

    with pytest.raises(KeyError, match="on"):
        await AgentSocket(server.socket).exec(
            ["echo", "on"], cwd="/", timeout_seconds=20, on_output=fail
        )
    await nothing_left(server)
