"""What people hold, assign, approve and take back, as the operator honours it."""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable

import pytest

from kiro_swarm.cluster.resources import (
    EVENTS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.lifecycle.attempts import cancelled, rejected, taken_back
from kiro_swarm.policy.conditions import find
from tests.support import statuses
from tests.support.played import PlayedNode
from tests.support.swarms import chain, independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")
Object = Any
Judge = Callable[[Object], bool]


@pytest.fixture
def work(node: PlayedNode) -> HeldWork:
    held = HeldWork()
    node.script.work = held
    return held


async def want(world: World, resource: AnyResource, name: str, **spec: Any) -> None:
    """Change what is wanted of an object, as a sentence would."""
    await world.client.patch(resource, world.namespace, name, {"spec": spec})


def phase(wanted: str, task: str = "") -> Judge:
    """Whether an instance is in a phase, with a task."""

    def judge(item: Object) -> bool:
        status = item.get("status", {})
        return bool(
            status.get("phase") == wanted and (status.get("task") or "") == task
        )

    return judge


def state(wanted: str) -> Judge:
    """Whether a task is in a state."""
    return lambda item: item.get("status", {}).get("state") == wanted


def condition(item: Object, kind: str) -> Object:
    """A condition of a swarm; empty while it is not there."""
    return find(item.get("status", {}).get("conditions") or [], kind) or {}


def asks(word: str) -> Judge:
    """Whether a swarm says "True" or "False" to ApprovalNeeded."""
    return lambda item: condition(item, "ApprovalNeeded").get("status") == word


async def patch_status(world: World, name: str, patch: Object) -> None:
    await world.client.patch_status(TASKS, world.namespace, name, patch)


async def test_paused_task_is_left_and_a_paused_one_at_work_goes_on_to_its_merge(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(2), instances=1))
    await work.begun("1")
    await want(world, TASKS, "demo.1", paused=True)
    await want(world, TASKS, "demo.2", paused=True)
    work.finish("1")
    await world.until(TASKS, "demo.1", state("Merged"))
    await world.until(INSTANCES, "demo-1", phase("Ready"))
    waiting = (await world.tasks("demo"))["2"]["status"]
    assert (waiting["state"], waiting.get("attempt", 0)) == ("Ready", 0)
    await want(world, TASKS, "demo.2", paused=False)
    await work.begun("2")
    work.finish("2")
    await world.until_phase("demo", "Succeeded")


async def test_assigned_task_waits_for_its_instance_which_takes_it_first(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(4), instances=0))
    await world.until(TASKS, "demo.4", state("Ready"))
    await want(world, TASKS, "demo.1", assignedTo="demo-2")
    await want(world, TASKS, "demo.4", assignedTo="demo-1")
    await world.change("demo", instances=1)
    assert (await work.begun("4"))["status"]["instance"] == "demo-1"
    work.finish("4")
    assert (await work.begun("2"))["status"]["instance"] == "demo-1", "1 is not its"
    await world.change("demo", instances=2)
    assert (await work.begun("1"))["status"]["instance"] == "demo-2"
    for task in ("1", "2", "3"):
        work.finish(task)
    await world.until_phase("demo", "Succeeded")


async def test_paused_instance_ends_its_task_keeps_its_pod_and_gets_no_other(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(2), instances=1))
    await work.begun("1")
    await want(world, INSTANCES, "demo-1", desired="Paused")
    finishing = await world.until(INSTANCES, "demo-1", phase("Paused", "1"))
    assert finishing["status"]["message"] == "finishes task 1 and takes no further one"
    work.finish("1")
    await world.until(TASKS, "demo.1", state("Merged"))
    await world.until(INSTANCES, "demo-1", phase("Paused"))
    paused = await world.until(
        SWARMS,
        "demo",
        lambda item: (item["status"]["readiness"], item["status"]["progress"])
        == ("0/0", "1/2"),
    )
    assert condition(paused, "Ready")["reason"] == "InstancesHeld"
    assert condition(paused, "Stalled")["status"] == "True"
    assert paused["status"]["message"].endswith("say `resume instance demo-1`")
    assert "demo-1-0" in await world.names(PODS)
    assert (await world.tasks("demo"))["2"]["status"]["state"] == "Ready"
    await want(world, INSTANCES, "demo-1", desired="Running")
    await work.begun("2")
    work.finish("2")
    await world.until_phase("demo", "Succeeded")


async def test_reassigned_task_begins_elsewhere_and_its_first_attempt_is_void(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(1), instances=2))
    first = await work.begun("1")
    here = first["status"]["instance"]
    await want(world, INSTANCES, here, desired="Paused")
    words = ("Reassigned", "taken from its instance by ada")
    patch = taken_back(first["status"], statuses.now(), *words)
    await patch_status(world, "demo.1", patch)
    second = await work.begun("1", attempt=2)
    assert second["status"]["instance"] != here
    assert second["status"].get("failures", 0) == 0
    work.finish("1", attempt=1)  # too late: nobody listens
    work.finish("1", attempt=2)
    await world.until_phase("demo", "Succeeded")
    assert node.merged == [("1", 2)]


async def test_cancelled_task_stays_failed_until_a_person_asks_for_it(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", chain(2), instances=1))
    begun = await work.begun("1")
    patch = cancelled(begun["status"], begun["spec"], statuses.now(), "ada")
    await patch_status(world, "demo.1", patch)
    failed = await world.until_phase("demo", "Failed")
    assert condition(failed, "Stalled")["reason"] == "TasksFailed"
    work.finish("1")
    await world.until(INSTANCES, "demo-1", phase("Ready"))
    await want(world, TASKS, "demo.1", runRequest="asked")
    await work.begun("1", attempt=2)
    work.finish("1", attempt=2)
    await work.begun("2")
    work.finish("2")
    await world.until_phase("demo", "Succeeded")
    assert node.merged == [("1", 2), ("2", 1)]


async def test_nothing_is_merged_that_no_person_approved(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    body = swarm("demo", chain(2), integration={"approval": "Required"})
    await world.create(SWARMS, body)
    for task, attempt in (("1", 1), ("1", 2), ("2", 1)):
        work.finish(task, attempt)
    asked = await world.until(SWARMS, "demo", asks("True"))
    assert asked["status"]["phase"] == "Running"
    assert asked["status"]["message"].startswith(
        "approve or reject 1: `approve task 1` or `reject task 1`; "
    )
    assert not [name for name in await world.names(JOBS) if "integrate" in name]

    done = (await world.tasks("demo"))["1"]
    patch = rejected(done["status"], statuses.now(), "no tests")
    await patch_status(world, "demo.1", patch)
    again = await work.begun("1", attempt=2)
    assert "no tests" in again["status"]["brief"]
    await want(world, TASKS, "demo.1", approvedAttempt=1)  # of what was rejected
    await world.until(TASKS, "demo.1", state("Done"))
    await world.until(SWARMS, "demo", asks("True"))
    assert node.merged == []

    await want(world, TASKS, "demo.1", approvedAttempt=2)
    await world.until(TASKS, "demo.1", state("Merged"))
    await want(world, TASKS, "demo.2", approvedAttempt=1)
    finished = await world.until_phase("demo", "Succeeded")
    assert asks("False")(finished)
    assert node.merged == [("1", 2), ("2", 1)]
    events, _ = await world.client.list(EVENTS, world.namespace)
    reasons = Counter(event["reason"] for event in events)
    assert reasons["ApprovalPending"] >= 1
    assert reasons["AllMerged"] == 1
