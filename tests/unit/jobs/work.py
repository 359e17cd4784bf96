"""What the Jobs work on: a KiroSwarm and its KiroTasks on a fake API server."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import CONFIG_MAPS, SWARMS, TASKS
from kiro_swarm.jobs.environment import JobEnvironment, Limits
from kiro_swarm.policy import chain
from kiro_swarm.workspace.outcomes import Candidate
from tests.support.fake_api import FakeApi
from tests.unit.reconcile.surroundings import NAMESPACE, body, swarm_spec
from tests.unit.workspace.repositories import SPEC, Swarm

Object = Any
#: Nobody comes later in most tests.
QUICK = Limits(linger_seconds=0.1, gate_start_seconds=0.2, name_seconds=0.1)


@dataclass
class Job:
    """One Job's surroundings."""

    api: FakeApi
    client: Client
    repositories: Swarm
    folder: Path
    limits: Limits = QUICK

    @property
    def env(self) -> JobEnvironment:
        found = self.api.store.find(SWARMS, NAMESPACE, "demo")
        return JobEnvironment(
            "demo",
            NAMESPACE,
            found["metadata"]["uid"] if found else "uid",
            root=self.repositories.top,
            socket=str(self.folder / "none.sock"),
            credentials_folder=self.folder / "credentials",
            tasks_folder=self.folder / "tasks",
            termination_message=self.folder / "termination-message",
            job="demo-job-1",
            limits=self.limits,
        )

    def limit(self, **changes: Any) -> None:
        """Give the Job other limits."""
        self.limits = replace(self.limits, **changes)

    def apply(self, **changes: Any) -> None:
        """The swarm, and the ConfigMap that the operator makes."""
        spec = swarm_spec(
            **{
                "repository": {"url": self.repositories.url, "ref": "main"},
                "tasks": {"specPath": SPEC},
                **changes,
            }
        )
        self.api.store.create(SWARMS, NAMESPACE, body(SWARMS, "demo", spec))
        self.api.store.create(
            CONFIG_MAPS, NAMESPACE, {"metadata": {"name": "demo-graph"}}
        )

    def words(self) -> Object:
        """The termination message of the Job."""
        said: Object = json.loads(self.env.termination_message.read_text())
        return said

    def ledger(self) -> list[Object]:
        """The lines of the ledger; the chain holds."""
        maps = [
            item
            for item in self.api.store.select(CONFIG_MAPS, NAMESPACE)
            if item["metadata"]["name"].startswith("demo-ledger-")
        ]
        texts: dict[str, str] = {}
        for item in maps:
            texts.update(item["data"])
        lines = chain.read(texts)
        assert chain.problems_of(lines) == []
        return lines

    def graph(self) -> Object:
        """The published graph."""
        published = self.api.store.read(CONFIG_MAPS, NAMESPACE, "demo-graph")
        packed = published["binaryData"]["graph.json.gz"]
        graph: Object = json.loads(gzip.decompress(base64.b64decode(packed)))
        return graph

    def done(self, candidate: Candidate, **spec: Any) -> None:
        """A KiroTask that its runner reported as Done."""
        name = f"demo-{candidate.task_id}"
        about = {"id": candidate.task_id, "title": candidate.title}
        spec = {"swarm": "demo", **about, "maxAttempts": 3, **spec}
        owners = [{"uid": self.env.uid}]
        made = body(TASKS, name, spec, ownerReferences=owners)
        self.api.store.create(TASKS, NAMESPACE, made)
        status = {
            "state": "Done",
            "attempt": candidate.attempt,
            "instance": candidate.instance_dir.name,
            "branch": candidate.branch,
            "commit": candidate.commit,
            "baseCommit": candidate.base,
            "readyAt": f"2026-11-22T10:00:0{candidate.task_id[-1]}.000000Z",
        }
        self.api.store.patch(TASKS, NAMESPACE, name, {"status": status}, "status")
        # The commits carry this uid in their trailers.
        uid = {"metadata": {"uid": candidate.uid}}
        self.api.store.patch(TASKS, NAMESPACE, name, uid)
        self.api.tell()

    def status(self, task_id: str) -> Object:
        status: Object = self.api.store.read(TASKS, NAMESPACE, f"demo-{task_id}")[
            "status"
        ]
        return status
