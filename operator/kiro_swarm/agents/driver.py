"""The seam between a runner and a coding agent.

A driver turns one task into one run of an agent and says how that run ended. The
runner calls it through ``AgentDriver``; a driver reaches the agent container through
``sandbox.port.ExecPort``. Nothing a driver returns is evidence that work was done: evidence is what
is found in the worktree afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional, Protocol

from kiro_swarm.sandbox.port import ExecPort

NORMAL_MODE = "Normal"
BEAST_MODE = "BeastMode"

OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class AgentTask:
    """One attempt of one task, as a driver needs to know it.

    ``tree`` is the absolute path of the worktree in the agent container; ``brief`` is what
    the last attempt or cycle left behind, empty for the first. A ``checkpoint`` is done without
    a change, too: what counts is that the checks pass. In beast mode this is ``cycle`` of
    at most ``cycles``, otherwise both are 0. Every text comes from a repository or from an
    agent: it is data, of any content and length.
    """

    swarm: str
    instance: str
    id: str
    title: str
    attempt: int
    branch: str
    tree: str
    description: str = ""
    requirements: tuple[str, ...] = ()
    brief: str = ""
    checkpoint: bool = False
    cycle: int = 0
    cycles: int = 0

    @property
    def mode(self) -> str:
        """As in KiroTask.spec.mode."""
        return BEAST_MODE if self.cycles else NORMAL_MODE


@dataclass(frozen=True)
class AgentOutcome:
    """How a run of an agent ended; a claim, not evidence.

    ``reason`` is ``Exited`` when the agent came to an end of its own, ``AgentNotRunnable`` when
    its program is not there, whatever the task, otherwise one of the constants of
    ``sandbox.port``. ``message`` is one clause for a person, ``tail`` the end of its output.
    """

    reason: str
    message: str
    tail: str
    exit_code: Optional[int] = None


class AgentDriver(Protocol):
    """Drives one kind of agent."""

    async def run(
        self,
        task: AgentTask,
        socket: ExecPort,
        on_progress: OnProgress,
        timeout_seconds: float,
    ) -> AgentOutcome:
        """Run the agent on ``task`` until it ends or a deadline ends it.

        ``timeout_seconds`` bounds the whole run. Cancelling this coroutine stops the agent.
        """
        ...
