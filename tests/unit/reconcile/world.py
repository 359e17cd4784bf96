"""An operator on a fake API server, with a clock that tests move and a small cluster.

``World`` is the operator: its context, its queue, its reconciles, one at a time. The watch
is the store's own list of changes. ``Cluster`` is everything else: kubelet, Job controller,
garbage collector, the runners and the Jobs' own writes, each a step at a time.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import gzip
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    INSTANCES,
    JOBS,
    LEASES,
    PODS,
    SWARMS,
    TASKS,
    WATCHED,
    Resource,
)
from kiro_swarm.handlers.registry import observe
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.context import Context, Key
from kiro_swarm.reconcile.queue import WorkQueue
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.worker import RECONCILERS, list_all
from tests.support.fake_api import FakeApi, client_of, fake_api

Object = dict[str, Any]
NAMESPACE = "team"
START = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
BASE = "a" * 40
SETTINGS = OperatorSettings(image="kiro-swarm:test")
#: An edge of a diamond: 1 before 2 and 3, both before 4.
DIAMOND = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}


class Clock:
    """Wall and monotonic time, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def swarm_spec(**changes: Any) -> Object:
    """A small valid spec; keyword arguments replace its fields."""
    spec: Object = {
        "repository": {"url": "https://git.example.org/demo.git", "ref": "main"},
        "tasks": {"specPath": ".kiro/specs/demo/tasks.md"},
        "instances": 2,
        "template": {"agent": {"command": ["agent"]}},
    }
    return {**spec, **changes}


def body(resource: Resource, name: str, spec: Object, **metadata: Any) -> Object:
    """An object as a person applies it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": spec,
    }


class Cluster:
    """What happens around the operator. Every step is derived from what is there."""

    def __init__(self, api: FakeApi, clock: Clock, graph: dict[str, list[str]]) -> None:
        self.api = api
        self.store = api.store
        self.clock = clock
        self.graph = graph
        #: Job name -> last words of a Job that fails.
        self.failing: dict[str, Object] = {}
        #: (task id, attempt) -> reason of an attempt that fails in the runner.
        self.frozen: set[str] = set()
        self.tasks_run = True

    def all(self, resource: Resource) -> list[Object]:
        return self.store.select(resource, NAMESPACE)

    def names(self, resource: Resource) -> list[str]:
        return [item["metadata"]["name"] for item in self.all(resource)]

    def one(self, resource: Resource, name: str) -> Object:
        return self.store.read(resource, NAMESPACE, name)

    def status(self, resource: Resource, name: str) -> Object:
        status: Object = self.one(resource, name).get("status") or {}
        return status

    def set_status(self, resource: Resource, name: str, **status: Any) -> None:
        self.store.patch(resource, NAMESPACE, name, {"status": status}, "status")

    def task(self, task_id: str, swarm: str = "demo") -> Object:
        return self.status(TASKS, f"{swarm}-{task_id}")

    def step(self) -> None:
        """One moment of the cluster's life."""
        self.store.collect_garbage()
        for pod in self.all(PODS):
            if pod["metadata"]["name"] not in self.frozen:
                self._kubelet(pod)
        for job in self.all(JOBS):
            if job["metadata"]["name"] not in self.frozen and not job.get("status"):
                self._job(job)
        if self.tasks_run:
            for task in self.all(TASKS):
                self._runner(task)

    def _kubelet(self, pod: Object) -> None:
        metadata, status = pod["metadata"], pod.get("status") or {}
        if metadata.get("deletionTimestamp"):
            self.store.remove(PODS, NAMESPACE, metadata["name"])
        elif not status and metadata["labels"].get("swarm.kiro.dev/instance"):
            self.make_ready(metadata["name"])

    def make_ready(self, name: str, ready: bool = True) -> None:
        """The readiness probe of a pod answers."""
        condition = {"type": "Ready", "status": str(ready)}
        self.set_status(PODS, name, phase="Running", conditions=[condition])

    def end_pod(self, name: str, phase: str = "Failed", message: str = "") -> None:
        """The pod is over, as after an eviction."""
        self.set_status(PODS, name, phase=phase, message=message, conditions=[])

    def _job(self, job: Object) -> None:
        name = job["metadata"]["name"]
        component = job["metadata"]["labels"]["swarm.kiro.dev/component"]
        if f"{name}-pod" not in self.names(PODS):
            self._start_job(job)
        elif name in self.failing:
            self.end_job(name, self.failing[name], failed=True)
        elif component == "prepare":
            self.end_job(name, self._prepare(job))
        else:
            self.end_job(name, self._integrate(job))

    def _start_job(self, job: Object) -> None:
        name, template = job["metadata"]["name"], job["spec"]["template"]
        owner = {"uid": job["metadata"]["uid"], "kind": "Job", "name": name}
        uid_label = {"batch.kubernetes.io/controller-uid": owner["uid"]}
        pod = body(PODS, f"{name}-pod", template["spec"], ownerReferences=[owner])
        pod["metadata"]["labels"] = {**template["metadata"]["labels"], **uid_label}
        self.store.create(PODS, NAMESPACE, pod)

    def end_job(self, name: str, report: Object, failed: bool = False) -> None:
        """The main container of a Job ends with these last words."""
        ended = {"exitCode": int(failed), "message": json.dumps(report)}
        container = {"name": "main", "state": {"terminated": ended}}
        phase = "Failed" if failed else "Succeeded"
        self.set_status(PODS, f"{name}-pod", phase=phase, containerStatuses=[container])
        condition = {
            "type": "Failed" if failed else "Complete",
            "status": "True",
            "lastTransitionTime": stamp(self.clock.now()),
        }
        self.set_status(JOBS, name, conditions=[condition])

    def _prepare(self, job: Object) -> Object:
        swarm = job["metadata"]["labels"]["swarm.kiro.dev/swarm"]
        tasks = [
            {"id": task_id, "title": f"Task {task_id}", "dependencies": needs}
            for task_id, needs in self.graph.items()
        ]
        self.publish(swarm, [{**task, "order": n} for n, task in enumerate(tasks)])
        return {"base": BASE, "head": BASE, "tasksFile": "tasks.md", "diagnostics": []}

    def publish(self, swarm: str, tasks: list[Object]) -> None:
        """Put a task graph where the prepare Job puts it."""
        packed = gzip.compress(json.dumps({"tasks": tasks}).encode(), mtime=0)
        data = {"graph.json.gz": base64.b64encode(packed).decode()}
        name = f"{swarm}-graph"
        self.store.patch(CONFIG_MAPS, NAMESPACE, name, {"binaryData": data})

    def _integrate(self, job: Object) -> Object:
        head = BASE
        for task in self.all(TASKS):
            if (task.get("status") or {}).get("state") == "Done":
                self.merge(task["metadata"]["name"])
        merged = [t["status"] for t in self.all(TASKS) if t.get("status")]
        for status in sorted(merged, key=lambda s: str(s.get("mergedAt") or "")):
            head = status.get("mergeCommit") or head
        return {"head": head, "pushed": head, "message": "merged"}

    def merge(self, name: str) -> None:
        """The merge train merges a task."""
        commit = f"{self.store.version:040x}"
        now = stamp(self.clock.now() + timedelta(microseconds=self.store.version))
        self.set_status(TASKS, name, state="Merged", mergeCommit=commit, mergedAt=now)

    def _runner(self, task: Object) -> None:
        status, name = task.get("status") or {}, task["metadata"]["name"]
        if status.get("instance") in self.frozen:
            return
        now = stamp(self.clock.now())
        if status.get("state") == "Bound":
            self.set_status(TASKS, name, state="Running", startedAt=now)
        elif status.get("state") == "Running":
            done = {"finishedAt": now, "commit": "c" * 40, "baseCommit": BASE}
            seconds = status.get("runningSeconds", 0) + 1.0
            self.set_status(TASKS, name, state="Done", runningSeconds=seconds, **done)

    def beat(self, instance: str) -> None:
        """The heartbeat of an instance, as its runner writes it."""
        spec = {"renewTime": stamp(self.clock.now())}
        labels = {
            "swarm.kiro.dev/instance": instance,
            "swarm.kiro.dev/swarm": instance.rsplit("-", 1)[0],
        }
        if instance in self.names(LEASES):
            self.store.patch(LEASES, NAMESPACE, instance, {"spec": spec})
        else:
            self.store.create(
                LEASES, NAMESPACE, body(LEASES, instance, spec, labels=labels)
            )


class World:
    """One operator process, and the cluster that it is in."""

    def __init__(
        self,
        api: FakeApi,
        client: Client,
        clock: Clock,
        graph: dict[str, list[str]],
        settings: OperatorSettings,
    ) -> None:
        self.api, self.client, self.clock = api, client, clock
        self.cluster = Cluster(api, clock, graph)
        self.settings = settings
        self.ctx = self._context()
        self._seen = 0

    def _context(self) -> Context:
        return Context(
            client=self.client,
            cache=Cache(),
            queue=WorkQueue(self.clock.monotonic),
            settings=self.settings,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
        )

    async def restart(self) -> None:
        """A new process: nothing is remembered, everything is listed."""
        self.ctx = self._context()
        self._seen = len(self.api.store.changes)
        await list_all(self.ctx)

    def apply_swarm(self, name: str = "demo", **changes: Any) -> None:
        """A person applies a KiroSwarm."""
        swarm = body(SWARMS, name, swarm_spec(**changes))
        self.api.store.create(SWARMS, NAMESPACE, swarm)

    def edit_swarm(self, name: str = "demo", **changes: Any) -> None:
        """A person changes its spec."""
        self.api.store.patch(SWARMS, NAMESPACE, name, {"spec": changes})

    def say(self, sentence: str, name: str = "word", **spec: Any) -> None:
        """A person applies a SwarmCommand."""
        spec = {"swarm": "demo", "command": sentence, **spec}
        self.api.store.create(COMMANDS, NAMESPACE, body(COMMANDS, name, spec))

    def answer(self, name: str = "word") -> Object:
        """What became of a command."""
        return self.cluster.status(COMMANDS, name)

    def status(self, name: str = "demo") -> Object:
        """Status of the swarm."""
        return self.cluster.status(SWARMS, name)

    def conditions(self, name: str = "demo") -> dict[str, tuple[str, str]]:
        """Condition -> status and reason."""
        return {
            item["type"]: (item["status"], item["reason"])
            for item in self.status(name).get("conditions", [])
        }

    def listen(self) -> bool:
        """Deliver what the watches have to say; whether there was anything."""
        news = self.api.store.changes[self._seen :]
        self._seen += len(news)
        for change in news:
            if change.resource in WATCHED:
                item = copy.deepcopy(change.after or change.before)
                kind = "MODIFIED" if change.after else "DELETED"
                observe(self.ctx, change.resource, {"type": kind, "object": item})
        return bool(news)

    async def settle(self) -> None:
        """Reconcile until nothing is left to be done at this moment."""
        for _ in range(1000):
            self.listen()
            key = await self._next()
            if key is None:
                if not self.listen():
                    return
                continue
            await self._reconcile(key)
            if self.api.crashed:
                raise ConnectionError("the operator is dead")
        raise AssertionError("the operator never comes to rest")

    async def live(self, steps: int) -> None:
        """Let operator and cluster take turns, a second each."""
        for _ in range(steps):
            await self.settle()
            self.cluster.step()
            self.clock.seconds += 1.0
        await self.settle()

    async def _reconcile(self, key: Key) -> None:
        queue = self.ctx.queue
        try:
            await RECONCILERS[key.resource](self.ctx, key)
        except (errors.Conflict, errors.Unavailable, errors.NotFound) as error:
            queue.failed(key, error.retry_after)
        else:
            queue.succeeded(key)
        finally:
            queue.done(key)

    async def _next(self) -> Optional[Key]:
        """The next key that is due, without waiting for time to pass."""
        waiting = asyncio.ensure_future(self.ctx.queue.take())
        for _ in range(4):
            await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return None
        key = waiting.result()
        assert isinstance(key, Key)
        return key

    def everything(self) -> dict[str, Any]:
        """All that matters, without uids, times and versions, to compare two worlds."""
        cluster = self.cluster
        found: dict[str, Any] = {
            resource.plural: sorted(
                item["metadata"]["name"] for item in cluster.all(resource)
            )
            for resource in cluster.store.resources
            if resource.plural != "events"  # a courtesy: lost when the operator dies
        }
        fields = ("state", "attempt", "branch", "failures", "instance")
        found["states"] = self._fields(TASKS, fields)
        fields = ("phase", "restarts", "pod", "task")
        found["phases"] = self._fields(INSTANCES, fields)
        fields = ("phase", "message", "progress", "readiness", "tasks", "prepare")
        found["status"] = self._fields(SWARMS, fields)
        for swarm in cluster.names(SWARMS):
            found[f"conditions of {swarm}"] = self.conditions(swarm)
            integration = self.status(swarm).get("integration") or {}
            found[f"batch of {swarm}"] = integration.get("batch")
        return found

    def _fields(self, resource: Resource, fields: tuple[str, ...]) -> Object:
        return {
            item["metadata"]["name"]: {
                field: (item.get("status") or {}).get(field) for field in fields
            }
            for item in self.cluster.all(resource)
        }


@contextlib.asynccontextmanager
async def a_world(
    folder: Path,
    graph: Optional[dict[str, list[str]]] = None,
    settings: OperatorSettings = SETTINGS,
) -> AsyncIterator[World]:
    """A world without any object yet."""
    clock = Clock()
    async with fake_api(clock.now) as api, client_of(api, folder) as client:
        yield World(api, client, clock, graph or DIAMOND, settings)
