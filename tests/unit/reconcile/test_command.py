"""A sentence is parsed, carried out once, and answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.api.command import SwarmCommandStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, TASKS
from kiro_swarm.observe.health import Report
from kiro_swarm.reconcile.worker import RECONCILERS
from tests.support.shapes import valid
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World, a_world

WIDE = {"1": [], "2": [], "3": ["1", "2"], "4": ["3"]}


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances, each with a task of four."""
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    assert world.cluster.task("2")["state"] == "Bound"
    return world


async def say(world: World, sentence: str, name: str = "word") -> Any:
    """Say it, and the whole answer."""
    world.say(sentence, name)
    await world.live(6)
    answer = world.answer(name)
    valid(SwarmCommandStatus, answer)
    lines = answer["result"]["message"].splitlines()
    assert "; ".join(line.strip() for line in lines) == answer["message"]
    return answer


@pytest.mark.parametrize(
    ("sentence", "phase", "words"),
    [
        ("status swarm", "Succeeded", "demo: Running, 2/2 instances ready, 0/4"),
        ("scale instances 2", "Succeeded", "demo has 2 instances wanted"),
        ("scale instances 5", "Succeeded", "scaled demo from 2 to 5 instances"),
        ("scale up instances 3", "Succeeded", "scaled demo from 2 to 5 instances"),
        ("scale down instances 1", "Succeeded", "scaled demo from 2 to 1 instances"),
        (
            "scale down instances 3",
            "Failed",
            "demo has 2 instances wanted, that is not as many as 3",
        ),
        ("run task 1", "Succeeded", "task 1 is with demo-1 already"),
        ("run task 3", "Succeeded", "task 3 starts as soon as 1, 2 are merged"),
        ("run task 33", "Failed", "task 33 is not in swarm demo (4 tasks; nearest: 3)"),
        ("run task 1 beast-mode", "Succeeded", "counts from its next attempt"),
        ("stop task 1", "Succeeded", "attempt 1 with demo-1 is given up"),
        ("stop task 3", "Failed", "task 3 is blocked, nobody works on it"),
        ("pause task 3", "Succeeded", "task 3 is paused; `resume task 3`"),
        ("resume task 3", "Succeeded", "starts as soon as 1, 2 are merged"),
        ("cancel task 2", "Succeeded", "task 2 is cancelled; 3 cannot start"),
        ("retry task 2", "Failed", "task 2 is bound, not failed or skipped"),
        ("retry failed tasks", "Succeeded", "no task of demo has failed"),
        ("assign task 3 to demo-2", "Succeeded", "task 3 is for demo-2 alone"),
        ("unassign task 3", "Succeeded", "task 3 may go to any instance"),
        ("approve task 1", "Failed", "nobody is asked about the tasks of demo"),
        ("reject task 1", "Failed", "nobody is asked about the tasks of demo"),
        ("stop instance demo-1", "Succeeded", "task 1 goes to another"),
        ("stop instance demo-9", "Failed", "instance demo-9 is not in swarm demo"),
        ("pause instance demo-1", "Succeeded", "demo-1 finishes task 1"),
        ("resume instance demo-1", "Succeeded", "instance demo-1 takes tasks"),
        ("restart instance demo-1", "Succeeded", "demo-1 is back with pod demo-1-1"),
        ("reassign tasks from demo-1", "Succeeded", "1 may go to demo-2"),
        ("pause swarm", "Succeeded", "2 tasks (1, 2) may end"),
        ("resume swarm", "Succeeded", "demo goes on with 2 instances"),
        ("stop all running threads", "Succeeded", "2 of 2 instances of demo stopped"),
        ("scale swarm other to 3", "Failed", "its sentence says other"),
        ("cancel command nope", "Failed", "nope is not in swarm demo (0 commands)"),
        ("cleanup swarm", "Succeeded", "deleted 0 finished commands"),
        ('test protocol parse "scale to 3"', "Succeeded", "'scale instances 3'"),
        (
            "test failure simulate instance-crash recovery-time",
            "Succeeded",
            "demo-1-1 was ready",
        ),
        ("status swarm health", "Succeeded", "everything is well"),
        ("status task 1", "Succeeded", "task 1 (Task 1): Bound with demo-1"),
        ("status instance demo-1", "Succeeded", "demo-1: Busy with task 1"),
        ("why is task 3 not running", "Succeeded", "task 3 is Blocked: waits for 1"),
        ("dance swarm", "Rejected", ""),
        ("rollback integration batch-5", "Failed", "is not available: "),
    ],
)
async def test_every_sentence_is_answered(
    at_work: World, sentence: str, phase: str, words: str
) -> None:
    answer = await say(at_work, sentence)
    assert answer["phase"] == phase
    assert words in answer["message"]
    assert answer["result"]["success"] == (phase == "Succeeded")
    (condition,) = answer["conditions"]
    assert (condition["type"], condition["reason"]) == (
        "Complete" if phase == "Succeeded" else "Failed",
        answer["reason"],
    )
    assert answer["reason"] in (phase, "NotAvailable")
    assert answer["correlationId"] == (
        at_work.cluster.one(COMMANDS, "word")["metadata"]["uid"]
    )


async def test_a_detailed_status_has_instances_tasks_conditions_and_health(
    at_work: World,
) -> None:
    workers: Report = {
        "name": "workers",
        "alive": True,
        "ready": True,
        "reasons": [],
        "since": "",
    }
    at_work.ctx.health = lambda: [workers]
    data = (await say(at_work, "status swarm detailed"))["result"]["data"]
    assert data["taskStates"] == {
        "1": "Bound",
        "2": "Bound",
        "3": "Blocked",
        "4": "Blocked",
    }
    assert [item["name"] for item in data["instances"]] == ["demo-1", "demo-2"]
    assert data["conditions"]["Prepared"] == "True: Prepared"
    assert data["health"] == [workers]
    short = (await say(at_work, "status swarm", "short"))["result"]["data"]
    assert "instances" not in short


async def test_a_repeatable_command_costs_one_write(at_work: World) -> None:
    before = len(at_work.api.writes)
    await say(at_work, "status swarm")
    assert at_work.api.writes[before:] == ["PATCH swarmcommands/word/status"]


async def test_scale_up_is_done_once_wherever_the_operator_dies(tmp_path: Path) -> None:
    async with a_world(tmp_path, {"1": []}) as world:
        for k in range(1, 12):
            world.begin_again()
            world.cluster.tasks_run = False
            world.apply_swarm(instances=1)
            await world.live(9)
            world.say("scale up instances 2")
            await world.live_killed_after(k, 4)
            assert world.cluster.one(SWARMS, "demo")["spec"]["instances"] == 3, k
            assert world.answer()["phase"] == "Succeeded"
            assert world.answer()["action"]["parameters"] == {"from": 1, "target": 3}


async def test_a_merged_a_done_and_a_skipped_task_are_answered_for_what_they_are(
    at_work: World,
) -> None:
    words = {}
    for state in ("Merged", "Done", "Skipped", "Ready"):
        at_work.cluster.frozen.add("demo-integrate-1")
        at_work.cluster.set_status(TASKS, "demo.4", state=state, instance="")
        await at_work.settle()
        words[state] = (await say(at_work, "run task 4", state.lower()))["message"]
    assert words == {
        "Merged": "task 4 is merged already",
        "Done": "task 4 is done and waits for its merge",
        "Skipped": "task 4 starts as soon as 3 is merged",
        "Ready": "task 4 starts as soon as 3 is merged",
    }


async def test_a_failed_task_is_tried_again_and_a_ready_one_is_next(
    at_work: World,
) -> None:
    at_work.edit_swarm(suspend=True)
    paused = "; demo is paused: `resume swarm` lets it start"
    for name, state in (("1", "Failed"), ("2", "Ready")):
        at_work.cluster.set_status(TASKS, f"demo.{name}", state=state, instance="")
    await at_work.settle()
    assert (await say(at_work, "run task 1", "a"))["message"] == (
        f"task 1 was failed; it is tried again{paused}"
    )
    assert (await say(at_work, "run task 2", "b"))["message"] == (
        f"task 2 is next{paused}"
    )
    assert at_work.cluster.task("1")["state"] == "Ready"
    spec = at_work.cluster.one(TASKS, "demo.2")["spec"]
    assert spec["priority"] == 1000


async def test_an_idle_instance_stops_and_asking_twice_changes_nothing(
    at_work: World,
) -> None:
    at_work.cluster.set_status(TASKS, "demo.1", state="Failed", instance="")
    await at_work.settle()
    first = await say(at_work, "stop instance demo-1 graceful", "a")
    assert first["message"] == (
        "instance demo-1 is stopped; `resume instance demo-1` starts it"
    )
    assert first["result"]["sideEffects"] == [
        "kiroinstance/demo-1: spec.desired Running -> Drained"
    ]
    second = await say(at_work, "stop instance demo-1 graceful", "b")
    assert "sideEffects" not in second["result"] or not second["result"]["sideEffects"]
    await at_work.live(3)
    assert at_work.cluster.status(INSTANCES, "demo-1")["phase"] == "Stopped"


async def test_a_command_may_come_before_its_swarm(world: World) -> None:
    world.say("status swarm")
    await world.live(1)
    assert world.answer() == {}
    world.apply_swarm()
    await world.live(3)
    assert world.answer()["phase"] == "Succeeded"


async def test_a_command_to_nobody_fails_after_a_while(world: World) -> None:
    world.say("status swarm")
    for _ in range(12):
        await world.live(1)
    assert world.answer()["phase"] == "Failed"
    assert world.answer()["message"] == "there is no KiroSwarm demo in namespace team"


async def test_a_command_to_a_misspelt_swarm_names_the_nearest(world: World) -> None:
    world.apply_swarm()
    world.say("status swarm", swarm="dmo")
    for _ in range(12):
        await world.live(1)
    assert world.answer()["message"] == (
        "there is no KiroSwarm dmo in namespace team; nearest: demo"
    )


async def test_a_wrong_sentence_needs_no_swarm_and_gets_suggestions(
    world: World,
) -> None:
    answer = await say(world, "staus swarm")
    assert answer["phase"] == "Rejected"
    assert answer["message"].count("did you mean") == 1
    assert "? Your sentence, corrected: status swarm" in answer["message"]
    assert "action" not in answer


async def test_what_the_api_server_refuses_is_the_answer(at_work: World) -> None:
    from aiohttp import web

    async def refuse(request: web.Request) -> Any:
        if request.method != "PATCH" or not request.path.endswith("kiroswarms/demo"):
            return None
        message = "spec.instances: Invalid value"
        return web.json_response({"message": message}, status=422)

    at_work.api.intercept = refuse
    answer = await say(at_work, "scale instances 7")
    assert (answer["phase"], answer["message"]) == (
        "Failed",
        "spec.instances: Invalid value",
    )


async def test_an_answered_command_is_deleted_when_its_time_is_up(
    at_work: World,
) -> None:
    at_work.say(
        "status swarm", "short", ttlSecondsAfterFinished=5, correlationId="id-1"
    )
    at_work.say("status swarm", "kept")
    await at_work.live(1)
    assert at_work.answer("short")["correlationId"] == "id-1"
    at_work.clock.seconds += 6
    await at_work.settle()
    assert at_work.cluster.names(COMMANDS) == ["kept"]


async def test_a_command_that_changed_meanwhile_is_looked_at_again_before_it_goes(
    at_work: World,
) -> None:
    at_work.say("status swarm", "short", ttlSecondsAfterFinished=5)
    await at_work.live(1)
    at_work.clock.seconds += 6
    longer = {"spec": {"ttlSecondsAfterFinished": 60}}
    at_work.api.store.patch(COMMANDS, NAMESPACE, "short", longer)
    key = at_work.ctx.key(COMMANDS, NAMESPACE, "short")
    with pytest.raises(errors.Conflict):
        await RECONCILERS[COMMANDS](at_work.ctx, key)
    await at_work.settle()
    assert at_work.cluster.names(COMMANDS) == ["short"]
    at_work.clock.seconds += 60
    await at_work.settle()
    assert at_work.cluster.names(COMMANDS) == []


async def test_a_command_is_never_carried_out_again(at_work: World) -> None:
    await say(at_work, "scale up instances 1")
    at_work.edit_swarm(instances=2)
    await at_work.restart()
    await at_work.live(3)
    assert at_work.cluster.one(SWARMS, "demo")["spec"]["instances"] == 2


async def test_a_command_to_a_swarm_of_another_version_waits_like_one_to_nobody(
    world: World,
) -> None:
    world.apply_swarm(fieldOfTomorrow=1)
    world.say("status swarm")
    await world.live(2)
    assert world.answer() == {}
    await world.client.delete(COMMANDS, NAMESPACE, "word")
    await world.live(2)
    assert world.cluster.names(COMMANDS) == []
