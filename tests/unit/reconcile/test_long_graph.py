"""A task graph that one ConfigMap cannot hold: read in parts, or not at all."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from kiro_swarm.api.graph import GRAPH_KEY, MORE_KEY
from kiro_swarm.cluster.resources import CONFIG_MAPS, JOBS, TASKS
from kiro_swarm.policy import naming
from kiro_swarm.tasks.file import wire
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World

NAMES = [naming.graph_part("demo", "uid", "packed", number) for number in (2, 3)]
Spoil = Callable[[World], Any]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small a part that the diamond does not fit into two of them."""
    monkeypatch.setattr(wire, "PART_CHARACTERS", 120)


async def prepared(world: World, spoil: Spoil) -> None:
    """The prepare Job has published in parts, and somebody has spoilt something."""
    world.apply_swarm()
    await world.live(1)
    world.cluster.frozen.add("demo-prepare-1")
    words = world.cluster.prepare(world.cluster.one(JOBS, "demo-prepare-1"))
    whole = world.cluster.one(CONFIG_MAPS, "demo-graph")["binaryData"][GRAPH_KEY]
    first, *more = wire.parts(whole)
    for name, part in zip(NAMES, more):
        like = world.cluster.one(CONFIG_MAPS, "demo-graph")["metadata"]
        ours = {key: like[key] for key in ("labels", "ownerReferences")}
        item = {**body(CONFIG_MAPS, name, {}, **ours), "binaryData": {GRAPH_KEY: part}}
        world.api.store.create(CONFIG_MAPS, NAMESPACE, item)
    change(world, "demo-graph", first, " ".join(NAMES))
    spoil(world)
    world.cluster.end_job("demo-prepare-1", words)
    await world.live(2)


def change(world: World, name: str, part: str, more: str = "") -> None:
    patch = {"binaryData": {GRAPH_KEY: part}, "data": {MORE_KEY: more}}
    world.api.store.patch(CONFIG_MAPS, NAMESPACE, name, patch)


def lead_astray(world: World, names: list[str]) -> None:
    patch = {"data": {MORE_KEY: " ".join(names)}}
    world.api.store.patch(CONFIG_MAPS, NAMESPACE, "demo-graph", patch)


@pytest.mark.parametrize("name", ["demo-graph", NAMES[0]])
@pytest.mark.parametrize("what", ["labels", "ownerReferences"])
async def test_what_is_of_somebody_else_is_no_graph(
    world: World, name: str, what: str
) -> None:
    patch = {"metadata": {what: None}}
    await prepared(
        world, lambda _: world.api.store.patch(CONFIG_MAPS, NAMESPACE, name, patch)
    )
    assert world.cluster.names(TASKS) == []
    assert world.conditions()["Prepared"] == ("False", "GraphUnreadable")
    assert "not of this swarm" in world.status()["message"]


async def test_the_parts_make_the_tasks(world: World) -> None:
    await prepared(world, lambda _: None)
    assert world.cluster.names(TASKS) == ["demo.1", "demo.2", "demo.3", "demo.4"]


@pytest.mark.parametrize(
    ("case", "spoil", "says"),
    [
        (
            "a part that was deleted",
            lambda world: world.api.store.remove(CONFIG_MAPS, NAMESPACE, NAMES[1]),
            "a part of the published task graph is gone",
        ),
        (
            "a part that somebody changed",
            lambda world: change(world, NAMES[0], "AAAA"),
            "cannot be unpacked",
        ),
        (
            "a name that leads elsewhere",
            lambda world: lead_astray(world, [NAMES[0], "../secrets/token"]),
            "names parts that are none of it",
        ),
        (
            "more parts than there may be",
            lambda world: lead_astray(world, NAMES * wire.MOST_PARTS),
            "names parts that are none of it",
        ),
    ],
)
async def test_a_graph_that_is_not_whole_is_prepared_again(
    world: World, case: str, spoil: Spoil, says: str
) -> None:
    await prepared(world, spoil)
    assert world.conditions()["Prepared"] == ("False", "GraphUnreadable"), case
    assert says in world.status()["message"]
    assert world.cluster.names(TASKS) == []
    for _ in range(40):
        await world.live(1)
    assert world.status()["phase"] == "Succeeded", "the next prepare Job repairs it"
