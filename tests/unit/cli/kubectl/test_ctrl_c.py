"""Ctrl-C cancels the work, wherever it strikes, on every Python."""

from __future__ import annotations

import asyncio
import os
import sys

from tests.support.fake_api import FakeApi

#: The signal comes while a line of the work is run, not while it waits.
WORK = """
import asyncio, os, signal
from kiro_swarm.cli.kubectl.options import Target
from kiro_swarm.cli.kubectl.session import run

async def work(session):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        print("struck", flush=True)
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        print("told", flush=True)
        {then}

run(Target(), work)
"""


async def ended(then: str) -> tuple[int, list[str], str]:
    """Exit status, lines and errors of a process that is interrupted at work."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORK.format(then=then)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode().split(), err.decode()


async def test_it_cancels_the_work_that_is_being_done(api: FakeApi) -> None:
    assert await ended("raise") == (130, ["struck", "told"], "")


async def test_the_second_one_ends_what_does_not_want_to_end(api: FakeApi) -> None:
    stubborn = "os.kill(os.getpid(), signal.SIGINT); print('never')"
    assert await ended(stubborn) == (130, ["struck", "told"], "")
