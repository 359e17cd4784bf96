"""What a runner is told by its pod: who it is, and how its swarm wants work done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from pydantic import ValidationError

from kiro_swarm.agents.command import CommandDriver
from kiro_swarm.agents.driver import BEAST_MODE, AgentTask
from kiro_swarm.api.faults import first_fault
from kiro_swarm.api.task import KiroTask
from kiro_swarm.api.work_settings import POD_UID, WorkSettings
from kiro_swarm.policy.naming import task_branch
from kiro_swarm.runner.ports import Identity, key_of


class ConfigError(Exception):
    """The environment of the runner is wrong; the message names the variable."""


@dataclass(frozen=True)
class RunnerConfig:
    """Who this runner is and what it works with."""

    swarm: str
    instance: str
    namespace: str
    settings: WorkSettings
    instance_uid: str = ""
    pod_uid: str = ""
    swarm_uid: str = ""

    @property
    def identity(self) -> Identity:
        """Whose tasks are its own."""
        return Identity(self.instance, self.pod_uid)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> RunnerConfig:
        """Read KIRO_SWARM, KIRO_INSTANCE, KIRO_NAMESPACE, KIRO_CONFIG.

        KIRO_INSTANCE_UID, KIRO_POD_UID and KIRO_SWARM_UID, too, where they are there.

        Raises ConfigError: one is missing or not what it should be.
        """
        values = {}
        for name in ("KIRO_SWARM", "KIRO_INSTANCE", "KIRO_NAMESPACE", "KIRO_CONFIG"):
            if not env.get(name):
                raise ConfigError(f"{name} is not set; the operator sets it in the pod")
            values[name] = env[name]
        try:
            settings = WorkSettings.model_validate_json(values["KIRO_CONFIG"])
        except ValidationError as error:
            raise ConfigError(f"KIRO_CONFIG: {first_fault(error)}") from error
        return cls(
            swarm=values["KIRO_SWARM"],
            instance=values["KIRO_INSTANCE"],
            namespace=values["KIRO_NAMESPACE"],
            settings=settings,
            instance_uid=env.get("KIRO_INSTANCE_UID", ""),
            pod_uid=env.get(POD_UID, ""),
            swarm_uid=env.get("KIRO_SWARM_UID", ""),
        )

    def driver(self) -> CommandDriver:
        """The driver of the agent that the swarm names."""
        agent = self.settings.agent
        return CommandDriver(
            command=agent.command,
            idle_timeout_seconds=agent.idle_timeout_seconds,
            env={variable.name: variable.value for variable in agent.env},
        )

    def agent_task(self, task: KiroTask, tree: str) -> AgentTask:
        """A KiroTask as an agent is to know it; ``tree`` is the worktree."""
        spec = task["spec"]
        attempt = key_of(task).attempt
        return AgentTask(
            swarm=self.swarm,
            instance=self.instance,
            id=spec["id"],
            title=spec.get("title") or "",
            attempt=attempt,
            branch=task_branch(self.swarm, spec["id"], attempt),
            tree=tree,
            description=spec.get("description") or "",
            requirements=tuple(spec.get("requirements") or ()),
            brief=task["status"].get("brief") or "",
            checkpoint=bool(spec.get("checkpoint")),
            cycles=(
                self.settings.agent.max_cycles if spec.get("mode") == BEAST_MODE else 0
            ),
        )
