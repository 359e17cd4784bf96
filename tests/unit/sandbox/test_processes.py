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


#: More have ended than are collected at once; the loop gets its turn between.
CROWD = """
import asyncio, os
from kiro_swarm.sandbox.processes import Processes

async def main():
    below = Processes()
    for _ in range(500):
        if os.fork() == 0:
            os._exit(0)
        # Waits until it has ended, and leaves it to be collected.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    turns = 0
    while not below._reap():
        turns += 1
        await asyncio.sleep(0)
    print(turns > 0)

asyncio.run(main())
"""


def test_a_crowd_that_has_ended_leaves_the_event_loop_its_turn() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CROWD],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["True"]
