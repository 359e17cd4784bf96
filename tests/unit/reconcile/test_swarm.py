"""What a swarm does when things are not as in the book: each ends in a clear state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.cache import LOCAL, Cache
from kiro_swarm.cluster.resources import (
    CLAIMS,
    CONFIG_MAPS,
    EVENTS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
)
from kiro_swarm.reconcile.engine.context import Key
from kiro_swarm.reconcile.settings import OperatorSettings, scheme_of
from kiro_swarm.reconcile.snapshot.view import job_outcome
from kiro_swarm.reconcile.swarms.swarm import reconcile
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World, a_world

#: What a prepare Job says.
PREPARED = {
    **{"base": "a" * 40, "head": "a" * 40, "tasksFile": "tasks.md"},
    **{"tasks": 0, "diagnostics": []},
}


async def test_a_scheme_that_is_not_allowed_makes_nothing_and_says_so(
    world: World,
) -> None:
    world.apply_swarm(repository={"url": "http://example.org/x.git"})
    await world.live(3)
    status = world.status()
    assert status["phase"] == "Failed"
    assert "scheme 'http' is not allowed here (https, ssh)" in status["message"]
    assert world.conditions()["Stalled"] == ("True", "RepositoryNotAllowed")
    assert world.cluster.names(INSTANCES) == world.cluster.names(CLAIMS) == []
    assert len(world.cluster.names(EVENTS)) == 1
    writes = len(world.api.writes)
    world.ctx.wake(SWARMS, world.cluster.one(SWARMS, "demo"))
    await world.settle()
    assert len(world.api.writes) == writes, "said once"


async def test_the_operator_may_allow_it(tmp_path: Path) -> None:
    settings = OperatorSettings(
        image="x", repository_schemes=frozenset({"http"}), network_policy=False
    )
    async with a_world(tmp_path, settings=settings) as world:
        world.apply_swarm(repository={"url": "HTTP://example.org/x.git"})
        await world.live(20)
        assert world.status()["phase"] == "Succeeded"
        assert world.everything()["networkpolicies"] == []


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("https://example.org/x", "https"),
        ("FILE:///srv/x", "file"),
        ("ssh://git@example.org/x", "ssh"),
    ],
)
def test_the_scheme_of_an_address(url: str, scheme: str) -> None:
    assert scheme_of(url) == scheme


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image": ""}, "image"),
        ({"image": "x", "repository_schemes": frozenset()}, "none given"),
        ({"image": "x", "repository_schemes": frozenset({"ftp"})}, "ftp"),
        ({"image": "x", "workers": 0}, "workers: at least 1"),
    ],
)
def test_the_operator_does_not_start_with_a_bad_setting(
    settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        OperatorSettings(**settings)


async def test_a_spec_of_another_version_is_told_by_an_event(world: World) -> None:
    world.apply_swarm(fieldOfTomorrow=True)
    await world.live(2)
    (event,) = world.cluster.all(EVENTS)
    assert event["reason"] == "InvalidSpec"
    assert world.cluster.names(INSTANCES) == []


async def test_a_swarm_waits_until_the_ground_of_its_namesake_is_gone(
    world: World,
) -> None:
    theirs = [{"uid": "of before", "kind": "KiroSwarm"}]
    claim = body(CLAIMS, "demo-workspace", {}, ownerReferences=theirs)
    world.api.store.create(CLAIMS, NAMESPACE, claim)
    world.apply_swarm()
    await world.settle()
    assert world.cluster.names(INSTANCES) == world.cluster.names(JOBS) == []
    assert world.status()["message"] == (
        "waiting until these are gone: PersistentVolumeClaim demo-workspace"
    )
    await world.live(25)
    assert world.status()["phase"] == "Succeeded"


async def test_tasks_of_an_earlier_namesake_are_waited_for_and_not_adopted(
    world: World,
) -> None:
    theirs = [{"uid": "of before", "kind": "KiroSwarm"}]
    world.apply_swarm()
    await world.live(1)
    old = body(TASKS, "demo.1", {"swarm": "demo", "id": "1"}, ownerReferences=theirs)
    world.api.store.create(TASKS, NAMESPACE, old)
    world.api.store.patch(
        TASKS, NAMESPACE, "demo.1", {"status": {"state": "Merged"}}, "status"
    )
    phases = []
    for _ in range(20):
        phases.append(world.status().get("phase"))
        await world.live(1)
    assert phases[-1] == "Succeeded"
    assert world.cluster.task("1")["attempt"] == 1, "it was done, not taken over"


async def test_another_swarm_that_has_the_name_of_a_task_is_told(world: World) -> None:
    taken = body(TASKS, "demo.2", {"swarm": "other", "id": "x"})
    world.api.store.create(TASKS, NAMESPACE, taken)
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(12)
    assert "demo.2 is there already and is somebody" in world.status()["message"]
    assert world.conditions()["Hindered"] == ("True", "NameTaken")
    assert world.cluster.task("1")["state"] == "Bound", "what can begin does"


async def test_a_remote_that_is_gone_is_tried_again_later_and_later(
    world: World,
) -> None:
    why = {"reason": "RemoteUnavailable", "message": "cannot reach example.org"}
    world.cluster.failing = {f"demo-prepare-{n}": why for n in (1, 2)}
    world.apply_swarm()
    await world.live(6)
    assert world.conditions()["Prepared"] == ("False", "RemoteUnavailable")
    assert world.conditions()["Stalled"] == ("True", "RemoteUnavailable")
    assert world.status()["message"] == "cannot reach example.org"
    starts = []
    for _ in range(80):
        await world.live(1)
        starts.append(len([n for n in world.cluster.names(JOBS) if "prepare" in n]))
    assert world.status()["phase"] == "Succeeded"
    assert world.status()["prepare"]["attempt"] == 3
    second, third = starts.index(2), starts.index(3)
    assert 10 <= second < 20
    assert third - second >= 30


async def test_a_prepare_job_that_dies_without_a_word(world: World) -> None:
    world.apply_swarm()
    await world.live(1)
    ended = {"exitCode": 137, "reason": "OOMKilled"}
    container = {"name": "main", "state": {"terminated": ended}}
    world.cluster.set_status(PODS, "demo-prepare-1-pod", containerStatuses=[container])
    failed = {"type": "Failed", "status": "True"}
    world.cluster.set_status(JOBS, "demo-prepare-1", conditions=[failed])
    await world.live(2)
    assert world.conditions()["Prepared"] == ("False", "JobFailed")
    assert world.status()["message"] == "exit status 137: OOMKilled"


async def test_a_prepare_pod_that_is_stuck_is_told(world: World) -> None:
    world.apply_swarm()
    await world.live(1)
    waiting = {"reason": "ErrImagePull", "message": "no such image"}
    container = {"name": "main", "state": {"waiting": waiting}}
    world.cluster.frozen.add("demo-prepare-1")
    world.cluster.set_status(PODS, "demo-prepare-1-pod", containerStatuses=[container])
    await world.live(2)
    assert "ErrImagePull no such image" in world.status()["message"]


async def test_the_pod_of_a_job_is_fetched_when_its_watch_is_behind(
    world: World,
) -> None:
    world.apply_swarm()
    await world.live(1)
    world.cluster.frozen.add("demo-prepare-1")
    world.listen()
    world.cluster.end_job(
        "demo-prepare-1",
        world.cluster.prepare(world.cluster.one(JOBS, "demo-prepare-1")),
    )
    # The news about the Job arrive, those about its pod do not.
    news = world.api.store.changes
    news[:] = [c for c in news if c.resource is not PODS or c.version <= world.heard]
    await world.live(2)
    assert world.status()["integration"]["base"] == "a" * 40


async def test_scaling_down_spares_a_busy_instance_until_its_task_is_done(
    world: World,
) -> None:
    world.cluster.graph = {"1": [], "2": [], "3": []}
    world.apply_swarm(instances=2)
    world.cluster.tasks_run = False
    await world.live(8)
    assert world.cluster.task("2")["instance"] == "demo-2"
    world.edit_swarm(instances=1)
    await world.live(4)
    assert world.cluster.status(INSTANCES, "demo-2")["phase"] == "Draining"
    world.cluster.tasks_run = True
    await world.live(20)
    assert world.cluster.names(INSTANCES) == ["demo-1"]
    assert world.status()["phase"] == "Succeeded"
    assert world.cluster.task("2")["attempt"] == 1, "nothing was lost"
    assert world.cluster.task("3")["instance"] == "demo-1"
    world.edit_swarm(instances=3)
    await world.live(6)
    assert world.status()["readiness"] == "3/3"


async def test_a_suspended_swarm_ends_what_runs_and_starts_nothing(
    world: World,
) -> None:
    world.cluster.graph = {"1": [], "2": [], "3": []}
    world.apply_swarm(instances=1)
    world.cluster.tasks_run = False
    await world.live(8)
    world.edit_swarm(suspend=True)
    world.cluster.tasks_run = True
    await world.live(20)
    states = [world.cluster.task(n)["state"] for n in "123"]
    assert states == ["Merged", "Ready", "Ready"]
    assert world.status()["phase"] == "Suspended"
    assert world.cluster.status(INSTANCES, "demo-1")["phase"] == "Stopped"
    world.edit_swarm(suspend=False)
    await world.live(30)
    assert world.status()["phase"] == "Succeeded"


async def test_a_finished_swarm_is_deleted_when_its_time_is_up(world: World) -> None:
    world.apply_swarm(ttlSecondsAfterFinished=100)
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"
    world.clock.seconds += 70
    await world.settle()
    assert world.cluster.names(SWARMS) == ["demo"]
    world.clock.seconds += 40
    await world.settle()
    assert world.cluster.names(SWARMS) == []


@pytest.mark.parametrize("what", ["swarm", "task"])
async def test_a_swarm_that_has_changed_meanwhile_is_not_deleted(
    world: World, what: str
) -> None:
    world.apply_swarm(ttlSecondsAfterFinished=100)
    await world.live(20)
    assert world.status()["phase"] == "Succeeded"
    # The watch has not told of it yet.
    world.deaf = (SWARMS, TASKS)
    if what == "swarm":
        keep = {"spec": {"ttlSecondsAfterFinished": 1000000}}
        world.api.store.patch(SWARMS, NAMESPACE, "demo", keep)
    else:
        again = {"status": {"state": "Ready"}}
        first, *_ = world.cluster.names(TASKS)
        world.api.store.patch(TASKS, NAMESPACE, first, again, "status")
    world.clock.seconds += 110
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]


async def test_a_failed_integrate_job_is_tried_again_and_old_ones_are_dropped(
    world: World,
) -> None:
    why = {"reason": "PushRefused", "message": "not a fast-forward"}
    world.cluster.graph = {"1": []}
    world.cluster.failing = {f"demo-integrate-{n}": why for n in range(1, 5)}
    world.apply_swarm(integration={"push": "OnComplete"})
    await world.live(10)
    assert world.conditions()["Integrated"] == ("False", "PushRefused")
    for _ in range(300):
        await world.live(1)
    assert world.status()["phase"] == "Succeeded"
    assert world.status()["integration"]["pushed"] == (
        world.status()["integration"]["head"]
    )
    jobs = [name for name in world.cluster.names(JOBS) if "integrate" in name]
    assert len(jobs) <= 4
    assert jobs[-1] == "demo-integrate-5"


@pytest.mark.parametrize(("push", "pushes"), [("Never", 0), ("Always", 1)])
async def test_what_was_merged_and_not_pushed_is_pushed_as_the_policy_says(
    world: World, push: str, pushes: int
) -> None:
    world.cluster.graph = {"1": []}
    world.apply_swarm(integration={"push": push})
    world.cluster.frozen.add("demo-integrate-1")
    await world.live(10)
    world.cluster.merge("demo.1")
    report = {
        "head": world.cluster.task("1")["mergeCommit"],
        "pushed": "",
        "message": "",
    }
    world.cluster.start_job(world.cluster.one(JOBS, "demo-integrate-1"))
    world.cluster.end_job("demo-integrate-1", report)
    await world.live(10)
    jobs = [name for name in world.cluster.names(JOBS) if "integrate" in name]
    assert len(jobs) == 1 + pushes


async def test_jobs_that_kubernetes_cleared_away_are_not_run_again(
    world: World,
) -> None:
    world.apply_swarm(integration={"push": "Always"})
    await world.live(20)
    before = world.status()
    for name in world.cluster.names(JOBS):
        world.api.store.remove(JOBS, NAMESPACE, name)
    await world.live(5)
    assert world.cluster.names(JOBS) == []
    for field in ("phase", "integration", "prepare", "message", "finishedAt"):
        assert world.status()[field] == before[field]


async def test_a_graph_that_is_gone_is_found_out(world: World) -> None:
    world.apply_swarm()
    await world.live(1)
    world.cluster.frozen.add("demo-prepare-1")
    world.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-graph")
    world.cluster.end_job("demo-prepare-1", PREPARED)
    await world.live(2)
    assert world.status()["phase"] == "Preparing"
    with pytest.raises(errors.NotFound):
        await world.client.get(CONFIG_MAPS, NAMESPACE, "demo-graph")


@pytest.mark.parametrize(
    ("conditions", "outcome"),
    [
        ([], None),
        ([{"type": "Suspended", "status": "True"}], None),
        ([{"type": "FailureTarget", "status": "True"}], None),
        ([{"type": "Complete", "status": "False"}], None),
        ([{"type": "Complete", "status": "True"}], True),
        ([{"type": "Failed", "status": "True"}], False),
    ],
)
def test_how_a_job_ended(conditions: list[Any], outcome: Any) -> None:
    job: Any = {"status": {"conditions": conditions}}
    assert job_outcome(job) is outcome
    job = {}
    assert job_outcome(job) is None


class Counting(Cache):
    """A cache that counts how often a swarm is looked at: each time reads its Jobs once."""

    looks = 0

    def of_swarm(self, resource: Any, namespace: str, swarm: str) -> Any:
        self.looks += resource is JOBS
        return super().of_swarm(resource, namespace, swarm)


async def test_a_swarm_is_looked_at_once_unless_something_changed(world: World) -> None:
    world.ctx.cache = cache = Counting()
    world.apply_swarm()
    await world.live(3)
    assert world.status()["tasks"]["total"] == 4
    await world.settle()
    key = Key(LOCAL, SWARMS, NAMESPACE, "demo")
    cache.looks = 0
    await reconcile(world.ctx, key)
    assert cache.looks == 1
    (task,) = (t for t in world.cluster.all(TASKS) if t["spec"]["id"] == "1")
    merged = {"status": {"state": "Merged"}}
    name = task["metadata"]["name"]
    world.api.store.patch(TASKS, NAMESPACE, name, merged, "status")
    world.listen()
    cache.looks = 0
    await reconcile(world.ctx, key)
    assert cache.looks > 1, "what was written is looked at"
    states = {
        t["spec"]["id"]: (t.get("status") or {}).get("state")
        for t in world.cluster.all(TASKS)
    }
    assert states["2"] in ("Ready", "Bound")
