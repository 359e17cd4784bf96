"""What processes of a container hold on the volume that is in no folder any more."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from kiro_swarm.sandbox.handshake import answer_line, check_answer
from kiro_swarm.sandbox.held import held_by
from kiro_swarm.sandbox.port import Held
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import Entrypoint, python

MIB = 1024 * 1024
#: Holds a file twice that it has removed, and one that is still there.
_HOLDS = f"""
import os, sys, time
place = sys.argv[1]
gone = open(place + "/gone", "w+b")
again = os.dup(gone.fileno())
os.unlink(place + "/gone")
gone.write(b"x" * {3 * MIB})
gone.flush()
there = open(place + "/there", "w+b")
there.write(b"x" * {MIB})
there.flush()
os.fsync(gone.fileno())
print("ready", flush=True)
time.sleep(60)
"""


async def test_a_file_that_is_removed_and_open_is_told_while_its_program_runs(
    server: Entrypoint, tmp_path: Path
) -> None:
    socket, ready = AgentSocket(server.socket), asyncio.Event()
    running = asyncio.ensure_future(
        socket.exec(
            python(_HOLDS, str(tmp_path)),
            cwd="/",
            timeout_seconds=60,
            on_output=lambda stream, text: ready.set(),
        )
    )
    try:
        await asyncio.wait_for(ready.wait(), 20)
        held = await socket.held(str(tmp_path))
        assert held.files == 1
        assert 3 * MIB <= held.bytes < 4 * MIB
        assert await socket.held("/proc") == Held(), "of another file system"
        assert await socket.held(str(tmp_path / "none")) == Held()
    finally:
        running.cancel()
        await asyncio.wait({running})

    for _ in range(400):  # it is told to end, and takes a moment
        held = await socket.held(str(tmp_path))
        if held == Held():
            break
        await asyncio.sleep(0.05)
    assert held == Held()


async def test_where_nobody_can_tell_nothing_is_held(tmp_path: Path) -> None:
    assert await AgentSocket(str(tmp_path / "none")).held("/") == Held()
    refuses = answer_line("request: op: Input tag 'held' is none of 'ping', 'renew'")

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(refuses)
        writer.close()

    path = str(tmp_path / "earlier.sock")
    async with await asyncio.start_unix_server(answer, path):
        assert await AgentSocket(path).held("/") == Held()


@pytest.mark.parametrize("held", [Held(), Held(1, 2), Held((1 << 63) - 1, 1)])
def test_what_is_held_survives_the_way(held: Held) -> None:
    assert check_answer(answer_line(held=held)) == held
    assert check_answer(answer_line()) == Held()


def test_a_process_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    assert held_by([0, 1 << 30], str(tmp_path)) == Held()
    with open(tmp_path / "own", "wb") as file:
        os.unlink(file.name)
        assert held_by([os.getpid()], str(tmp_path)).files >= 1
