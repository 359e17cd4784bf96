"""Nothing that a request starts outlives it, whatever it does to stay."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from kiro_swarm.sandbox.frames import WINDOW_BYTES, Decoder, Kind, read_exit
from kiro_swarm.sandbox.handshake import RunRequest, answer_line, request_line
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import (
    Entrypoint,
    alive,
    entrypoint,
    eventually,
    python,
)

# Writes its pid to a file and then stays, deaf to polite requests.
DEAF = (
    "import os, signal, sys, time; signal.signal(15, signal.SIG_IGN);"
    "print('here', flush=True); open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
)
# Leaves the session and the process group, forks twice, lets its parents end.
DAEMON = (
    "import os, sys\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        os.setsid()\n"
    f"        exec({DEAF!r})\n"
    "    os._exit(0)\n"
    "os.wait()\n"
    "while not os.path.exists('pid') or not open('pid').read(): pass\n"
)


def pid_in(folder: Path) -> int:
    eventually(
        lambda: (folder / "pid").is_file() and (folder / "pid").read_text() != "",
        "the process says its pid",
    )
    return int((folder / "pid").read_text())


async def test_a_deadline_ends_a_process_that_ignores_sigterm(
    server: Entrypoint, tmp_path: Path
) -> None:
    result = await AgentSocket(server.socket).exec(
        python(DEAF), cwd=str(tmp_path), timeout_seconds=3
    )
    assert result.reason == "DeadlineExceeded"
    assert result.message == "was stopped: still at work after 3 s"
    assert result.tail == "here\n"
    assert result.signal == signal.SIGKILL
    assert 3.0 <= result.seconds < 30
    assert not alive(pid_in(tmp_path))


async def test_silence_ends_a_process_and_output_keeps_it_alive(
    server: Entrypoint, tmp_path: Path
) -> None:
    code = (
        "import time\nfor i in range(12): print(i, flush=True); time.sleep(0.25)\n"
        "time.sleep(600)"
    )
    result = await AgentSocket(server.socket).exec(
        python(code), cwd="/", timeout_seconds=60, idle_timeout_seconds=2
    )
    assert result.reason == "IdleDeadlineExceeded"
    assert result.message == "was stopped: no output for 2 s"
    assert result.stdout.split() == [str(number) for number in range(12)]
    assert 4.5 <= result.seconds < 30


async def test_a_daemon_does_not_outlive_the_request_that_left_it(
    server: Entrypoint, tmp_path: Path
) -> None:
    """It also holds the pipe open, which must not hold back the last frame."""
    result = await AgentSocket(server.socket).exec(
        python(DAEMON), cwd=str(tmp_path), timeout_seconds=60
    )
    assert result.succeeded
    assert not alive(pid_in(tmp_path))
    assert server.children() == []


async def test_closing_the_connection_ends_the_whole_tree(
    server: Entrypoint, tmp_path: Path
) -> None:
    socket = AgentSocket(server.socket)
    running = asyncio.ensure_future(
        socket.exec(python(DAEMON + DEAF), cwd=str(tmp_path), timeout_seconds=60)
    )
    daemon = await asyncio.to_thread(pid_in, tmp_path)
    assert alive(daemon)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(
        eventually, lambda: server.children() == [], "the tree is gone"
    )
    assert not alive(daemon)
    assert (await socket.exec(["true"], cwd="/", timeout_seconds=9)).succeeded


async def test_a_client_that_gives_up_while_waiting_starts_nothing(
    server: Entrypoint, tmp_path: Path
) -> None:
    socket = AgentSocket(server.socket)
    first = await socket.open(["cat"], cwd="/", timeout_seconds=60)
    reader, writer = await asyncio.open_unix_connection(server.socket)
    request = RunRequest(
        argv=["touch", "it"],
        cwd=str(tmp_path),
        timeout_seconds=60,
        stdin_limit_bytes=0,
        output_limit_bytes=1,
    )
    writer.write(request_line(request))
    assert await reader.readline() == answer_line()
    writer.close()
    await writer.wait_closed()
    await first.close_stdin()
    assert (await first.wait()).succeeded
    await first.close()
    assert (await socket.exec(["true"], cwd="/", timeout_seconds=60)).succeeded
    assert os.listdir(tmp_path) == []


async def test_a_flood_of_output_arrives_whole_and_fills_no_memory(
    server: Entrypoint,
) -> None:
    size = 24 * 1024 * 1024
    counted = 0

    def count(_: str, text: str) -> None:
        nonlocal counted
        counted += len(text)

    result = await AgentSocket(server.socket).exec(
        ["sh", "-c", f"yes | head -c {size}"],
        cwd="/",
        timeout_seconds=120,
        on_output=count,
    )
    assert result.succeeded
    assert counted == size
    assert len(result.tail) == 64 * 1024
    assert len(result.stdout) == 1024 * 1024
    assert server.peak_memory() < 100 * 1024 * 1024


async def test_a_client_that_does_not_read_stops_the_flood_not_the_deadline(
    server: Entrypoint,
) -> None:
    logged = server.log.stat().st_size
    reader, writer = await asyncio.open_unix_connection(server.socket, limit=1024)
    request = RunRequest(
        argv=["yes"],
        cwd="/",
        timeout_seconds=1.0,
        stdin_limit_bytes=0,
        output_limit_bytes=2**30,
        log=["stdout"],
    )
    writer.write(request_line(request))
    await reader.readline()
    first = await reader.read(16)
    await asyncio.to_thread(
        eventually, lambda: server.children() == [], "the deadline holds"
    )
    assert server.log.stat().st_size - logged <= WINDOW_BYTES
    assert server.peak_memory() < 100 * 1024 * 1024
    rest = await reader.read(-1)
    writer.close()
    frames = list(Decoder().feed(first + rest))
    end = read_exit(frames[-1].payload)
    assert (end.reason, end.complete) == ("DeadlineExceeded", False)
    sent = sum(len(frame.payload) for frame in frames if frame.kind is Kind.STDOUT)
    assert sent == WINDOW_BYTES


async def test_sigterm_ends_children_and_the_entrypoint_quickly(
    folder: Path, tmp_path: Path
) -> None:
    with entrypoint(folder) as server:
        running = asyncio.ensure_future(
            AgentSocket(server.socket).exec(
                python(DAEMON + DEAF), cwd=str(tmp_path), timeout_seconds=60
            )
        )
        daemon = await asyncio.to_thread(pid_in, tmp_path)
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, 10) == 0
        assert (await running).reason == "ConnectionLost"
        assert not alive(daemon)
        assert os.listdir(folder) == ["entrypoint.log"]


async def test_a_socket_file_left_by_a_killed_entrypoint_is_replaced(
    folder: Path,
) -> None:
    with entrypoint(folder) as killed:
        killed.process.kill()
        killed.process.wait()
    assert "agent.sock" in os.listdir(folder)
    with entrypoint(folder) as server:
        while not await AgentSocket(server.socket).ping():
            assert server.process.poll() is None


async def test_as_process_one_it_also_ends_what_forks_faster_than_it_is_killed(
    folder: Path, tmp_path: Path
) -> None:
    """A process that goes on in a new child each moment dodges every single kill."""
    hopper = "import os\nwhile True:\n    if os.fork(): os._exit(0)\n"
    code = f"import os\nif os.fork() == 0:\n    os.setsid()\n    exec({hopper!r})\n"
    namespace = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    with entrypoint(folder, within=namespace) as server:
        (init,) = server.children()
        result = await AgentSocket(server.socket).exec(
            python(code), cwd="/", timeout_seconds=60
        )
        assert result.succeeded
        assert _children(init) == []
        os.kill(init, signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, 10)


def _children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False
    )
    return [int(child) for child in found.stdout.split()]


_QUEUE = """
import socket, sys
mine = socket.socket(socket.AF_UNIX)
mine.connect(sys.argv[1])
print(mine.recv(4096).decode(), flush=True)
"""


@pytest.mark.parametrize("detached", [False, True], ids=["child", "daemon"])
async def test_what_runs_in_the_container_is_not_served(
    server: Entrypoint, detached: bool
) -> None:
    # A request of its own would outlive the one that it belongs to.
    code = f"import os\nif {detached} and os.fork(): os.wait()\nelse:\n"
    code += "".join(f"  {line}\n" for line in _QUEUE.splitlines())
    result = await AgentSocket(server.socket).exec(
        python(code, server.socket), cwd="/", timeout_seconds=20
    )
    assert "a process of this container asks" in result.stdout, result
    assert await AgentSocket(server.socket).ping()
