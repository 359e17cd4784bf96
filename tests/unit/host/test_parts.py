"""The parts one by one: the loop, the leadership, the watches, the sweep, the probes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator
from typing import Any, Optional, cast

import pytest
from aiohttp import ClientSession, web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import LOCAL
from kiro_swarm.cluster.leases import Leader
from kiro_swarm.cluster.resources import LEASES, SWARMS, TASKS
from kiro_swarm.host.leadership import Leadership
from kiro_swarm.host.loop import Loop
from kiro_swarm.host.part import Part
from kiro_swarm.host.probes import Probes
from kiro_swarm.host.watches import Sweep, Watches
from kiro_swarm.reconcile.engine.context import Key
from kiro_swarm.reconcile.engine.watches import list_all
from tests.support.fake_api import until
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World

KEY = Key(LOCAL, SWARMS, NAMESPACE, "demo")
LEASE = "kiro-swarm-operator"


@contextlib.asynccontextmanager
async def running(part: Part) -> AsyncIterator[asyncio.Event]:
    """A part that runs meanwhile; what is set when it has begun."""
    begun = asyncio.Event()
    task = asyncio.ensure_future(part.run(begun.set))
    try:
        yield begun
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def leader_of(world: World, identity: str) -> Leader:
    """One that loses the leadership to nobody for being slow: its clock stands still."""
    clock = world.clock.monotonic
    return Leader(world.client, "system", LEASE, identity, seconds=1, clock=clock)


def holder(world: World) -> Optional[str]:
    lease = world.api.store.find(LEASES, "system", LEASE)
    return None if lease is None else str(lease["spec"]["holderIdentity"])


async def test_a_loop_in_which_nothing_runs_is_not_alive() -> None:
    seconds = [0.0]
    loop = Loop(clock=lambda: seconds[0], limit=10.0)
    seconds[0] = 11.0
    assert not loop.health().alive
    assert loop.health().reasons == ("nothing ran for 11 s",)
    async with running(loop) as begun:
        await asyncio.wait_for(begun.wait(), 30)
        assert loop.health().alive
        assert loop.health().reasons == ()


async def test_who_need_not_be_elected_leads_at_once() -> None:
    leadership = Leadership(None)
    assert leadership.health().reasons == ("standing by",)
    async with running(leadership) as begun:
        await asyncio.wait_for(begun.wait(), 30)
        assert leadership.health().reasons == ()


async def test_the_leadership_is_waited_for_and_given_up_at_the_end(
    world: World,
) -> None:
    first = Leadership(leader_of(world, "one"))
    second = Leadership(leader_of(world, "two"))
    async with contextlib.AsyncExitStack() as stack:
        async with running(first) as begun:
            await asyncio.wait_for(begun.wait(), 30)
            waiting = await stack.enter_async_context(running(second))
            asked = len(world.api.requests)
            await until(lambda: len(world.api.requests) >= asked + 4)
            assert not waiting.is_set()
            assert second.health().ready, "a standby is well"
            assert second.health().reasons == ("standing by",)
            assert holder(world) == "one"
        await asyncio.wait_for(waiting.wait(), 30)
        assert holder(world) == "two"
    assert holder(world) == ""


async def test_a_lost_leadership_ends_the_part(world: World) -> None:
    leadership, begun = Leadership(leader_of(world, "one")), asyncio.Event()
    leading = asyncio.ensure_future(leadership.run(begun.set))
    await asyncio.wait_for(begun.wait(), 30)
    stolen = {"holderIdentity": "two", "renewTime": "2026-01-01T00:00:00.000000Z"}
    world.api.store.patch(LEASES, "system", LEASE, {"spec": stolen})
    await asyncio.wait_for(leading, 30)
    assert holder(world) == "two", "what is another's is not given up"
    assert leadership.health().reasons == ("standing by",)


async def test_watches_begin_when_everything_is_listed(world: World) -> None:
    go = asyncio.Event()

    async def slow(request: web.Request) -> Optional[web.StreamResponse]:
        if "watch" not in request.query:
            await go.wait()
        return None

    world.api.intercept = slow
    world.apply_swarm()
    watches = Watches(world.ctx)
    assert watches.health().ready, "a standby has nothing to list"
    async with running(watches) as begun:
        await until(lambda: not watches.health().ready)
        assert watches.health().reasons == ("listing objects",)
        assert not begun.is_set()
        go.set()
        await asyncio.wait_for(begun.wait(), 30)
        assert watches.health().ready
        assert world.ctx.cache.get(SWARMS, NAMESPACE, "demo") is not None
        task = body(TASKS, "a", {"swarm": "demo", "id": "a"})
        world.api.store.create(TASKS, NAMESPACE, task)
        world.api.tell()
        await until(lambda: world.ctx.cache.get(TASKS, NAMESPACE, "a") is not None)


async def test_watches_that_cannot_list_fail(world: World) -> None:
    async def away(request: web.Request) -> Optional[web.StreamResponse]:
        return web.Response(status=503) if "kirotasks" in request.path else None

    world.api.intercept = away
    begun = asyncio.Event()
    with pytest.raises(errors.Unavailable):
        await asyncio.wait_for(Watches(world.ctx).run(begun.set), 30)
    assert not begun.is_set()


async def test_a_sweep_repairs_what_a_watch_missed(world: World) -> None:
    world.apply_swarm()
    world.apply_swarm("other")
    await list_all(world.ctx)
    while len(world.ctx.queue):
        world.ctx.queue.done(await world.ctx.queue.take())
    world.api.store.remove(SWARMS, NAMESPACE, "demo")
    world.edit_swarm("other", instances=7)
    world.ctx = dataclasses.replace(
        world.ctx, settings=dataclasses.replace(world.settings, sweep_seconds=0.001)
    )
    away = [2]

    async def sometimes(_: web.Request) -> Optional[web.StreamResponse]:
        away[0] -= 1
        return web.Response(status=503) if away[0] > 0 else None

    world.api.intercept = sometimes
    async with running(Sweep(world.ctx)):
        cache = world.ctx.cache
        await until(lambda: cache.get(SWARMS, NAMESPACE, "demo") is None)
        # What is gone goes first, and the loop turns before the others are remembered.
        other: Any = cache.get(SWARMS, NAMESPACE, "other")
        assert other is not None
        await until(
            lambda: cast(Any, cache.get(SWARMS, NAMESPACE, "other"))["spec"][
                "instances"
            ]
            == 7
        )
    taken = {await world.ctx.queue.take() for _ in range(len(world.ctx.queue))}
    assert taken == {KEY, Key(LOCAL, SWARMS, NAMESPACE, "other")}


async def test_a_kind_that_cannot_be_listed_holds_no_other_up(world: World) -> None:
    refused: list[float] = []
    clock, allowed = asyncio.get_running_loop().time, asyncio.Event()

    async def forbidden(request: web.Request) -> Optional[web.StreamResponse]:
        if not request.path.endswith(SWARMS.plural) or allowed.is_set():
            return None
        refused.append(clock())
        return web.Response(status=403)

    world.api.intercept = forbidden
    world.ctx = dataclasses.replace(
        world.ctx, settings=dataclasses.replace(world.settings, sweep_seconds=0.05)
    )
    task = body(TASKS, "a", {"swarm": "demo", "id": "a"})
    world.api.store.create(TASKS, NAMESPACE, task)
    world.apply_swarm()
    sweep = Sweep(world.ctx, retry_seconds=0.2)
    async with running(sweep):
        await until(lambda: world.ctx.cache.get(TASKS, NAMESPACE, "a") is not None)
        assert sweep.health().ready
        assert "cannot list kiroswarms" in sweep.health().reasons[0]
        await until(lambda: len(refused) == 3)
        pauses = [after - before for before, after in zip(refused, refused[1:])]
        assert pauses[0] >= 0.19
        assert pauses[1] >= 0.39, "each pause is longer than the one before"
        allowed.set()
        world.ctx.unheard.add(SWARMS)
        await until(lambda: world.ctx.cache.get(SWARMS, NAMESPACE, "demo") is not None)
        await until(lambda: sweep.health().reasons == ())


async def test_the_probes_answer_while_they_run() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/readyz"
    parts: list[Part] = []
    probes = Probes(parts, port)
    parts += [probes, Leadership(None)]
    async with ClientSession() as session:
        async with running(probes) as begun:
            await asyncio.wait_for(begun.wait(), 30)
            async with session.get(url) as answer:
                said = await answer.json()
                assert answer.status == 200
        assert [part["name"] for part in said["modules"]] == ["probes", "leadership"]
        with pytest.raises(OSError, match="onnect"):
            await session.get(url)


async def test_no_port_no_probes() -> None:
    async with running(Probes([], 0)) as begun:
        await asyncio.wait_for(begun.wait(), 30)
