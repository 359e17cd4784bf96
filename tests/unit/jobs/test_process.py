"""The process of a Job ends with its answer, and hears that it is to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Tuple

import pytest

from kiro_swarm.jobs.process import TERMINATED

OPERATOR = Path(__file__).resolve().parents[3] / "operator"
PROGRAM = """
import asyncio, threading, time
from kiro_swarm.jobs import process

def endless():
    # A push, a pack, or a gate that is tried again.
    time.sleep(3600)

async def work():
    at_it = asyncio.get_running_loop().run_in_executor(None, endless)
    print("begun", flush=True)
    try:
        {rest}
    except asyncio.CancelledError:
        print("written down", flush=True)
        raise

process.run(work())
"""


def started(rest: str) -> subprocess.Popen[str]:
    """A Job that has begun what nobody can interrupt."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(rest=rest)],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def ended(process: subprocess.Popen[str]) -> Tuple[int, str]:
    """Its exit status and what it said, long before what it has begun is done."""
    try:
        process.wait(60)
    finally:
        process.kill()
    # Not `communicate`: it knows nothing of what reading a line has taken already.
    assert process.stdout is not None
    with process.stdout as said:
        return process.returncode, said.read()


@pytest.mark.parametrize("status", [0, 1])
def test_a_job_that_has_answered_does_not_wait_for_its_threads(status: int) -> None:
    assert ended(started(f"return {status}"))[0] == status


def test_a_defect_is_in_the_log_and_ends_the_process() -> None:
    status, said = ended(started("raise LookupError('which')"))
    assert status == 1
    assert "LookupError: which" in said


def test_a_job_that_is_asked_to_end_writes_down_where_it_was() -> None:
    process = started("await at_it")
    process.send_signal(signal.SIGTERM)
    status, said = ended(process)
    assert status == TERMINATED
    assert "written down" in said
