"""Sentences to a swarm, from SwarmCommand to answer."""

from __future__ import annotations

from collections import Counter

import pytest

from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, PODS, SWARMS, TASKS
from kiro_swarm.runner.attempt import Failed
from tests.support.played import PlayedNode
from tests.support.swarms import command, independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")


async def test_status_swarm_says_how_it_goes(world: World, work: HeldWork) -> None:
    status = await world.say("c", "demo", "status swarm")
    assert status["phase"] == "Succeeded"
    assert status["message"] == ("demo: Running, 2/2 instances ready, 0/4 tasks merged")
    assert status["result"]["data"]["tasks"]["running"] == 1
    assert "instances" not in status["result"]["data"]
    assert status["action"]["verb"] == "status"
    assert status["action"]["permission"]
    assert status["correlationId"]


async def test_status_swarm_detailed_names_everybody(
    world: World, work: HeldWork
) -> None:
    status = await world.say(
        "c", "demo", "show me the swarm status detailed", correlationId="ticket-7"
    )
    data = status["result"]["data"]
    assert {item["name"] for item in data["instances"]} == {"demo-1", "demo-2"}
    assert len({item["colour"] for item in data["instances"]}) == 2
    assert data["taskStates"]["1.1"] == "Running"
    assert status["correlationId"] == "ticket-7"
    assert status["action"]["normalized"] == "status swarm detailed"


async def test_scale_instances_sets_the_number(world: World, work: HeldWork) -> None:
    status = await world.say("c", "demo", "scale instances 4")
    assert status["message"] == "scaled demo from 2 to 4 instances"
    assert status["result"]["sideEffects"] == ["kiroswarm/demo: spec.instances 2 -> 4"]
    await world.until(INSTANCES, "demo-4", lambda item: True)
    again = await world.say("d", "demo", "scale instances 4")
    assert again["result"]["sideEffects"] == []


async def test_scale_up_and_down_count_from_what_is(
    world: World, work: HeldWork
) -> None:
    up = await world.say("c", "demo", "scale up instances 3")
    assert up["result"]["data"] == {"from": 2, "to": 5}
    assert up["action"]["parameters"] == {"from": 2, "target": 5}
    down = await world.say("d", "demo", "scale down instances by 4")
    assert down["result"]["data"] == {"from": 5, "to": 1}
    too_far = await world.say("e", "demo", "scale down instances 2")
    assert too_far["phase"] == "Failed"
    assert "not as many as 2 to take away" in too_far["message"]
    assert (await world.swarm("demo"))["spec"]["instances"] == 1


async def test_run_task_puts_it_first_in_line(world: World, work: HeldWork) -> None:
    waits = await world.say("c", "demo", "run task 1.4")
    assert waits["result"]["data"]["waitsFor"] == ["1.2", "1.3"]
    busy = await world.say("d", "demo", "run task 1.1")
    assert "already" in busy["message"]
    unknown = await world.say("e", "demo", "run task 1.5")
    assert unknown["phase"] == "Failed"
    assert "task 1.5 is not in swarm demo (4 tasks; nearest: 1.4)" in unknown["message"]


async def test_run_task_gives_a_failed_one_another_try(
    world: World, node: PlayedNode
) -> None:
    work = HeldWork()
    node.script.work = work
    body = swarm("demo", independent(1), instances=1, recovery={"maxAttempts": 1})
    await world.create(SWARMS, body)
    await work.begun("1")
    work.fail("1", 1, Failed("NoChanges", "nothing", "Commit."))
    await world.until_phase("demo", "Failed")
    status = await world.say("c", "demo", "run task 1")
    assert status["message"] == "task 1 was failed; it is tried again"
    work.finish("1", attempt=2)
    await world.until_phase("demo", "Succeeded")
    merged = await world.say("d", "demo", "run task 1")
    assert (merged["phase"], merged["message"]) == (
        "Failed",
        "task 1 is merged already",
    )


async def test_graceful_stop_lets_the_task_end(world: World, work: HeldWork) -> None:
    name = work.tasks[0]["status"]["instance"]
    sentence = f"stop instance {name} gracefully"
    await world.create(COMMANDS, command("c", "demo", sentence))
    await world.until(INSTANCES, name, lambda i: i["status"]["phase"] == "Draining")
    waits = await world.until(
        COMMANDS, "c", lambda item: item.get("status", {}).get("reason") == "Waiting"
    )
    assert waits["status"]["message"] == f"instance {name} stops after task 1.1"
    assert f"{name}-0" in await world.names(PODS)
    work.finish("1.1")
    answered = await world.until(
        COMMANDS, "c", lambda item: item["status"].get("finishedAt")
    )
    assert answered["status"]["message"] == (
        f"instance {name} is stopped after task 1.1; `resume instance {name}` starts it"
    )
    assert f"{name}-0" not in await world.names(PODS)
    other = await work.begun("1.2")
    assert other["status"]["instance"] != name


async def test_stop_gives_the_task_to_another(world: World, work: HeldWork) -> None:
    name = work.tasks[0]["status"]["instance"]
    status = await world.say("c", "demo", f"stop instance {name}")
    assert status["message"] == (
        f"instance {name} is stopped; task 1.1 goes to another; "
        f"`resume instance {name}` starts it"
    )
    again = await work.begun("1.1", attempt=2)
    assert again["status"]["instance"] != name
    assert [one["outcome"] for one in again["status"]["history"]] == ["Stopped"]
    unknown = await world.say("d", "demo", "stop instance demo-9")
    assert unknown["message"].startswith(
        "instance demo-9 is not in swarm demo (2 instances; nearest: demo-"
    )


@pytest.mark.parametrize(
    ("sentence", "position", "suggestions"),
    [
        ("statsu swarm", 1, ["status swarm"]),
        ("run task", 9, []),
        ("scale instances lots", 17, []),
    ],
)
async def test_wrong_sentence_is_rejected_with_its_column(
    world: World, node: PlayedNode, sentence: str, position: int, suggestions: list[str]
) -> None:
    status = await world.say("c", "nobody", sentence)
    assert status["phase"] == "Rejected"
    assert f"column {position}" in status["message"]
    assert status["result"]["data"]["position"] == position
    assert status["result"]["data"]["suggestions"] == suggestions


async def test_command_waits_a_little_for_its_swarm(
    world: World, node: PlayedNode
) -> None:
    await world.create(COMMANDS, command("early", "demo", "status swarm"))
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    answered = await world.until(
        COMMANDS, "early", lambda item: item.get("status", {}).get("finishedAt")
    )
    assert answered["status"]["phase"] == "Succeeded"


async def test_command_for_a_swarm_that_never_comes_fails(world: World) -> None:
    status = await world.say("c", "nowhere", "status swarm")
    assert status["phase"] == "Failed"
    assert status["message"] == (
        f"there is no KiroSwarm nowhere in namespace {world.namespace}"
    )


async def test_what_is_not_there_yet_is_never_a_silent_success(
    world: World, work: HeldWork
) -> None:
    status = await world.say("c", "demo", "switch protocol backup")
    assert (status["phase"], status["reason"]) == ("Failed", "NotAvailable")
    assert "the message bus" in status["message"]
    assert status["action"]["permission"] == "switch"


async def test_beast_mode_is_asked_for_in_the_task(
    world: World, work: HeldWork
) -> None:
    status = await world.say("c", "demo", "execute task 1.2 in beast mode")
    assert status["message"] == "task 1.2 starts in beast mode as soon as 1.1 is merged"
    task = await world.client.get(TASKS, world.namespace, "demo.1.2")
    assert task["spec"]["mode"] == "BeastMode"


async def test_command_is_carried_out_once(world: World, work: HeldWork) -> None:
    await world.say("c", "demo", "scale up instances 1")
    labels = {"metadata": {"labels": {"touched": "by-somebody"}}}
    await world.client.patch(COMMANDS, world.namespace, "c", labels)
    await world.say("d", "demo", "status swarm")  # answered after the touched one
    assert (await world.swarm("demo"))["spec"]["instances"] == 3
    answer_of_d = ("swarmcommands", "d")
    written = await world.audit.until(
        world.namespace,
        lambda writes: answer_of_d in {(item.resource, item.name) for item in writes},
    )
    writes = Counter(item.name for item in written if item.resource == "swarmcommands")
    assert writes == {"c": 2, "d": 1}


async def test_answered_command_is_deleted_when_its_time_is_up(
    world: World, work: HeldWork
) -> None:
    await world.say("c", "demo", "status swarm", ttlSecondsAfterFinished=1)
    await world.until_gone(COMMANDS, "c")
