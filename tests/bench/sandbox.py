"""Agent socket: bytes through a session, there and back, and why they go in binary frames.

A real entrypoint in a process of its own runs ``cat``; it is sent random blocks of 1 MiB and
what it answers is read. The round trip is one short line there and back. Beside it, in one
process: the frames alone, and the same chunks as base64 in lines of JSON, which was the
other way to do it. ``run`` takes the number of blocks (default 50).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Callable, List, Sequence

from kiro_swarm.sandbox.frames import MAX_DATA_BYTES, Decoder, Kind, encode
from kiro_swarm.sandbox.socket import AgentSocket
from tests.bench.report import Measure
from tests.support.entrypoint import Entrypoint, entrypoint

BLOCK = 1024 * 1024
MEBIBYTE = 1024 * 1024
ROUNDS = 2000


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measures."""
    blocks = int(arguments[0]) if arguments else 50
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as server,
    ):
        measures = asyncio.run(_talk(server, blocks))
        peak = server.peak_memory() / MEBIBYTE
    measures.append(Measure("most memory of the entrypoint", peak, "MiB", 80))
    return [*measures, *_encodings()]


async def _talk(server: Entrypoint, blocks: int) -> List[Measure]:
    block = os.urandom(BLOCK)
    socket = AgentSocket(server.socket)
    limit = blocks * BLOCK
    async with await socket.open(
        ["cat"],
        cwd="/",
        timeout_seconds=600,
        stdin_limit_bytes=limit,
        output_limit_bytes=limit,
    ) as session:

        async def write() -> None:
            for _ in range(blocks):
                await session.write(block)
            await session.close_stdin()

        began = time.perf_counter()
        writing = asyncio.ensure_future(write())
        count = 0
        async for chunk in session.stdout:
            count += len(chunk)
        await writing
        seconds = time.perf_counter() - began
    if count != limit:
        raise AssertionError(f"{count} of {limit} bytes came back")
    trips: List[float] = []
    async with await socket.open(["cat"], cwd="/", timeout_seconds=600) as session:
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await session.write(b'{"jsonrpc":"2.0"}\n')
            await session.stdout.read()
            trips.append(1000 * (time.perf_counter() - began))
    return [
        Measure("a MiB there and back", 1000 * seconds / blocks, "ms"),
        Measure("a line there and back, p50", median(trips), "ms"),
        Measure("a line there and back, p99", sorted(trips)[-ROUNDS // 100], "ms"),
    ]


def _encodings() -> List[Measure]:
    """A MiB written and read on one core, in both ways."""
    data = os.urandom(MAX_DATA_BYTES)

    def frames() -> None:
        decoder = Decoder()
        for _ in range(BLOCK // MAX_DATA_BYTES):
            (frame,) = decoder.feed(encode(Kind.STDOUT, data))
            assert frame.payload == data

    def lines() -> None:
        for _ in range(BLOCK // MAX_DATA_BYTES):
            text = base64.b64encode(data).decode("ascii")
            line = json.dumps({"stream": "stdout", "data": text}).encode("ascii")
            assert base64.b64decode(json.loads(line)["data"]) == data

    ours, theirs = _fastest(frames), _fastest(lines)
    return [
        Measure("frames beside base64 in JSON", ours / theirs, "x", 0.2),
        Measure("a MiB in frames", ours, "ms"),
        Measure("a MiB in base64 in JSON", theirs, "ms"),
    ]


def _fastest(work: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(30):
        began = time.perf_counter()
        work()
        best = min(best, 1000 * (time.perf_counter() - began))
    return best
