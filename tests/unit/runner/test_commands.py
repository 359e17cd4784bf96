"""The command lines of the agent container, started as a pod starts them."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiro_swarm.cli.agent import scripted_agent
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support.entrypoint import OPERATOR, eventually, listens


@pytest.fixture
def listening(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    socket = folder / "a.sock"
    code = "from kiro_swarm.cli.agent import agent_entrypoint as a; a()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--socket", str(socket), "--mode", "0660"],
        env={**os.environ, "PYTHONPATH": str(OPERATOR)},
    )
    try:
        eventually(lambda: listens(str(socket)), "the entrypoint listens")
        yield process, socket
    finally:
        process.kill()
        process.wait()


async def test_the_entrypoint_listens_where_and_for_whom_it_is_told(
    listening: tuple[subprocess.Popen[bytes], Path],
) -> None:
    process, socket = listening
    assert stat.S_IMODE(os.stat(socket).st_mode) == 0o660
    assert await AgentSocket(str(socket)).ping() is True
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0


def test_the_scripted_agent_reads_its_prompt_from_stdin(folder: Path) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        ran = CliRunner().invoke(
            scripted_agent, input="the prompt", env={"KIRO_TASK_ID": "1.1"}
        )
        lost = CliRunner().invoke(scripted_agent, env={"KIRO_TASK_ID": ""})
    finally:
        os.chdir(before)
    assert ran.exit_code == 0
    assert ran.output.startswith("scripted agent: not a language model\n")
    assert (folder / ".kiro" / "notes" / "1.1.md").read_text().endswith("the prompt")
    assert lost.exit_code == 1
    assert "KIRO_TASK_ID is not set" in lost.output
