"""Beast mode: plan, do, check and act in bounded cycles, all in one attempt.

Called by work.py after the cut. Each cycle is one pass in the worktree that the cycle
before it left; what its check said is the brief of the next. Guarantees: it ends with
the first check that passes, after ``task.cycles`` cycles, when the time of the attempt is
over, when a cycle changed nothing and failed as the one before, or with a failure that
another cycle could not mend; every cycle that began is told to ``on_cycle`` once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Awaitable, Callable, Optional

from kiro_swarm.agents.driver import AgentTask, OnProgress
from kiro_swarm.runner.attempt import (
    AGENT_LOST,
    MENDABLE,
    Failed,
    Finished,
    Pass,
    Result,
    Workshop,
    container_problem,
    run_pass,
)
from kiro_swarm.runner.worktree import Cut, Evidence
from kiro_swarm.sandbox.port import DEADLINE_EXCEEDED

NO_PROGRESS = "NoProgress"
CHECKED = "Checked"


@dataclass(frozen=True)
class CycleEnd:
    """One cycle that is over: the ``number``th of at most ``of``.

    ``outcome`` is one CamelCase word, ``message`` one line; ``commit`` is empty where the
    check found none.
    """

    number: int
    of: int
    outcome: str
    message: str
    commit: str
    started_at: datetime


OnCycle = Callable[[CycleEnd], Awaitable[None]]


async def run_cycles(
    workshop: Workshop,
    cut: Cut,
    task: AgentTask,
    trailer: str,
    on_progress: OnProgress,
    on_cycle: OnCycle,
) -> Result:
    """Go through the cycles of ``task``, at least one; raises WorktreeError."""
    deadline = workshop.clock.monotonic() + workshop.timeout_seconds
    cycle = replace(task, cycle=1)
    before: Optional[_Check] = None
    while True:
        started_at = workshop.clock.now()
        left = deadline - workshop.clock.monotonic()
        say = _named(cycle, on_progress)
        this = await run_pass(workshop, cut, cycle, trailer, say, left)
        await on_cycle(_end_of(cycle, this, started_at))
        if isinstance(this.result, Finished):
            message = f"{this.result.message}; {_name(cycle)}"
            return replace(this.result, message=message)
        check = _Check(this.result, this.found)
        end = _no_more(cycle, check, before)
        if end is None:
            end = await _make_ready(workshop, cut, check)
        if end is None and workshop.clock.monotonic() >= deadline:
            end = _too_late(cycle, check, workshop.timeout_seconds)
        if end is not None:
            return end
        before = check
        cycle = replace(
            task, cycle=cycle.cycle + 1, brief=_next_brief(cycle, check, task.brief)
        )


@dataclass(frozen=True)
class _Check:
    """A check that did not pass, and what it was made of."""

    failed: Failed
    found: Optional[Evidence]

    def same_as(self, other: _Check) -> bool:
        """Whether nothing changed: neither the files nor how the check failed."""
        return (
            (self.failed.reason, self.failed.message)
            == (other.failed.reason, other.failed.message)
            and self.found is not None
            and other.found is not None
            and self.found.tree == other.found.tree
        )


def _no_more(
    cycle: AgentTask, check: _Check, before: Optional[_Check]
) -> Optional[Failed]:
    """How the attempt ends with this check; None: another cycle may mend it."""
    failed = check.failed
    if failed.reason not in MENDABLE:
        message = f"{_name(cycle)}: {failed.message}"
        brief = failed.brief or failed.message
        if before is not None:
            brief += f"\n\nThe check before that: {before.failed.brief}"
        return Failed(failed.reason, message, brief)
    if before is not None and check.same_as(before):
        message = (
            f"{_name(cycle)} changed nothing, and its check failed as the one before: "
            f"{failed.message}"
        )
        return Failed(NO_PROGRESS, message, f"{message}\n\n{failed.brief}")
    if cycle.cycle == cycle.cycles:
        message = f"{failed.message}, in the last cycle of {cycle.cycles}"
        return Failed(failed.reason, message, failed.brief)
    return None


async def _make_ready(workshop: Workshop, cut: Cut, check: _Check) -> Optional[Failed]:
    """Let the next cycle find what this one committed, and nothing of its check."""
    problem = await container_problem(workshop)
    if problem:
        return Failed(AGENT_LOST, problem, check.failed.brief)
    if check.found is not None and check.found.commit is not None:
        await workshop.worktree.restore(cut, check.found.commit)
    return None


def _too_late(cycle: AgentTask, check: _Check, seconds: float) -> Failed:
    message = (
        f"the {seconds:g} s of the attempt were over after {_name(cycle)}; "
        f"its check: {check.failed.message}"
    )
    return Failed(DEADLINE_EXCEEDED, message, f"{message}\n\n{check.failed.brief}")


def _next_brief(cycle: AgentTask, check: _Check, of_attempt: str) -> str:
    brief = f"The check of {_name(cycle)}: {check.failed.brief}"
    if of_attempt.strip():
        brief += f"\n\nFrom the attempt before:\n{of_attempt}"
    return brief


def _end_of(cycle: AgentTask, this: Pass, started_at: datetime) -> CycleEnd:
    found = this.found
    return CycleEnd(
        number=cycle.cycle,
        of=cycle.cycles,
        outcome=this.result.reason if isinstance(this.result, Failed) else CHECKED,
        message=this.result.message,
        commit=(found.commit or "") if found is not None else "",
        started_at=started_at,
    )


def _named(cycle: AgentTask, on_progress: OnProgress) -> OnProgress:
    return lambda message: on_progress(f"{_name(cycle)}: {message}")


def _name(cycle: AgentTask) -> str:
    return f"cycle {cycle.cycle} of {cycle.cycles}"
