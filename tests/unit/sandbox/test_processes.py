"""All processes end, also those that a look into /proc does not see."""

from __future__ import annotations

import subprocess
import sys

#: Whoever forks and exits while /proc is read is not in it. Here nobody is, at first.
BLIND = """
import asyncio, os, sys
from kiro_swarm.sandbox import processes

looks = 0
seen = processes.living_descendants

def blind():
    global looks
    looks += 1
    return [] if looks < 4 else seen()

processes.living_descendants = blind

async def main():
    below = processes.Processes()
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    code += "print(flush=True); time.sleep(60)"
    ready, told = os.pipe()
    pid, ended = below.start(
        [sys.executable, "-c", code], cwd="/", env={}, stdin=0, stdout=told, stderr=2
    )
    await asyncio.get_running_loop().run_in_executor(None, os.read, ready, 1)
    await below.end_all(0.1)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        print("gone", await ended, looks >= 4)

asyncio.run(main())
"""


def test_the_end_is_what_the_kernel_says_not_what_was_seen() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLIND],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["gone", "-9", "True"]
