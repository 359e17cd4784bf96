"""KiroTasks that a person deletes are made again: no swarm succeeds without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS, JOBS, TASKS
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World, a_world

ALL = ["demo.1", "demo.2", "demo.3", "demo.4"]


def delete(world: World, *names: str) -> None:
    for name in names:
        world.api.store.remove(TASKS, NAMESPACE, name)


def recognised(world: World) -> list[str]:
    """Ids of the merged tasks that no agent has touched: their merge is in the ledger."""
    tasks = {name: world.cluster.task(name) for name in ("1", "2", "3", "4")}
    assert all(task["state"] == "Merged" for task in tasks.values())
    found = [name for name, task in tasks.items() if task["reason"] == "MergedBefore"]
    merges = {
        item["id"]: line["after"]
        for line in world.cluster.ledger()
        for item in line["tasks"]
    }
    assert all(tasks[name]["mergeCommit"] == merges[name] for name in found)
    assert [line["kind"] for line in world.cluster.ledger()].count("merge") == 4
    return found


@pytest.mark.parametrize("ticks", [True, False])
@pytest.mark.parametrize("steps", range(3, 12))
async def test_whenever_one_is_deleted_all_is_done_in_the_end(
    world: World, steps: int, ticks: bool
) -> None:
    world.cluster.ticks = ticks
    world.apply_swarm()
    await world.live(steps)
    was = world.cluster.task("3").get("state")
    delete(world, "demo.3")
    await world.live(40)
    assert sorted(world.cluster.names(TASKS)) == ALL
    assert world.status()["phase"] == "Succeeded"
    assert world.status()["progress"] == "4/4"
    assert recognised(world) == (["3"] if was == "Merged" else []), "done once"


async def test_meanwhile_it_says_so_and_hands_out_nothing_that_depends_on_it(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(3)
    delete(world, "demo.1", "demo.3")
    world.cluster.failing["demo-prepare-2"] = {
        "reason": "RemoteUnreachable",
        "message": "the remote is gone",
    }
    await world.settle()
    said = [
        change.after["status"]["message"]
        for change in world.api.store.changes
        if change.resource.plural == "kiroswarms" and change.after is not None
        if change.after.get("status")
    ]
    assert (
        "2 of 4 KiroTasks were deleted; reading the repository to make them again"
        in said
    )
    await world.live(4)
    assert world.status()["phase"] == "Failed"
    assert world.conditions()["Prepared"] == ("False", "RemoteUnreachable")
    assert world.conditions()["Complete"][0] == "False"
    world.clock.seconds += 300
    await world.live(30)
    assert world.status()["phase"] == "Succeeded", "it was tried again"
    assert [name for name in world.cluster.names(JOBS) if "prepare" in name] == [
        "demo-prepare-1",
        "demo-prepare-2",
        "demo-prepare-3",
    ]


async def test_all_of_a_finished_swarm_are_made_again_and_nothing_is_done_twice(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(30)
    delete(world, *ALL)
    await world.live(30)
    assert world.status()["phase"] == "Succeeded"
    assert recognised(world) == ["1", "2", "3", "4"]
    rest = world.api.store.version
    await world.live(5)
    assert world.api.store.version == rest


async def test_the_operator_may_die_meanwhile(tmp_path: Path) -> None:
    async with a_world(tmp_path, {"1": [], "2": ["1"]}) as world:
        for write in range(1, 12):
            world.begin_again()
            world.apply_swarm(instances=1)
            await world.live(3)
            delete(world, "demo.2")
            await world.live_killed_after(write, 20)
            assert world.status()["phase"] == "Succeeded", f"killed after write {write}"
            jobs = [name for name in world.cluster.names(JOBS) if "prepare" in name]
            assert jobs == ["demo-prepare-1", "demo-prepare-2"]


async def test_without_a_ledger_the_boxes_of_the_file_still_count(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(30)
    world.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-ledger-1")
    delete(world, "demo.3")
    await world.live(30)
    assert world.cluster.task("3")["reason"] == "Ticked"
    assert world.status()["phase"] == "Succeeded"


async def test_what_was_merged_is_not_run_again_whoever_dies_meanwhile(
    tmp_path: Path,
) -> None:
    """Inline tasks: only the ledger knows. The operator dies after each of its writes."""
    async with a_world(tmp_path, {"1": [], "2": ["1"]}) as world:
        for write in range(1, 12):
            world.begin_again()
            world.cluster.ticks = False
            world.apply_swarm(instances=1)
            await world.live(30)
            merges = [world.cluster.task(name)["mergeCommit"] for name in ("1", "2")]
            delete(world, "demo.1", "demo.2")
            await world.live_killed_after(write, 20)
            for name, commit in zip(("1", "2"), merges):
                task = world.cluster.task(name)
                assert (task["state"], task["reason"]) == ("Merged", "MergedBefore")
                assert task["mergeCommit"] == commit, write
                assert "attempt" not in task, "no instance has had it"
            assert world.status()["phase"] == "Succeeded", write


async def test_the_ledger_is_read_where_the_watch_is_late(world: World) -> None:
    world.deaf = (CONFIG_MAPS,)
    world.cluster.ticks = False
    world.apply_swarm(integration={"push": "Always"})
    await world.live(30)
    last = world.cluster.task("4")["mergeCommit"]
    integration = world.status()["integration"]
    assert (integration["head"], integration["pushed"]) == (last, last)
    jobs = world.cluster.names(JOBS)
    delete(world, *ALL)
    await world.live(30)
    assert recognised(world) == ["1", "2", "3", "4"]
    assert len(world.cluster.names(JOBS)) == len(jobs) + 1, "one Job read, none merged"
