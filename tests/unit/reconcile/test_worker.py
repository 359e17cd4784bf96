"""Workers: what an error means. The list of everything: what it wakes and forgets."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from functools import partial
from pathlib import Path
from typing import Any, Awaitable, Callable, Iterator, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import LOCAL, Cache
from kiro_swarm.cluster.resources import INSTANCES, LEASES, PODS, SWARMS, TASKS
from kiro_swarm.reconcile.engine.context import Key, concerned, side_by_side
from kiro_swarm.reconcile.engine.watches import list_all
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.reconcile.worker import Workers
from tests.support.fake_api import until
from tests.unit.reconcile.surroundings import NAMESPACE, body, swarm_spec
from tests.unit.reconcile.world import World, a_world

KEY = Key(LOCAL, SWARMS, NAMESPACE, "demo")


class Reconciler:
    """Answers with what it is told, and remembers who asked."""

    def __init__(self, *answers: Optional[Exception]) -> None:
        self.answers = list(answers)
        self.calls = 0
        self.at_once = self.most = 0

    async def __call__(self, ctx: Any, key: Key) -> None:
        self.calls += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


async def run(world: World, reconciler: Reconciler, calls: int) -> Workers:
    """Let workers reconcile until the reconciler was called so often."""
    workers = Workers(world.ctx, reconcilers={SWARMS: reconciler})
    running = asyncio.ensure_future(workers.run(lambda: None))

    await until(lambda: reconciler.calls >= calls and reconciler.at_once == 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return workers


@pytest.mark.parametrize(
    ("case", "error", "healthy"),
    [
        ("somebody was faster", errors.Conflict("x"), True),
        ("the server is away", errors.Unavailable("x"), True),
        ("something is gone", errors.NotFound("x"), True),
        (
            "a role is missing",
            errors.Forbidden(
                'pods is forbidden: User "system:serviceaccount:kiro:operator" cannot list '
                'resource "pods" in API group "" in the namespace "team"'
            ),
            False,
        ),
        (
            "a quota of the swarm's namespace",
            errors.Forbidden('pods "demo-1-0" is forbidden: exceeded quota: small'),
            True,
        ),
        (
            "a field of the swarm",
            errors.ClusterError(
                'Pod "demo-1-0" is invalid: spec.nodeSelector: Invalid'
            ),
            True,
        ),
        ("a defect", ZeroDivisionError("x"), False),
    ],
)
async def test_what_an_error_of_a_reconcile_means(
    world: World,
    caplog: pytest.LogCaptureFixture,
    case: str,
    error: Exception,
    healthy: bool,
) -> None:
    reconciler = Reconciler(error)
    world.ctx.queue.add(KEY)
    with caplog.at_level(logging.INFO):
        workers = await run(world, reconciler, 1)
    health = workers.health()
    assert health.ready is healthy, case
    assert health.alive
    assert "demo" in caplog.text
    assert ("Traceback" in caplog.text) == (case == "a defect")
    world.ctx.queue.add(KEY)
    await until_taken(world, workers)
    assert workers.health().ready, "it is well again once it succeeds"


async def until_taken(world: World, workers: Workers) -> None:
    running = asyncio.ensure_future(workers.run(lambda: None))
    await until(lambda: len(world.ctx.queue) == 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_no_more_reconciles_at_once_than_allowed_and_each_key_once(
    tmp_path: Path,
) -> None:
    settings = OperatorSettings(image="x", workers=3)
    async with a_world(tmp_path, settings=settings) as world:
        reconciler = Reconciler()
        for number in range(20):
            world.ctx.queue.add(Key(LOCAL, SWARMS, NAMESPACE, f"s{number}"))
        workers = Workers(world.ctx, reconcilers={SWARMS: reconciler})
        await until_taken(world, workers)
    assert (reconciler.calls, reconciler.most) == (20, 3)


async def test_a_reconcile_that_does_not_end_is_ended_with_the_workers(
    world: World,
) -> None:
    diary: list[str] = []

    async def endless(ctx: Any, key: Key) -> None:
        diary.append("begins")
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            diary.append("ends")

    world.ctx.queue.add(KEY)
    workers = Workers(world.ctx, reconcilers={SWARMS: endless}, patience_seconds=0.1)
    running = asyncio.ensure_future(workers.run(lambda: None))
    await until(lambda: diary == ["begins"])
    running.cancel()
    await asyncio.wait({running}, timeout=30)
    assert running.cancelled()
    assert diary == ["begins", "ends"], "nothing runs afterwards"


async def test_a_key_is_reconciled_in_its_own_cluster(world: World) -> None:
    asked: list[tuple[str, Key]] = []

    async def reconcile(ctx: Any, key: Key) -> None:
        asked.append((ctx.cluster, key))

    other = dataclasses.replace(world.ctx, cache=Cache("other"))
    world.ctx.queue.add(world.ctx.key(SWARMS, NAMESPACE, "demo"))
    world.ctx.queue.add(other.key(SWARMS, NAMESPACE, "demo"))
    workers = Workers(world.ctx, other, reconcilers={SWARMS: reconcile})
    await until_taken(world, workers)
    assert asked == [
        (LOCAL, KEY),
        ("other", Key("other", SWARMS, NAMESPACE, "demo")),
    ]


async def test_the_first_list_fills_the_cache_and_wakes_whom_it_concerns(
    world: World,
) -> None:
    world.apply_swarm()
    labels = {"app.kubernetes.io/managed-by": "kiro-swarm"}
    world.api.store.create(PODS, NAMESPACE, body(PODS, "ours", {}, labels=labels))
    world.api.store.create(PODS, NAMESPACE, body(PODS, "theirs", {}))
    await list_all(world.ctx)
    assert [p["metadata"]["name"] for p in world.ctx.cache.all(PODS)] == ["ours"]
    assert await world.ctx.queue.take() == KEY


async def test_a_list_does_not_forget_what_is_newer_than_itself(
    world: World,
) -> None:
    made: list[Any] = []

    async def meanwhile(request: web.Request) -> None:
        if "kiroinstances" in request.path and not made:
            swarm = body(SWARMS, "new", swarm_spec())
            made.append(world.api.store.create(SWARMS, NAMESPACE, swarm))
            world.ctx.remember(SWARMS, made[0])

    world.api.intercept = meanwhile
    await list_all(world.ctx)
    assert world.ctx.cache.get(SWARMS, NAMESPACE, "new") is not None


@pytest.mark.parametrize(
    ("resource", "labels", "spec", "keys"),
    [
        (SWARMS, {}, {}, [Key(LOCAL, SWARMS, "n", "x")]),
        (
            INSTANCES,
            {},
            {"swarm": "s"},
            [Key(LOCAL, INSTANCES, "n", "x"), Key(LOCAL, SWARMS, "n", "s")],
        ),
        (TASKS, {}, {"swarm": "s"}, [Key(LOCAL, SWARMS, "n", "s")]),
        (
            LEASES,
            {"swarm.kiro.dev/instance": "i", "swarm.kiro.dev/swarm": "s"},
            {},
            [],
        ),
        (
            PODS,
            {"swarm.kiro.dev/instance": "i", "swarm.kiro.dev/swarm": "s"},
            {},
            [Key(LOCAL, INSTANCES, "n", "i"), Key(LOCAL, SWARMS, "n", "s")],
        ),
        (PODS, {}, None, []),
    ],
)
def test_whom_a_change_concerns(
    resource: Any, labels: dict[str, str], spec: Any, keys: list[Key]
) -> None:
    metadata = {"name": "x", "namespace": "n", "labels": labels}
    item: Any = {"metadata": metadata, "spec": spec}
    assert list(concerned(LOCAL, resource, item)) == keys


async def test_calls_side_by_side_all_run_though_one_fails() -> None:
    done = []

    async def call(number: int) -> int:
        await asyncio.sleep(0)
        if number == 1:
            raise errors.Invalid("the second")
        done.append(number)
        return number

    with pytest.raises(errors.Invalid):
        await side_by_side(partial(call, number) for number in range(4))
    assert done == [0, 2, 3]
    assert await side_by_side([lambda: call(7), lambda: call(8)]) == [7, 8]


async def test_of_many_calls_a_bounded_number_is_made_at_a_time() -> None:
    made = 0
    at_once = [0]

    def calls() -> Iterator[Callable[[], Awaitable[int]]]:
        nonlocal made
        for number in range(1000):
            made += 1
            yield partial(call, number)

    async def call(number: int) -> int:
        at_once.append(made - len(ended))
        await asyncio.sleep(0)
        ended.append(number)
        return number

    ended: list[int] = []
    assert await side_by_side(calls()) == list(range(1000))
    assert 8 <= max(at_once) <= 64, "the next call is not even made before its turn"
