"""Plays the node: kubelet, Job controller, garbage collector, runner and merge train.

On an API server without nodes nothing becomes ready by itself. ``PlayedNode`` does what the
others would do, through the same functions where there are some (the runner's reports, the
published graph, the merge train's status), so that the operator meets real objects and
real conflicts. What it does not play: git, containers, clocks that differ.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple

from kiro_swarm.api.access import spec_of
from kiro_swarm.api.graph import GRAPH_KEY
from kiro_swarm.api.meta import (
    BOUND,
    COMPONENT_PREPARE,
    DONE,
    LABEL_COMPONENT,
    LABEL_INSTANCE,
    LABEL_MANAGED_BY,
    LABEL_SWARM,
    MANAGED_BY,
    RUNNING,
)
from kiro_swarm.cluster import errors, leases
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import (
    CONFIG_MAPS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.jobs.integrate import status_after
from kiro_swarm.lifecycle.edges import INTEGRATE, RUNNER
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.policy import naming
from kiro_swarm.policy.approval import may_merge
from kiro_swarm.runner import report
from kiro_swarm.runner.attempt import Finished
from kiro_swarm.runner.worktree import Cut
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import pack, publish
from kiro_swarm.workspace.outcomes import Merged
from tests.support import statuses
from tests.support.script import Script
from tests.support.shapes import Object

Attempt = Tuple[str, int]  # id of the task, number of the attempt
_WATCHED = (PODS, JOBS, TASKS, INSTANCES, SWARMS)


class PlayedNode:
    """Everything beside the operator, in one namespace.

    ``started`` and ``finished`` tell, in order, which attempts were begun and which were
    reported Done; ``merged`` which attempts the merge train took.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._client = Client(connection)
        self._namespace = namespace
        self.script = Script()
        self.started: List[Tuple[str, int, str]] = []
        self.finished: List[Attempt] = []
        self.merged: List[Attempt] = []
        self._objects: Dict[AnyResource, Dict[str, Object]] = {
            resource: {} for resource in _WATCHED
        }
        self._merging = asyncio.Condition()
        self._done = asyncio.Event()
        self._busy: Dict[object, asyncio.Task[None]] = {}
        self._watches: List[asyncio.Task[None]] = []

    @classmethod
    async def open(cls, kubeconfig: str, namespace: str) -> PlayedNode:
        """A node with a connection of its own, named in the audit log."""
        connection = await Connection.open(
            kubeconfig=kubeconfig, user_agent="played-node"
        )
        return cls(connection, namespace)

    async def __aenter__(self) -> PlayedNode:
        self._watches = [
            asyncio.ensure_future(self._follow(resource)) for resource in _WATCHED
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        running = [*self._watches, *self._busy.values()]
        for task in running:
            task.cancel()
        results = await asyncio.gather(*running, return_exceptions=True)
        await self._client.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def until_merged(self, count: int, patience: float = 60.0) -> None:
        """Wait until the merge train has taken so many attempts."""
        async with self._merging:
            done = self._merging.wait_for(lambda: len(self.merged) >= count)
            await asyncio.wait_for(done, patience)

    async def _follow(self, resource: AnyResource) -> None:
        """Look at every change of a resource; a server that is away comes back."""
        while True:
            with contextlib.suppress(errors.Unavailable, errors.Expired):
                async for kind, item in self._client.watch(resource, self._namespace):
                    self._seen(resource, kind, item)
            await asyncio.sleep(0.2)

    def _seen(self, resource: AnyResource, kind: str, item: Object) -> None:
        metadata = item["metadata"]
        if kind == "GONE":
            self._objects[resource].pop(metadata["name"], None)
            self._stop(metadata["uid"])
            self._play(("collect", metadata["uid"]), self._collect(metadata["uid"]))
            return
        self._objects[resource][metadata["name"]] = item
        if resource is PODS and metadata.get("labels", {}).get(LABEL_INSTANCE):
            self._play(metadata["uid"], self._kubelet(item))
        elif resource is JOBS and not statuses.ended(item):
            self._play(metadata["uid"], self._job(item))
        if resource is TASKS:
            self._runner(item)
            if (item.get("status") or {}).get("state") == DONE:
                self._done.set()
        elif resource is PODS:
            for task in list(self._objects[TASKS].values()):
                self._runner(task)

    def _play(self, key: object, part: Any) -> None:
        """Run a part unless it runs; a server that is away makes it start again."""
        if key in self._busy:
            part.close()
            return
        task = asyncio.ensure_future(part)
        self._busy[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: object, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._busy.pop(key, None)  # a defect stays, and is raised at the end

    def _stop(self, uid: str) -> None:
        """What runs in a pod that is gone runs no more."""
        for key, task in list(self._busy.items()):
            if key == uid or (isinstance(key, tuple) and uid in key):
                task.cancel()

    async def _patient(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """The answer of the API server, also of one that is away for a moment."""
        while True:
            try:
                return await call()
            except errors.Unavailable:
                await asyncio.sleep(0.2)

    # ------------------------------------------------------------------ kubelet

    async def _kubelet(self, pod: Object) -> None:
        """Make an instance pod ready, and its runner's heart beat."""
        metadata = pod["metadata"]
        ended = pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
        if ended or not self.script.pods_ready or metadata.get("deletionTimestamp"):
            return
        if not statuses.is_ready(pod):
            await self._status(PODS, metadata["name"], statuses.pod_status("Running"))
        instance = metadata["labels"][LABEL_INSTANCE]
        while self.script.heartbeat_seconds is not None:
            if metadata["name"] not in self.script.silent:
                await self._beat(pod, instance)
            await asyncio.sleep(self.script.heartbeat_seconds)

    async def _beat(self, pod: Object, instance: str) -> None:
        labels = pod["metadata"]["labels"]
        owned: leases.Belongs = {
            "labels": {
                LABEL_SWARM: labels[LABEL_SWARM],
                LABEL_INSTANCE: instance,
                LABEL_MANAGED_BY: MANAGED_BY,
            },
            "ownerReferences": pod["metadata"]["ownerReferences"],
        }
        await self._patient(
            lambda: leases.renew(
                self._client,
                self._namespace,
                instance,
                holder=instance,
                seconds=40,
                now=statuses.now(),
                belongs=owned,
            )
        )

    async def fail_pod(self, name: str) -> None:
        """Let a pod end as if its node had evicted it."""
        words = {"phase": "Failed", "reason": "Evicted", "message": "evicted"}
        await self._status(
            PODS, name, {**words, "conditions": statuses.conditions("False")}
        )

    # ------------------------------------------------------------------ Job controller

    async def _job(self, job: Object) -> None:
        """Run a Job: what its pod would do, then its end."""
        labels = job["metadata"]["labels"]
        swarm = labels[LABEL_SWARM]
        if labels[LABEL_COMPONENT] == COMPONENT_PREPARE:
            words = await self._patient(lambda: self._prepare(swarm))
        else:
            words = await self._patient(lambda: self._integrate(swarm))
        await self._patient(lambda: self._job_pod(job, words))
        good = "reason" not in words
        await self._status(JOBS, job["metadata"]["name"], statuses.job_status(good))

    async def _job_pod(self, job: Object, words: Object) -> None:
        pod = statuses.pod_of(job)
        with contextlib.suppress(errors.AlreadyExists):
            await self._client.create(PODS, self._namespace, pod)
        name = pod["metadata"]["name"]
        await self._status(PODS, name, statuses.job_ended(words))

    async def _prepare(self, name: str) -> Object:
        """Publish the graph of ``spec.tasks.inline``, as the prepare Job does."""
        if self.script.prepare_failures:
            return self.script.prepare_failures.pop(0)
        swarm: Object = await self._client.get(SWARMS, self._namespace, name)
        if self.script.prepare is not None:
            return await self.script.prepare(swarm)
        graph = publish(parse(swarm["spec"]["tasks"]["inline"]), "spec.tasks.inline")
        if graph.errors:
            problems = [str(item) for item in graph.errors]
            return {
                "reason": "TaskFileInvalid",
                "message": f"spec.tasks.inline: {'; '.join(problems)}",
                "diagnostics": problems,
            }
        patch, place = {"binaryData": {GRAPH_KEY: pack(graph)}}, naming.graph_name(name)
        await self._client.patch(CONFIG_MAPS, self._namespace, place, patch)
        return {
            **{"base": statuses.sha("base"), "diagnostics": []},
            "tasksFile": "spec.tasks.inline",
            "head": statuses.sha("base"),
            "tasks": len(graph.tasks),
        }

    async def _integrate(self, swarm: str) -> Object:
        """Merge every Done task that may be, as the integrate Job does, until none is."""
        head = ""
        fields = f"spec.swarm={swarm},status.state={DONE}"
        while True:
            spec = spec_of(await self._client.get(SWARMS, self._namespace, swarm))
            approval = spec.integration.approval if spec else "Never"
            done, _ = await self._client.list(TASKS, self._namespace, fields=fields)
            found = [task for task in done if may_merge(task, approval)]
            if not found:
                if await self._linger():
                    continue
                return (
                    {"head": head, "message": "merged"}
                    if head
                    else {"head": "", "message": ""}
                )
            many = self.script.merges_at_once
            for start in range(0, len(found), many):
                merges = [self._merge(t, head) for t in found[start : start + many]]
                head = [head, *filter(None, await asyncio.gather(*merges))][-1]

    async def _merge(self, task: Object, before: str) -> str:
        """Merge a Done task; the commit, or nothing if somebody else wrote meanwhile."""
        attempt = (task["spec"]["id"], task["status"]["attempt"])
        merged = Merged(commit=statuses.sha(f"merge {attempt}"), before=before)
        patch = status_after(task, merged, statuses.now())
        if not await self._report(task, patch, INTEGRATE):
            return ""
        async with self._merging:
            self.merged.append(attempt)
            self._merging.notify_all()
        return merged.commit

    async def _linger(self) -> bool:
        """Wait a little for another Done task, as the integrate Job does."""
        self._done.clear()
        try:
            await asyncio.wait_for(self._done.wait(), self.script.linger_seconds)
        except asyncio.TimeoutError:
            return False
        return True

    # ------------------------------------------------------------------ runner

    def _runner(self, task: Object) -> None:
        """Begin the attempt of a task that is bound to a pod which is there."""
        status = task.get("status") or {}
        if status.get("state") != BOUND:
            return
        pods = {
            pod["metadata"]["uid"]
            for name, pod in self._objects[PODS].items()
            if not pod["metadata"].get("deletionTimestamp")
            and name not in self.script.silent
        }
        if status["podUid"] not in pods:
            return
        key = (task["metadata"]["uid"], status["attempt"], status["podUid"])
        self._play(key, self._attempt(task))

    async def _attempt(self, task: Object) -> None:
        status = task["status"]
        attempt = (task["spec"]["id"], int(status["attempt"]))
        cut = Cut(base=statuses.sha("base"), branch=status["branch"])
        begun = await self._tell(
            task, BOUND, lambda _: report.running(cut, statuses.now())
        )
        if begun is None:
            return
        self.started.append((*attempt, status["instance"]))
        failure = await self.script.work(begun)
        done = Finished(
            statuses.sha(str(attempt)), cut.base, cut.branch, 0.1, "one commit"
        )

        def end(now: Object) -> Object:
            if failure is not None:
                return report.failed(now, failure, statuses.now())
            return report.done(now["status"], done, statuses.now())

        if await self._tell(begun, RUNNING, end) and failure is None:
            self.finished.append(attempt)

    async def _tell(
        self, task: Object, state: str, patch: Callable[[Object], Object]
    ) -> Optional[Object]:
        """Report on an attempt in this state, as a runner does: None when fenced off.

        Somebody may have written meanwhile, a person's wish for example: it is read again.
        """
        name, attempt = task["metadata"]["name"], task["status"]["attempt"]
        while (task["status"]["attempt"], task["status"]["state"]) == (attempt, state):
            written = await self._report(task, patch(task), RUNNER)
            if written is not None:
                return written
            try:
                task = await self._patient(
                    lambda: self._client.get(TASKS, self._namespace, name)
                )
            except errors.NotFound:
                return None
        return None

    async def _report(self, task: Object, patch: Object, by: str) -> Optional[Object]:
        """Write a task's status if it is as it was read; None if it is not."""
        metadata = task["metadata"]
        checked(task, patch, by)
        try:
            written: Object = await self._patient(
                lambda: self._client.patch_status(
                    TASKS,
                    self._namespace,
                    metadata["name"],
                    patch,
                    version=metadata["resourceVersion"],
                )
            )
        except (errors.Conflict, errors.NotFound):
            return None
        return written

    # ------------------------------------------------------------------ collector

    async def _collect(self, uid: str) -> None:
        """Delete what the object of this uid owned, also what no watch has told of yet."""
        kinds: tuple[AnyResource, ...] = (INSTANCES, TASKS, JOBS, PODS)
        for resource in kinds:
            here = (resource, self._namespace)
            ask = functools.partial(self._client.list, *here)
            for item in (await self._patient(ask))[0]:
                named = (*here, item["metadata"]["name"])
                remove = functools.partial(self._client.delete, *named, grace_seconds=0)
                owners = item["metadata"].get("ownerReferences") or []
                if any(owner["uid"] == uid for owner in owners):
                    await self._patient(remove)

    async def _status(self, resource: AnyResource, name: str, status: Object) -> None:
        with contextlib.suppress(errors.NotFound):
            await self._patient(
                lambda: self._client.patch_status(
                    resource, self._namespace, name, status
                )
            )
