"""An agent that is a plain command: prompt on stdin, output as progress.

Made by the runner from the swarm's agent settings. The command runs in the task's
worktree inside the agent container.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

from kiro_swarm.agents.driver import AgentOutcome, AgentTask, OnProgress
from kiro_swarm.agents.prompt import build_prompt, environment, one_line
from kiro_swarm.lifecycle.reasons import AGENT_NOT_RUNNABLE
from kiro_swarm.sandbox.port import NOT_STARTED, ExecPort, ExecResult

_LONGEST_LINE = 4096
#: What the kernel says of the program itself: not there, or none that it can run. That there is
#: no room for a process, or that the arguments are too long, may be the moment's or the task's.
_OF_THE_PROGRAM = (
    *(errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR),
    *(errno.EISDIR, errno.ELOOP, errno.ELIBBAD),
)


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
            reason=(
                AGENT_NOT_RUNNABLE if _lacks(result, self.command[0]) else result.reason
            ),
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


def _lacks(result: ExecResult, program: str) -> bool:
    """Whether a process could not be started for its program, and for nothing else.

    It is named at the end of what the system said; a folder that is not there would be as well.
    """
    if result.reason != NOT_STARTED or not result.message.endswith(f": {program!r}"):
        return False
    return any(f"[Errno {number}] " in result.message for number in _OF_THE_PROGRAM)
