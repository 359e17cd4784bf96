"""The same small programs twice: as processes, and as coroutines for the fake."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from kiro_swarm.sandbox.fake_process import FakeProcess, Program
from kiro_swarm.sandbox.frames import Stream
from tests.support.entrypoint import python

_ECHO = """
import os
while True:
    data = os.read(0, 65536)
    if not data: break
    while data: data = data[os.write(1, data):]
"""
_TELL = """
import os, sys
print(os.environ["WHO"], sys.argv[1], os.getcwd(), flush=True)
print("warned", file=sys.stderr); sys.exit(7)
"""
_FLOOD = """
import os
while True: os.write(2, b"x" * 4096)
"""
_WRITE = """
import os, sys
data = b"x" * int(sys.argv[1])
while data: data = data[os.write(1, data):]
"""
_SLEEP = "import time; time.sleep(600)"
_DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"T"))
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"U"))
os.write(1, b"ready")
while True: time.sleep(600)
"""
_REFUSE = """
import os, time
os.close(0); os.write(1, b"closed"); time.sleep(600)
"""
_MUTE = """
import os, time
os.write(1, b"bye"); os.close(1); time.sleep(600)
"""


async def _echo(process: FakeProcess) -> int:
    while True:
        data = await process.read()
        if not data:
            return 0
        await process.write(data)


async def _tell(process: FakeProcess) -> int:
    text = f"{process.env['WHO']} {process.argv[1]} {process.cwd}\n"
    await process.write(text.encode())
    await process.write(b"warned\n", Stream.STDERR)
    return 7


async def _flood(process: FakeProcess) -> int:
    while True:
        await process.write(b"x" * 4096, Stream.STDERR)


async def _write(process: FakeProcess) -> int:
    await process.write(b"x" * int(process.argv[1]))
    return 0


async def _sleep(process: FakeProcess) -> int:
    await asyncio.sleep(600)
    return 0


async def _deaf(process: FakeProcess) -> int:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    process.handlers["TERM"] = lambda: heard.put_nowait(b"T")
    process.handlers["USR1"] = lambda: heard.put_nowait(b"U")
    await process.write(b"ready")
    while True:
        await process.write(await heard.get())


async def _refuse(process: FakeProcess) -> int:
    process.close(Stream.STDIN)
    await process.write(b"closed")
    return await _sleep(process)


async def _mute(process: FakeProcess) -> int:
    await process.write(b"bye")
    process.close(Stream.STDOUT)
    return await _sleep(process)


PROCESSES: Mapping[str, list[str]] = {
    name: python(code)
    for name, code in {
        "echo": _ECHO,
        "tell": _TELL,
        "flood": _FLOOD,
        "write": _WRITE,
        "sleep": _SLEEP,
        "deaf": _DEAF,
        "refuse": _REFUSE,
        "mute": _MUTE,
    }.items()
}
COROUTINES: Mapping[str, Program] = {
    "echo": _echo,
    "tell": _tell,
    "flood": _flood,
    "write": _write,
    "sleep": _sleep,
    "deaf": _deaf,
    "refuse": _refuse,
    "mute": _mute,
}
