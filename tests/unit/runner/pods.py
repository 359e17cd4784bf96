"""An instance pod for tests: a real agent container, a real repository, the runner's side."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from kiro_swarm.agents.command import CommandDriver
from kiro_swarm.agents.driver import AgentTask
from kiro_swarm.api.swarm import Verification
from kiro_swarm.runner.attempt import Known, Result, Workshop
from kiro_swarm.runner.clock import SystemClock
from kiro_swarm.runner.config import RunnerConfig
from kiro_swarm.runner.cycles import CycleEnd
from kiro_swarm.runner.work import run_attempt
from kiro_swarm.runner.worktree import Cut, Worktree
from kiro_swarm.sandbox.socket import AgentSocket
from tests.support import plain_git
from tests.support.entrypoint import Entrypoint
from tests.unit.runner.fakes import uid

INTEGRATION = "swarm/demo/integration"
PROGRAM = [sys.executable, "-c", "from kiro_swarm.cli.main import main; main()"]
RECIPES = {
    "1.1": {"files": {"greeting.txt": "hello\n"}, "say": ["at work"], "exit": 0},
    "1.2": {"files": {"greeting.txt": "hello\n"}, "exit": 3},
}


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    done = plain_git.start(folder, *identity, *arguments)
    done.check_returncode()
    return done.stdout.decode().strip()


class Pod:
    """An instance pod: volume, agent container, and a workshop on top of them."""

    def __init__(self, server: Entrypoint, root: Path) -> None:
        self.server = server
        self.socket = AgentSocket(server.socket)
        self.worktree = Worktree(self.socket, "demo-1", str(root), PROGRAM)
        self.repository = root / "instances" / "demo-1" / "repo.git"
        self.mirror = root / "repo.git"
        self.cuts: list[Cut] = []
        self.cycles: list[CycleEnd] = []
        self.said: list[str] = []

    async def attempt(
        self,
        command: list[str],
        verification: Optional[list[str]] = None,
        task_id: str = "1.1",
        timeout: float = 60,
        idle: float = 60,
        cycles: int = 0,
        known: Optional[Known] = None,
    ) -> Result:
        workshop = Workshop(
            self.socket,
            self.worktree,
            CommandDriver(command, idle),
            Verification(command=verification) if verification else None,
            INTEGRATION,
            SystemClock(),
            timeout,
            known or Known(),
        )
        branch = f"swarm/demo/{task_id}/1"
        task = AgentTask(
            "demo", "demo-1", task_id, "Greet", 1, branch, self.worktree.tree
        )
        return await run_attempt(
            workshop,
            replace(task, cycles=cycles),
            f"{uid(task_id)}/1",
            self.on_cut,
            self.said.append,
            self.on_cycle,
        )

    async def on_cut(self, cut: Cut) -> None:
        self.cuts.append(cut)

    async def on_cycle(self, end: CycleEnd) -> None:
        self.cycles.append(end)


def config(command: list[str], **settings: Any) -> RunnerConfig:
    agent = {"command": command, "env": [{"name": "LANG", "value": "C.UTF-8"}]}
    wanted = {"agent": agent, "integrationBranch": INTEGRATION, **settings}
    return RunnerConfig.from_env(
        {
            "KIRO_SWARM": "demo",
            "KIRO_INSTANCE": "demo-1",
            "KIRO_NAMESPACE": "default",
            "KIRO_CONFIG": json.dumps(wanted),
        }
    )
