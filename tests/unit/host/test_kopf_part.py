"""kopf beside the sweep: what vanished while kopf did not look is gone in a moment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path
from typing import List, Optional, Set

import pytest
from aiohttp import web

from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    PEOPLE,
    SWARMS,
    AnyResource,
)
from kiro_swarm.handlers.session import SUPPORTED
from kiro_swarm.host.kopf_part import Kopf
from kiro_swarm.host.part import Part, run_parts
from kiro_swarm.host.watches import Sweep, Watches
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.support.fake_api import FakeApi, fake_api, until
from tests.unit.reconcile.surroundings import NAMESPACE, body, swarm_spec

#: How many objects are left. That nothing is left, kopf before 1.42 does not tell.
LEFT = (0, 2) if SUPPORTED else (2,)


class Listener:
    """What fills the cache, in a thread: kopf waits for every task in its loop."""

    def __init__(self, folder: Path, api: FakeApi) -> None:
        self._kubeconfig = str(api.kubeconfig(folder))
        self.ready = threading.Event()
        self.cache = Cache()
        self.ended = asyncio.get_running_loop().run_in_executor(
            None, lambda: asyncio.run(self._main())
        )

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        client = Client(await Connection.open(kubeconfig=self._kubeconfig))
        ctx = Context(
            client=client,
            cache=self.cache,
            queue=WorkQueue(time.monotonic),
            settings=OperatorSettings(image="x"),
            now=lambda: datetime.now(timezone.utc),
            monotonic=time.monotonic,
        )
        parts: List[Part] = [Watches(ctx), Kopf(ctx, self._stop), Sweep(ctx)]
        self.ready.set()
        await run_parts(parts, self._stop)
        await client.close()

    async def end(self) -> None:
        await until(self.ready.is_set)
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.wait_for(self.ended, 30)

    def names(self, resource: AnyResource) -> Set[str]:
        return {item["metadata"]["name"] for item in self.cache.all(resource)}


@contextlib.asynccontextmanager
async def listener(
    folder: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Listener]:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(folder)))
    running = Listener(folder, api)
    try:
        await until(lambda: all(watched(api, resource) for resource in PEOPLE))
        yield running
    finally:
        await running.end()


def watched(api: FakeApi, resource: AnyResource) -> int:
    return sum(
        f"/{resource.plural}?" in request and "watch=true" in request
        for request in api.requests
    )


SPECS = {
    SWARMS: swarm_spec(),
    INSTANCES: {"swarm": "demo", "index": 1},
    COMMANDS: {"swarm": "demo", "command": "status swarm"},
}


def apply(api: FakeApi, resource: AnyResource, name: str) -> None:
    api.store.create(resource, NAMESPACE, body(resource, name, SPECS[resource]))
    api.tell()


@pytest.mark.parametrize("resource", PEOPLE)
@pytest.mark.parametrize("left", LEFT)
async def test_what_vanished_across_a_list_of_kopf_is_gone_in_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resource: AnyResource, left: int
) -> None:
    async with fake_api() as api:
        names = {f"stays-{number}" for number in range(left)}
        for name in {*names, "goes"}:
            apply(api, resource, name)
        async with listener(tmp_path, api, monkeypatch) as running:
            await until(lambda: running.names(resource) == {*names, "goes"})
            before = watched(api, resource)
            # Nobody hears of this: the history is gone when the watch is taken up.
            api.store.remove(resource, NAMESPACE, "goes")
            api.compact()
            api.cut_watches()
            await until(lambda: running.names(resource) == names)
            await until(lambda: watched(api, resource) > before)
            apply(api, resource, "comes")
            await until(lambda: "comes" in running.names(resource))


async def test_an_error_within_a_watch_does_not_end_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: List[str] = []
    # kopf before 1.42 takes no session of ours: of another error it ends.
    code = 500 if SUPPORTED else 410
    error = {"type": "ERROR", "object": {"kind": "Status", "code": code}}
    line = json.dumps(error) + "\n"

    async def broken(request: web.Request) -> Optional[web.StreamResponse]:
        watches = request.query.get("watch") == "true"
        if watches and request.path.endswith(SWARMS.plural) and not told:
            told.append(request.path)
            return web.Response(text=line, content_type="application/json")
        return None

    async with fake_api() as api:
        api.intercept = broken
        async with listener(tmp_path, api, monkeypatch) as running:
            await until(lambda: bool(told))
            apply(api, SWARMS, "comes")
            await until(lambda: "comes" in running.names(SWARMS))
            assert not running.ended.done()


async def test_a_doubt_lasts_until_the_kind_could_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: List[str] = []

    async def away(request: web.Request) -> Optional[web.StreamResponse]:
        ours = request.headers.get("User-Agent", "").startswith("kiro-swarm")
        lists = ours and request.path.endswith(SWARMS.plural)
        if lists and cut and len(refused) < 2:
            refused.append(request.path)
            return web.Response(status=503)
        return None

    cut: Set[bool] = set()
    async with fake_api() as api:
        api.intercept = away
        apply(api, SWARMS, "goes")
        apply(api, SWARMS, "stays")
        async with listener(tmp_path, api, monkeypatch) as running:
            await until(lambda: running.names(SWARMS) == {"goes", "stays"})
            api.store.remove(SWARMS, NAMESPACE, "goes")
            cut.add(True)
            api.compact()
            api.cut_watches()
            await until(lambda: running.names(SWARMS) == {"stays"})
    assert len(refused) == 2
