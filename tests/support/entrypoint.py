"""A real agent entrypoint in a process of its own, and the fixtures that bring one.

The conftest.py of a folder that needs ``folder`` or ``server`` imports them from here.
"""

from __future__ import annotations

import os
import signal
import socket as sockets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

OPERATOR = Path(__file__).resolve().parents[2] / "operator"

SERVE = """
import asyncio, pathlib, sys
from kiro_swarm.sandbox.entrypoint import serve
scratch = [pathlib.Path(place) for place in sys.argv[3:]]
asyncio.run(serve(sys.argv[1], 0o600, float(sys.argv[2]), scratch))
"""


@dataclass(frozen=True)
class Entrypoint:
    """A running entrypoint: its process, its socket and the file with its stdout."""

    process: subprocess.Popen[bytes]
    socket: str
    log: Path

    def peak_memory(self) -> int:
        """The most memory it ever used, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the kernel does not say")

    def connections(self) -> int:
        """Connections to it that it has not closed, those included that it has not taken yet."""
        table = Path("/proc/net/unix").read_text().split("\n")
        ends = [line for line in table if line.endswith(f" {self.socket}")]
        return len(ends) - 1  # the one that listens

    def children(self) -> list[int]:
        """The pids of its children, zombies included."""
        ps = ["ps", "-o", "pid=", "--ppid", str(self.process.pid)]
        found = subprocess.run(ps, capture_output=True, check=False)
        return [int(child) for child in found.stdout.split()]


def listens(path: str) -> bool:
    """Whether connections are taken: the file is there a moment before they are."""
    with sockets.socket(sockets.AF_UNIX) as client:
        return client.connect_ex(path) == 0


@contextmanager
def entrypoint(
    folder: Path,
    grace: float = 0.5,
    within: tuple[str, ...] = (),
    scratch: tuple[Path, ...] = (),
) -> Iterator[Entrypoint]:
    """Run the entrypoint with its socket in ``folder``.

    ``within`` is a command prefix, ``scratch`` where what it runs may write.
    """
    socket = str(folder / "agent.sock")
    log = folder / "entrypoint.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*within, sys.executable, "-c", SERVE, socket, str(grace), *scratch],
            stdout=out,
            env={**os.environ, "PYTHONPATH": str(OPERATOR)},
        )
    try:
        eventually(lambda: listens(socket), "the entrypoint listens")
        yield Entrypoint(process, socket, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        finally:
            process.kill()
            process.wait()


def eventually(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait until ``holds()``; fail with ``what`` when it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not happen in {seconds} s: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs: not gone, and not a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def python(code: str, *arguments: str) -> list[str]:
    """The argv that runs ``code`` in a fresh interpreter, quickly."""
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket has 107 characters."""
    with tempfile.TemporaryDirectory(prefix="kiro-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def server() -> Iterator[Entrypoint]:
    """One for all tests of a module: a request must leave nothing for the next."""
    with (
        tempfile.TemporaryDirectory(prefix="kiro-") as name,
        entrypoint(Path(name)) as running,
    ):
        yield running
