"""The way of a task as far as the operator walks it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiro_swarm.cluster.resources import INSTANCES, LEASES, PODS, TASKS, AnyResource
from kiro_swarm.lifecycle.attempts import cancelled, taken_back
from kiro_swarm.lifecycle.steps import skipped
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.tasks import transitions
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World

#: What a prepare Job says.
PREPARED = {
    **{"base": "a" * 40, "head": "a" * 40, "tasksFile": "tasks.md"},
    **{"tasks": 0, "diagnostics": []},
}


async def prepared(world: World, *tasks: dict[str, Any], **spec: Any) -> None:
    """A swarm whose file has these tasks; nobody works yet."""
    world.cluster.tasks_run = False
    world.cluster.frozen.add("demo-prepare-1")
    world.apply_swarm(**{"instances": 1, **spec})
    await world.live(1)
    numbered = [{"title": "t", **t, "order": n} for n, t in enumerate(tasks)]
    world.cluster.publish("demo", numbered)
    world.cluster.end_job("demo-prepare-1", PREPARED)
    await world.live(4)


def states(world: World) -> dict[str, str]:
    return {
        task["spec"]["id"]: (task.get("status") or {}).get("state", "Blocked")
        for task in world.cluster.all(TASKS)
    }


def want(world: World, resource: AnyResource, name: str, **spec: Any) -> None:
    """A person, through the operator, changes what is wanted of an object."""
    world.api.store.patch(resource, NAMESPACE, name, {"spec": spec})


async def test_a_write_that_the_life_of_a_task_forbids_holds_up_no_other_task(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await prepared(world, {"id": "a"}, {"id": "b", "dependencies": ["a"]})
    a, b = world.cluster.all(TASKS)
    late = skipped(world.ctx.now(), deferred=True)
    patches: list[Any] = [(a, {"state": "Merged"}), (b, late)]
    steps = Steps(world.ctx.step_memory, "uid", 1, print)
    written = await transitions.write(world.ctx, patches, steps)
    assert [task["spec"]["id"] for task in written] == ["b"]
    assert states(world) == {"a": "Bound", "b": "Skipped"}
    assert "IllegalEdgeError" in caplog.text


@pytest.mark.parametrize(
    ("optional", "expected"),
    [
        ("Skip", {"t": "Merged", "o": "Skipped", "d": "Skipped", "after": "Bound"}),
        ("Run", {"t": "Merged", "o": "Bound", "d": "Skipped", "after": "Blocked"}),
    ],
)
async def test_where_a_task_begins_is_what_its_box_says(
    world: World, optional: str, expected: dict[str, str]
) -> None:
    await prepared(
        world,
        {"id": "t", "ticked": True},
        {"id": "o", "optional": True},
        {"id": "d", "deferred": True},
        {"id": "after", "dependencies": ["t", "o", "d"]},
        tasks={"specPath": "x", "optional": optional},
    )
    assert states(world) == expected
    assert world.cluster.task("d")["reason"] == "Deferred"


async def test_the_longest_chain_is_bound_first_and_files_do_not_overlap(
    world: World,
) -> None:
    await prepared(
        world,
        {"id": "alone"},
        {"id": "head", "files": ["src/a.py"]},
        {"id": "same", "files": ["src/a.py"]},
        {"id": "tail", "dependencies": ["head"]},
        instances=2,
    )
    assert states(world) == {
        "head": "Bound",
        "alone": "Bound",
        "same": "Ready",
        "tail": "Blocked",
    }
    head = world.cluster.task("head")
    assert (head["instance"], head["attempt"]) == ("demo-1", 1)
    assert head["branch"] == "swarm/demo/head/1"
    pod = world.cluster.one(PODS, "demo-1-0")
    assert head["podUid"] == pod["metadata"]["uid"]


async def test_a_task_comes_back_when_the_pod_of_its_instance_is_gone(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    world.api.store.remove(PODS, NAMESPACE, "demo-1-0")
    await world.settle()
    task = world.cluster.task("1")
    assert task["state"] == "Ready"
    assert task["history"][0]["outcome"] == "InstanceLost"
    assert "is gone" in task["message"]
    assert task["failures"] == 0
    await world.live(4)
    task = world.cluster.task("1")
    assert (task["state"], task["attempt"]) == ("Bound", 2)
    assert task["branch"] == "swarm/demo/1/2"


@pytest.mark.parametrize("written", range(1, 7))
async def test_a_restart_that_was_killed_is_never_charged_to_the_instance(
    world: World, written: int
) -> None:
    await prepared(world, {"id": "1"})
    world.say("restart instance demo-1")
    # Before, between and after the two writes that let the pod go and the task come back.
    world.api.crash_after(written)
    with pytest.raises(ConnectionError):
        await world.live(6)
    for pod in world.cluster.all(PODS):
        if pod["metadata"].get("deletionTimestamp"):
            world.api.store.remove(PODS, NAMESPACE, pod["metadata"]["name"])
    world.api.revive()
    await world.restart()
    await world.live(6)
    assert world.answer()["phase"] == "Succeeded"
    task = world.cluster.task("1")
    assert [one["outcome"] for one in task["history"]] == ["Reassigned"]
    assert (task["state"], task["attempt"], task["forgiven"]) == ("Bound", 2, 1)


async def test_a_task_comes_back_when_the_pod_ended(world: World) -> None:
    await prepared(world, {"id": "1"})
    world.cluster.end_pod("demo-1-0", "Failed", "Evicted")
    await world.settle()
    assert "ended: Failed" in world.cluster.task("1")["message"]


async def test_an_instance_that_falls_silent_loses_its_task_by_our_clock(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    for _ in range(5):  # 100 s with heartbeats
        world.clock.seconds += 20
        world.cluster.beat("demo-1")
        await world.settle()
        assert world.cluster.task("1")["attempt"] == 1
    world.clock.seconds += 39
    await world.settle()
    assert world.cluster.task("1")["attempt"] == 1
    world.clock.seconds += 2
    await world.settle()
    task = world.cluster.task("1")
    assert "gave no heartbeat for 41 s" in task["history"][0]["message"]
    assert task["attempt"] == 1, "the silent pod got its task again"
    await world.live(4)
    assert world.cluster.task("1")["attempt"] == 2
    assert "demo-1-1" in world.cluster.names(PODS), "the silent pod was not replaced"


async def test_silence_does_not_count_while_nobody_could_be_heard(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    world.clock.seconds += 300
    world.ctx.listening_since = world.clock.seconds  # the API server is back
    await world.settle()
    assert not world.cluster.task("1").get("history")
    world.clock.seconds += 41
    await world.live(4)
    assert world.cluster.task("1")["attempt"] == 2


async def test_nobody_is_called_silent_because_our_watch_is_stuck(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    changes = world.api.store.changes
    for _ in range(5):  # heartbeats that are not told
        world.clock.seconds += 41
        world.cluster.beat("demo-1")
        late = [c for c in changes if c.resource is LEASES and c.version > world.heard]
        assert late
        for change in late:
            changes.remove(change)
        await world.settle()
        assert not world.cluster.task("1").get("history")
    world.clock.seconds += 41
    await world.live(4)
    assert world.cluster.task("1")["attempt"] == 2


async def test_a_new_operator_gives_silent_instances_their_whole_time(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    world.clock.seconds += 3600
    await world.restart()
    await world.settle()
    assert world.cluster.task("1")["attempt"] == 1
    world.clock.seconds += 41
    await world.live(4)
    assert world.cluster.task("1")["attempt"] == 2


async def test_a_late_decision_of_ours_does_not_overwrite_a_runner(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    world.cluster.set_status(TASKS, "demo.1", state="Running")  # not heard of yet
    world.api.store.remove(PODS, NAMESPACE, "demo-1-0")
    changes = world.api.store.changes
    late = [c for c in changes if c.resource is TASKS and c.version > world.heard]
    for change in late:
        changes.remove(change)
    await world.settle()
    assert world.cluster.task("1")["state"] == "Running"
    changes.extend(late)
    await world.live(1)
    assert world.cluster.task("1")["history"][0]["outcome"] == "InstanceLost"


async def test_a_failed_task_that_a_person_asks_for_is_tried_again(
    world: World,
) -> None:
    await prepared(world, {"id": "1"}, {"id": "2", "dependencies": ["1"]})
    world.cluster.set_status(
        TASKS, "demo.1", state="Failed", failures=3, instance="", attempt=3
    )
    await world.live(2)
    assert world.status()["phase"] == "Failed"
    request = {"runRequest": "uid-of-a-command"}
    world.api.store.patch(TASKS, NAMESPACE, "demo.1", {"spec": request})
    await world.live(2)
    task = world.cluster.task("1")
    assert (task["state"], task["attempt"], task["failures"]) == ("Bound", 4, 0)
    world.cluster.set_status(TASKS, "demo.1", state="Failed", instance="")
    await world.live(2)
    assert world.cluster.task("1")["state"] == "Failed", "asked once, tried once"


async def test_a_skipped_task_that_is_asked_for_waits_for_what_it_needs(
    world: World,
) -> None:
    await prepared(
        world,
        {"id": "1"},
        {"id": "o", "optional": True, "dependencies": ["1"]},
    )
    request = {"runRequest": "uid-of-a-command"}
    world.api.store.patch(TASKS, NAMESPACE, "demo.o", {"spec": request})
    await world.live(2)
    assert world.cluster.task("o")["state"] == "Blocked"
    world.cluster.tasks_run = True
    await world.live(20)
    assert states(world) == {"1": "Merged", "o": "Merged"}


@pytest.mark.parametrize("desired", ["Drained", "Stopped"])
async def test_an_instance_that_a_person_stops_gets_no_task(
    world: World, desired: str
) -> None:
    await prepared(world, {"id": "1"}, {"id": "2"})
    world.api.store.patch(
        INSTANCES, NAMESPACE, "demo-1", {"spec": {"desired": desired}}
    )
    await world.live(4)
    first = world.cluster.task("1")
    assert first["state"] == ("Bound" if desired == "Drained" else "Ready")
    world.cluster.tasks_run = True
    await world.live(20)
    assert world.cluster.task("2")["state"] == "Ready"
    assert world.cluster.status(INSTANCES, "demo-1")["phase"] == "Stopped"
    assert "demo-1-0" not in world.cluster.names(PODS)


async def test_a_paused_instance_ends_its_task_and_keeps_its_pod(world: World) -> None:
    await prepared(world, {"id": "1"}, {"id": "2"})
    want(world, INSTANCES, "demo-1", desired="Paused")
    world.cluster.tasks_run = True
    await world.live(20)
    assert states(world) == {"1": "Merged", "2": "Ready"}
    status = world.cluster.status(INSTANCES, "demo-1")
    assert (status["phase"], status["pod"], status["task"]) == (
        "Paused",
        "demo-1-0",
        "",
    )
    assert "demo-1-0" in world.cluster.names(PODS)
    assert world.conditions()["Ready"] == ("False", "InstancesHeld")
    assert world.conditions()["Stalled"] == ("True", "InstancesHeld")
    assert world.status()["readiness"] == "0/0"
    assert world.status()["message"] == (
        "1 of 2 merged; no instance is idle: 1 paused or stopped: "
        "say `resume instance demo-1`"
    )
    want(world, INSTANCES, "demo-1", desired="Running")
    await world.live(20)
    assert states(world) == {"1": "Merged", "2": "Merged"}


async def test_a_paused_task_is_not_bound_until_it_is_resumed(world: World) -> None:
    await prepared(world, {"id": "1"}, {"id": "2"}, instances=0)
    want(world, TASKS, "demo.1", paused=True)
    world.edit_swarm(instances=2)
    world.cluster.tasks_run = True
    await world.live(20)
    assert states(world) == {"1": "Ready", "2": "Merged"}
    assert "attempt" not in world.cluster.task("1"), "it was never bound"
    want(world, TASKS, "demo.1", paused=False)
    await world.live(20)
    assert states(world) == {"1": "Merged", "2": "Merged"}


async def test_a_task_that_is_paused_at_work_goes_on_to_its_merge(world: World) -> None:
    await prepared(world, {"id": "1"}, {"id": "2", "dependencies": ["1"]})
    want(world, TASKS, "demo.1", paused=True)
    want(world, TASKS, "demo.2", paused=True)
    world.cluster.tasks_run = True
    await world.live(20)
    assert states(world) == {"1": "Merged", "2": "Ready"}


async def test_an_assigned_task_waits_for_its_instance(world: World) -> None:
    await prepared(world, {"id": "1"}, {"id": "2"}, instances=0)
    want(world, TASKS, "demo.1", assignedTo="demo-2")
    world.edit_swarm(instances=1)
    await world.live(6)
    assert states(world) == {"1": "Ready", "2": "Bound"}
    world.edit_swarm(instances=2)
    await world.live(6)
    assert world.cluster.task("1")["instance"] == "demo-2"


async def test_an_instance_takes_what_is_assigned_to_it_first(world: World) -> None:
    await prepared(world, {"id": "1"}, {"id": "2"}, instances=0)
    want(world, TASKS, "demo.1", assignedTo="demo-1")
    want(world, TASKS, "demo.2", priority=5)
    world.edit_swarm(instances=1)
    await world.live(6)
    assert states(world) == {"1": "Bound", "2": "Ready"}


async def test_a_task_taken_back_from_a_paused_instance_goes_to_another(
    world: World,
) -> None:
    await prepared(world, {"id": "1"}, instances=2)
    before = world.cluster.task("1")
    here = before["instance"]
    want(world, INSTANCES, here, desired="Paused")
    now = world.clock.now()
    world.cluster.set_status(
        TASKS, "demo.1", **taken_back(before, now, "Reassigned", "by ada")
    )
    await world.settle()
    after = world.cluster.task("1")
    assert (after["state"], after["attempt"]) == ("Bound", 2)
    assert after["instance"] != here
    assert world.cluster.status(INSTANCES, here)["phase"] == "Paused"


async def test_a_cancelled_task_stays_so_until_a_person_asks_again(
    world: World,
) -> None:
    await prepared(world, {"id": "1"})
    want(world, TASKS, "demo.1", runRequest="asked")
    await world.settle()
    one = world.cluster.one(TASKS, "demo.1")
    patch = cancelled(one["status"], one["spec"], world.clock.now(), "ada")
    world.cluster.set_status(TASKS, "demo.1", **patch)
    await world.live(4)
    assert states(world) == {"1": "Failed"}
    assert world.status()["phase"] == "Failed"
    want(world, TASKS, "demo.1", runRequest="asked-again")
    await world.live(4)
    again = world.cluster.task("1")
    assert (again["state"], again["attempt"], again["forgiven"]) == ("Bound", 2, 1)


async def test_hundreds_of_tasks_are_made_from_one_graph(world: World) -> None:
    await prepared(world, *({"id": str(n)} for n in range(300)), instances=0)
    assert len(world.cluster.names(TASKS)) == 300
    assert set(states(world).values()) == {"Ready"}
    assert len(json.dumps(world.status())) < 8000, "the status does not grow with them"
