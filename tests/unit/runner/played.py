"""An agent container that plays the cycles of beast mode as it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

from kiro_swarm.agents.command import CommandDriver
from kiro_swarm.agents.driver import AgentTask
from kiro_swarm.api.swarm import Verification
from kiro_swarm.runner.attempt import Failed, Result, Workshop
from kiro_swarm.runner.cycles import CycleEnd
from kiro_swarm.runner.work import run_attempt
from kiro_swarm.runner.worktree import Cut, Worktree
from kiro_swarm.sandbox.port import ExecResult, OnOutput
from tests.unit.runner.fakes import BASE, FakeClock

AGENT = "agent"
CHECK = "check"
TASK = AgentTask("demo", "demo-1", "1.1", "Greet", 1, "swarm/demo/1.1/1", "/tree")
TRAILER = "uid/1"


@dataclass(frozen=True)
class Turn:
    """One cycle as it is played.

    ``tree`` numbers what the worktree holds after the agent, 0 for nothing. ``agent`` is the
    reason why its process ended, ``untidy`` that of a worktree without work, ``check`` the
    verification's exit status.
    """

    tree: int = 0
    check: int = 1
    output: str = "red"
    agent: str = "Exited"
    untidy: str = ""
    seconds: float = 0
    check_seconds: float = 0
    answers_afterwards: bool = True


GREEN = Turn(tree=9, check=0)


class QuickClock(FakeClock):
    """A clock on which waiting takes no time of the test's."""

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Container:
    """An agent container that plays one turn after the other, then repeats the last."""

    turns: Sequence[Turn]
    clock: FakeClock
    prompts: list[str] = field(default_factory=list)
    told: list[dict[str, str]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    cuts: int = 0
    answers: bool = True

    async def problem(self) -> str:
        return "" if self.answers else "it is gone"

    async def renew(self) -> str:
        return await self.problem()

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
        if argv[0] == AGENT:
            self.prompts.append(stdin)
            self.told.append(dict(env or {}))
            self.timeouts.append(timeout_seconds)
            self.clock.seconds += min(self._turn.seconds, timeout_seconds)
            if on_output is not None:
                on_output("stdout", "at work\n")
            code = 0 if self._turn.agent == "Exited" else None
            why = "" if code == 0 else f"ended: {self._turn.agent}"
            return ExecResult(code, None, self._turn.agent, 1.0, why, "agent's words")
        if argv[0] == CHECK:
            self.clock.seconds += self._turn.check_seconds
            self.answers = self._turn.answers_afterwards
            output = self._turn.output
            return ExecResult(self._turn.check, None, "Exited", 1.0, "", output)
        answer = self._workspace(argv[2], argv[3:])
        return ExecResult(0, None, "Exited", 0.1, "", "", json.dumps(answer))

    @property
    def _turn(self) -> Turn:
        return self.turns[min(len(self.prompts), len(self.turns)) - 1]

    def _workspace(self, verb: str, options: Sequence[str]) -> object:
        if verb == "cut":
            self.cuts += 1
            return {"base": BASE}
        if verb == "restore":
            wanted = [option for option in options if option.startswith("--commit=")]
            self.restored.append(wanted[0].split("=")[1])
            return {"removed": 0}
        turn = self._turn
        if turn.untidy or not turn.tree:
            reason = turn.untidy or "NoChanges"
            return {"commit": None, "reason": reason, "message": "nothing to take"}
        return {
            "commit": commit_of(len(self.prompts)),
            "tree": f"{turn.tree:040x}",
            "files": ["a"],
            "reason": "Done",
        }


def commit_of(cycle: int) -> str:
    """What the container commits in that cycle: always a new commit."""
    return f"{cycle:040x}"


@dataclass
class Played:
    """A played attempt, its container and what was told of it."""

    result: Result
    container: Container
    ends: list[CycleEnd]
    said: list[str]

    @property
    def outcomes(self) -> list[str]:
        return [end.outcome for end in self.ends]

    @property
    def failed(self) -> Failed:
        assert isinstance(self.result, Failed)
        return self.result


async def play(
    *turns: Turn,
    cycles: int = 5,
    timeout: float = 1000,
    verified: bool = True,
    brief: str = "",
) -> Played:
    clock = QuickClock()
    container = Container(turns, clock)
    workshop = Workshop(
        container,
        Worktree(container, "demo-1"),
        CommandDriver([AGENT], 60),
        Verification(command=[CHECK]) if verified else None,
        "swarm/demo/integration",
        clock,
        timeout,
    )
    ends: list[CycleEnd] = []
    said: list[str] = []

    async def on_cut(cut: Cut) -> None:
        assert cut == Cut(BASE, TASK.branch)

    async def on_cycle(end: CycleEnd) -> None:
        ends.append(end)

    task = replace(TASK, cycles=cycles, brief=brief)
    result = await run_attempt(workshop, task, TRAILER, on_cut, said.append, on_cycle)
    return Played(result, container, ends, said)
