"""A program that the image lacks is told to whoever wrote the template, and uses up no task."""

from __future__ import annotations

from typing import Any

from kiro_swarm.cluster.resources import EVENTS, INSTANCES, TASKS
from kiro_swarm.reconcile.tasks.hand_out import idle_instances
from tests.unit.reconcile.explained import node, seen
from tests.unit.reconcile.test_steps import conditions, lives
from tests.unit.reconcile.world import World

WORDS = "the agent could not be started: no-such-agent"
MISSING = {"reason": "AgentNotRunnable", "message": WORDS}


def tasks(world: World) -> list[Any]:
    return [item.get("status") or {} for item in world.cluster.all(TASKS)]


async def test_the_swarm_waits_for_a_person_and_goes_on_by_itself(world: World) -> None:
    world.cluster.agents_fail = dict(MISSING)
    world.apply_swarm()
    await lives(world, 90)
    found = conditions(world)["Hindered"]
    assert (found["status"], found["reason"]) == ("True", "AgentNotRunnable")
    assert f"cannot begin: task 1: {WORDS}" in found["message"]
    assert WORDS in world.status()["message"]
    told = [one["message"] for one in world.cluster.all(EVENTS)]
    assert told.count(f"cannot begin: task 1: {WORDS}") == 1
    # A night: but for moments in which it is tried again the same is said.
    await lives(world, 3000)
    stalled = 0
    for _ in range(600):
        await lives(world, 1)
        stalled += conditions(world)["Stalled"]["reason"] == "AgentNotRunnable"
    assert stalled > 570
    told = [one["message"] for one in world.cluster.all(EVENTS)]
    assert told.count(f"cannot begin: task 1: {WORDS}") == 1
    states = {status.get("state", "Blocked") for status in tasks(world)}
    assert states == {"Ready", "Blocked"}
    attempts = sum(status.get("attempt") or 0 for status in tasks(world))
    assert 10 < attempts < 60, "it is tried again, and not at once"
    assert all(not status.get("failures") for status in tasks(world))
    outcomes = {
        end["outcome"] for status in tasks(world) for end in status.get("history") or []
    }
    assert outcomes == {"AgentNotRunnable"}, "what an unfit pod is given is lost"
    world.cluster.agents_fail.clear()
    template = {"agent": {"command": ["agent"]}, "image": "another"}
    world.edit_swarm(template=template)
    await lives(world, 400)
    assert world.status()["phase"] == "Succeeded"
    assert conditions(world)["Hindered"]["status"] == "False"
    assert len(world.cluster.all(INSTANCES)) == 2


async def test_a_shell_that_lacks_its_program_is_told_and_uses_up_no_task(
    world: World,
) -> None:
    said = "the agent exited with 127: sh: 1: no-such-agent: not found"
    world.cluster.agents_fail = {"reason": "AgentProgramMissing", "message": said}
    world.apply_swarm()
    await lives(world, 90)
    found = conditions(world)["Hindered"]
    assert (found["status"], found["reason"]) == ("True", "AgentNotRunnable")
    assert f"cannot begin: task 1: {said}" in found["message"]
    assert all(not status.get("failures") for status in tasks(world))
    await lives(world, 2000)
    states = {status.get("state", "Blocked") for status in tasks(world)}
    assert states == {
        "Ready",
        "Blocked",
    }, "a template that is mended in time costs none"
    world.cluster.agents_fail.clear()
    await lives(world, 700)
    assert world.status()["phase"] == "Succeeded"


async def test_one_task_that_ends_like_that_holds_up_no_other(world: World) -> None:
    """An agent can end so at will: the others are merged, by the pods that are there."""
    world.graph = world.cluster.graph = {str(number): [] for number in range(1, 11)}
    ordinary, began = world.cluster._runner, dict[str, float]()

    def runner(task: Any) -> None:
        task_id, state = task["spec"]["id"], (task.get("status") or {}).get("state")
        bad, fails = task_id == "1", {"reason": "AgentProgramMissing", "message": "-"}
        world.cluster.agents_fail = fails if bad else {}
        now = world.clock.seconds
        if bad or state != "Running" or now - began.setdefault(task_id, now) >= 10:
            ordinary(task)

    world.cluster._runner = runner  # type: ignore[method-assign]
    world.apply_swarm(instances=2)
    await lives(world, 150)
    states = {
        item["spec"]["id"]: (item.get("status") or {}).get("state")
        for item in world.cluster.all(TASKS)
    }
    assert {task for task, state in states.items() if state != "Merged"} == {"1"}
    restarts = [
        (item.get("status") or {}).get("restarts") or 0
        for item in world.cluster.all(INSTANCES)
    ]
    assert sum(restarts) <= 2


def test_a_pod_that_is_about_to_be_replaced_gets_no_task() -> None:
    ended = {"attempt": 1, "instance": "demo-1", "finishedAt": "2026-11-22T10:00:00Z"}
    failed = node("1", "Ready")
    view = seen(failed, idle=2)
    pods = dict(idle_instances(view))
    assert len(pods) == 2
    name, uid = next(iter(pods.items()))
    failed["status"]["history"] = [
        {**ended, "podUid": uid, "outcome": "AgentNotRunnable", "message": "-"}
    ]
    left = dict(idle_instances(seen(failed, idle=2)))
    assert left == {other: pods[other] for other in pods if other != name}
