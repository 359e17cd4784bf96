"""Nobody waits for ever for who says nothing, or says it slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kiro_swarm.sandbox.bounds import ProtocolError
from kiro_swarm.sandbox.conversation import RunnerSide
from kiro_swarm.sandbox.lines import read_line, within
from kiro_swarm.sandbox.session import SocketSession
from kiro_swarm.sandbox.socket import AgentSocket


@asynccontextmanager
async def silent(path: Path, drip: bytes = b"") -> AsyncIterator[None]:
    """A server that says nothing, or a byte now and then."""

    over = asyncio.Event()
    connections: list[asyncio.StreamWriter] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while not over.is_set() and not writer.is_closing():
            writer.write(drip)
            await asyncio.sleep(0.02)

    server = await asyncio.start_unix_server(serve, str(path))
    try:
        yield
    finally:
        over.set()
        await asyncio.sleep(0.1)
        for writer in connections:
            writer.transport.abort()
        server.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize("drip", [b"", b"x", b" "])
async def test_a_first_line_that_does_not_end_is_given_up_in_time(
    folder: Path, drip: bytes
) -> None:
    async with silent(folder / "s", drip):
        problem = await asyncio.wait_for(AgentSocket(str(folder / "s")).problem(), 60)
        assert problem == "the agent container gave no answer within 2 s"


async def test_a_container_that_falls_silent_in_a_session_is_lost(folder: Path) -> None:
    async with silent(folder / "s"):
        reader, writer = await asyncio.open_unix_connection(str(folder / "s"))
        session = SocketSession(reader, writer, b"", RunnerSide(9, 9), 0.3)
        end = await asyncio.wait_for(session.wait(), 60)
        assert (end.reason, end.message) == (
            "ConnectionLost",
            "lost its container: it fell silent",
        )
        assert await session.stdout.read() == b""


async def test_a_first_line_is_read_up_to_its_end_and_bound() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"line\nrest")
    assert await read_line(reader, 5) == (b"line\n", b"rest")
    for data in (b"line \n", b"line no end"):
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        with pytest.raises(ProtocolError, match="longer than 5 bytes"):
            await read_line(reader, 5)
    reader = asyncio.StreamReader()
    reader.feed_data(b"cut")
    reader.feed_eof()
    with pytest.raises(EOFError):
        await read_line(reader, 5)


async def test_a_cancellation_is_never_swallowed_by_a_result() -> None:
    """As asyncio.wait_for does before Python 3.12, where both come at once."""

    async def result() -> int:
        await asyncio.sleep(0)
        return 1

    async def waits() -> int:
        return await within(10, result())

    for turns in range(6):
        task = asyncio.ensure_future(waits())
        for _ in range(turns):
            await asyncio.sleep(0)
        if not task.cancel():
            assert await task == 1
            break
        with pytest.raises(asyncio.CancelledError):
            await task
