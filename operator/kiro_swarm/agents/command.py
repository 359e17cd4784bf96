"""An agent that is a plain command: prompt on stdin, output as progress.

Made by the runner from the swarm's agent settings. The command runs in the task's
worktree inside the agent container.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

from kiro_swarm.agents.driver import AgentOutcome, AgentTask, OnProgress
from kiro_swarm.agents.prompt import build_prompt, environment, one_line
from kiro_swarm.sandbox.port import ExecPort

_LONGEST_LINE = 4096


@dataclass(frozen=True)
class CommandDriver:
    """Runs ``command`` once for each attempt, or once a cycle.

    ``idle_timeout_seconds`` bounds the time without any output. ``env`` is added to the agent
    container's own environment; the variables that name the task win over it.
    """

    command: Sequence[str]
    idle_timeout_seconds: float
    env: Mapping[str, str] = field(default_factory=dict)

    async def run(
        self,
        task: AgentTask,
        socket: ExecPort,
        on_progress: OnProgress,
        timeout_seconds: float,
    ) -> AgentOutcome:
        """See ``AgentDriver.run``; every line of output is a progress message."""
        result = await socket.exec(
            self.command,
            cwd=task.tree,
            env={**self.env, **environment(task)},
            stdin=build_prompt(task),
            timeout_seconds=timeout_seconds,
            idle_timeout_seconds=self.idle_timeout_seconds,
            on_output=last_line(on_progress),
        )
        return AgentOutcome(
            reason=result.reason,
            message=f"the agent {result.describe()}",
            tail=result.tail,
            exit_code=result.exit_code,
        )


def last_line(on_progress: OnProgress) -> Callable[[str, str], None]:
    """Turn chunks of output into progress: the last complete line of each chunk."""
    pending: dict[str, str] = {}

    def on_output(stream: str, text: str) -> None:
        lines = (pending.get(stream, "") + text).splitlines(keepends=True)
        rest = "" if not lines or lines[-1].endswith("\n") else lines.pop()
        # An agent that never ends a line must not fill the runner's memory.
        pending[stream] = rest[-_LONGEST_LINE:]
        for line in reversed(lines):
            message = one_line(line)
            if message:
                on_progress(message)
                return

    return on_output
