"""The seam between a runner and a coding agent.

A driver turns one task into one run of an agent and says how that run ended. The
runner calls it through `AgentDriver`; a driver reaches the agent container through
`ExecPort`. Nothing a driver returns is evidence that work was done: evidence is what
is found in the worktree afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Protocol, Sequence

EXITED = "Exited"
DEADLINE_EXCEEDED = "DeadlineExceeded"
IDLE_DEADLINE_EXCEEDED = "IdleDeadlineExceeded"
NOT_STARTED = "NotStarted"
CONNECTION_LOST = "ConnectionLost"

NORMAL_MODE = "Normal"
BEAST_MODE = "BeastMode"

OnOutput = Callable[[str, str], None]
OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class ExecResult:
    """How one process in the agent container ended.

    `reason` is one of the constants above; `exit_code` and `signal` are set only when
    the process was started and its end was seen. `tail` is the end of stdout and
    stderr as they came in (at most 64 Ki characters), `stdout` the beginning of stdout
    alone (at most 1 Mi characters).
    """

    exit_code: Optional[int]
    signal: Optional[int]
    reason: str
    seconds: float
    message: str
    tail: str
    stdout: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the process ended by itself with exit code 0."""
        return self.reason == EXITED and self.exit_code == 0

    def describe(self) -> str:
        """One clause for a person: how the process ended."""
        if self.reason != EXITED:
            return self.message or self.reason
        if self.signal is not None:
            return f"was ended by signal {self.signal}"
        return f"exited with {self.exit_code}"


class ExecPort(Protocol):
    """Runs a process in the agent container; never raises for what happens there."""

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
        """Run `argv` in the directory `cwd` until it ends or a deadline ends it.

        `on_output` gets ("stdout" or "stderr", text). Cancelling ends the process.
        """
        ...


@dataclass(frozen=True)
class AgentTask:
    """One attempt of one task, as a driver needs to know it.

    `tree` is the absolute path of the worktree in the agent container; `brief` is what
    the last attempt or cycle left behind, empty for the first. A `checkpoint` is done without
    a change, too: what counts is that the checks pass. In beast mode this is `cycle` of
    at most `cycles`, otherwise both are 0. Every text comes from a repository or from an
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

    `reason` is `Exited` when the agent came to an end of its own, otherwise one of the
    constants above. `message` is one clause for a person, `tail` the end of its output.
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
        """Run the agent on `task` until it ends or a deadline ends it.

        `timeout_seconds` bounds the whole run. Cancelling this coroutine stops the agent.
        """
        ...
