"""A swarm from apply to all merged, and what it costs the API server."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS
from kiro_swarm.policy.conditions import find
from kiro_swarm.runner.attempt import Failed
from tests.support.audit import OPERATOR, created_twice
from tests.support.played import PlayedNode
from tests.support.swarms import DIAMOND, independent, swarm
from tests.support.work import HeldWork
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")

MARKED = """\
- [x] 1. Done by hand
- [ ] 2. To do
  - _Depends: 1_
- [ ]* 3. Optional
- [~] 4. Deferred
"""
IDLE_SECONDS = 30


async def test_diamond_is_merged_in_the_order_of_its_edges(
    world: World, node: PlayedNode
) -> None:
    await world.create(SWARMS, swarm("demo", DIAMOND, instances=2))
    finished = await world.until_phase("demo", "Succeeded")
    ids = [task for task, _ in node.merged]
    assert sorted(ids) == ["1.1", "1.2", "1.3", "1.4"]
    assert (ids[0], ids[-1]) == ("1.1", "1.4")
    assert {attempt for _, attempt in node.merged} == {1}
    status = finished["status"]
    assert status["progress"] == "4/4"
    assert status["readiness"] == "2/2"
    assert status["speedup"]["ratio"] > 0
    assert status["integration"]["head"]
    for kind, word in (("Ready", "True"), ("Complete", "True"), ("Stalled", "False")):
        condition = find(status["conditions"], kind)
        assert condition is not None
        assert condition["status"] == word, kind


async def test_two_branches_of_the_diamond_run_side_by_side(
    world: World, node: PlayedNode
) -> None:
    work = HeldWork()
    node.script.work = work
    await world.create(SWARMS, swarm("demo", DIAMOND, instances=2))
    await work.begun("1.1")
    work.finish("1.1")
    left, right = await work.begun("1.2"), await work.begun("1.3")
    assert left["status"]["instance"] != right["status"]["instance"]
    assert left["status"]["branch"] == "swarm/demo/1.2/1"
    for task in ("1.2", "1.3", "1.4"):
        work.finish(task)
    await world.until_phase("demo", "Succeeded")


async def test_marks_of_the_task_file_decide_what_runs(
    world: World, node: PlayedNode
) -> None:
    await world.create(SWARMS, swarm("demo", MARKED, instances=1))
    await world.until_phase("demo", "Succeeded")
    tasks = await world.tasks("demo")
    states = {key: task["status"]["state"] for key, task in tasks.items()}
    assert states == {"1": "Merged", "2": "Merged", "3": "Skipped", "4": "Skipped"}
    assert tasks["1"]["status"]["reason"] == "Ticked"
    assert [task for task, _, _ in node.started] == ["2"]


async def test_failed_attempt_is_tried_again_with_its_brief(
    world: World, node: PlayedNode
) -> None:
    work = HeldWork()
    node.script.work = work
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    await work.begun("1")
    work.fail("1", 1, Failed("NoChanges", "nothing committed", "Commit your work."))
    again = await work.begun("1", attempt=2)
    assert again["status"]["brief"] == "Commit your work."
    assert again["status"]["history"][0]["outcome"] == "NoChanges"
    work.finish("1", attempt=2)
    await world.until_phase("demo", "Succeeded")
    assert node.merged == [("1", 2)]


async def test_task_that_uses_up_its_attempts_stalls_the_swarm(
    world: World, node: PlayedNode
) -> None:
    async def useless(_: object) -> Failed:
        return Failed("NoChanges", "nothing committed", "")

    node.script.work = useless
    body = swarm("demo", independent(2), instances=1, recovery={"maxAttempts": 2})
    await world.create(SWARMS, body)
    failed = await world.until_phase("demo", "Failed")
    stalled = find(failed["status"]["conditions"], "Stalled")
    assert stalled is not None
    assert (stalled["status"], stalled["reason"]) == ("True", "TasksFailed")
    assert stalled["message"].startswith("failed: 1 ")
    assert stalled["message"].endswith("; `retry task 1` tries it again")
    tasks = await world.tasks("demo")
    assert tasks["1"]["status"]["attempt"] == 2
    assert "(2 of 2 attempts failed)" in tasks["1"]["status"]["message"]


async def test_instance_costs_two_writes_from_its_creation_to_ready(
    world: World, node: PlayedNode
) -> None:
    body = swarm("demo", independent(1), instances=8)
    node.script.work = HeldWork()
    await world.create(SWARMS, body)
    await world.until(
        SWARMS, "demo", lambda item: item.get("status", {}).get("readyReplicas") == 8
    )
    counts = Counter(
        write.what for write in world.audit.of_operator(world.namespace) if write.good
    )
    assert counts["create kiroinstances"] == 8
    assert counts["create pods"] == 8
    busy = 1  # the one that got the task says so
    assert counts["patch kiroinstances/status"] <= 8 + busy


async def test_writes_of_a_run_are_few_and_made_once(
    world: World, node: PlayedNode
) -> None:
    count, instances = 12, 3
    await world.create(SWARMS, swarm("demo", independent(count), instances=instances))
    await world.until_phase("demo", "Succeeded")
    writes = world.audit.of_operator(world.namespace)
    assert {write.agent for write in writes} == {OPERATOR}, "kopf itself wrote"
    assert created_twice(writes) == {}
    counts = Counter(write.what for write in writes if write.good)
    print("\n".join(f"{number:4} {what}" for what, number in counts.most_common()))
    assert counts["create kirotasks"] == count
    # Ready and Bound; the rest of a task's way is told by runner and merge train.
    assert counts["patch kirotasks/status"] == 2 * count
    # Its pod is ready once; each task makes it Busy and, unless another follows, idle.
    assert counts["patch kiroinstances/status"] <= instances + 2 * count


async def test_idle_swarm_costs_no_write(world: World, node: PlayedNode) -> None:
    work = HeldWork()
    node.script.work = work
    for task in ("1.1", "1.2", "1.3", "1.4"):
        work.finish(task)
    await world.create(SWARMS, swarm("busy", independent(1), instances=1))
    await world.until(
        SWARMS,
        "busy",
        lambda item: item.get("status", {}).get("tasks", {}).get("running"),
    )
    await world.create(SWARMS, swarm("done", DIAMOND, instances=4))
    await world.until_phase("done", "Succeeded")
    await world.until(
        INSTANCES, "busy-1", lambda item: item["status"].get("phase") == "Busy"
    )
    await asyncio.sleep(2)  # what was under way comes to rest
    mark = world.audit.mark()
    await asyncio.sleep(IDLE_SECONDS)  # the measured window itself
    assert [w.what for w in world.audit.of_operator(world.namespace, mark)] == []


async def test_pods_of_agents_hold_no_token(world: World, node: PlayedNode) -> None:
    await world.create(SWARMS, swarm("demo", independent(1), instances=1))
    await world.until_phase("demo", "Succeeded")
    pod = await world.client.get(PODS, world.namespace, "demo-1-0")
    mounts = {
        container["name"]: {mount["name"] for mount in container["volumeMounts"]}
        for container in pod["spec"]["containers"]
    }
    assert "token" in mounts["runner"]
    assert "token" not in mounts["agent"]
    assert pod["spec"]["automountServiceAccountToken"] is False
