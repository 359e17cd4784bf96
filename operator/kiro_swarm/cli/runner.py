"""`kiro-swarm runner`: the runner container of an instance pod, put together."""

from __future__ import annotations

import asyncio
import functools
import signal
from typing import Any

from kiro_swarm.runner.attempt import Workshop, run_attempt
from kiro_swarm.runner.clock import SystemClock
from kiro_swarm.runner.config import RunnerConfig
from kiro_swarm.runner.job import Work
from kiro_swarm.runner.loop import Runner
from kiro_swarm.runner.ports import TaskApi, key_of
from kiro_swarm.runner.socket import AgentSocket
from kiro_swarm.runner.worktree import Worktree


async def run_runner(
    api: TaskApi, config: RunnerConfig, socket: AgentSocket, worktree: Worktree
) -> None:
    """Work on the tasks bound to this instance until SIGTERM."""
    clock = SystemClock()
    workshop = Workshop(
        socket=socket,
        worktree=worktree,
        driver=config.driver(),
        verification=config.settings.verification,
        integration_branch=config.settings.integration_branch,
        clock=clock,
    )

    def work_on(task: dict[str, Any]) -> Work:
        key = key_of(task)
        return functools.partial(
            run_attempt,
            workshop,
            config.agent_task(task, worktree.tree),
            f"{key.uid}/{key.attempt}",
        )

    runner = Runner(
        api, clock, config.instance, work_on, config.settings.heartbeat_seconds
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runner.stop)
    await runner.run()
