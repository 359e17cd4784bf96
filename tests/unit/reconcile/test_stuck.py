"""A command whose writes are refused: it ends with a reason, and holds nobody up who stops work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.api.access import status_of
from kiro_swarm.cluster.resources import (
    CONFIG_MAPS,
    JOBS,
    LEASES,
    SWARMS,
    TASKS,
)
from kiro_swarm.observe import audit
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Executor, Outcome
from tests.unit.reconcile.stuck import WIDE, lines, put_in_the_way, uid_of, wait
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World, a_world

#: What a cluster may refuse: method, end of the path, HTTP status.
QUOTA_OF_JOBS = ("POST", "/jobs", 403)
QUOTA_OF_CONFIG_MAPS = ("POST", "/configmaps", 403)
SWARM_IS_LOCKED = ("PATCH", "/kiroswarms/demo", 403)
#: Sentences that end work, in the order in which a person in a hurry says them.
HURRIED = ("stop all tasks", "pause swarm", "stop instance demo-1")


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances, each with a task of four."""
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    return world


def refuse(world: World, method: str, path: str, status: int) -> None:
    async def intercept(request: web.Request) -> Optional[web.Response]:
        if request.method != method or not request.path.endswith(path):
            return None
        said = {"kind": "Status", "message": "exceeded quota"}
        return web.json_response(said, status=status)

    world.api.intercept = intercept


async def test_what_was_refused_is_done_when_it_is_allowed(at_work: World) -> None:
    refuse(at_work, *QUOTA_OF_JOBS)
    at_work.say("sync upstream", "stuck")
    await at_work.live(5)
    at_work.api.intercept = None
    await at_work.live(5)
    jobs = [name for name in at_work.cluster.names(JOBS) if "sync" in name]
    assert len(jobs) == 1
    assert "quota" not in at_work.answer("stuck")["message"]


@pytest.mark.parametrize("sentence", HURRIED)
async def test_what_ends_work_waits_for_nobody_who_is_stuck(
    at_work: World, sentence: str
) -> None:
    refuse(at_work, "PATCH", "/kirotasks/demo.3", 403)
    at_work.say("run task 3", "stuck")
    at_work.say("assign task 4 to instance demo-2", "queued")
    at_work.say(sentence, "hurried")
    await at_work.live(3)
    # What is about an instance says nothing about a task.
    expected = "Working" if "instance" in sentence else "Overtaken"
    assert at_work.answer("stuck")["reason"] == expected
    assert at_work.answer("hurried")["phase"] in ("Succeeded", "Running")
    assert at_work.answer("hurried").get("changes")


async def test_cancel_works_on_a_command_that_waits(at_work: World) -> None:
    refuse(at_work, *SWARM_IS_LOCKED)
    at_work.say("scale instances 5", "stuck")
    at_work.say("scale instances 4", "queued")
    await at_work.live(2)
    at_work.say("cancel command queued", "no")
    at_work.say("cancel command stuck", "neither")
    await at_work.live(4)
    at_work.api.intercept = None
    await at_work.live(4)
    phases = {name: at_work.answer(name)["phase"] for name in ("stuck", "queued")}
    assert phases == {"stuck": "Cancelled", "queued": "Cancelled"}
    assert "it has changed nothing" in at_work.answer("queued")["message"]
    assert "this may be done or not: kiro" in at_work.answer("stuck")["message"]
    assert at_work.cluster.one(SWARMS, "demo")["spec"]["instances"] == 2


async def test_a_job_that_was_refused_is_not_told_of_as_made(at_work: World) -> None:
    refuse(at_work, *QUOTA_OF_JOBS)
    at_work.say("sync upstream", "stuck")
    await at_work.live(2)
    at_work.say("cancel command stuck", "no")
    await at_work.live(2)
    assert at_work.answer("stuck")["phase"] == "Cancelled"
    assert "it has changed nothing" in at_work.answer("stuck")["message"]
    assert at_work.answer("stuck")["result"].get("sideEffects") == []


async def test_what_starts_work_is_not_done_after_what_was_said_later_to_end_it(
    at_work: World,
) -> None:
    at_work.say("pause swarm", "first")
    await at_work.live(3)
    refuse(at_work, *SWARM_IS_LOCKED)
    at_work.say("resume swarm", "earlier")
    await at_work.live(2)
    at_work.clock.seconds += 1
    at_work.say("stop instance demo-1", "later")
    await at_work.live(2)
    at_work.api.intercept = None
    await at_work.live(4)
    answer = at_work.answer("earlier")
    assert (answer["phase"], answer["reason"]) == ("Failed", "Overtaken")
    assert "command later was said after this one" in answer["message"]
    assert at_work.cluster.one(SWARMS, "demo")["spec"]["suspend"] is True


@pytest.mark.parametrize("names", ["ab", "ba"])
async def test_what_is_not_stuck_keeps_its_order_with_what_ends_work(
    at_work: World, names: str
) -> None:
    at_work.say("pause swarm", names[0])
    at_work.say("resume swarm", names[1])
    await at_work.live(3)
    assert {at_work.answer(name)["phase"] for name in names} == {"Succeeded"}
    assert not at_work.cluster.one(SWARMS, "demo")["spec"]["suspend"]


# ------------------------------------------------------------- the audit log


async def test_an_answer_does_not_wait_for_the_audit_log_and_is_in_it_later(
    at_work: World,
) -> None:
    refuse(at_work, *QUOTA_OF_CONFIG_MAPS)
    at_work.say("scale instances 3", "a")
    at_work.say("stop all tasks", "b")
    await at_work.live(3)
    for name in "ab":
        answer = at_work.answer(name)
        assert answer["phase"] == "Succeeded"
        assert "audit" not in answer
        (said,) = [c for c in answer["conditions"] if c["type"] == "Logged"]
        assert (said["status"], said["reason"]) == ("False", "AuditLogRefused")
        assert "exceeded quota" in said["message"]
    at_work.api.intercept = None
    await at_work.restart()
    await at_work.live(3)
    said_of = [line["command"] for line in lines(at_work)]
    assert sorted(said_of) == ["a", "b"]
    assert audit.verify(lines(at_work)) == []
    for name in "ab":
        answer = at_work.answer(name)
        assert answer["audit"]["sequence"]
        (said,) = [c for c in answer["conditions"] if c["type"] == "Logged"]
        assert said["status"] == "True"
    await at_work.live(40)
    assert len(lines(at_work)) == 2


@pytest.mark.parametrize("labels", [False, True])
async def test_what_stands_in_the_place_of_the_audit_log_is_not_written_to(
    at_work: World, labels: bool
) -> None:
    marks = {"swarm.kiro.dev/swarm": "demo", "swarm.kiro.dev/component": "audit"}
    put_in_the_way(
        at_work,
        CONFIG_MAPS,
        "demo-audit-1",
        metadata={"labels": marks if labels else {}},
    )
    at_work.say("scale instances 3", "a")
    await at_work.live(3)
    answer = at_work.answer("a")
    assert answer["phase"] == "Succeeded"
    (said,) = [c for c in answer["conditions"] if c["type"] == "Logged"]
    assert "demo-audit-1 is in the place of the audit log" in said["message"]
    assert "data" not in at_work.cluster.one(CONFIG_MAPS, "demo-audit-1")
    at_work.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-audit-1")
    at_work.clock.seconds += 31
    await at_work.live(3)
    assert [line["command"] for line in lines(at_work)] == ["a"]


@pytest.mark.parametrize("name", ["demo-audit-x", "demo-audit-007", "demo-audit-9" * 9])
async def test_a_config_map_that_looks_like_a_part_of_the_log_stops_nothing(
    at_work: World, name: str
) -> None:
    swarm = at_work.cluster.one(SWARMS, "demo")
    owner = {"kind": "KiroSwarm", "name": "demo", "uid": swarm["metadata"]["uid"]}
    labels = {"swarm.kiro.dev/swarm": "demo", "swarm.kiro.dev/component": "audit"}
    put_in_the_way(
        at_work,
        CONFIG_MAPS,
        name,
        metadata={"labels": labels, "ownerReferences": [owner]},
        data={"x": "y", "99999999": "{}", "00000001": "[" * 9999},
    )
    at_work.say("scale instances 3", "a")
    await at_work.live(3)
    assert at_work.answer("a")["audit"]["sequence"] == 1


# ------------------------------------------------------- what has our name


async def test_a_job_of_somebody_else_is_not_followed(at_work: World) -> None:
    at_work.say("sync upstream", "a", timeoutSeconds=20)
    name = f"demo-sync-{uid_of(at_work, 'a')[:8]}"
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    put_in_the_way(at_work, JOBS, name, spec={}, status=done)
    await wait(at_work, 3)
    assert "somebody else's" in at_work.answer("a")["message"]
    await wait(at_work, 20)
    assert at_work.answer("a")["reason"] == "Refused"


@pytest.mark.parametrize("refused", [True, False])
async def test_a_long_answer_that_has_no_place_is_said_to_be_lost(
    at_work: World, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    speaker = Executor(lambda _: Outcome(True, "here it is", document="long"))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    if refused:
        refuse(at_work, *QUOTA_OF_CONFIG_MAPS)
    else:
        put_in_the_way(at_work, CONFIG_MAPS, "word-result", data={"document.txt": "no"})
    at_work.say("status swarm")
    await at_work.live(2)
    answer = at_work.answer()
    assert (answer["phase"], answer["reason"]) == ("Failed", "ResultNotStored")
    assert answer["message"].startswith("here it is; the rest of the answer is lost")
    assert "dataRef" not in answer


async def test_killed_at_any_write_a_refused_command_still_ends_once(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path, WIDE) as world:
        for k in range(1, 7):
            world.begin_again()
            world.cluster.tasks_run = False
            world.api.intercept = None
            world.apply_swarm()
            await world.live(9)
            refuse(world, *QUOTA_OF_JOBS)
            world.say("sync upstream", "stuck", timeoutSeconds=5)
            world.say("stop all tasks", "hurried")
            await world.live_killed_after(k, 4)
            world.clock.seconds += 700
            await world.live(4)
            assert world.answer("hurried")["phase"] == "Succeeded", k
            assert world.answer("stuck")["phase"] == "Failed", k
            said = json.dumps([line["command"] for line in lines(world)])
            assert sorted(json.loads(said)) == ["hurried", "stuck"], k


async def test_a_heartbeat_of_somebody_else_keeps_nobody_alive(world: World) -> None:
    """And it stays there when the instance goes."""
    world.cluster.tasks_run = False
    put_in_the_way(world, LEASES, "demo-2", spec={"renewTime": "now"})
    world.apply_swarm()
    await world.live(9)
    for _ in range(60):
        world.clock.seconds += 1
        spec = {"renewTime": str(world.clock.seconds)}
        world.api.store.patch(LEASES, NAMESPACE, "demo-2", {"spec": spec})
        await world.settle()
    lost = [one for one in world.cluster.all(TASKS) if status_of(one).get("history")]
    assert {one["status"]["history"][0]["outcome"] for one in lost} == {"InstanceLost"}
    world.edit_swarm(instances=0)
    await world.live(30)
    assert world.cluster.names(LEASES) == ["demo-2"]
