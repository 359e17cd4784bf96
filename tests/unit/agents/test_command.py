"""A plain command as an agent, and progress out of its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

import pytest

from kiro_swarm.agents.command import CommandDriver, last_line
from kiro_swarm.sandbox.port import ExecResult, OnOutput
from tests.unit.agents.test_prompt import TASK


class RecordingPort:
    """An agent container that says one line and ends as it is told."""

    def __init__(self, result: ExecResult) -> None:
        self.result = result
        self.asked: dict[str, Any] = {}

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        stdin: str = "",
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        on_output: Optional[OnOutput] = None,
    ) -> ExecResult:
        self.asked = {
            "argv": argv,
            "cwd": cwd,
            "env": dict(env or {}),
            "stdin": stdin,
            "deadlines": (timeout_seconds, idle_timeout_seconds),
        }
        if on_output is not None:
            on_output("stdout", "at work\n")
        return self.result


ENDED = ExecResult(3, None, "Exited", 1.5, "", "at work\n")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("[Errno 2] No such file or directory: 'agent'", "AgentNotRunnable"),
        ("[Errno 8] Exec format error: 'agent'", "AgentNotRunnable"),
        ("[Errno 13] Permission denied: 'agent'", "AgentNotRunnable"),
        # The worktree, the moment, or what the task brings.
        ("[Errno 2] No such file or directory: '/swarm/tree'", "NotStarted"),
        ("[Errno 11] Resource temporarily unavailable", "NotStarted"),
        ("[Errno 7] Argument list too long: 'agent'", "NotStarted"),
        ("embedded null byte", "NotStarted"),
    ],
)
async def test_a_program_that_is_not_there_is_told_apart(
    said: str, reason: str
) -> None:
    message = f"could not be started: {said}"
    port = RecordingPort(ExecResult(None, None, "NotStarted", 0.0, message, ""))
    outcome = await CommandDriver(["agent"], 5).run(TASK, port, print, 60)
    assert outcome.reason == reason


async def test_the_command_gets_prompt_task_deadlines_and_worktree() -> None:
    port = RecordingPort(ENDED)
    driver = CommandDriver(
        ["agent", "--go"], 5, {"MODEL": "small", "KIRO_TASK_ID": "forged"}
    )
    said: list[str] = []
    outcome = await driver.run(replace(TASK, brief="red"), port, said.append, 60)
    assert (outcome.reason, outcome.exit_code) == ("Exited", 3)
    assert (outcome.message, outcome.tail) == ("the agent exited with 3", "at work\n")
    assert port.asked["argv"] == ["agent", "--go"]
    assert port.asked["cwd"] == TASK.tree
    assert port.asked["deadlines"] == (60, 5)
    assert port.asked["env"]["MODEL"] == "small"
    assert port.asked["env"]["KIRO_TASK_ID"] == "2.1"
    assert "# Task 2.1" in port.asked["stdin"]
    assert "> red" in port.asked["stdin"]
    assert said == ["at work"]


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        (["one\ntwo\n"], ["two"]),
        (["par", "tial\nrest"], ["partial"]),
        (["\n  \n"], []),
        (["10%\r20%\r", "30%\n"], ["10%", "30%"]),
        (["\x1b[31mred\x1b[0m\n"], ["red"]),
        (["x" * 100_000, "\n"], ["x" * 197 + "..."]),
        ([""], []),
    ],
)
def test_progress_is_the_last_whole_line_of_what_came(
    chunks: list[str], said: list[str]
) -> None:
    heard: list[str] = []
    on_output = last_line(heard.append)
    for chunk in chunks:
        on_output("stdout", chunk)
    assert heard == said


def test_lines_of_the_two_streams_are_not_mixed() -> None:
    heard: list[str] = []
    on_output = last_line(heard.append)
    on_output("stdout", "half")
    on_output("stderr", "warning\n")
    on_output("stdout", " done\n")
    assert heard == ["warning", "half done"]
