"""Filling a swarm: every pod before the first word about any instance, whatever fails."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import LOCAL
from kiro_swarm.cluster.resources import INSTANCES, JOBS, PODS, SWARMS, AnyResource
from kiro_swarm.reconcile.engine.context import Key
from kiro_swarm.reconcile.worker import RECONCILERS
from tests.unit.reconcile.surroundings import NAMESPACE, Object
from tests.unit.reconcile.world import World


class Between:
    """Stands between operator and API server: things happen after each pod that is made."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.refused: Optional[str] = None
        self.quota: Optional[int] = None
        self._create = world.ctx.client.create
        monkeypatch.setattr(world.ctx.client, "create", self.create)

    async def create(self, resource: AnyResource, namespace: str, item: Object) -> Any:
        name = item["metadata"]["name"]
        if name == self.refused:
            self.refused = None
            raise errors.Unavailable("the API server is away for a moment")
        if resource is PODS and self.quota is not None:
            if self.quota == 0:
                raise errors.Forbidden("exceeded quota: pods")
            self.quota -= 1
        made = await self._create(resource, namespace, item)
        if resource is PODS and "prepare" not in name:
            self.world.cluster.make_ready(name)
            self.world.listen()
            for instance in self.world.cluster.names(INSTANCES):
                key = Key(LOCAL, INSTANCES, NAMESPACE, instance)
                await RECONCILERS[INSTANCES](self.world.ctx, key)
        return made


def told(world: World) -> list[str]:
    """What was written of instances and pods, in its order."""
    return [
        write
        for write in world.api.writes
        if "kiroinstances/" in write or ("pods/" in write and "prepare" not in write)
    ]


async def test_all_pods_are_made_before_the_first_word(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Between(world, monkeypatch)
    world.apply_swarm(instances=5)
    await world.settle()
    writes = told(world)
    posts = [write for write in writes if write.startswith("POST")]
    assert writes[: len(posts)] == posts
    assert len(posts) == 10, "each instance and each pod, once"
    assert len(writes) == 15, "and each has been told about"
    assert world.ctx.filling == set()


async def test_who_was_told_about_before_is_not_silenced_by_new_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.apply_swarm(instances=1)
    world.cluster.tasks_run = False
    await world.live(4)
    Between(world, monkeypatch)
    world.cluster.make_ready("demo-1-0", ready=False)
    world.edit_swarm(instances=5)
    before = len(told(world))
    await world.settle()
    writes = told(world)[before:]
    assert writes.index("PATCH kiroinstances/demo-1/status") < writes.index(
        "POST pods/demo-5-0"
    )


async def test_a_filling_that_fails_in_between_goes_on_and_makes_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for refused in ("demo-3", "demo-3-0"):
        world.begin_again()
        with monkeypatch.context() as patched:
            Between(world, patched).refused = refused
            world.apply_swarm(instances=5)
            await world.live(6)
        assert world.status()["readiness"] == "5/5"
        posts = [write for write in told(world) if write.startswith("POST")]
        assert len(posts) == len(set(posts)) == 10
        assert world.ctx.filling == set()


async def test_a_quota_stops_the_pods_beyond_it_and_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = Between(world, monkeypatch)
    between.quota = 2
    world.apply_swarm(instances=5)
    world.listen()
    await RECONCILERS[SWARMS](world.ctx, Key(LOCAL, SWARMS, NAMESPACE, "demo"))
    assert len(world.cluster.names(INSTANCES)) == 5
    made = world.cluster.names(PODS)
    assert len(made) == 2
    assert world.cluster.names(JOBS) == ["demo-prepare-1"]
    without = next(f"demo-{n}" for n in range(1, 6) if f"demo-{n}-0" not in made)
    for _ in range(3):
        await RECONCILERS[INSTANCES](
            world.ctx, Key(LOCAL, INSTANCES, NAMESPACE, without)
        )
    status = world.cluster.status(INSTANCES, without)
    assert status["phase"] == "Pending"
    assert status["message"] == "its pod is refused: exceeded quota: pods"
    assert status["conditions"][0]["status"] == "False"
    told_once = f"PATCH kiroinstances/{without}/status"
    assert told(world).count(told_once) == 1
    between.quota = None
    await world.live(3)
    assert world.status()["readiness"] == "5/5"
    assert world.cluster.status(INSTANCES, without)["message"] == ""


async def test_a_suspended_swarm_is_filled_without_pods(world: World) -> None:
    world.apply_swarm(instances=3, suspend=True)
    await world.settle()
    assert [write for write in told(world) if "pods/" in write] == []
    assert len(world.cluster.names(INSTANCES)) == 3
