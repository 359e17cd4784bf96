"""Everything around the operator, a step at a time, on the fake API server.

``Cluster`` is kubelet, Job controller and garbage collector, the runners and the writes of
the Jobs. It derives each step from what is there, so that it goes on after any crash.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, cast

from kiro_swarm.api.graph import GRAPH_KEY, MORE_KEY, PublishedGraph
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.resources import (
    CONFIG_MAPS,
    INSTANCES,
    JOBS,
    LEASES,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.lifecycle.attempts import after_failure
from kiro_swarm.lifecycle.edges import RUNNER
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.policy import chain, naming
from kiro_swarm.policy.approval import may_merge
from kiro_swarm.policy.ownership import belongs_to
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.objects.manifests import metadata
from kiro_swarm.tasks.file.wire import pack
from tests.support.fake_api import FakeApi

Object = Any
NAMESPACE = "team"
START = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
BASE = "a" * 40


class Clock:
    """Wall and monotonic time, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Ahead(Clock):
    """The clock of whoever writes the ends of Jobs."""

    def __init__(self, hours: int) -> None:
        super().__init__()
        self._hours = hours

    def now(self) -> datetime:
        return super().now() + timedelta(hours=self._hours)


def swarm_spec(**changes: Any) -> Object:
    """A small valid spec; keyword arguments replace its fields."""
    spec: Object = {
        "repository": {"url": "https://git.example.org/demo.git", "ref": "main"},
        "tasks": {"specPath": ".kiro/specs/demo/tasks.md"},
        "instances": 2,
        "template": {"agent": {"command": ["agent"]}},
    }
    return {**spec, **changes}


def body(resource: AnyResource, name: str, spec: Object, **metadata: Any) -> Object:
    """An object as a person applies it."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **metadata},
        "spec": spec,
    }


def an_entry(kind: str, after: str, swarm_uid: str, *tasks: Object) -> Object:
    """An entry of a ledger, as a Job writes it."""
    named = [
        {
            "id": task["spec"]["id"],
            "uid": task["metadata"]["uid"],
            "attempt": int(task["status"].get("attempt") or 0),
        }
        for task in tasks
    ]
    about = {"kind": kind, "before": "", "after": after, "tasks": named, "gates": []}
    who = {"job": "demo-integrate-1", "swarm": swarm_uid, "command": ""}
    return {**about, **who, "time": "2026-11-22T10:00:00Z"}


class Cluster:
    """What happens around the operator. Every step is derived from what is there."""

    def __init__(self, api: FakeApi, clock: Clock, graph: dict[str, list[str]]) -> None:
        self.api = api
        self.store = api.store
        self.clock = clock
        self.graph = graph
        #: Job name -> termination message of a Job that fails.
        self.failing: dict[str, Object] = {}
        #: (task id, attempt) -> reason of an attempt that fails in the runner.
        self.frozen: set[str] = set()
        #: KiroTasks whose work is on the integration branch, where their boxes are ticked.
        self.merged: set[str] = set()
        #: Whether there is a task file with boxes: not where the tasks are inline.
        self.ticks = True
        #: What the prepare Job says of the task file.
        self.remarks: list[str] = []
        self.tasks_run = True
        #: How each attempt ends: reason and message; empty: well.
        self.agents_fail: dict[str, str] = {}
        #: What an integrate Job says of the volume, in MiB: in use, and all there is.
        self.volume: Optional[tuple[int, int]] = None

    def all(self, resource: AnyResource) -> list[Object]:
        return self.store.select(resource, NAMESPACE)

    def names(self, resource: AnyResource) -> list[str]:
        return [item["metadata"]["name"] for item in self.all(resource)]

    def one(self, resource: AnyResource, name: str) -> Object:
        return self.store.read(resource, NAMESPACE, name)

    def status(self, resource: AnyResource, name: str) -> Object:
        status: Object = self.one(resource, name).get("status") or {}
        return status

    def set_status(self, resource: AnyResource, name: str, **status: Any) -> None:
        self.store.patch(resource, NAMESPACE, name, {"status": status}, "status")

    def task(self, task_id: str, swarm: str = "demo") -> Object:
        return self.status(TASKS, f"{swarm}.{task_id}")

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
            self.start_job(job)
        elif name in self.failing:
            self.end_job(name, self.failing[name], failed=True)
        elif component == "prepare":
            self.end_job(name, self.prepare(job))
        else:
            self.end_job(name, self._integrate(job))

    def start_job(self, job: Object) -> None:
        name, template = job["metadata"]["name"], job["spec"]["template"]
        owner = {"uid": job["metadata"]["uid"], "kind": "Job", "name": name}
        uid_label = {"batch.kubernetes.io/controller-uid": owner["uid"]}
        pod = body(PODS, f"{name}-pod", template["spec"], ownerReferences=[owner])
        pod["metadata"]["labels"] = {**template["metadata"]["labels"], **uid_label}
        self.store.create(PODS, NAMESPACE, pod)

    def end_job(self, name: str, report: Object, failed: bool = False) -> None:
        """The main container of a Job ends with this termination message."""
        if f"{name}-pod" not in self.names(PODS):
            self.start_job(self.one(JOBS, name))
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

    def prepare(self, job: Object) -> Object:
        swarm = job["metadata"]["labels"]["swarm.kiro.dev/swarm"]
        tasks = [
            {
                "id": task_id,
                "title": f"Task {task_id}",
                "dependencies": needs,
                "ticked": self.ticks and f"{swarm}.{task_id}" in self.merged,
            }
            for task_id, needs in self.graph.items()
        ]
        self.publish(swarm, [{**task, "order": n} for n, task in enumerate(tasks)])
        return {
            "base": BASE,
            "head": BASE,
            "tasksFile": "tasks.md",
            "tasks": len(tasks),
            "diagnostics": list(self.remarks),
        }

    def publish(self, swarm: str, tasks: list[Object]) -> None:
        """Put a task graph where the prepare Job puts it."""
        graph = PublishedGraph.model_validate(
            {
                "specPath": "tasks.md",
                "tasks": [{"order": n, "line": n, **t} for n, t in enumerate(tasks, 1)],
            }
        )
        patch = {"binaryData": {GRAPH_KEY: pack(graph)}, "data": {MORE_KEY: None}}
        self.store.patch(CONFIG_MAPS, NAMESPACE, f"{swarm}-graph", patch)

    def _integrate(self, job: Object) -> Object:
        head = BASE
        for task in self.all(TASKS):
            swarm = self.one(SWARMS, task["spec"]["swarm"])
            if not belongs_to(task, swarm["metadata"]["uid"]):
                continue
            integration = swarm["spec"].get("integration") or {}
            if may_merge(task, integration.get("approval", "Never")):
                self.merge(task["metadata"]["name"])
        merged = [t["status"] for t in self.all(TASKS) if t.get("status")]
        for status in sorted(merged, key=lambda s: str(s.get("mergedAt") or "")):
            head = status.get("mergeCommit") or head
        name = job["metadata"]["labels"]["swarm.kiro.dev/swarm"]
        if head != BASE:
            self.note(name, "push", head)
        told = len(self.ledger(name))
        report = {"head": head, "pushed": head, "message": "merged", "ledger": told}
        if self.volume is not None:
            used, size = self.volume
            report.update(volumeUsed=used << 20, volumeSize=size << 20)
        return report

    def merge(self, name: str) -> None:
        """The merge train merges a task, notes it, and says so."""
        self.merged.add(name)
        task = self.one(TASKS, name)
        commit = f"{self.store.version:040x}"
        now = stamp(self.clock.now() + timedelta(microseconds=self.store.version))
        self.note(task["spec"]["swarm"], "merge", commit, task)
        self.set_status(TASKS, name, state="Merged", mergeCommit=commit, mergedAt=now)

    def note(self, swarm: str, kind: str, after: str, *tasks: Object) -> None:
        """A Job writes an entry into the ledger; what it has already is not new."""
        lines, owner = self.ledger(swarm), self.one(SWARMS, swarm)
        moves = [line for line in lines if (line["kind"] == "push") == (kind == "push")]
        if moves and moves[-1]["after"] == after:
            return
        entry = an_entry(kind, after, owner["metadata"]["uid"], *tasks)
        if kind == "push":
            entry["time"] = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        previous = lines[-1]["hash"] if lines else chain.BEGINNING
        line = chain.chained(entry, len(lines) + 1, str(previous))
        data = {chain.key_of(len(lines) + 1): chain.write(line)}
        name = naming.ledger_segment(swarm, 1)
        if name in self.names(CONFIG_MAPS):
            self.store.patch(CONFIG_MAPS, NAMESPACE, name, {"data": data})
        else:
            made = {"metadata": metadata(owner, name, "ledger"), "data": data}
            self.store.create(CONFIG_MAPS, NAMESPACE, made)

    def ledger(self, swarm: str = "demo") -> list[Object]:
        """The lines of a swarm's ledger."""
        name = naming.ledger_segment(swarm, 1)
        found = self.store.find(CONFIG_MAPS, NAMESPACE, name)
        return [] if found is None else chain.read(found["data"])

    def _runner(self, task: Object) -> None:
        status, name = task.get("status") or {}, task["metadata"]["name"]
        if status.get("instance") in self.frozen:
            return
        now = stamp(self.clock.now())
        if status.get("state") == "Bound":
            self.set_status(TASKS, name, state="Running", startedAt=now)
        elif status.get("state") == "Running" and self.agents_fail:
            ended = after_failure(
                cast(KiroTask, task)["status"],
                task["spec"],
                reason=self.agents_fail["reason"],
                message=self.agents_fail["message"],
                brief="",
                now=self.clock.now(),
            )
            patch = checked(cast(KiroTask, task), ended, RUNNER)
            self.store.patch(TASKS, NAMESPACE, name, {"status": patch}, "status")
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
            "app.kubernetes.io/managed-by": "kiro-swarm",
        }
        if instance in self.names(LEASES):
            self.store.patch(LEASES, NAMESPACE, instance, {"spec": spec})
        else:
            uid = self.one(INSTANCES, instance)["metadata"]["uid"]
            owners = [{"kind": "KiroInstance", "name": instance, "uid": uid}]
            lease = body(LEASES, instance, spec, labels=labels, ownerReferences=owners)
            self.store.create(LEASES, NAMESPACE, lease)
