"""What is on the branch is Merged, whatever was said while it came there, whoever died."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import CONFIG_MAPS, TASKS
from kiro_swarm.lifecycle.attempts import cancelled, rejected
from tests.unit.reconcile.test_tasks import prepared
from tests.unit.reconcile.world import World

SHA = "b" * 40


async def merged_and_ended(world: World, ended: str, settles: bool = False) -> None:
    """The Job merges it; a late word ends what is there; the Job dies unheard."""
    await prepared(world, {"id": "1"})
    world.cluster.frozen.add("demo-1")
    world.cluster.set_status(TASKS, "demo.1", state="Done", attempt=1)
    if settles:  # the operator makes the Job
        await world.settle()
    task: Any = world.cluster.one(TASKS, "demo.1")
    world.cluster.note("demo", "merge", SHA, task)
    status, now = task["status"], world.clock.now()
    patch: Any = (
        cancelled(status, task["spec"], now, "me")
        if ended == "Failed"
        else rejected(status, now, "no")
    )
    world.cluster.set_status(TASKS, "demo.1", **patch)


@pytest.mark.parametrize("ended", ["Failed", "Ready"])
@pytest.mark.parametrize("restarted", [False, True])
async def test_the_ledger_tells_of_a_merge_that_nobody_could_report(
    world: World, ended: str, restarted: bool
) -> None:
    await merged_and_ended(world, ended)
    if restarted:
        await world.restart()
    await world.live(5)
    task = world.cluster.task("1")
    assert (task["state"], task["mergeCommit"], task["attempt"]) == ("Merged", SHA, 1)
    assert not task["history"], "the attempt did not end without a merge"
    assert task["mergedAt"].startswith("2026-11-22T10:00:00")
    rest = world.cluster.task("1")
    await world.live(5)
    assert world.cluster.task("1") == rest, "once"


async def test_of_a_job_that_died_the_ledger_is_read_where_the_watch_is_late(
    world: World,
) -> None:
    world.cluster.frozen.add("demo-integrate-1")
    world.deaf = (CONFIG_MAPS,)
    await merged_and_ended(world, "Failed", settles=True)
    await world.live(3)
    assert world.cluster.task("1")["state"] == "Failed", "nobody has told it yet"
    world.cluster.end_job("demo-integrate-1", {}, failed=True)
    await world.live(5)
    assert world.cluster.task("1")["state"] == "Merged"


async def test_a_merge_of_another_attempt_is_not_taken_for_it(world: World) -> None:
    await merged_and_ended(world, "Failed")
    world.cluster.set_status(TASKS, "demo.1", attempt=2)
    await world.live(5)
    assert world.cluster.task("1")["state"] == "Failed"
