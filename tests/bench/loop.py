"""How long the operator's event loop stands still at the largest that is promised.

A heartbeat beside the work records its largest gap: 10,000 tasks whose graph is read, that are
decided about, and that people ask about. The same reading at once is beside it, as a ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from functools import partial
from typing import Any, Awaitable, Callable, List, Sequence, cast

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import COMMANDS, SWARMS, AnyResource
from kiro_swarm.reconcile.commands import command
from kiro_swarm.reconcile.engine.audit import AuditLog
from kiro_swarm.reconcile.engine.turns import in_turns
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import pack, parts, publish, unpack, unpacking
from tests.bench.in_memory import NAME, NAMESPACE, Half, MemoryClient
from tests.bench.report import Measure
from tests.support.fake_store import Store
from tests.support.large_spec import large_spec

MOST = 0.1
SENTENCES = (
    *("status swarm", "status swarm detailed", "explain task 5.7", "stop all tasks"),
    *("pause swarm", "retry all tasks", "resume swarm", "scale instances 30"),
    "cleanup swarm",
)


class YieldingClient(MemoryClient):
    """The same, and each request lets others go on, as a socket does."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._all = store

    async def create(self, resource: AnyResource, namespace: str, body: Any) -> Any:
        await asyncio.sleep(0)
        return await super().create(resource, namespace, body)

    async def patch_status(self, *args: Any, **more: Any) -> Any:
        await asyncio.sleep(0)
        return await super().patch_status(*args, **more)

    async def patch(
        self, resource: AnyResource, namespace: str, name: str, patch: Any
    ) -> Any:
        await asyncio.sleep(0)
        return self._all.patch(resource, namespace, name, patch)

    async def delete(
        self, resource: AnyResource, namespace: str, name: str, **_: Any
    ) -> None:
        await asyncio.sleep(0)
        self._all.remove(resource, namespace, name)

    async def list(self, resource: AnyResource, namespace: str = "", **_: Any) -> Any:
        await asyncio.sleep(0)
        return self._all.select(resource, namespace), str(self._all.version)

    async def find(self, resource: AnyResource, namespace: str, name: str) -> Any:
        await asyncio.sleep(0)
        return self._all.find(resource, namespace, name)

    async def get(self, resource: AnyResource, namespace: str, name: str) -> Any:
        found = await self.find(resource, namespace, name)
        if found is None:
            raise errors.NotFound(name)
        return found


async def gap(work: Callable[[], Awaitable[Any]]) -> float:
    """Seconds that the event loop stood still at most, by the processor: what else the machine
    does is no matter."""
    worst, last = 0.0, time.process_time()

    async def beat() -> None:
        nonlocal worst, last
        while True:
            now = time.process_time()
            worst, last = max(worst, now - last), now
            await asyncio.sleep(0)

    beating = asyncio.ensure_future(beat())
    await asyncio.sleep(0)
    await work()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    beating.cancel()
    return worst


async def answered(half: Half, number: int, sentence: str) -> None:
    """Say it, and do what can be done of it at once."""
    body = {
        "apiVersion": COMMANDS.api_version,
        "kind": COMMANDS.kind,
        "metadata": {"name": f"c{number}"},
        "spec": {"swarm": NAME, "command": sentence},
    }
    item = half.store.create(COMMANDS, NAMESPACE, cast(Any, body))
    half.ctx.remember(COMMANDS, cast(Any, item))
    await command.reconcile(half.ctx, half.ctx.key(COMMANDS, NAMESPACE, f"c{number}"))


async def measured(tasks: int) -> List[Measure]:
    found: List[Measure] = []
    packed = pack(publish(parse(large_spec(tasks)), "tasks.md"))

    async def at_once() -> None:
        unpack(packed)

    async def pieces() -> None:
        await in_turns(unpacking(parts(packed)))

    before, after = await gap(at_once), await gap(pieces)
    found.append(Measure("gap while a graph is read", after, "s", MOST))
    found.append(Measure("gap of it read at once, as a ratio", before / after, "x"))
    half = Half(tasks, 100)
    client = half.ctx.client = cast(Client, YieldingClient(half.store))
    half.ctx.audit = AuditLog(client)
    # As the operator does when it has listed everything (``host/watches.py``).
    gc.collect()
    gc.freeze()
    for name in ("the first decision", "the next decision"):
        worst = await gap(half.settle)
        found.append(Measure(f"gap of {name}", worst, "s", MOST))
        half.ctx.queue.add(half.ctx.key(SWARMS, NAMESPACE, NAME))
    for number, sentence in enumerate(SENTENCES):
        gc.collect()
        worst = await gap(partial(answered, half, number, sentence))
        found.append(Measure(f"gap of '{sentence}'", worst, "s", MOST))
    return found


def run(arguments: Sequence[str]) -> List[Measure]:
    """Measure; a gap of 100 ms is too long."""
    reader = argparse.ArgumentParser(prog="hack/bench loop", description=__doc__)
    reader.add_argument("--tasks", type=int, default=10_000)
    return asyncio.run(measured(reader.parse_args(arguments).tasks))
