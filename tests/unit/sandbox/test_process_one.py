"""What a process does to process 1 of its container keeps nobody else from his work."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Sequence

import pytest

from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import (
    OPERATOR,
    alive,
    entrypoint,
    eventually,
    listens,
    python,
)

#: As in a pod: process 1, without the right to raise what was lowered.
CONTAINER = (
    *("unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"),
)

LOWER = """
import os, resource, subprocess, sys
name, soft, hard = sys.argv[1:]
child = subprocess.Popen(["sleep", "300"], start_new_session=True)
limit = getattr(resource, name)
before = resource.prlimit(os.getppid(), limit)
resource.prlimit(os.getppid(), limit, (int(soft), before[1] if hard == "same" else int(hard)))
print("lowered", flush=True)
"""
CHAINS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.time() + 120
for _ in range(10):
    if os.fork() == 0:
        os.setsid()
        while time.time() < end:
            if os.fork():
                os._exit(0)
        os._exit(0)
time.sleep(120)
"""


def _children(pid: int) -> Sequence[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.mark.parametrize("hard", ["same", "0"])
@pytest.mark.parametrize(
    "limit", ["RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_DATA"]
)
async def test_a_limit_is_brought_back_or_the_container_ends(
    folder: Path, limit: str, hard: str
) -> None:
    with entrypoint(folder, grace=0.2, within=CONTAINER) as server:
        (first,) = _children(server.process.pid)
        socket = AgentSocket(server.socket)
        await socket.exec(python(LOWER, limit, "0", hard), cwd="/", timeout_seconds=20)
        if hard == "same":
            assert await socket.renew(seconds=10) == ""
            said = await socket.exec(["echo", "next"], cwd="/", timeout_seconds=20)
            assert said.stdout == "next\n"
            assert _children(first) == []
            os.kill(first, signal.SIGTERM)
        # Where it is lowered for good the kubelet makes another one.
        await asyncio.to_thread(server.process.wait, 20)
    assert not alive(first)


async def test_chains_of_forks_do_not_keep_it_from_a_deadline(folder: Path) -> None:
    with entrypoint(folder, grace=0.2, within=CONTAINER) as server:
        (first,) = _children(server.process.pid)
        began = time.monotonic()
        said = await AgentSocket(server.socket).exec(
            python(CHAINS), cwd="/", timeout_seconds=1
        )
        assert said.reason == "DeadlineExceeded"
        # Unmended it waited until they ended by themselves.
        assert time.monotonic() - began < 60
        eventually(lambda: _children(first) == [], "no process is left")
        os.kill(first, signal.SIGTERM)
        await asyncio.to_thread(server.process.wait, 20)


#: As where a process waits for a disk that does not answer: nothing ends it.
UNDYING = """
import asyncio, sys
from pathlib import Path
from kiro_swarm.sandbox.entrypoint import Entrypoint
from kiro_swarm.sandbox.listener import Listener
from kiro_swarm.sandbox.processes import Processes
from kiro_swarm.sandbox.renewal import Renewal

class Undying(Processes):
    async def end_all(self, grace_seconds):
        await super().end_all(grace_seconds)
        return False

async def main(path):
    stopped = asyncio.Event()
    served = Entrypoint(Undying(), 0.1, Renewal([], path), stopped.set)
    served.listener = Listener(path, 0o600, served.accept)
    await served.listener.open()
    await stopped.wait()
    await served.close()

asyncio.run(main(Path(sys.argv[1])))
"""


def _undying(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", UNDYING, str(path)],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
    )


@pytest.mark.parametrize("renewed", [True, False])
async def test_with_processes_that_cannot_be_ended_the_container_ends(
    folder: Path, renewed: bool
) -> None:
    path = folder / "agent.sock"
    server = _undying(path)
    try:
        eventually(lambda: listens(str(path)), "it listens")
        socket = AgentSocket(str(path))
        if renewed:
            assert "cannot be ended" in await socket.renew(seconds=0)
        else:
            said = await socket.exec(["true"], cwd="/", timeout_seconds=20)
            assert not said.succeeded
        assert await asyncio.to_thread(server.wait, 20) == 0
    finally:
        server.kill()
        server.wait()
