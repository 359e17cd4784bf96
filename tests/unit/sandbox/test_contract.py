"""What every agent container keeps to: the real entrypoint, and the fake for drivers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Optional, Union

import pytest

from kiro_swarm.sandbox.buffer import Buffer
from kiro_swarm.sandbox.fake import FakeContainer
from kiro_swarm.sandbox.frames import WINDOW_BYTES
from kiro_swarm.sandbox.port import (
    SIGNALS,
    ExecResult,
    OutputStream,
    Session,
    SessionError,
    tail_of,
)
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import Entrypoint
from tests.support.fake_api import until
from tests.unit.sandbox.programs import COROUTINES, PROCESSES

# What the kernel's pipe and one read hold beside the window.
PIPE = 128 * 1024


class Container:
    """One of the two, with the programs of ``programs``."""

    def __init__(
        self, port: Union[AgentSocket, FakeContainer], words: Mapping[str, list[str]]
    ) -> None:
        self.port = port
        self._words = words

    async def open(
        self,
        *command: str,
        cwd: str = "/",
        env: Optional[Mapping[str, str]] = None,
        timeout: float = 60,
        idle: Optional[float] = None,
        stdin_limit: int = 2**24,
        output_limit: int = 2**24,
    ) -> Session:
        return await self.port.open(
            [*self._words.get(command[0], [command[0]]), *command[1:]],
            cwd=cwd,
            env=env,
            timeout_seconds=timeout,
            idle_timeout_seconds=idle,
            stdin_limit_bytes=stdin_limit,
            output_limit_bytes=output_limit,
        )

    async def exec(self, *command: str, stdin: str = "", **env: str) -> ExecResult:
        argv = [*self._words.get(command[0], [command[0]]), *command[1:]]
        return await self.port.exec(
            argv, cwd="/", env=env, stdin=stdin, timeout_seconds=60
        )


@pytest.fixture(params=["fake", "real"])
async def container(request: pytest.FixtureRequest) -> Container:
    if request.param == "fake":
        return Container(FakeContainer(COROUTINES), {})
    server: Entrypoint = request.getfixturevalue("server")
    return Container(AgentSocket(server.socket), PROCESSES)


def received(stream: OutputStream) -> int:
    """Bytes that are there and that nobody has read."""
    assert isinstance(stream, Buffer)
    return len(stream._data)


async def exactly(stream: OutputStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = await stream.read(count - len(data))
        assert chunk, f"ended after {len(data)} bytes"
        data += chunk
    return data


async def whole(stream: OutputStream) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def test_bytes_go_in_and_out_as_they_are(container: Container) -> None:
    everything = bytes(range(256)) * 3000
    async with await container.open("echo") as session:
        for message in (b"\n", b"\x00\xff", bytes(range(256))):
            await session.write(message)
            assert await exactly(session.stdout, len(message)) == message
        writing = asyncio.ensure_future(session.write(everything))
        assert await exactly(session.stdout, len(everything)) == everything
        await writing
        await session.close_stdin()
        await session.close_stdin()
        assert await session.stdout.read() == b""
        assert await whole(session.stderr) == b""
        end = await session.wait()
    assert (end.reason, end.exit_code, end.signal) == ("Exited", 0, None)
    assert end.complete
    assert end.succeeded


async def test_environment_folder_arguments_streams_and_exit_code(
    container: Container,
) -> None:
    async with await container.open("tell", "me", env={"WHO": "x"}, cwd="/usr") as one:
        tail = asyncio.ensure_future(tail_of(one.stderr, 4))
        assert await whole(one.stdout) == b"x me /usr\n"
        assert await tail == b"ned\n"
        end = await one.wait()
    assert end.describe() == "exited with 7"


@pytest.mark.parametrize(
    ("command", "cwd", "names"),
    [("no-such-program", "/", "no-such-program"), ("echo", "relative", "cwd")],
)
async def test_what_cannot_be_started_is_said_with_its_name(
    container: Container, command: str, cwd: str, names: str
) -> None:
    with pytest.raises(SessionError, match=names) as caught:
        await container.open(command, cwd=cwd)
    assert caught.value.reason == "NotStarted"
    assert str(caught.value).startswith("could not be started: ")
    assert (await container.exec("echo", stdin="on")).stdout == "on"


async def test_writing_waits_for_a_process_that_does_not_read(
    container: Container,
) -> None:
    async with await container.open("sleep") as session:
        writing = asyncio.ensure_future(session.write(b"x" * 2**21))
        done, _ = await asyncio.wait({writing}, timeout=0.3)
        assert not done
        await session.signal("TERM")
        end = await session.wait()
        assert (end.reason, end.exit_code, end.signal) == ("Exited", None, 15)
        with pytest.raises(SessionError) as caught:
            await writing
        assert caught.value.reason == "StdinClosed"


async def test_a_process_waits_for_who_does_not_read(container: Container) -> None:
    async with await container.open("flood") as session:
        assert await exactly(session.stderr, 10) == b"x" * 10
        await until(lambda: received(session.stderr) >= WINDOW_BYTES - 10)
        await session.signal("KILL")
        rest = await whole(session.stderr)
        # It may still go on for a moment once it is read again, before it ends.
        assert WINDOW_BYTES <= len(rest) <= 2 * WINDOW_BYTES + PIPE
        assert (await session.wait()).signal == 9


async def test_one_stream_that_nobody_reads_does_not_hold_back_the_end(
    container: Container,
) -> None:
    async with await container.open("flood") as session:
        await until(lambda: received(session.stderr) >= WINDOW_BYTES)
        await session.signal("KILL")
        assert (await asyncio.wait_for(session.wait(), 20)).signal == 9


async def test_more_input_than_the_limit_is_not_sent(container: Container) -> None:
    async with await container.open("echo", stdin_limit=5) as session:
        await session.write(b"123")
        with pytest.raises(SessionError) as caught:
            await session.write(b"456")
        assert caught.value.reason == "StdinLimitExceeded"
        await session.write(b"45")
        assert await exactly(session.stdout, 5) == b"12345"


@pytest.mark.parametrize(("limit", "count"), [(1000, 1001), (0, 1), (300_000, 2**20)])
async def test_more_output_than_the_limit_ends_it(
    container: Container, limit: int, count: int
) -> None:
    async with await container.open("write", str(count), output_limit=limit) as session:
        assert len(await whole(session.stdout)) == limit
        end = await session.wait()
    assert end.reason == "OutputLimitExceeded"
    assert end.describe() == f"was stopped: more than {limit} bytes of output"


async def test_output_up_to_the_limit_is_all_right(container: Container) -> None:
    async with await container.open("write", "300000", output_limit=300_000) as session:
        assert len(await whole(session.stdout)) == 300_000
        assert (await session.wait()).succeeded


async def test_signals_reach_the_process_and_kill_always_ends_it(
    container: Container,
) -> None:
    async with await container.open("deaf") as session:
        assert await exactly(session.stdout, 5) == b"ready"
        for name, answer in (("TERM", b"T"), ("USR1", b"U"), ("TERM", b"T")):
            await session.signal(name)
            assert await exactly(session.stdout, 1) == answer
        for name in ("STOP", "SIGTERM", "15", ""):
            with pytest.raises(ValueError, match="must be one of"):
                await session.signal(name)
        await session.signal("KILL")
        end = await session.wait()
        assert end.describe() == "was ended by signal 9"
        await session.signal("TERM")


@pytest.mark.parametrize("name", SIGNALS)
async def test_every_signal_ends_who_has_no_handler(
    container: Container, name: str
) -> None:
    async with await container.open("sleep") as session:
        await session.signal(name)
        assert (await session.wait()).signal is not None


async def test_signals_are_counted(container: Container) -> None:
    async with await container.open("deaf") as session:
        await exactly(session.stdout, 5)
        for _ in range(1000):
            await session.signal("USR1")
        with pytest.raises(SessionError) as caught:
            await session.signal("USR1")
        assert caught.value.reason == "TooManySignals"
        await session.close()


async def test_a_process_that_closes_its_stdin_is_told_of(container: Container) -> None:
    async with await container.open("refuse") as session:
        assert await exactly(session.stdout, 6) == b"closed"

        async def write_on() -> None:
            while True:
                await session.write(b"x" * 1000)
                await asyncio.sleep(0.01)

        with pytest.raises(SessionError) as caught:
            await write_on()
        assert caught.value.reason == "StdinClosed"


async def test_a_stream_that_the_process_closes_ends_before_the_process(
    container: Container,
) -> None:
    async with await container.open("mute") as session:
        assert await whole(session.stdout) == b"bye"
        done, _ = await asyncio.wait(
            {asyncio.ensure_future(session.wait())}, timeout=0.1
        )
        assert not done


async def test_writing_after_the_end_of_stdin_is_an_error(container: Container) -> None:
    async with await container.open("sleep") as session:
        await session.close_stdin()
        with pytest.raises(SessionError) as caught:
            await session.write(b"x")
        assert caught.value.reason == "StdinClosed"


async def test_both_deadlines_end_it(container: Container) -> None:
    async with await container.open("sleep", timeout=0.5) as session:
        end = await session.wait()
    assert end.reason == "DeadlineExceeded"
    assert end.message == "was stopped: still at work after 0.5 s"
    async with await container.open("sleep", idle=0.5) as session:
        end = await session.wait()
    assert end.reason == "IdleDeadlineExceeded"
    assert end.message == "was stopped: no output for 0.5 s"


async def test_who_talks_or_is_not_listened_to_is_not_idle(
    container: Container,
) -> None:
    async with await container.open("echo", idle=2) as session:
        for _ in range(6):
            await asyncio.sleep(0.4)
            await session.write(b"x")
        await session.close_stdin()
        assert await whole(session.stdout) == b"xxxxxx"
        assert (await session.wait()).succeeded
    async with await container.open("flood", idle=1) as session:
        await until(lambda: received(session.stderr) >= WINDOW_BYTES)
        await asyncio.sleep(1.2)
        await exactly(session.stderr, 2 * WINDOW_BYTES)


async def test_closing_ends_it_and_another_one_begins_after_it(
    container: Container,
) -> None:
    session = await container.open("deaf")
    second = asyncio.ensure_future(container.open("echo"))
    done, _ = await asyncio.wait({second}, timeout=0.3)
    assert not done
    await session.close()
    end = await session.wait()
    assert (end.reason, end.message) == ("ConnectionLost", "was closed by the runner")
    assert not end.complete
    assert await session.stdout.read() == b""
    with pytest.raises(SessionError):
        await session.write(b"x")
    async with await second as other:
        await other.write(b"on")
        assert await exactly(other.stdout, 2) == b"on"


async def test_who_gives_up_while_waiting_for_a_turn_takes_none(
    container: Container,
) -> None:
    session = await container.open("sleep")
    second = asyncio.ensure_future(container.open("echo"))
    done, _ = await asyncio.wait({second}, timeout=0.2)
    assert not done
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await session.close()
    assert (await container.exec("echo", stdin="on")).stdout == "on"


async def test_a_call_that_was_cancelled_leaves_the_session_as_it_is(
    container: Container,
) -> None:
    async with await container.open("echo") as session:
        for waits in (session.wait(), session.stdout.read(), session.stderr.read()):
            task = asyncio.ensure_future(waits)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await session.write(b"on")
        assert await exactly(session.stdout, 2) == b"on"


async def test_exec_is_for_what_answers_once(container: Container) -> None:
    result = await container.exec("tell", "me", WHO="x")
    assert (result.reason, result.exit_code) == ("Exited", 7)
    assert result.stdout == "x me /\n"
    assert sorted(result.tail) == sorted("x me /\nwarned\n")
    assert (await container.exec("echo", stdin="\u00e4" * 10**6)).stdout == (
        "\u00e4" * 2**20
    )[: 10**6]
    missing = await container.exec("no-such-program")
    assert missing.reason == "NotStarted"
    assert await container.port.ping()
    assert await container.port.problem() == ""
