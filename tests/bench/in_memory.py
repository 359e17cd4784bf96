"""An operator's decisions without an API server: what a state change costs by itself.

Used by tests/bench/tasks.py. Context, cache, queue and reconciles are the operator's own;
objects are in a store in memory, so what is measured is deciding, not speaking.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime, timedelta, timezone
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple, cast

from kiro_swarm.api.meta import BOUND, DONE, LABEL_INSTANCE, MERGED, RUNNING
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS, TASKS, AnyResource
from kiro_swarm.policy import naming
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.instances import instance as instances
from kiro_swarm.reconcile.objects.manifests import metadata, owner
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.swarms import swarm as swarms
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import publish
from tests.support.fake_store import Refused, Store
from tests.support.large_spec import large_spec
from tests.support.swarms import swarm

Object = Any
NAMESPACE = "bench"
NAME = "large"
_NEXT = {BOUND: RUNNING, RUNNING: DONE, DONE: MERGED}
_RECONCILE: Dict[AnyResource, Callable[[Context, Key], Awaitable[None]]] = {
    SWARMS: swarms.reconcile,
    INSTANCES: instances.reconcile,
}


def now() -> datetime:
    return datetime.now(timezone.utc)


class MemoryClient:
    """The verbs of ``cluster.Client`` that a working swarm needs, on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(
        self, resource: AnyResource, namespace: str, body: Object
    ) -> Object:
        try:
            return self._store.create(resource, namespace, body)
        except Refused as refused:
            raise errors.AlreadyExists(refused.message) from refused

    async def patch_status(
        self,
        resource: AnyResource,
        namespace: str,
        name: str,
        status: Object,
        *,
        version: Optional[str] = None,
    ) -> Object:
        patch = {"status": status, "metadata": {"resourceVersion": version}}
        return self._store.patch(resource, namespace, name, patch, "status")


class Half:
    """A swarm of which every second task is merged, with an operator that knows it."""

    def __init__(self, tasks: int, workers: int) -> None:
        self.store = Store(now)
        self.ctx = Context(
            client=cast(Client, MemoryClient(self.store)),
            cache=Cache(),
            queue=WorkQueue(time.monotonic),
            settings=OperatorSettings(image="x"),
            now=now,
            monotonic=time.monotonic,
        )
        prepared = {"type": "Prepared", "status": "True", "reason": "Prepared"}
        self.swarm = self._put(
            SWARMS, swarm(NAME, instances=workers), {"conditions": [prepared]}
        )
        self.ctx.ensured.add(self.swarm["metadata"]["uid"])
        for index in range(1, workers + 1):
            self._instance(index)
        graph = publish(parse(large_spec(tasks)), "tasks.md")
        for number, task in enumerate(graph.tasks):
            body = {
                "metadata": metadata(self.swarm, naming.task_name(NAME, task["id"])),
                "spec": {**task, "swarm": NAME},
            }
            merged = number < tasks // 2
            self._put(TASKS, body, _merged(number, workers) if merged else {})

    def _put(self, resource: AnyResource, body: Object, status: Object) -> Object:
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        name = self.store.create(resource, NAMESPACE, body)["metadata"]["name"]
        patch = {"status": status}
        item = self.store.patch(resource, NAMESPACE, name, patch, "status")
        self.ctx.remember(resource, item)
        return item

    def _instance(self, index: int) -> None:
        name = naming.instance_name(NAME, index)
        spec = {"swarm": NAME, "index": index, "colour": "#007fff"}
        body = {"metadata": metadata(self.swarm, name), "spec": spec}
        item = self._put(INSTANCES, body, {"phase": "Ready"})
        pod = metadata(self.swarm, naming.pod_name(name, 0))
        pod["ownerReferences"] = [owner(item)]
        pod["labels"][LABEL_INSTANCE] = name
        ready = {"type": "Ready", "status": "True"}
        status = {"phase": "Running", "conditions": [ready]}
        self._put(PODS, {"metadata": pod, "spec": {}}, status)

    async def settle(self) -> None:
        """Reconcile until nothing is left to be done at this moment."""
        while len(self.ctx.queue):
            key = cast(Key, await self.ctx.queue.take())
            await _RECONCILE[key.resource](self.ctx, key)
            self.ctx.queue.done(key)

    def under_way(self) -> List[Tuple[str, str]]:
        """Names and states of the tasks that somebody works on or has done."""
        return [
            (item["metadata"]["name"], item["status"]["state"])
            for item in self.store.select(TASKS, NAMESPACE)
            if item["status"].get("state") in _NEXT
        ]

    def step(self, name: str, state: str) -> Object:
        """What runner or train write next for a task."""
        after, at = _NEXT[state], stamp(now())
        fields = {RUNNING: "startedAt", DONE: "finishedAt", MERGED: "mergedAt"}
        status = {"state": after, fields[after]: at}
        return self.store.patch(TASKS, NAMESPACE, name, {"status": status}, "status")


def _merged(number: int, workers: int) -> Object:
    began = now() - timedelta(days=1, seconds=-number)
    times = ("readyAt", "boundAt", "startedAt")
    ended = stamp(began + timedelta(seconds=600))
    return {
        "state": MERGED,
        "attempt": 1,
        "instance": naming.instance_name(NAME, number % workers + 1),
        "mergeCommit": f"{number:040x}",
        "runningSeconds": 600.0,
        **{time: stamp(began) for time in times},
        **dict.fromkeys(("finishedAt", "mergedAt"), ended),
    }


def milliseconds(tasks: int, workers: int, changes: int) -> float:
    """Mean CPU time for a state change of a task, followed by all that it leads to.

    Of so many changes at most: a small swarm has not as many left.
    """

    async def work() -> float:
        half = Half(tasks, workers)
        await half.settle()
        draw, used, done = random.Random(1), 0.0, 0
        while done < changes and (moving := half.under_way()):
            draw.shuffle(moving)
            for name, state in moving[: changes - done]:
                item = half.step(name, state)
                start = time.process_time()
                half.ctx.remember(TASKS, item)
                await half.settle()
                used += time.process_time() - start
                done += 1
        return 1000 * used / done

    return asyncio.run(work())
