"""One attempt of one task: cut a branch, then one pass or the cycles of beast mode.

A plain coroutine over ports, called by an AttemptRun. It knows nothing of Kubernetes
and keeps no state: an attempt whose runner died is tried again from the start.
"""

from __future__ import annotations

from typing import Awaitable, Callable

from kiro_swarm.agents.driver import AgentTask, OnProgress
from kiro_swarm.lifecycle.reasons import AGENT_UNAVAILABLE, WORKSPACE_FAILED
from kiro_swarm.runner.attempt import (
    Failed,
    Result,
    Workshop,
    container_problem,
    run_pass,
)
from kiro_swarm.runner.cycles import OnCycle, run_cycles
from kiro_swarm.runner.worktree import Cut, WorktreeError

OnCut = Callable[[Cut], Awaitable[None]]


async def run_attempt(
    workshop: Workshop,
    task: AgentTask,
    trailer: str,
    on_cut: OnCut,
    on_progress: OnProgress,
    on_cycle: OnCycle,
) -> Result:
    """Work on ``task`` until it is finished or has failed.

    ``on_cut`` is awaited before the agent starts, ``on_cycle`` after each cycle of beast
    mode; what they raise ends the attempt.
    """
    problem = await container_problem(workshop)
    if problem:
        return Failed(AGENT_UNAVAILABLE, problem)
    try:
        cut = await workshop.worktree.cut(task.branch, workshop.integration_branch)
        await on_cut(cut)
        if task.cycles:
            return await run_cycles(workshop, cut, task, trailer, on_progress, on_cycle)
        timeout = workshop.timeout_seconds
        only = await run_pass(workshop, cut, task, trailer, on_progress, timeout)
        return only.result
    except WorktreeError as error:
        return Failed(WORKSPACE_FAILED, str(error))
