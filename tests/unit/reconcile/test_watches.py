"""The operator's own watches: what they hear, and that nothing ends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.api.meta import LABEL_MANAGED_BY, MANAGED_BY
from kiro_swarm.cluster.resources import (
    LEASES,
    MACHINES,
    PODS,
    TASKS,
    WATCHED,
    AnyResource,
)
from kiro_swarm.reconcile.engine.watches import follow, selector_of
from tests.support.fake_api import until
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World


@contextlib.asynccontextmanager
async def following(world: World, resource: AnyResource) -> AsyncIterator[None]:
    watch = asyncio.ensure_future(follow(world.ctx, resource))
    try:
        yield
        assert not watch.done(), "it ended by itself"
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def apply_task(world: World, name: str) -> None:
    spec = {"swarm": "demo", "id": name}
    world.api.store.create(TASKS, NAMESPACE, body(TASKS, name, spec))
    world.api.tell()


def known(world: World) -> set[str]:
    return {item["metadata"]["name"] for item in world.ctx.cache.all(TASKS)}


async def test_what_comes_changes_and_goes_is_known_and_wakes_the_swarm(
    world: World,
) -> None:
    apply_task(world, "a")
    async with following(world, TASKS):
        await until(lambda: known(world) == {"a"})
        assert len(world.ctx.queue) == 1
        (item,) = world.ctx.cache.all(TASKS)
        assert (item["kind"], item["apiVersion"]) == (TASKS.kind, TASKS.api_version)
        apply_task(world, "b")
        await until(lambda: known(world) == {"a", "b"})
        world.api.store.remove(TASKS, NAMESPACE, "a")
        world.api.tell()
        await until(lambda: known(world) == {"b"})


async def test_a_server_that_is_away_is_asked_again_less_and_less_often(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    rest = asyncio.sleep

    async def short(seconds: float) -> None:
        waits.append(seconds)
        await rest(0)

    async def away(request: web.Request) -> Optional[web.StreamResponse]:
        return web.Response(status=503) if len(waits) < 7 else None

    world.api.intercept = away
    monkeypatch.setattr(asyncio, "sleep", short)
    apply_task(world, "a")
    watch = asyncio.ensure_future(follow(world.ctx, TASKS))
    for _ in range(4000):
        if known(world):
            break
        await rest(0.005)
    watch.cancel()
    assert known(world) == {"a"}
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0]


async def test_after_a_gap_the_silence_of_instances_is_counted_anew(
    world: World,
) -> None:
    world.clock.seconds = 100
    async with following(world, LEASES), following(world, TASKS):
        await until(lambda: world.ctx.listening_since == 100)
        world.clock.seconds = 200
        apply_task(world, "a")
        await until(lambda: known(world) == {"a"})
        assert world.ctx.listening_since == 100
        world.api.compact()
        world.api.cut_watches()
        await until(lambda: world.ctx.listening_since == 200)


async def test_what_vanished_while_nobody_watched_is_gone(world: World) -> None:
    apply_task(world, "a")
    apply_task(world, "b")
    async with following(world, TASKS):
        await until(lambda: known(world) == {"a", "b"})
        world.api.store.remove(TASKS, NAMESPACE, "a")
        world.api.compact()
        world.api.cut_watches()
        await until(lambda: known(world) == {"b"})


def test_of_foreign_kinds_only_our_own_objects_are_watched() -> None:
    assert set(MACHINES) < set(WATCHED)
    assert selector_of(TASKS) is None
    assert selector_of(PODS) == f"{LABEL_MANAGED_BY}={MANAGED_BY}"
