"""Instances come, go and die; the work goes on."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import (
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
    Resource,
)
from kiro_swarm.runner.attempt import Failed
from tests.support.played import PlayedNode
from tests.support.swarms import independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

QUOTAS: AnyResource = Resource("", "v1", "resourcequotas", "ResourceQuota")
pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture
def work(node: PlayedNode) -> HeldWork:
    held = HeldWork()
    node.script.work = held
    return held


def ready(count: int) -> Any:
    def judge(item: Dict[str, Any]) -> bool:
        return bool(item.get("status", {}).get("readiness") == f"{count}/{count}")

    return judge


async def test_scaled_up_swarm_gives_work_to_the_new_instances(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(3), instances=1))
    await work.begun("1")
    await world.change("demo", instances=3)
    second, third = await work.begun("2"), await work.begun("3")
    given = {second["status"]["instance"], third["status"]["instance"]}
    assert given == {"demo-2", "demo-3"}
    for task in ("1", "2", "3"):
        work.finish(task)
    await world.until_phase("demo", "Succeeded")


async def test_busy_instance_is_drained_before_it_goes(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(4), instances=3))
    for task in ("1", "2", "3"):
        await work.begun(task)
    where = {t["spec"]["id"]: t["status"]["instance"] for t in work.tasks}
    drained = next(task for task, name in where.items() if name == "demo-3")
    await world.change("demo", instances=1)
    await world.until(
        INSTANCES, "demo-3", lambda item: item["status"]["phase"] == "Draining"
    )
    assert "demo-3-0" in await world.names(PODS), "its pod was taken from its task"
    work.finish(drained)
    await world.until_gone(INSTANCES, "demo-3")
    await world.until_gone(PODS, "demo-3-0")
    for task in {"1", "2", "3", "4"} - {drained}:
        work.finish(task)
    await world.until_phase("demo", "Succeeded")
    assert {attempt for _, attempt in node.merged} == {1}, "no work was lost"
    assert await world.names(INSTANCES) == ["demo-1"]
    last = next(name for task, _, name in node.started if task == "4")
    assert last == "demo-1", "an instance that leaves got a further task"


async def test_swarm_of_no_instances_waits(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(1), instances=0))
    await world.until(TASKS, "demo.1", lambda item: item["status"]["state"] == "Ready")
    await world.change("demo", instances=1)
    work.finish("1")
    await world.until_phase("demo", "Succeeded")


async def test_suspended_swarm_ends_its_tasks_and_gives_its_pods_back(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(2), instances=1))
    await work.begun("1")
    await world.change("demo", suspend=True)
    await world.until_phase("demo", "Suspended")
    assert "demo-1-0" in await world.names(PODS)
    work.finish("1")
    await world.until_gone(PODS, "demo-1-0")
    stopped = await world.until(
        INSTANCES, "demo-1", lambda item: item["status"]["phase"] == "Stopped"
    )
    assert stopped["status"]["task"] == ""
    assert [task for task, _, _ in node.started] == ["1"]
    await world.change("demo", suspend=False)
    work.finish("2")
    await world.until_phase("demo", "Succeeded")


async def test_task_of_a_deleted_pod_goes_to_another_instance(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(2), instances=2))
    first = await work.begun("1")
    await work.begun("2")
    work.fail("1", 1, Failed("NoChanges", "nothing", "Read the tests first."))
    await work.begun("1", attempt=2)
    instance = next(name for task, number, name in node.started if number == 2)
    await world.client.delete(PODS, world.namespace, f"{instance}-0", grace_seconds=0)
    work.finish("2")
    third = await work.begun("1", attempt=3)
    assert third["status"]["brief"] == "Read the tests first.", "the brief was lost"
    outcomes = [item["outcome"] for item in third["status"]["history"]]
    assert outcomes == ["NoChanges", "InstanceLost"]
    assert third["status"]["failures"] == 1, "a lost instance is not the agent's fault"
    assert third["status"]["podUid"] != first["status"]["podUid"]
    work.finish("1", attempt=3)
    await world.until_phase("demo", "Succeeded")
    assert ("1", 3) in node.merged
    assert f"{instance}-1" in await world.names(PODS), "the pod was not replaced"


async def test_evicted_pod_is_replaced(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    await work.begun("1")
    await node.fail_pod("demo-1-0")
    await work.begun("1", attempt=2)
    instance = await world.client.get(INSTANCES, world.namespace, "demo-1")
    assert instance["status"]["restarts"] == 1
    work.finish("1", attempt=2)
    await world.until_phase("demo", "Succeeded")


async def test_instance_without_a_sign_of_life_loses_its_task(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    node.script.heartbeat_seconds = 0.5
    recovery = {"heartbeatSeconds": 1, "lostAfterSeconds": 3}
    await world.create(
        SWARMS, swarm("demo", independent(1), instances=2, recovery=recovery)
    )
    first = await work.begun("1")
    silent = first["status"]["instance"]
    node.script.silent.add(f"{silent}-0")
    second = await work.begun("1", attempt=2)
    assert second["status"]["instance"] != silent
    assert second["status"]["history"][0]["outcome"] == "InstanceLost"
    assert "no heartbeat" in second["status"]["history"][0]["message"]
    work.finish("1", attempt=2)
    await world.until_phase("demo", "Succeeded")
    assert node.merged == [("1", 2)]


async def test_beating_heart_keeps_a_long_task_where_it_is(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    node.script.heartbeat_seconds = 0.5
    recovery = {"heartbeatSeconds": 1, "lostAfterSeconds": 3}
    body = swarm("demo", independent(2), instances=2, recovery=recovery)
    await world.create(SWARMS, body)
    first = await work.begun("1")
    second = await work.begun("2")
    node.script.silent.add(f"{second['status']['instance']}-0")
    # The second is lost at last; until then the first was silent for as long, by status.
    await work.begun("2", attempt=2)
    kept = await world.client.get(TASKS, world.namespace, first["metadata"]["name"])
    assert kept["status"]["attempt"] == 1
    for task, attempt in (("1", 1), ("2", 2)):
        work.finish(task, attempt)
    await world.until_phase("demo", "Succeeded")


async def test_changed_template_replaces_idle_pods(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(1), instances=2))
    busy = (await work.begun("1"))["status"]["instance"]
    idle = next(name for name in ("demo-1", "demo-2") if name != busy)
    await world.until(SWARMS, "demo", ready(2))
    await world.change("demo", template={"agent": {"command": ["false"]}})
    await world.until(PODS, f"{idle}-1", lambda item: True)
    assert f"{busy}-0" in await world.names(PODS), "a busy pod was taken away"
    work.finish("1")
    await world.until(PODS, f"{busy}-1", lambda item: True)


async def test_deleted_swarm_takes_everything_along(
    world: World, node: PlayedNode, work: HeldWork
) -> None:
    await world.create(SWARMS, swarm("demo", independent(2), instances=2))
    await work.begun("1")
    await world.client.delete(SWARMS, world.namespace, "demo")
    await world.until_gone(SWARMS, "demo")
    for resource in (INSTANCES, TASKS, JOBS, PODS):
        for name in await world.names(resource):
            await world.until_gone(resource, name)


async def no_room(world: World) -> None:
    """A quota of no pods, in force: nobody counts here, so its status is written."""
    quota = {
        "apiVersion": QUOTAS.api_version,
        "kind": QUOTAS.kind,
        "metadata": {"name": "no-pods"},
        "spec": {"hard": {"pods": "0"}},
    }
    await world.create(QUOTAS, quota)
    counted = {"hard": {"pods": "0"}, "used": {"pods": "0"}}
    await world.client.patch(
        QUOTAS, world.namespace, "no-pods", {"status": counted}, subresource="status"
    )
    for number in range(1000):
        probe = {
            "apiVersion": PODS.api_version,
            "kind": PODS.kind,
            "metadata": {"name": f"probe-{number}"},
            "spec": {"containers": [{"name": "main", "image": "none"}]},
        }
        try:
            await world.create(PODS, probe)
        except errors.Forbidden:
            return
        await world.client.delete(PODS, world.namespace, f"probe-{number}")
    raise AssertionError("the quota is never in force")


async def test_a_pod_that_a_quota_refuses_is_told_of_and_made_when_there_is_room(
    world: World,
) -> None:
    await no_room(world)
    await world.create(SWARMS, swarm("demo", independent(1), instances=2))

    def refused(item: Dict[str, Any]) -> bool:
        return "is refused" in (item.get("status") or {}).get("message", "")

    for name in ("demo-1", "demo-2"):
        instance = await world.until(INSTANCES, name, refused)
        assert "exceeded quota: no-pods" in instance["status"]["message"]
        assert instance["status"]["phase"] == "Pending"
    await world.client.delete(QUOTAS, world.namespace, "no-pods")
    for name in ("demo-1", "demo-2"):
        await world.until(PODS, f"{name}-0", lambda item: True)
