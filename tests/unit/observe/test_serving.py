"""The server of the probes answers whatever others do to its port."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import AsyncIterator, Callable

import pytest

from kiro_swarm.observe import serving
from kiro_swarm.observe.health import ReflectiveModule, serve

PROBE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    runner = await serve([ReflectiveModule("x")], port, "127.0.0.1")
    try:
        yield port
    finally:
        await runner.cleanup()


async def probe(port: int) -> bytes:
    """What a probe as the kubelet's gets, in its default patience."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(PROBE)
    try:
        return await asyncio.wait_for(reader.read(), 1)
    finally:
        writer.close()


#: What somebody sends who never ends a request.
HELD: dict[str, bytes] = {
    "nothing": b"",
    "half a line": b"GET /hea",
    "half a header": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 8000,
    "a body without an end": b"POST /healthz HTTP/1.1\r\nHost: x\r\n"
    b"Content-Length: 999999999\r\n\r\n" + b"a" * 8000,
    "one request, and then nothing": PROBE.replace(b"close", b"keep-alive"),
    "no HTTP": b"\x16\x03\x01\x02\x00" * 100,
}


@pytest.mark.parametrize("kind", HELD)
async def test_held_connections_leave_room_for_a_probe(kind: str) -> None:
    async with served() as port:
        held = []
        for _ in range(serving.CONNECTIONS + 100):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HELD[kind])
            held.append((reader, writer))
        assert (await probe(port)).startswith(b"HTTP/1.1 200")
        # Those before the last ones were closed: no more than the bound are held.
        ended = [asyncio.ensure_future(_ended(reader)) for reader, _ in held]
        _, open_still = await asyncio.wait(ended, timeout=0.5)
        assert len(open_still) <= serving.CONNECTIONS
        for one in open_still:
            one.cancel()
        for _, writer in held:
            writer.close()


async def _ended(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        await reader.read()


@pytest.mark.parametrize(
    "begin",
    [
        lambda n: b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * n,
        lambda n: b"GET /" + b"a" * n,
        lambda n: b"POST /healthz HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n"
        + b"a" * n,
    ],
    ids=["headers", "line", "body"],
)
async def test_whoever_sends_too_much_is_closed(begin: Callable[[int], bytes]) -> None:
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin(serving.MOST_BYTES))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(10**6), 2)
        writer.close()
        assert (await probe(port)).startswith(b"HTTP/1.1 200")


async def test_no_connection_outlives_its_time() -> None:
    async with served() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        begun = time.monotonic()
        writer.write(b"GET ")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(10**6), 2 * serving.SECONDS)
        assert time.monotonic() - begun > serving.SECONDS - 1
        writer.close()


async def test_a_crowd_around_a_probe_does_not_take_its_place() -> None:
    """The kernel has taken them all before the server has its next turn."""
    async with served() as port:

        def crowd(size: int) -> list[socket.socket]:
            return [socket.create_connection(("127.0.0.1", port)) for _ in range(size)]

        ends = crowd(100)
        asking = socket.create_connection(("127.0.0.1", port))
        asking.send(PROBE)
        ends += [asking, *crowd(serving.CONNECTIONS + 50)]
        asking.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            answer = await asyncio.wait_for(loop.sock_recv(asking, 100), 10)
        finally:
            for end in ends:
                end.close()
        assert answer.startswith(b"HTTP/1.1 200")
        # It comes after them all, so none of them is still to be taken.
        assert (await probe(port)).startswith(b"HTTP/1.1 200")


async def test_a_port_that_is_taken_is_an_error_that_leaves_nothing_open() -> None:
    async with served() as port:
        with pytest.raises(OSError, match="in use"):
            await serve([ReflectiveModule("y")], port, "127.0.0.1")
        assert (await probe(port)).startswith(b"HTTP/1.1 200")
