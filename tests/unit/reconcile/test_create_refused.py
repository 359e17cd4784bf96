"""A claim or a Job that the API server refuses: told on the KiroSwarm, once, and while it is so."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.api.condition_reasons import fits
from kiro_swarm.cluster.resources import EVENTS, INSTANCES, PODS, SWARMS, TASKS
from kiro_swarm.reconcile.engine.steps import StepMemory
from kiro_swarm.reconcile.swarms import swarm
from kiro_swarm.reconcile.worker import RECONCILERS
from tests.support.fake_store import Refused
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.test_steps import lives
from tests.unit.reconcile.world import World

QUOTA = "exceeded quota: small, requested: count/jobs.batch=1, used: 3, limited: 3"
#: What is refused: the resource, HTTP status and reason, what the API server says.
KIND = {
    "a claim by a quota": (
        *("persistentvolumeclaims", 403, "Forbidden"),
        f'persistentvolumeclaims "demo-workspace" is forbidden: {QUOTA}',
    ),
    "a Job by a quota": (
        *("jobs", 403, "Forbidden"),
        f'jobs.batch "demo-prepare-1" is forbidden: {QUOTA}',
    ),
    "a Job by a label": (
        *("jobs", 422, "Invalid"),
        'Job.batch "demo-prepare-1" is invalid: metadata.labels: Invalid value: "a b"',
    ),
}


async def step(world: World) -> bool:
    """What the watches say, and one reconcile; whether nothing is said to be refused."""
    world.listen()
    await swarm.reconcile(world.ctx, world.ctx.key(SWARMS, NAMESPACE, "demo"))
    return world.conditions().get("Hindered", ("False", ""))[0] == "False"


def found(world: World, kind: str) -> Any:
    conditions = world.status()["conditions"]
    assert all(
        fits("KiroSwarm", one["type"], one["status"], one["reason"])
        for one in conditions
    )
    (one,) = [one for one in conditions if one["type"] == kind]
    return one["status"], one["reason"]


@pytest.mark.parametrize("case", KIND)
async def test_what_is_refused_is_told_and_writes_nothing_more(
    world: World, case: str
) -> None:
    plural, code, reason, said = KIND[case]

    async def refuse(request: Any) -> None:
        if request.method == "POST" and request.path.endswith(f"/{plural}"):
            raise Refused(code, reason, said)

    world.api.intercept = refuse
    world.apply_swarm()
    assert not await step(world)
    assert said in world.status()["message"]
    assert found(world, "Hindered") == ("True", "CreateRefused")
    assert found(world, "Ready") == ("False", "CreateRefused")
    assert found(world, "Stalled") == ("False", "Progressing")
    (event,) = world.cluster.all(EVENTS)
    assert (event["reason"], event["type"]) == ("CreateRefused", "Warning")
    assert said in event.get("message", event.get("note", ""))
    written = len(world.api.writes)
    assert not await step(world)
    assert world.api.writes[written:] == []
    world.clock.seconds += 61
    assert not await step(world)
    assert found(world, "Stalled") == ("True", "CreateRefused")
    assert found(world, "Reconciling") == ("False", "Idle")
    written = len(world.api.writes)
    assert not await step(world)
    assert world.api.writes[written:] == []
    world.ctx.step_memory = StepMemory(world.clock.monotonic)  # another process
    assert not await step(world)
    assert world.api.writes[written:] == []
    world.api.intercept = None
    world.clock.seconds += 31
    assert await step(world)
    assert found(world, "Hindered") == ("False", "NothingRefused")
    assert found(world, "Stalled") == ("False", "Progressing")
    assert found(world, "Ready") == ("False", "Preparing")


async def test_a_swarm_at_work_says_it_too_and_comes_to_rest(world: World) -> None:
    said = f'jobs.batch "demo-integrate-1" is forbidden: {QUOTA}'

    async def refuse(request: Any) -> None:
        made = request.method == "POST" and request.path.endswith("/jobs")
        if made and "integrate" in (await request.json())["metadata"]["name"]:
            raise Refused(403, "Forbidden", said)

    world.api.intercept = refuse
    world.apply_swarm()
    await world.live(60)
    for _ in range(3):
        assert not await step(world)
    assert found(world, "Ready") == ("False", "CreateRefused")
    assert found(world, "Prepared") == ("True", "Prepared")
    written = len(world.api.writes)
    assert not await step(world)
    assert world.api.writes[written:] == []
    world.clock.seconds += 61
    assert not await step(world)
    assert found(world, "Stalled") == ("True", "CreateRefused")
    world.api.intercept = None
    world.clock.seconds += 31
    assert await step(world)
    assert found(world, "Ready") == ("True", "InstancesReady")
    assert found(world, "Stalled") == ("False", "Progressing")


async def test_a_pod_that_is_refused_is_an_event_of_the_swarm(world: World) -> None:
    said = 'pods "demo-1-0" is forbidden: violates PodSecurity "restricted:latest"'

    async def refuse(request: Any) -> None:
        if request.method == "POST" and request.path.endswith("/pods"):
            raise Refused(403, "Forbidden", said)

    world.apply_swarm()
    world.api.intercept = refuse
    await step(world)
    world.listen()
    key = world.ctx.key(INSTANCES, NAMESPACE, "demo-1")
    for _ in range(3):
        await RECONCILERS[INSTANCES](world.ctx, key)
    (event,) = world.cluster.all(EVENTS)
    assert event["involvedObject"]["kind"] == "KiroSwarm"
    assert event["reason"] == "CreateRefused"
    assert event["message"] == f"demo-1: its pod is refused: {said}"


@pytest.mark.parametrize(("code", "reason"), [(403, "Forbidden"), (500, "Internal")])
async def test_a_pod_that_may_not_be_deleted_is_told_on_the_swarm(
    world: World, code: int, reason: str
) -> None:
    said = 'admission webhook "keep" denied the request: no pod of ours is deleted'

    async def refuse(request: Any) -> None:
        if request.method == "DELETE" and request.path.endswith("/pods/demo-1-0"):
            raise Refused(code, reason, said)

    world.graph = world.cluster.graph = {"1": [], "2": []}
    world.apply_swarm(instances=1)
    await world.live(8)
    world.api.intercept = refuse
    world.edit_swarm(template={"agent": {"command": ["other"]}})
    for _ in range(10):
        await world.live(3)
    assert found(world, "Hindered") == ("True", "ChangeRefused")
    message = f"demo-1: its pod may not be deleted: {said}"
    assert message in world.status()["message"]
    told = [event["message"] for event in world.cluster.all(EVENTS)]
    assert told.count(message) == 1
    written = len(world.api.writes)
    world.clock.seconds += 31
    await world.settle()
    writes = [one for one in world.api.writes[written:] if "kiroinstances" in one]
    assert writes == [], "it is tried again, and said once"
    world.api.intercept = None
    world.clock.seconds += 31
    await world.live(8)
    assert "demo-1-1" in world.cluster.names(PODS)
    assert found(world, "Hindered") == ("False", "NothingRefused")


KEPT = {
    "denied": (403, "Forbidden", 'admission webhook "keep" denied the request'),
    "webhook": (500, "InternalError", 'failed calling webhook "keep": no endpoints'),
    "unknown": (500, "InternalError", "etcdserver: request timed out"),
}


@pytest.mark.parametrize("answer", KEPT)
async def test_pods_of_an_older_template_that_may_not_be_deleted_work_on(
    world: World, answer: str
) -> None:
    """Until they may be; and where nobody knows whether they go, the swarm is stalled."""

    async def refuse(request: Any) -> None:
        if request.method == "DELETE" and "/pods/" in request.path:
            raise Refused(*KEPT[answer])

    world.graph = world.cluster.graph = {str(number): [] for number in range(1, 6)}
    world.cluster.tasks_run = False
    world.apply_swarm(instances=2)
    await world.live(6)
    world.tolerant = True
    world.api.intercept = refuse
    world.cluster.tasks_run = True
    world.edit_swarm(template={"agent": {"command": ["other"]}})
    await lives(world, 120)
    states = [task["status"]["state"] for task in world.cluster.all(TASKS)]
    assert {"demo-1-0", "demo-2-0"} <= set(world.cluster.names(PODS))
    if answer == "unknown":
        assert states.count("Merged") == 2, "those that were under way"
        assert found(world, "Stalled") == ("True", "ChangeRefused")
        world.api.intercept = None
        await lives(world, 120)
        states = [task["status"]["state"] for task in world.cluster.all(TASKS)]
    assert set(states) == {"Merged"}


async def test_a_pod_that_may_be_deleted_again_goes_after_its_task(
    world: World,
) -> None:
    async def refuse(request: Any) -> None:
        if request.method == "DELETE" and "/pods/" in request.path:
            raise Refused(*KEPT["denied"])

    world.graph = world.cluster.graph = {str(number): [] for number in range(1, 5)}
    world.cluster.tasks_run = False
    world.apply_swarm(instances=1)
    await world.live(6)
    world.tolerant = True
    world.api.intercept = refuse
    world.edit_swarm(template={"agent": {"command": ["other"]}})
    world.cluster.tasks_run = True
    for _ in range(60):
        await lives(world, 1)
        world.cluster.tasks_run = False
        tasks = world.cluster.all(TASKS)
        if sum(one["status"].get("attempt", 0) for one in tasks) == 2:
            break
        world.cluster.tasks_run = True
    await lives(world, 3)
    world.api.intercept = None
    world.cluster.tasks_run = True
    await lives(world, 60)
    first = world.cluster.all(TASKS)
    pods = [task["status"]["podUid"] for task in first]
    assert {task["status"]["state"] for task in first} == {"Merged"}
    assert len(set(pods)) == 2, "two of the pod that was kept, two of the next one"
    assert sorted(map(pods.count, set(pods))) == [2, 2]


async def test_a_pod_that_a_webhook_in_trouble_keeps_from_being_made_is_told(
    world: World,
) -> None:
    said = 'failed calling webhook "mesh": connection refused'

    async def refuse(request: Any) -> None:
        made = request.method == "POST" and request.path.endswith("/pods")
        if made and (await request.json())["metadata"]["name"] == "demo-1-0":
            raise Refused(500, "InternalError", said)

    world.api.intercept = refuse
    world.graph = world.cluster.graph = {"1": []}
    world.apply_swarm(instances=1)
    for _ in range(10):
        await world.live(3)
    assert found(world, "Hindered") == ("True", "CreateRefused")
    assert f"demo-1: its pod is refused: {said}" in world.status()["message"]
    world.api.intercept = None
    world.clock.seconds += 31
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"
