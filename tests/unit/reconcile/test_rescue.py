"""A swarm that is deleted waits for its work where it asked to, and never for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Optional

import pytest
from aiohttp import web

from kiro_swarm.api.meta import (
    ANNOTATION_DELETE_ANYWAY,
    ANNOTATION_FINISHED_WORK,
    FINALIZER_RESCUE,
    LABEL_COMPONENT,
)
from kiro_swarm.cluster.resources import CLAIMS, EVENTS, SWARMS
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.last_steps import finished_work, next_step
from tests.unit.reconcile.rescuing import RESCUE, at_work, delete, events, jobs
from tests.unit.reconcile.surroundings import NAMESPACE, START, Object
from tests.unit.reconcile.views import PUSH, WELL, view
from tests.unit.reconcile.world import World

REFUSED = {"reason": "PushRejected", "message": "no refs of yours here"}
LEFT = Train(2, running=False, ok=False, message="ended", reason="SwarmDeleted")
GIVEN_UP = "RescueGivenUp"
PREPARED: Object = {"conditions": [{"type": "Prepared", "status": "True"}]}


async def test_only_who_asks_for_it_has_a_finalizer(world: World) -> None:
    world.apply_swarm("plain")
    world.apply_swarm("asks", integration=RESCUE)
    await world.live(3)
    found = {
        item["metadata"]["name"]: item["metadata"].get("finalizers") or []
        for item in world.cluster.all(SWARMS)
    }
    assert found == {"plain": [], "asks": [FINALIZER_RESCUE]}
    world.edit_swarm("asks", integration={"onDelete": "Delete"})
    await world.live(3)
    assert not world.cluster.one(SWARMS, "asks")["metadata"].get("finalizers")
    writes = world.api.store.version
    await world.settle()
    assert world.api.store.version == writes


async def test_a_swarm_goes_when_what_is_nowhere_else_is_pushed(world: World) -> None:
    await at_work(world)
    before = jobs(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    for _ in range(20):
        await world.live(1)
        assert world.cluster.names(SWARMS) == ["demo"]
        assert len(world.cluster.names(CLAIMS)) == 1, "the volume is there for the Job"
    assert world.status()["phase"] == "Deleting"
    assert jobs(world) == [*before, "demo-integrate-2"], "one Job, once"
    report = {"head": "a" * 40, "message": "pushed it", "rescued": 2}
    world.cluster.end_job("demo-integrate-2", report)
    world.clock.seconds += 10
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["Rescued"]


async def test_what_cannot_be_rescued_is_tried_again_and_given_up_in_time(
    world: World,
) -> None:
    await at_work(world)
    world.cluster.failing = {f"demo-integrate-{n}": REFUSED for n in range(2, 90)}
    delete(world)
    seen: set[str] = set()
    while world.clock.seconds < 600:
        world.clock.seconds += 10
        await world.live(2)
        if not world.cluster.names(SWARMS):
            break
        seen.add(world.status()["message"])
    assert world.clock.seconds > 590, "not before its time is over"
    world.clock.seconds += 60
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["RescueGivenUp"]
    told = [message for message in seen if REFUSED["message"] in message]
    assert told, seen
    assert ANNOTATION_DELETE_ANYWAY in told[0]


async def refuse_jobs(world: World, message: str) -> None:
    """Let the API server take no new Job."""

    async def refused(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method == "POST" and request.path.endswith("/jobs"):
            wrong = {"kind": "Status", "reason": "Forbidden", "message": message}
            return web.json_response({**wrong, "code": 403}, status=403)
        return None

    world.api.intercept = refused


async def test_a_refused_job_is_tried_again_for_a_quota_may_be_raised(
    world: World,
) -> None:
    await at_work(world)
    await refuse_jobs(world, 'jobs.batch "x" is forbidden: exceeded quota: jobs')
    delete(world)
    for _ in range(5):
        world.clock.seconds += 10
        await world.live(2)
    assert world.cluster.names(SWARMS) == ["demo"]
    assert "exceeded quota" in world.status()["message"]
    assert events(world) == []
    world.api.intercept = None
    world.clock.seconds += 10
    await world.live(2)
    assert "demo-integrate-2" in jobs(world)


async def test_a_namespace_that_goes_is_not_held_up(world: World) -> None:
    await at_work(world)
    await refuse_jobs(
        world,
        'jobs.batch "x" is forbidden: unable to create new content in namespace team '
        "because it is being terminated",
    )
    delete(world)
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["RescueGivenUp"]


async def test_a_person_lets_it_go_at_once(world: World) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await world.live(3)
    note = {"metadata": {"annotations": {ANNOTATION_DELETE_ANYWAY: "yes"}}}
    world.api.store.patch(SWARMS, NAMESPACE, "demo", note)
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["RescueSkipped"]


def break_spec(world: World, **changes: Any) -> None:
    """Write what the API server of another release would take."""
    swarm = world.api.store.find(SWARMS, NAMESPACE, "demo")
    assert swarm is not None
    spec = {**swarm["spec"], **changes}
    world.api.store.patch(SWARMS, NAMESPACE, "demo", {"spec": spec})


def warned(world: World) -> list[str]:
    found = [e for e in world.cluster.all(EVENTS) if e["reason"] == "InvalidSpec"]
    return [event["message"] for event in found]


@pytest.mark.parametrize("field", ["instances", "integration"])
async def test_a_spec_that_cannot_be_read_is_told_and_its_work_rescued(
    world: World, field: str
) -> None:
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    break_spec(world, **{field: {"onDelete": "Rescue it"}})
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]
    assert "demo-integrate-2" in jobs(world), "it is rescued by what is known"
    (said,) = warned(world)
    assert f"spec.{field}" in said
    assert ANNOTATION_DELETE_ANYWAY in said
    assert world.conditions()["Stalled"] == ("True", "InvalidSpec")
    report = {"head": "a" * 40, "message": "pushed it", "rescued": 2}
    world.cluster.end_job("demo-integrate-2", report)
    world.clock.seconds += 10
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert len(warned(world)) <= 1


@pytest.mark.parametrize("how", ["in time", "by a person", "mended"])
async def test_without_a_repository_the_deadline_bounds_the_wait(
    world: World, how: str
) -> None:
    await at_work(world)
    before = jobs(world)
    spec = world.cluster.one(SWARMS, "demo")["spec"]["repository"]
    delete(world)
    break_spec(world, repository={"address": "elsewhere", "url": None})
    for _ in range(5):
        world.clock.seconds += 10
        await world.live(2)
    assert world.cluster.names(SWARMS) == ["demo"], "not let go at once"
    assert jobs(world) == before
    status = world.status()
    assert "spec.repository" in status["message"]
    assert ANNOTATION_DELETE_ANYWAY in status["message"]
    assert "3600 s in all" in status["message"]
    assert world.conditions()["Stalled"] == ("True", "InvalidSpec")
    assert len(warned(world)) == 1
    assert status["rescue"] == {"waitedSeconds": 0}
    writes = world.api.store.version
    await world.live(1)
    assert world.api.store.version == writes, "said once"
    if how == "mended":
        break_spec(world, repository=spec)
        await world.live(3)
        assert "demo-integrate-2" in jobs(world)
        return
    if how == "by a person":
        note = {"metadata": {"annotations": {ANNOTATION_DELETE_ANYWAY: "yes"}}}
        world.api.store.patch(SWARMS, NAMESPACE, "demo", note)
    else:
        for _ in range(61):
            world.clock.seconds += 60
            await world.live(1)
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    told = "RescueGivenUp" if how == "in time" else "RescueSkipped"
    assert events(world) == [told]


async def test_an_operator_that_dies_at_any_write_is_followed_by_one_that_ends_it(
    world: World,
) -> None:
    for write in range(4):
        world.begin_again()
        await at_work(world)
        delete(world)
        world.cluster.failing = {"demo-integrate-2": REFUSED}
        world.api.crash_after(write)
        try:
            await world.live(6)
        except ConnectionError:
            world.api.revive()
            await world.restart()
        world.cluster.failing = {}
        for _ in range(10):
            world.clock.seconds += 10
            await world.live(1)
            for name in jobs(world):
                world.cluster.end_job(
                    name, {"head": "a" * 40, "message": "", "rescued": 1}
                )
        assert world.cluster.names(SWARMS) == [], write


@pytest.mark.parametrize(
    ("case", "train", "seconds", "changes", "go", "start", "told"),
    [
        ("begins", WELL, 0, {}, False, True, ""),
        ("a Job runs", Train(2, True, True), 0, {"job": True}, False, False, ""),
        ("refused, waits", PUSH, 0, {"wait": 30}, False, False, ""),
        ("a merge ended for it", LEFT, 0, {"wait": 30}, False, True, ""),
        ("somebody looks", WELL, 0, {"job": "inspect"}, False, True, ""),
        ("refused, again", PUSH, 0, {}, False, True, ""),
        ("over, and none was tried", PUSH, 600, {"wait": 30}, False, True, ""),
        ("over", PUSH, 600, {"tried": True}, True, False, "RescueGivenUp"),
        ("tried, not of all", PUSH, 600, {"tried": False}, False, True, ""),
        ("never of all", PUSH, 901, {"tried": False}, True, False, "RescueGivenUp"),
        ("it rescues", WELL, 959, {"job": "integrate", "of": 1}, False, False, ""),
        ("no end", WELL, 960, {"job": "integrate", "of": 1}, True, False, GIVEN_UP),
        ("it merges", WELL, 299, {"job": "integrate"}, False, False, ""),
        ("half", WELL, 300, {"job": "integrate", "hangs": 1}, False, False, ""),
        ("it goes", WELL, 300, {"job": "sync", "leaves": 1}, False, True, ""),
        ("done", WELL, 0, {"rescued": 0}, True, False, "Rescued"),
        ("done, late", WELL, 9999, {"rescued": 3}, True, False, "Rescued"),
        ("not of all", WELL, 0, {"rescued": 1, "unknown": 1}, False, True, ""),
        ("an older report", WELL, 0, {"older": True}, False, True, ""),
        ("foreground", WELL, 0, {"first": True}, True, False, "RescueGivenUp"),
        ("a person", WELL, 0, {"anyway": True}, True, False, "RescueSkipped"),
        (
            "never prepared",
            WELL,
            0,
            {"unprepared": True},
            True,
            False,
            "NothingToRescue",
        ),
        ("not asked for any more", WELL, 0, {"onDelete": "Delete"}, True, False, ""),
    ],
)
def test_each_step(
    case: str,
    train: Train,
    seconds: int,
    changes: Any,
    go: bool,
    start: bool,
    told: str,
) -> None:
    before = {} if "unprepared" in changes else PREPARED
    wanted = {**RESCUE, "onDelete": changes.get("onDelete", "Rescue")}
    states = [] if "unprepared" in changes else ["Merged"]
    seen = view(*states, before=before, deleting=True, integration=wanted)
    # Neither this nor the clock matters: it was kept for ``seconds``.
    seen.swarm["metadata"]["deletionTimestamp"] = stamp(START - timedelta(days=9))
    if "anyway" in changes:
        seen.swarm["metadata"]["annotations"] = {ANNOTATION_DELETE_ANYWAY: ""}
    if "first" in changes:
        seen.swarm["metadata"]["finalizers"] = ["foregroundDeletion", FINALIZER_RESCUE]
    if "job" in changes:
        labels = {LABEL_COMPONENT: changes["job"]}
        running: Any = {"metadata": {"name": "demo-integrate-2", "labels": labels}}
        if "of" in changes:
            noted = finished_work(seen)
            running["metadata"]["annotations"] = {ANNOTATION_FINISHED_WORK: noted}
        if "leaves" in changes:
            running["metadata"]["deletionTimestamp"] = stamp(START)
        seen.jobs.append(running)
    if "rescued" in changes or "tried" in changes:
        some = "unknown" in changes or changes.get("tried") is False
        noted = "some of it" if some else finished_work(seen)
        made: Any = {
            "metadata": {
                "name": "demo-integrate-1",
                "labels": {LABEL_COMPONENT: "integrate"},
                "annotations": {ANNOTATION_FINISHED_WORK: noted},
            },
            "status": {
                "conditions": [
                    {
                        "type": "Failed" if "tried" in changes else "Complete",
                        "status": "True",
                    }
                ]
            },
        }
        seen.jobs.append(made)
    report: Any = {"head": "a" * 40}
    if "rescued" in changes:
        report["rescued"] = changes["rescued"]
    later = START + timedelta(seconds=changes["wait"]) if "wait" in changes else None
    known = Train(
        *(train.batch, train.running, train.ok, "said", train.reason),
        *(later, report if {"rescued", "older"} & set(changes) else None),
    )
    step = next_step(seen, known, float(seconds))
    assert bool(step.hang) == ("hangs" in changes)
    assert (step.go, step.start, step.told) == (go, start, told), case
    assert step.message
    # Who reads it is told first that it is gone, whatever else a server said.
    lost = "not rescued, and gone with the volume" in step.message
    assert lost == (told == "RescueGivenUp")
