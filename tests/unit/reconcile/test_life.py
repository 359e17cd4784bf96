"""The whole life of a swarm, what it costs, and that it may be cut short anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiro_swarm.api.access import spec_of
from kiro_swarm.cluster.resources import (
    EVENTS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.lifecycle.attempts import rejected
from kiro_swarm.reconcile.snapshot.view import look, look_again
from kiro_swarm.reconcile.tasks.hand_out import bindings
from kiro_swarm.reconcile.worker import RECONCILERS
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World, a_world

CHAIN = {"1": [], "2": ["1"]}


async def test_a_swarm_lives_from_nothing_to_all_merged(world: World) -> None:
    world.apply_swarm()
    await world.live(20)
    status = world.status()
    assert status["phase"] == "Succeeded"
    assert status["progress"] == "4/4"
    assert status["readiness"] == "2/2"
    assert world.conditions() == {
        "Ready": ("True", "InstancesReady"),
        "Reconciling": ("False", "Idle"),
        "Stalled": ("False", "Progressing"),
        "Prepared": ("True", "Prepared"),
        "Complete": ("True", "AllMerged"),
        "Integrated": ("True", "Integrated"),
    }
    assert status["integration"]["head"] == world.cluster.task("4")["mergeCommit"]
    events = [write for write in world.api.writes if "events/" in write]
    assert len(events) == 1, "one Event tells that it is complete"


async def test_what_is_news_is_told_before_the_status_says_it(world: World) -> None:
    """Who reads the status finds the Event; who dies in between has not kept it back."""
    world.apply_swarm(integration={"approval": "Required"})
    await world.live(20)
    for name in world.cluster.graph:
        approval = {"spec": {"approvedAttempt": 1}}
        world.api.store.patch(TASKS, NAMESPACE, f"demo.{name}", approval)
    await world.live(30)
    told: set[str] = set()
    said: set[str] = set()
    for change in world.api.store.changes:
        after = change.after or {}
        if change.resource is EVENTS:
            told.add(after["reason"])
        elif change.resource is SWARMS:
            for item in after.get("status", {}).get("conditions", []):
                if item["type"] in ("ApprovalNeeded", "Complete", "Stalled"):
                    said |= {item["reason"]} if item["status"] == "True" else set()
        assert said <= told
    assert said == {"ApprovalPending", "AllMerged"}


async def test_where_approval_is_asked_nothing_is_merged_without_a_person(
    world: World,
) -> None:
    world.apply_swarm(integration={"approval": "Required"})
    await world.live(20)
    assert world.cluster.task("1")["state"] == "Done"
    assert [n for n in world.cluster.names(JOBS) if "integrate" in n] == []
    assert world.conditions()["ApprovalNeeded"] == ("True", "ApprovalPending")
    assert world.conditions()["Stalled"] == ("False", "Progressing")
    assert "`approve task 1`" in world.status()["message"]
    rest = world.api.store.version
    await world.live(5)
    assert world.api.store.version == rest, "asking costs nothing"
    for name in world.cluster.graph:
        approval = {"spec": {"approvedAttempt": 1}}
        world.api.store.patch(TASKS, NAMESPACE, f"demo.{name}", approval)
    await world.live(30)
    assert world.status()["phase"] == "Succeeded"
    assert world.conditions()["ApprovalNeeded"] == ("False", "NothingToApprove")
    events = [write for write in world.api.writes if "events/" in write]
    assert len(events) == 2, "a person is asked; it is complete"


async def test_an_approval_is_for_one_attempt(world: World) -> None:
    world.apply_swarm(integration={"approval": "Required"})
    await world.live(20)
    task = world.cluster.one(TASKS, "demo.1")
    patch = rejected(task["status"], world.clock.now(), "no tests")
    approval = {"spec": {"approvedAttempt": 1}}
    world.api.store.patch(TASKS, NAMESPACE, "demo.1", approval)
    world.cluster.set_status(TASKS, "demo.1", **patch)
    await world.live(20)
    task = world.cluster.task("1")
    assert (task["state"], task["attempt"]) == ("Done", 2)
    assert "no tests" in task["brief"]
    assert world.conditions()["ApprovalNeeded"] == ("True", "ApprovalPending")


async def test_what_is_remembered_of_an_object_goes_with_it(world: World) -> None:
    world.apply_swarm()
    await world.live(20)
    assert world.ctx.ensured
    assert world.ctx.heartbeats
    assert world.ctx.written
    world.api.store.remove(SWARMS, NAMESPACE, "demo")
    await world.live(20)
    assert world.cluster.names(TASKS) == []
    kept = (world.ctx.ensured, world.ctx.heartbeats, world.ctx.written)
    assert kept == (set(), {}, {})


async def test_no_dependent_starts_before_what_it_depends_on_is_merged(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(20)
    moments = {
        name: world.cluster.task(name) for name in world.cluster.graph  # all merged
    }
    for name, needs in world.cluster.graph.items():
        for needed in needs:
            assert moments[needed]["mergedAt"] <= moments[name]["boundAt"]
    assert moments["2"]["boundAt"] == moments["3"]["boundAt"], "side by side"


async def test_the_phases_of_a_swarm_come_in_order_and_none_is_wrong(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(20)
    told = [
        change.after["status"]["phase"]
        for change in world.api.store.changes
        if change.resource is SWARMS and (change.after or {}).get("status")
        if change.after is not None
    ]
    phases = [now for before, now in zip(["", *told], told) if now != before]
    assert phases == ["Preparing", "Running", "Succeeded"]


async def test_an_instance_costs_two_writes_beside_its_own_until_it_is_ready(
    world: World,
) -> None:
    world.apply_swarm(instances=5)
    world.cluster.tasks_run = False
    world.cluster.graph = {"1": []}
    world.cluster.frozen.add("demo-prepare-1")
    await world.live(8)
    assert world.status()["readiness"] == "5/5"
    for name in world.cluster.names(INSTANCES):
        mine = [w for w in world.api.writes if f"/{name}" in w]
        assert sorted(mine) == [
            f"PATCH kiroinstances/{name}/status",
            f"POST kiroinstances/{name}",
            f"POST pods/{name}-0",
        ]


async def test_an_idle_swarm_is_not_written_at_all(world: World) -> None:
    world.apply_swarm()
    await world.live(20)
    before = len(world.api.writes)
    kinds: tuple[AnyResource, ...] = (SWARMS, INSTANCES)
    for resource in kinds:
        for name in world.cluster.names(resource):
            world.ctx.wake(resource, world.cluster.one(resource, name))
    world.clock.seconds += 3600
    await world.live(3)
    assert world.api.writes[before:] == []


async def test_a_restart_of_the_operator_writes_nothing_to_a_finished_swarm(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(20)
    before = world.everything()
    patches = len([w for w in world.api.writes if w.startswith("PATCH")])
    world.clock.seconds += 3600
    await world.restart()
    await world.live(3)
    assert world.everything() == before
    assert len([w for w in world.api.writes if w.startswith("PATCH")]) == patches


async def test_the_operator_may_die_after_any_write_and_the_end_is_the_same(
    tmp_path: Path,
) -> None:
    """For every k: killed after write k, its answer lost; a new process ends the work."""
    async with a_world(tmp_path, CHAIN) as world:
        world.apply_swarm(instances=1)
        await world.live(14)
        end, writes = world.everything(), len(world.api.writes)
        assert end["status"]["demo"]["phase"] == "Succeeded"
        assert writes > 30
        for k in range(1, writes + 1):
            world.begin_again()
            world.apply_swarm(instances=1)
            await world.live_killed_after(k, 14)
            assert world.everything() == end, f"killed after write {k}"
            made = [w for w in world.api.writes if w.startswith("POST")]
            twice = {w for w in made if made.count(w) > 1 and "events/" not in w}
            assert not twice, f"killed after write {k}"


async def test_what_a_swarm_owns_goes_with_it(world: World) -> None:
    world.apply_swarm()
    await world.live(9)
    swarm = world.cluster.one(SWARMS, "demo")
    await world.client.delete(SWARMS, NAMESPACE, "demo", uid=swarm["metadata"]["uid"])
    await world.live(4)
    left = {k: v for k, v in world.everything().items() if v}
    assert left == {}
    assert list(world.ctx.cache.all(TASKS)) == []


def test_every_kind_that_a_person_applies_has_a_reconciler() -> None:
    assert {resource.kind for resource in RECONCILERS} == {
        "KiroSwarm",
        "KiroInstance",
        "SwarmCommand",
    }
    assert not {JOBS, PODS, TASKS} & set(RECONCILERS)


async def test_a_reconcile_goes_on_by_the_spec_as_it_is_now(world: World) -> None:
    world.apply_swarm()
    await world.live(5)
    cache, now = world.ctx.cache, world.ctx.now()
    swarm = cache.get(SWARMS, NAMESPACE, "demo")
    assert swarm is not None
    spec = spec_of(swarm)
    assert spec is not None
    view = look(cache, swarm, spec, now)
    world.edit_swarm(suspend=True)
    world.listen()
    again = look_again(cache, view, now)
    assert again.spec.suspend
    assert bindings(again) == []
    world.edit_swarm(instances="many")
    world.listen()
    assert look_again(cache, again, now).spec == again.spec, "one that is none"
    world.api.store.remove(SWARMS, NAMESPACE, "demo")
    world.listen()
    assert look_again(cache, again, now).spec == again.spec


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 remark:"), (4, "4 remarks:"), (20, "20 or more remarks:")],
)
async def test_remarks_on_the_task_file_are_counted_and_one_event_tells_of_them(
    world: World, count: int, said: str
) -> None:
    world.cluster.remarks = [f"line {n}: not read" for n in range(count)]
    world.apply_swarm()
    await world.live(20)
    (prepared,) = [c for c in world.status()["conditions"] if c["type"] == "Prepared"]
    assert prepared["status"] == "True"
    assert f"; {said} see status.prepare" in prepared["message"]
    events = [
        change.after
        for change in world.api.store.changes
        if change.resource is EVENTS and change.after
    ]
    told = [event for event in events if event["reason"] == "Prepared"]
    assert [event["message"] for event in told] == [prepared["message"]]
