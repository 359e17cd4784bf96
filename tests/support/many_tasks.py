"""One large swarm from its task file to its end, and what that cost.

Real: the API server, the operator process, the repository, the prepare Job's code, every
object and every write. Stand-ins (tests/support/played.py): instances whose pods are ready
at once and whose agents have nothing to do, and a merge train that merges without git.
Used by tests/cluster/test_many_tasks.py and tests/bench/tasks.py.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import psutil

from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import SWARMS, TASKS, AnyResource
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.policy.conditions import is_true
from tests.support.audit import Write
from tests.support.cluster import Cluster
from tests.support.large_spec import large_spec
from tests.support.operator import OperatorProcess
from tests.support.played import PlayedNode
from tests.support.shapes import Object
from tests.support.swarms import swarm
from tests.support.world import World
from tests.unit.workspace.repositories import commit, git

NAME = "large"
#: What the operator has to be told besides: the repository is a folder.
OPTIONS = ("--repository-schemes=file",)
_SPEC = f".kiro/specs/{NAME}/tasks.md"
_PATIENCE = 1200.0


class Recorder(PlayedNode):
    """Also remembers, of each task, which write brought it into each of its states.

    ``versions[id][state]`` is a resource version: there is one order of all writes.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.versions: Dict[str, Dict[str, int]] = {}

    def _seen(self, resource: AnyResource, kind: str, item: Object) -> None:
        if resource is TASKS and kind == "SET":
            state = (item.get("status") or {}).get("state") or "Blocked"
            known = self.versions.setdefault(item["spec"]["id"], {})
            known.setdefault(state, int(item["metadata"]["resourceVersion"]))
        super()._seen(resource, kind, item)


@dataclass(frozen=True)
class Cost:
    """What a process has used so far: seconds of CPU, bytes now, bytes at most."""

    cpu: float
    resident: int
    largest: int


@dataclass(frozen=True)
class Run:
    """A swarm that has come to its end. Seconds count from when it was applied.

    ``created``: until all its tasks were there, ``finished``: until the last was merged.
    ``costs``: of the operator, when it was idle, at ``created`` and at ``finished``.
    """

    created: float
    finished: float
    costs: List[Cost]
    status: Object
    tasks: Dict[str, Object]
    versions: Dict[str, Dict[str, int]]
    writes: List[Write]


async def run(
    server: Cluster,
    operator: OperatorProcess,
    folder: Path,
    *,
    count: int,
    instances: int,
    detail: int = 0,
) -> Run:
    """Apply a swarm of ``count`` tasks in a fresh namespace and wait for its end."""
    assert server.audit_log is not None
    source = _repository(folder / "source", large_spec(count, detail=detail))
    world = await World.make(server.kubeconfig, server.audit_log, NAME)
    node = Recorder(
        await Connection.open(
            kubeconfig=str(server.kubeconfig), user_agent="played-node"
        ),
        NAME,
    )
    node.script.linger_seconds = 2.0
    node.script.merges_at_once = 16
    node.script.heartbeat_seconds = 10.0

    async def prepare_job(item: Object) -> Object:
        words = folder / "termination-message"
        uid = item["metadata"]["uid"]
        volume = folder / "volume"
        volume.mkdir(exist_ok=True)
        env = JobEnvironment(NAME, NAME, uid, root=volume, termination_message=words)
        await prepare(world.client, env)
        said: Object = json.loads(words.read_text())
        return said

    node.script.prepare = prepare_job
    body = swarm(NAME, instances=instances, repository={"url": source.as_uri()})
    body["spec"]["tasks"] = {"specPath": NAME}
    costs = [cost(operator)]
    async with node:
        start = time.monotonic()
        await world.create(SWARMS, body)
        await world.until(SWARMS, NAME, _prepared, _PATIENCE)
        created = time.monotonic() - start
        costs.append(cost(operator))
        ended = await world.until_phase(NAME, "Succeeded", _PATIENCE)
        finished = time.monotonic() - start
        costs.append(cost(operator))
    writes = [one for one in world.audit.writes() if one.namespace == NAME]
    tasks = await world.tasks(NAME)
    await world.client.close()
    status = ended["status"]
    return Run(created, finished, costs, status, tasks, node.versions, writes)


def cost(operator: OperatorProcess) -> Cost:
    """What the operator has used so far."""
    assert operator.process is not None
    process = psutil.Process(operator.process.pid)
    used = process.cpu_times()
    status = Path(f"/proc/{operator.process.pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    largest = int(fields["VmHWM"].split()[0]) * 1024
    return Cost(used.user + used.system, process.memory_info().rss, largest)


def _repository(folder: Path, spec: str) -> Path:
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {_SPEC: spec})
    return folder


def _prepared(item: Object) -> bool:
    return is_true(item.get("status", {}).get("conditions", []), "Prepared")
