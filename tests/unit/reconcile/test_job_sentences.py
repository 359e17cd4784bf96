"""A sentence that needs a Job, on the fake API server: made once, followed, answered."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import JOBS, SWARMS
from tests.unit.reconcile.world import World

LONE: dict[str, list[str]] = {"1": []}
REPORT: dict[str, Any] = {
    "base": "b" * 40,
    "commit": "c" * 40,
    "commits": 1,
    "files": 1,
    "insertions": 2,
    "deletions": 0,
    "attempt": 1,
    "dataRef": {"configMap": "word-result", "key": "diff.patch", "sizeBytes": 5},
}
SYNCED = {
    **{"before": "a" * 40, "head": "d" * 40, "source": "e" * 40},
    **{"commits": 1, "keptPlan": False},
}


@pytest.fixture
async def merged(world: World) -> World:
    """A swarm whose only task is merged."""
    world.graph = world.cluster.graph = LONE
    world.apply_swarm()
    await world.live(20)
    assert world.cluster.task("1")["state"] == "Merged"
    return world


def jobs(world: World, component: str) -> list[str]:
    return [n for n in world.cluster.names(JOBS) if n.startswith(f"demo-{component}-")]


async def begun(world: World, sentence: str, component: str) -> str:
    """Say it; the name of the Job, which does not end by itself."""
    world.say(sentence)
    await world.settle()
    (name,) = jobs(world, component)
    world.cluster.frozen.add(name)
    await world.live(3)
    assert world.answer()["phase"] == "Running"
    return name


async def test_a_look_that_needs_a_job_waits_for_it(merged: World) -> None:
    name = await begun(merged, "diff task 1", "inspect")
    await merged.restart()
    await merged.live(2)
    assert jobs(merged, "inspect") == [name], "the same one after a crash"
    merged.cluster.end_job(name, REPORT)
    await merged.live(3)
    answer = merged.answer()
    assert (answer["phase"], answer["dataRef"]["key"]) == ("Succeeded", "diff.patch")
    assert answer["message"].startswith("task 1 (merged as cccccccccccc): 1 file")
    assert "audit" not in answer, "nothing was changed"


async def test_a_dry_run_makes_no_job(merged: World) -> None:
    merged.say("diff task 1", dryRun=True)
    await merged.live(2)
    assert merged.answer()["phase"] == "Succeeded"
    assert jobs(merged, "inspect") == []


async def test_a_sync_is_answered_and_the_swarm_knows_its_new_head(
    merged: World,
) -> None:
    name = await begun(merged, "git sync upstream", "sync")
    merged.cluster.note("demo", "sync", "d" * 40)
    merged.cluster.end_job(name, SYNCED)
    await merged.live(5)
    answer = merged.answer()
    assert answer["phase"] == "Succeeded"
    assert answer["message"].startswith("merged 1 commit of main at eeeeeeeeeeee into ")
    status = merged.cluster.one(SWARMS, "demo")["status"]
    assert status["integration"]["head"] == "d" * 40


async def test_a_sync_that_conflicts_fails_and_stalls_nothing(merged: World) -> None:
    name = await begun(merged, "git sync upstream", "sync")
    report = {"reason": "SyncConflict", "message": "conflicts in 1 file(s): app.py"}
    merged.cluster.end_job(name, report, failed=True)
    await merged.live(5)
    answer = merged.answer()
    assert (answer["phase"], answer["result"]["data"]) == (
        "Failed",
        {"reason": "SyncConflict"},
    )
    assert merged.conditions()["Stalled"][0] == "False"
    assert merged.status()["phase"] == "Succeeded"
