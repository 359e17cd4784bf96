"""What an instance needs next: a table of observations and decisions, then real lives."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.api.instance import KiroInstanceStatus
from kiro_swarm.cluster.resources import INSTANCES, PODS, TASKS
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.instances.decision import (
    Observed,
    decide,
    pod_trouble,
)
from kiro_swarm.reconcile.instances.rollout import pod_ready
from tests.support.shapes import valid
from tests.unit.reconcile.surroundings import NAMESPACE, START, body
from tests.unit.reconcile.world import World

READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
TASK = {"spec": {"id": "1"}, "status": {"branch": "swarm/demo/1/1"}}


def pod(status: Optional[dict[str, Any]] = None, **metadata: Any) -> Any:
    return {"metadata": metadata, "spec": {"nodeName": "n1"}, "status": status}


def seen(
    status: Any = None,
    the_pod: Any = None,
    **changes: Any,
) -> Observed:
    instance: Any = {
        "metadata": {"name": "demo-1", "generation": 1},
        "spec": {"swarm": "demo", "index": 1},
        "status": status,
    }
    usual: dict[str, Any] = {
        "task": None,
        "wanted": True,
        "stop_now": False,
        "outdated": False,
        "now": START,
    }
    return Observed(instance=instance, pod=the_pod, **{**usual, **changes})


UP = {"phase": "Ready", "pod": "demo-1-0", "observedGeneration": 1, "readyAt": "t"}
STUCK = {
    "containerStatuses": [
        {
            "name": "agent",
            "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such"}},
        }
    ]
}


@pytest.mark.parametrize(
    ("case", "what", "action", "phase", "words"),
    [
        ("nothing there", seen(), "create", None, ""),
        (
            "nothing there, none wanted",
            seen(wanted=False),
            "",
            "Stopped",
            "no pod is wanted",
        ),
        (
            "its pod vanished",
            seen(UP),
            "",
            "Restarting",
            "pod demo-1-0 is gone; it is replaced",
        ),
        (
            "the next pod, after the number went up",
            seen({**UP, "restarts": 1, "pod": ""}),
            "create",
            "Ready",
            "",
        ),
        (
            "a pod that is being deleted",
            seen(UP, pod(READY, deletionTimestamp="t")),
            "",
            "Restarting",
            "its pod is being deleted",
        ),
        (
            "an evicted pod",
            seen(UP, pod({"phase": "Failed", "message": "Evicted: memory"})),
            "delete",
            "Restarting",
            "Evicted: memory",
        ),
        (
            "a pod that ended without a word",
            seen(UP, pod({"phase": "Succeeded"})),
            "delete",
            "Restarting",
            "its pod ended",
        ),
        (
            "scaled down and idle",
            seen(UP, pod(READY), wanted=False),
            "delete",
            "Stopped",
            "stopping",
        ),
        (
            "scaled down and busy",
            seen(UP, pod(READY), wanted=False, task=TASK),
            "",
            "Draining",
            "",
        ),
        (
            "to be stopped now, though busy",
            seen(UP, pod(READY), wanted=False, task=TASK, stop_now=True),
            "delete",
            "Stopped",
            "stopping",
        ),
        (
            "of an old template and idle",
            seen(UP, pod(READY), outdated=True),
            "delete",
            "Restarting",
            "the template changed; its pod is replaced",
        ),
        (
            "of an old template and busy",
            seen(UP, pod(READY), outdated=True, task=TASK),
            "",
            "Busy",
            "",
        ),
        ("on its way up for the first time", seen(None, pod({})), "", None, ""),
        (
            "on its way up, its first pod stuck",
            seen(None, pod(STUCK)),
            "",
            "Pending",
            "agent: ImagePullBackOff no such",
        ),
        (
            "no longer ready",
            seen(UP, pod({})),
            "",
            "Restarting",
            "its pod is not ready",
        ),
        ("ready", seen(None, pod(READY)), "", "Ready", ""),
        ("ready and with a task", seen(UP, pod(READY), task=TASK), "", "Busy", ""),
        (
            "paused and idle: the pod stays",
            seen(UP, pod(READY), paused=True),
            "",
            "Paused",
            "takes no task until `resume instance demo-1`",
        ),
        (
            "paused and busy: the task goes on",
            seen(UP, pod(READY), paused=True, task=TASK),
            "",
            "Paused",
            "finishes task 1 and takes no further one",
        ),
        (
            "paused before its pod was ready",
            seen(None, pod(STUCK), paused=True),
            "",
            "Pending",
            "agent: ImagePullBackOff no such",
        ),
        (
            "paused, its pod lost: it gets another",
            seen(paused=True),
            "create",
            None,
            "",
        ),
        (
            "paused in a swarm that is suspended",
            seen(UP, pod(READY), paused=True, wanted=False),
            "delete",
            "Stopped",
            "stopping",
        ),
    ],
)
def test_what_an_instance_needs_next(
    case: str, what: Observed, action: str, phase: Optional[str], words: str
) -> None:
    decision = decide(what)
    assert (decision.create, decision.delete) == (
        action == "create",
        action == "delete",
    ), case
    assert decision.status.get("phase") == phase, case
    assert decision.status.get("message", "") == words, case
    valid(KiroInstanceStatus, {**decision.status, "readyAt": stamp(START)})


def test_a_paused_instance_is_not_ready_for_tasks() -> None:
    status = decide(seen(None, pod(READY), paused=True)).status
    condition = status["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "Paused")
    assert status["readyAt"] == stamp(START), "its pod is ready all the same"


def test_the_number_of_restarts_goes_up_once_before_the_next_pod() -> None:
    gone = decide(seen({**UP, "restarts": 2, "pod": "demo-1-2"}))
    assert (gone.status["restarts"], gone.status["pod"], gone.create) == (3, "", False)
    again = decide(seen(gone.status))
    assert again.create
    assert again.status["restarts"] == 3


@pytest.mark.parametrize(
    ("restarts", "waited", "left"),
    [
        (3, 0, None),
        (4, 0, 10.0),
        (4, 4, 6.0),
        (4, 10, None),
        (5, 0, 20.0),
        (12, 0, 300.0),
        (60, 100, 200.0),
    ],
)
def test_a_pod_that_fails_again_and_again_is_made_later_each_time(
    restarts: int, waited: float, left: Optional[float]
) -> None:
    status = {**UP, "restarts": restarts, "pod": ""}
    decision = decide(seen(status, failed_for=waited))
    assert decision.again_in == left
    assert decision.create == (left is None)


def test_without_a_condition_there_is_nothing_to_wait_for() -> None:
    assert decide(seen({**UP, "restarts": 9, "pod": ""})).create


def test_the_status_says_what_the_instance_works_on_and_where() -> None:
    status = decide(seen(UP, pod(READY), task=TASK)).status
    assert (status["task"], status["branch"], status["node"]) == (
        "1",
        "swarm/demo/1/1",
        "n1",
    )
    assert decide(seen(status, pod(READY))).status["task"] == ""
    assert decide(seen(status, pod(READY))).status["branch"] == ""


@pytest.mark.parametrize(
    ("case", "status", "trouble"),
    [
        ("nothing known", None, ""),
        (
            "creating is no trouble",
            {
                "containerStatuses": [
                    {"name": "a", "state": {"waiting": {"reason": "ContainerCreating"}}}
                ]
            },
            "",
        ),
        ("an image", STUCK, "agent: ImagePullBackOff no such"),
        (
            "no node",
            {
                "conditions": [
                    {"type": "Initialized", "status": "True"},
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "0/3 nodes",
                    },
                ]
            },
            "Unschedulable: 0/3 nodes",
        ),
    ],
)
def test_why_a_pod_is_stuck(case: str, status: Any, trouble: str) -> None:
    assert pod_trouble(pod(status)) == trouble, case
    assert not pod_ready(pod(status))


async def test_a_lost_pod_is_replaced_under_the_next_name(world: World) -> None:
    world.apply_swarm(instances=1)
    world.cluster.tasks_run = False
    await world.live(8)
    world.api.store.remove(PODS, NAMESPACE, "demo-1-0")
    await world.live(4)
    assert "demo-1-1" in world.cluster.names(PODS)
    status = world.cluster.status(INSTANCES, "demo-1")
    assert (status["restarts"], status["pod"], status["phase"]) == (
        1,
        "demo-1-1",
        "Busy",
    )


async def test_a_pod_of_an_earlier_namesake_is_not_taken_for_ours(world: World) -> None:
    theirs = [{"uid": "of before", "kind": "KiroInstance"}]
    labels = {"swarm.kiro.dev/instance": "demo-1", "swarm.kiro.dev/swarm": "demo"}
    world.api.store.create(
        PODS,
        NAMESPACE,
        body(PODS, "demo-1-0", {}, ownerReferences=theirs, labels=labels),
    )
    world.apply_swarm(instances=1)
    await world.settle()
    assert "status" not in world.cluster.one(INSTANCES, "demo-1")
    await world.live(6)
    owner = world.cluster.one(PODS, "demo-1-0")["metadata"]["ownerReferences"][0]
    assert owner["uid"] == world.cluster.one(INSTANCES, "demo-1")["metadata"]["uid"]


async def test_a_changed_template_replaces_idle_pods_and_spares_busy_ones(
    world: World,
) -> None:
    world.cluster.graph = {"1": []}
    world.apply_swarm(instances=2)
    world.cluster.tasks_run = False
    await world.live(8)
    world.edit_swarm(template={"agent": {"command": ["other"]}})
    await world.live(6)
    pods = [n for n in world.cluster.names(PODS) if "prepare" not in n]
    assert pods == ["demo-1-0", "demo-2-1"], "demo-1 works on task 1"
    world.cluster.tasks_run = True
    await world.live(8)
    assert "demo-1-1" in world.cluster.names(PODS)


async def test_no_pod_of_an_older_template_is_given_another_task(world: World) -> None:
    """Else it would never be replaced while there is work."""
    world.cluster.graph = {str(n): [] for n in range(1, 9)}
    world.apply_swarm(instances=2)
    world.cluster.tasks_run = False
    await world.live(8)
    first = {t["status"].get("podUid") for t in world.cluster.all(TASKS)} - {None}
    assert len(first) == 2
    world.edit_swarm(template={"agent": {"command": ["other"]}})
    world.cluster.tasks_run = True
    await world.live(30)
    tasks = world.cluster.all(TASKS)
    assert {task["status"]["state"] for task in tasks} == {"Merged"}
    old = [t["spec"]["id"] for t in tasks if t["status"]["podUid"] in first]
    assert len(old) == 2, "those that were under way"


async def test_an_instance_of_no_swarm_is_left_to_the_garbage_collector(
    world: World,
) -> None:
    spec = {"swarm": "gone", "index": 1, "colour": "#007fff"}
    world.api.store.create(INSTANCES, NAMESPACE, body(INSTANCES, "gone-1", spec))
    await world.live(3)
    assert world.cluster.names(PODS) == []
    assert "status" not in world.cluster.one(INSTANCES, "gone-1")
