"""Sentences on a swarm that lives: carried out once, wherever the operator dies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, JOBS, SWARMS, TASKS
from tests.unit.reconcile.world import World, a_world

#: Writes of the longest of these stories, and some of what follows from it.
_LONGEST = 9


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    async with a_world(tmp_path) as made:
        yield made


async def begin(world: World) -> None:
    """Two instances at work on two of three tasks; the third has failed."""
    world.begin_again()
    world.graph = world.cluster.graph = {"1": [], "2": [], "3": []}
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(6)
    world.cluster.set_status(TASKS, "demo.3", state="Failed", reason="NoChanges")
    world.say("status swarm", "old")
    await world.live(3)


def wishes(world: World) -> dict[str, Any]:
    """What is wanted of everything: the specs that sentences change."""
    cluster = world.cluster
    return {
        "swarm": cluster.one(SWARMS, "demo")["spec"].get("suspend", False),
        "instances": {
            item["metadata"]["name"]: item["spec"].get("desired", "Running")
            for item in cluster.all(INSTANCES)
        },
        "tasks": {
            item["spec"]["id"]: (
                item["spec"].get("paused", False),
                item["spec"].get("assignedTo", ""),
                item["spec"].get("mode", "Normal"),
                item["status"]["state"],
            )
            for item in cluster.all(TASKS)
        },
        "left": cluster.names(COMMANDS) + cluster.names(JOBS),
    }


async def said(world: World, sentence: str, dies_after: int = 0) -> Any:
    """Say a sentence, let the operator die after some writes, and wait for the answer."""
    world.say(sentence)
    if dies_after:
        await world.live_killed_after(dies_after, 9)
    else:
        await world.live(9)
    world.api.revive()
    return world.answer()


@pytest.mark.parametrize(
    "sentence",
    [
        "stop task 1",
        "stop all tasks",
        "stop instance demo-1",
        "restart instance demo-1",
        "reassign tasks from demo-1",
        "retry failed tasks",
        "cancel task 2",
        "cleanup swarm",
    ],
)
async def test_a_sentence_is_carried_out_once_wherever_the_operator_dies(
    world: World, sentence: str
) -> None:
    await begin(world)
    answer = await said(world, sentence)
    assert answer["phase"] == "Succeeded"
    undisturbed = wishes(world)
    for writes in range(1, _LONGEST):
        await begin(world)
        again = await said(world, sentence, dies_after=writes)
        assert again["phase"] == "Succeeded", writes
        assert again["result"]["sideEffects"] == answer["result"]["sideEffects"], writes
        assert wishes(world) == undisturbed, writes


async def test_stop_all_and_resume_give_everything_back(world: World) -> None:
    await begin(world)
    assert (await said(world, "stop all tasks"))["phase"] == "Succeeded"
    assert world.cluster.task("1")["state"] == "Ready"
    assert world.status()["phase"] == "Suspended"
    world.say("resume swarm", "go")
    await world.live(6)
    assert world.answer("go")["phase"] == "Succeeded"
    assert world.cluster.task("1")["state"] == "Bound"
    assert world.cluster.task("1")["attempt"] == 2


async def test_a_graceful_stop_of_all_is_cancelled_by_name(world: World) -> None:
    await begin(world)
    assert (await said(world, "stop all tasks graceful"))["phase"] == "Running"
    world.say("cancel command word", "cancel")
    await world.live(3)
    assert world.answer("cancel")["phase"] == "Succeeded"
    answer = world.answer()
    assert (answer["phase"], answer["message"]) == (
        "Cancelled",
        "cancelled by command cancel; kiroswarm/demo: spec.suspend false -> true",
    )
    # Each has its line in the audit log: what was changed before it was cancelled stays.
    assert answer["audit"]["sequence"] == 2
    assert world.answer("cancel")["audit"]["sequence"] == 1
    world.cluster.tasks_run = True
    await world.live(6)
    assert world.answer() == answer


async def test_graceful_restart_comes_back_after_the_task(world: World) -> None:
    await begin(world)
    assert (await said(world, "restart instance demo-1 graceful"))["phase"] == "Running"
    assert world.cluster.status(INSTANCES, "demo-1")["phase"] == "Paused"
    world.cluster.tasks_run = True
    await world.live(12)
    answer = world.answer()
    assert answer["phase"] == "Succeeded"
    assert answer["message"].endswith("task 1 was finished first")
    assert answer["result"]["sideEffects"] == [
        "kiroinstance/demo-1: spec.desired Running -> Paused",
        "pod/demo-1-0: deleted, another follows",
        "kiroinstance/demo-1: spec.desired Paused -> Running",
    ]


@pytest.mark.parametrize(
    ("verb", "state", "outcome"),
    [("approve", "Merged", ""), ("reject", "Ready", "Rejected")],
)
async def test_a_person_is_asked_and_answers(
    world: World, verb: str, state: str, outcome: str
) -> None:
    world.graph = world.cluster.graph = {"1": []}
    world.apply_swarm(instances=1, integration={"approval": "Required"})
    await world.live(9)
    assert world.cluster.task("1")["state"] == "Done"
    world.cluster.tasks_run = False
    world.edit_swarm(suspend=True)
    answer = await said(world, f"{verb} task 1")
    assert answer["phase"] == "Succeeded"
    status = world.cluster.task("1")
    assert (status["state"], status.get("reason", "")) == (state, outcome)
