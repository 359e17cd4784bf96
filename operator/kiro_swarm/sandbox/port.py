"""The port to the container that runs foreign code: start a process there, hear its end.

Called by the runner, the Jobs and the agent drivers, which see nothing else of this room.
What comes back is bounded, and never evidence that work was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping, Optional, Protocol, Sequence

EXITED = "Exited"
DEADLINE_EXCEEDED = "DeadlineExceeded"
IDLE_DEADLINE_EXCEEDED = "IdleDeadlineExceeded"
NOT_STARTED = "NotStarted"
CONNECTION_LOST = "ConnectionLost"

OnOutput = Callable[[str, str], None]


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
