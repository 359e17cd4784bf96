"""Sentences that wait, or are about many, on a real API server."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, JOBS, PODS, SWARMS, TASKS
from kiro_swarm.runner.attempt import Failed
from tests.support.played import PlayedNode
from tests.support.swarms import command, independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")
Object = Any


@pytest.fixture
async def work(world: World, node: PlayedNode) -> HeldWork:
    """A swarm of two instances, each with one of three tasks."""
    held = HeldWork()
    node.script.work = held
    await world.create(SWARMS, swarm("demo", independent(3), instances=2))
    await held.begun("1")
    await held.begun("2")
    for index in (1, 2):
        await phase(world, f"demo-{index}", "Busy")
    return held


async def phase(world: World, name: str, wanted: str) -> Object:
    """Wait until an instance is in a phase."""
    return await world.until(
        INSTANCES, name, lambda item: item.get("status", {}).get("phase") == wanted
    )


async def state(world: World, task: str, wanted: str) -> Object:
    """Wait until a task is in a state; its status."""
    found = await world.until(
        TASKS,
        f"demo.{task}",
        lambda item: item.get("status", {}).get("state") == wanted,
    )
    status: Object = found["status"]
    return status


async def waits(world: World, name: str, sentence: str, **spec: Any) -> Object:
    """Say a sentence and wait until it waits for something; its status."""
    await world.create(COMMANDS, command(name, "demo", sentence, **spec))
    found = await world.until(
        COMMANDS, name, lambda item: item.get("status", {}).get("reason") == "Waiting"
    )
    status: Object = found["status"]
    return status


async def answer(world: World, name: str) -> Object:
    """Wait for the answer to a command; its status."""
    found = await world.until(
        COMMANDS, name, lambda item: item.get("status", {}).get("finishedAt")
    )
    status: Object = found["status"]
    return status


def where(work: HeldWork, task: str) -> str:
    """The instance that a task began with."""
    names = [t["status"]["instance"] for t in work.tasks if t["spec"]["id"] == task]
    return str(names[0])


async def test_stop_all_takes_everything_back_and_resume_gives_it_again(
    world: World, work: HeldWork
) -> None:
    status = await world.say("c", "demo", "stop all running threads")
    assert status["phase"] == "Succeeded"
    assert status["message"] == (
        "2 of 2 instances of demo stopped; `resume swarm` starts work again"
    )
    parts = {part["target"]: part["message"] for part in status["partialResults"]}
    assert parts == {
        where(work, "1"): "stopped; task 1 went back in line",
        where(work, "2"): "stopped; task 2 went back in line",
    }
    assert not [name for name in await world.names(PODS) if name.startswith("demo-1-")]
    assert (await world.until_phase("demo", "Suspended"))["spec"]["suspend"] is True
    resumed = await world.say("d", "demo", "resume swarm")
    assert resumed["message"] == "demo goes on with 2 instances; 0 of 3 tasks merged"
    again = await work.begun("1", attempt=2)
    assert [one["outcome"] for one in again["status"]["history"]] == ["Stopped"]


async def test_graceful_stop_of_all_gathers_who_has_ended(
    world: World, work: HeldWork
) -> None:
    status = await waits(world, "c", "stop everything gracefully")
    assert status["message"].startswith("0 of 2 instances of demo stopped")
    work.finish("1")
    first = where(work, "1")
    found = await world.until(
        COMMANDS,
        "c",
        lambda item: any(part["done"] for part in item["status"]["partialResults"]),
    )
    (done,) = [part for part in found["status"]["partialResults"] if part["done"]]
    assert (done["target"], done["message"]) == (first, "stopped; task 1 ended")
    work.finish("2")
    assert (await answer(world, "c"))["phase"] == "Succeeded"
    assert "attempt" not in await state(world, "3", "Ready")


async def test_a_command_that_waits_is_cancelled_by_name(
    world: World, work: HeldWork
) -> None:
    await waits(world, "slow", "stop all tasks graceful")
    status = await world.say("c", "demo", "cancel command slow")
    assert status["message"] == (
        "command slow is cancelled; what it has done until then stays"
    )
    slow = await answer(world, "slow")
    assert (slow["phase"], slow["reason"]) == ("Cancelled", "Cancelled")
    assert slow["message"] == (
        "cancelled by command c; kiroswarm/demo: spec.suspend false -> true"
    )
    again = await world.say("d", "demo", "cancel command slow")
    assert again["message"].startswith("command slow already finished (Cancelled, ")
    near = await world.say("e", "demo", "cancel command slov")
    assert near["message"].endswith("nearest: slow)")


async def test_a_later_sentence_overrules_one_that_waits(
    world: World, work: HeldWork
) -> None:
    await waits(world, "slow", "stop all tasks graceful")
    await world.say("c", "demo", "resume swarm")
    slow = await answer(world, "slow")
    assert (slow["phase"], slow["message"]) == (
        "Failed",
        "demo was resumed before everything had stopped",
    )
    assert (await world.swarm("demo"))["spec"]["suspend"] is False


async def test_restart_gives_an_instance_another_pod_and_its_task_another_attempt(
    world: World, work: HeldWork
) -> None:
    name = where(work, "1")
    status = await world.say("c", "demo", f"restart instance {name}")
    assert status["phase"] == "Succeeded"
    assert status["result"]["data"]["pod"] == f"{name}-1"
    assert status["message"].startswith(
        f"instance {name} is back with pod {name}-1 after"
    )
    assert f"{name}-0" not in await world.names(PODS)
    again = await work.begun("1", attempt=2)
    assert [one["outcome"] for one in again["status"]["history"]] == ["Reassigned"]


async def test_graceful_restart_waits_for_the_task(
    world: World, work: HeldWork
) -> None:
    name = where(work, "1")
    status = await waits(world, "c", f"restart instance {name} graceful")
    assert f"after task 1; `resume instance {name}` calls it off" in status["message"]
    await phase(world, name, "Paused")
    work.finish("1")
    ended = await answer(world, "c")
    assert ended["phase"] == "Succeeded"
    assert ended["message"].endswith("task 1 was finished first")
    instance = await world.client.get(INSTANCES, world.namespace, name)
    assert instance["spec"]["desired"] == "Running"
    assert instance["status"]["pod"] == f"{name}-1"


async def test_reassign_moves_the_work_and_pauses_the_instance(
    world: World, work: HeldWork
) -> None:
    first, second = where(work, "1"), where(work, "2")
    await world.say("a", "demo", f"assign task 3 to {first}")
    status = await world.say("c", "demo", f"reassign tasks from {first}")
    assert status["message"] == (
        f"1, 3 may go to {second}; `resume instance {first}` gives it work again"
    )
    await phase(world, first, "Paused")
    assert f"{first}-0" in await world.names(PODS)
    work.finish("2")
    again = await work.begun("1", attempt=2)
    assert again["status"]["instance"] == second
    assert [one["outcome"] for one in again["status"]["history"]] == ["Reassigned"]
    await world.say("d", "demo", f"resume instance {first}")
    assert (await work.begun("3"))["status"]["instance"] == first


async def test_a_task_goes_to_the_instance_that_a_person_chose(
    world: World, work: HeldWork
) -> None:
    second = where(work, "2")
    status = await world.say("c", "demo", f"assign task 3 to instance {second}")
    assert status["message"] == (
        f"task 3 is for {second} alone; `unassign task 3` undoes it"
    )
    work.finish("1")
    await phase(world, where(work, "1"), "Ready")
    assert "attempt" not in await state(world, "3", "Ready")
    work.finish("2")
    assert (await work.begun("3"))["status"]["instance"] == second


async def test_a_stopped_task_waits_until_it_is_resumed(
    world: World, work: HeldWork
) -> None:
    name = where(work, "1")
    status = await world.say("c", "demo", "stop task 1")
    assert status["message"] == (
        f"task 1 is stopped: attempt 1 with {name} is given up; "
        "`resume task 1` lets it start again"
    )
    assert status["result"]["sideEffects"] == [
        "kirotask/demo.1: spec.paused false -> true",
        "kirotask/demo.1: Running -> Ready (Stopped)",
    ]
    # Its instance takes the other one meanwhile.
    assert (await work.begun("3"))["status"]["instance"] == name
    await world.say("d", "demo", "resume task 1")
    work.finish("2")
    await work.begun("1", attempt=2)


async def test_a_cancelled_task_frees_its_instance_and_can_be_tried_again(
    world: World, work: HeldWork
) -> None:
    status = await world.say("c", "demo", "cancel task 1")
    assert status["message"] == "task 1 is cancelled; `retry task 1` undoes it"
    given_up = await state(world, "1", "Failed")
    assert (given_up["reason"], given_up["message"]) == (
        "Cancelled",
        "cancelled by command c",
    )
    assert (await work.begun("3"))["status"]["instance"] == where(work, "1")
    retried = await world.say("d", "demo", "retry task 1")
    assert retried["message"] == "task 1 is tried again"
    work.finish("2")
    await work.begun("1", attempt=2)


async def test_every_failed_task_is_tried_again(world: World, node: PlayedNode) -> None:
    work = HeldWork()
    node.script.work = work
    body = swarm("demo", independent(2), instances=2, recovery={"maxAttempts": 1})
    await world.create(SWARMS, body)
    for task in ("1", "2"):
        await work.begun(task)
        work.fail(task, 1, Failed("NoChanges", "nothing", "Commit."))
    await world.until_phase("demo", "Failed")
    status = await world.say("c", "demo", "retry failed tasks")
    assert status["message"] == "2 of 2 failed tasks of demo are tried again"
    for task in ("1", "2"):
        await work.begun(task, attempt=2)


async def test_a_person_approves_one_attempt_and_rejects_another(
    world: World, node: PlayedNode
) -> None:
    body = swarm(
        "demo", independent(2), instances=2, integration={"approval": "Required"}
    )
    await world.create(SWARMS, body)
    for task in ("1", "2"):
        await state(world, task, "Done")
    early = await world.say("early", "demo", "cancel task 3")
    assert early["message"] == "task 3 is not in swarm demo (2 tasks: 1, 2)"
    work = HeldWork()
    node.script.work = work
    rejected = await world.say("c", "demo", 'reject task 2 reason="no tests"')
    assert rejected["message"] == (
        "task 2, attempt 1 is rejected and is done again, with your reason as its brief"
    )
    again = await work.begun("2", attempt=2)
    assert again["status"]["brief"].endswith("rejected it: no tests")
    approved = await world.say("d", "demo", "approve task 1")
    assert approved["message"] == "task 1, attempt 1 is approved and is merged next"
    await node.until_merged(1)
    assert node.merged == [("1", 1)]
    await state(world, "1", "Merged")


async def test_cleanup_leaves_what_is_not_finished(
    world: World, work: HeldWork
) -> None:
    await waits(world, "slow", f"stop instance {where(work, '1')} graceful")
    await world.say("old", "demo", "status swarm")
    await world.say("wrong", "demo", "dance swarm")
    status = await world.say("c", "demo", "clean up swarm")
    assert (
        status["message"] == "deleted 2 finished commands and 0 finished Jobs of demo"
    )
    assert await world.names(COMMANDS) == ["c", "slow"]
    assert await world.names(JOBS) == ["demo-prepare-1"]


async def test_a_crash_on_purpose_is_measured_until_the_instance_is_back(
    world: World, work: HeldWork
) -> None:
    status = await world.say(
        "c", "demo", "test failure simulate instance-crash recovery-time"
    )
    assert status["phase"] == "Succeeded"
    data = status["result"]["data"]
    assert data["newPod"] == f"{data['instance']}-1"
    assert 0 < data["seconds"] < 30
    again = await work.begun(data["task"], attempt=2)
    assert [one["outcome"] for one in again["status"]["history"]] == ["InstanceLost"]


async def test_health_tells_who_is_not_well(world: World, node: PlayedNode) -> None:
    node.script.pods_ready = False
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    await world.until(INSTANCES, "demo-1", lambda item: True)
    status = await world.say("c", "demo", "show me the swarm health")
    assert status["action"]["normalized"] == "status swarm health"
    assert "instance demo-1 is Pending" in status["message"]
    data = status["result"]["data"]
    assert data["healthy"] is False
    assert all(part["alive"] for part in data["health"])


async def test_a_dry_run_of_a_sentence_that_waits_changes_nothing(
    world: World, work: HeldWork
) -> None:
    status = await world.say("c", "demo", "stop all tasks", dryRun=True)
    assert status["phase"] == "Succeeded"
    assert "kiroswarm/demo: spec.suspend false -> true" in status["message"]
    assert (await world.swarm("demo"))["spec"].get("suspend", False) is False
    for task in ("1", "2"):
        assert (await state(world, task, "Running"))["attempt"] == 1
