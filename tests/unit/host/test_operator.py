"""The operator process, whole, on the fake API server: kopf's watches are real."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, LEASES, SWARMS, WATCHED
from kiro_swarm.host.operator import ProcessOptions, run_operator
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.support.fake_api import FakeApi, fake_api, until
from tests.unit.reconcile.surroundings import NAMESPACE, body, swarm_spec

SETTINGS = OperatorSettings(image="x", workers=4)
ALONE = ProcessOptions(port=0)


@pytest.fixture
async def api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FakeApi]:
    async with fake_api() as running:
        monkeypatch.setenv("KUBECONFIG", str(running.kubeconfig(tmp_path)))
        yield running


class Operator:
    """One operator in a thread of its own: kopf waits for every task in its loop."""

    def __init__(self, options: ProcessOptions) -> None:
        self._options = options
        self._ready = threading.Event()
        self.ended = asyncio.get_running_loop().run_in_executor(
            None, lambda: asyncio.run(self._main())
        )

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await run_operator(SETTINGS, self._options, stop=self._stop)

    async def end(self) -> None:
        await until(self._ready.is_set)
        self._loop.call_soon_threadsafe(self._stop.set)
        await asyncio.wait_for(self.ended, 30)


@contextlib.asynccontextmanager
async def operator(options: ProcessOptions = ALONE) -> AsyncIterator[Operator]:
    """An operator that runs meanwhile, and ends well."""
    running = Operator(options)
    try:
        yield running
    finally:
        await running.end()


def apply(api: FakeApi, name: str) -> None:
    api.store.create(SWARMS, NAMESPACE, body(SWARMS, name, swarm_spec()))
    api.tell()


def instances(api: FakeApi) -> list[str]:
    return [i["metadata"]["name"] for i in api.store.select(INSTANCES, NAMESPACE)]


async def test_what_was_there_and_what_comes_is_reconciled_and_kopf_writes_nothing(
    api: FakeApi,
) -> None:
    apply(api, "before")
    async with operator():
        await until(lambda: instances(api) == ["before-1", "before-2"])
        await until(
            lambda: any("watch=true" in r and "swarms" in r for r in api.requests)
        )
        apply(api, "after")
        await until(lambda: "after-2" in instances(api))
        spec = {"swarm": "after", "command": "status swarm detailed"}
        api.store.create(COMMANDS, NAMESPACE, body(COMMANDS, "word", spec))
        api.tell()

        def answer() -> Any:
            return api.store.read(COMMANDS, NAMESPACE, "word").get("status") or {}

        await until(lambda: answer().get("phase") == "Succeeded")
    health = answer()["result"]["data"]["health"]
    assert {part["name"]: part["ready"] for part in health} == {
        "event loop": True,
        "probes": True,
        "leadership": True,
        "watches": True,
        "kopf": True,
        "workers": True,
        "sweep": True,
    }
    metadata = api.store.read(SWARMS, NAMESPACE, "after")["metadata"]
    assert not {"finalizers", "annotations"} & set(metadata)
    assert not [w for w in api.writes if w in ("PATCH kiroswarms/after", "POST events")]


async def test_what_is_deleted_is_forgotten(api: FakeApi) -> None:
    apply(api, "demo")
    async with operator():
        await until(lambda: "demo-2" in instances(api))
        await until(
            lambda: any("watch=true" in r and "instances" in r for r in api.requests)
        )
        api.store.remove(INSTANCES, NAMESPACE, "demo-2")
        api.tell()
        await until(lambda: api.writes.count("POST kiroinstances/demo-2") == 2)


async def test_the_second_operator_stands_by_until_the_first_gives_up(
    api: FakeApi,
) -> None:
    first, second = (
        ProcessOptions(
            port=0, identity=name, leader_namespace="system", lease_seconds=1
        )
        for name in ("one", "two")
    )

    def leader() -> str:
        lease = api.store.find(LEASES, "system", "kiro-swarm-operator") or {"spec": {}}
        return str(lease["spec"].get("holderIdentity", ""))

    async with contextlib.AsyncExitStack() as stack:
        async with operator(first):
            await until(lambda: leader() == "one")
            await stack.enter_async_context(operator(second))
            apply(api, "demo")
            await until(lambda: "demo-2" in instances(api))
            assert leader() == "one"
        await until(lambda: leader() == "two")
        apply(api, "other")
        await until(lambda: "other-2" in instances(api))


async def test_a_standby_can_be_stopped(api: FakeApi) -> None:
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 600, "renewTime": "t"}
    api.store.create(LEASES, "system", body(LEASES, "x", spec, namespace="system"))
    held = {"metadata": {"name": "kiro-swarm-operator"}, "spec": spec}
    api.store.create(LEASES, "system", held)
    async with operator(ProcessOptions(port=0, leader_namespace="system")):
        await until(lambda: any("kiro-swarm-operator" in r for r in api.requests))
    assert api.writes == []


async def test_a_lost_leadership_ends_the_process(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    options = ProcessOptions(port=0, leader_namespace="system", lease_seconds=1)
    running = Operator(options)
    await until(lambda: any("watch=true" in r for r in api.requests))
    stolen = {"holderIdentity": "two", "renewTime": "2026-01-01T00:00:00.000000Z"}
    api.store.patch(LEASES, "system", "kiro-swarm-operator", {"spec": stolen})
    with caplog.at_level(logging.ERROR):
        await asyncio.wait_for(running.ended, 30)
    assert "the leadership is lost" in caplog.text


async def test_an_operator_that_may_not_elect_is_no_leader(api: FakeApi) -> None:
    async def forbidden(request: web.Request) -> Optional[web.StreamResponse]:
        return web.Response(status=403) if "leases" in request.path else None

    api.intercept = forbidden
    options = ProcessOptions(port=0, leader_namespace="system")
    with pytest.raises(errors.Forbidden):
        await asyncio.wait_for(Operator(options).ended, 30)
    assert api.writes == []


async def test_an_operator_that_cannot_list_does_not_decide(api: FakeApi) -> None:
    async def away(request: web.Request) -> Optional[web.StreamResponse]:
        return web.Response(status=503) if "kirotasks" in request.path else None

    api.intercept = away
    apply(api, "demo")
    with pytest.raises(errors.Unavailable):
        await asyncio.wait_for(Operator(ALONE).ended, 30)
    assert api.writes == []


def test_everything_that_decisions_are_made_from_is_watched() -> None:
    assert {resource.plural for resource in WATCHED} == {
        "kiroswarms",
        "kiroinstances",
        "kirotasks",
        "swarmcommands",
        "pods",
        "jobs",
        "leases",
        "configmaps",
    }
