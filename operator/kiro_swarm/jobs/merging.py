"""What the Jobs that move the integration branch share: ledger, gates, plan's path, push.

Used by the integrate and the sync Job. The ledger is mended before they begin. A git error
or a gate container that does not answer ends a Job with a reason in its termination message.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Awaitable, Callable, Iterable, NamedTuple, Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import FINAL_STATES
from kiro_swarm.api.readable import readable
from kiro_swarm.api.reports import IntegrateReport, SyncReport
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.failing import JobError, answered
from kiro_swarm.jobs.gates import ContainerGates
from kiro_swarm.jobs.leaving import unless_deleted
from kiro_swarm.jobs.ledger import Ledger
from kiro_swarm.jobs.owned import has_begun, swarm_of, tasks_of
from kiro_swarm.policy import naming
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.errors import (
    GateUnavailable,
    VolumeOfAnother,
    WorkspaceError,
)
from kiro_swarm.workspace.limits import Limits, limits_of
from kiro_swarm.workspace.mirror import check_owner, claim
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.spec import spec_file
from kiro_swarm.workspace.whose import Owner

log = logging.getLogger(__name__)

#: What a Job says that may have moved the branch.
MovingReport = Union[IntegrateReport, SyncReport]


_MOST_HELD = 10


class Held(NamedTuple):
    """A task that a Job had to leave as it is: its id, and why."""

    task: str
    reason: str
    message: str


class WorkLeft(JobError):
    """The Job did all that it could: some tasks are as they were, or the push failed."""

    def __init__(
        self, held: Iterable[Held], push: Optional[WorkspaceError] = None
    ) -> None:
        found = list(held)
        reasons = [one.reason for one in found]
        said = [f"task {one.task}: {one.message}" for one in found]
        if push is not None:
            # In front: the text is cut at its end, and this concerns all that is merged.
            reasons.append(push.reason)
            said.insert(0, push.message)
        super().__init__(
            "; ".join(said),
            reason=reasons[0],
            tasks=[one.task for one in found[:_MOST_HELD]],
            push=push is not None,
        )


@dataclass(frozen=True)
class Merging:
    """One Job's swarm, and how it merges."""

    client: Client
    env: JobEnvironment
    spec: KiroSwarmSpec
    ledger: Ledger
    deleting: bool = False
    """The swarm is on its way out, and waits for what is nowhere else."""
    begun: bool = True
    """It was prepared, so a volume that does not say whose it is, is its own."""

    @property
    def branch(self) -> str:
        """Name of the integration branch."""
        return branch_of(self.spec, self.env)

    @property
    def plan(self) -> Optional[str]:
        """Path of the tasks.md in the repository; None when the tasks are elsewhere."""
        wanted = self.spec.tasks.spec_path
        return None if wanted is None else spec_file(wanted)

    @property
    def limits(self) -> Limits:
        """What one task may bring."""
        return limits_of(self.spec.integration.max_file_size)

    @property
    def gates_digest(self) -> str:
        """Stands for the gates and what they run in: another one for other gates."""
        gates = [gate.model_dump_json() for gate in self.spec.integration.gates]
        what = [*gates, self.spec.template.model_dump_json()]
        return sha256("\n".join(what).encode()).hexdigest()[:16]

    async def gates(self) -> ContainerGates:
        """The swarm's gates, ready to be run.

        Raises GateUnavailable: there are some, and their container does not answer, or its
        image is of another release.
        """
        loop, socket = asyncio.get_running_loop(), AgentSocket(self.env.socket)
        wanted = self.spec.integration.gates
        limit = self.env.limits.gate_start_seconds
        problem = await socket.until_ready(limit) if wanted else ""
        if problem:
            raise GateUnavailable(f"the gate container cannot be used: {problem}")
        return ContainerGates(socket, wanted, str(self.env.mirror), loop)

    async def finished(self) -> bool:
        """Whether every task is where it stays."""
        tasks = await tasks_of(self.client, self.env)
        return all(status_of(task).get("state") in FINAL_STATES for task in tasks)

    async def push_is_due(self) -> bool:
        """Whether the branch is to be pushed now, as the swarm's policy says."""
        push = self.spec.integration.push
        return push == "Always" or (push == "OnComplete" and await self.finished())

    async def push(self) -> str:
        """Push the branch; the commit that the remote has now, by the ledger too."""
        pushed = await self.send()
        await self.ledger.catch_up()
        return pushed

    async def send(self) -> str:
        """Push the branch, and tell the ledger nothing yet."""
        repository = self.spec.repository
        return await asyncio.get_running_loop().run_in_executor(
            None,
            push_integration,
            self.env.mirror,
            repository.url,
            self.branch,
            self.env.credentials(repository),
            self.env.mover,
        )


async def _claim(merging: Merging) -> None:
    """Have the volume say whose it is, where an earlier release made it.

    Raises VolumeOfAnother. What hinders it to be written hinders nothing else.
    """
    env, loop = merging.env, asyncio.get_running_loop()
    owner = Owner(merging.spec.repository.url, env.uid)
    said: Callable[[], object] = partial(claim, env.mirror, owner)
    if merging.deleting:
        # It may have failed to be prepared, and nothing has to be said for long.
        said = partial(check_owner, env.mirror, owner, begun=merging.begun)
    try:
        await loop.run_in_executor(None, said)
    except VolumeOfAnother:
        raise
    except (WorkspaceError, OSError) as error:
        log.warning("the volume does not say yet whose it is: %s", error)


def branch_of(spec: KiroSwarmSpec, env: JobEnvironment) -> str:
    """Name of the integration branch."""
    return spec.integration.branch or naming.integration_branch(env.swarm)


def _spec(swarm: KiroSwarm, deleting: bool) -> KiroSwarmSpec:
    """The spec; of a swarm on its way out, as much of it as can be read."""
    if not deleting:
        return KiroSwarmSpec.model_validate(swarm["spec"])
    spec, unread = readable(swarm)
    if spec is None:
        raise WorkspaceError(
            f"{', '.join(unread)} cannot be read by this release", reason="InvalidSpec"
        )
    return spec


async def report_of(
    client: Client,
    env: JobEnvironment,
    work: Callable[[Merging], Awaitable[MovingReport]],
) -> int:
    """Do the work of a Job, leave its report or its error; returns the exit status."""
    return await answered(env, _moved(client, env, work))


async def _moved(
    client: Client,
    env: JobEnvironment,
    work: Callable[[Merging], Awaitable[MovingReport]],
) -> int:
    swarm = await swarm_of(client, env)
    deleting = bool(swarm["metadata"].get("deletionTimestamp"))
    spec = _spec(swarm, deleting)
    ledger = Ledger(client, env, branch_of(spec, env))
    merging = Merging(client, env, spec, ledger, deleting, has_begun(swarm))
    await _claim(merging)
    if deleting:
        # What is nowhere else first: the ledger goes with the swarm.
        report = await work(merging)
        with suppress(WorkspaceError, ClusterError):
            await ledger.catch_up()
    else:
        await ledger.catch_up()
        report = await unless_deleted(client, env, work(merging))
    report["ledger"] = ledger.lines
    env.report(report)
    return 0
