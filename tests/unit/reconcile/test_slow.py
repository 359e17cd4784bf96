"""Late tasks are flagged; one on a slow instance begins again on a fast one, once."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from kiro_swarm.api.common import Condition
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.tasks.lateness import is_late, next_late
from kiro_swarm.reconcile.tasks.slow import flags, moves
from tests.unit.reconcile.explained import about, codes, seen
from tests.unit.reconcile.learned import merged, running
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.test_tasks import prepared
from tests.unit.reconcile.views import Object
from tests.unit.reconcile.world import World


def past(first: float = 1000.0, second: float = 100.0) -> list[Object]:
    """Ten tasks of each instance, with their seconds."""
    return [merged(f"9.{n}", first, "demo-1") for n in range(10)] + [
        merged(f"8.{n}", second, "demo-2") for n in range(10)
    ]


def late_with(
    task: Optional[Object] = None,
    *others: Object,
    history: Optional[list[Object]] = None,
    before: Optional[list[Object]] = None,
    **spec: Any,
) -> View:
    task = task or running("1", 90_000.0)
    if history:
        task["status"]["history"] = history
    return seen(task, *others, *(past() if before is None else before), idle=2, **spec)


def condition_of(patch: Object) -> Object:
    found = find(patch["conditions"], "Late")
    assert found is not None
    return found


def test_a_task_is_late_when_nine_of_ten_would_be_done() -> None:
    view = late_with()
    task = view.tasks[0]
    usual = view.measured.estimate_of(task)
    for seconds, late in ((usual.high - 1, False), (usual.high + 1, True)):
        assert is_late(late_with(running("1", seconds)), running("1", seconds)) is late
    assert next_late(late_with(running("1", 50.0))) == pytest.approx(
        usual.high - 50 + 0.1, rel=1e-3
    )
    assert next_late(view) is None


def test_what_takes_seconds_is_late_for_nobody() -> None:
    quick = [merged(f"9.{n}", 1.0) for n in range(400)]
    assert not is_late(late_with(running("1", 29.0), before=quick), running("1", 29.0))
    assert is_late(late_with(running("1", 31.0), before=quick), running("1", 31.0))


def test_the_condition_is_written_once_and_taken_back_when_it_is_over() -> None:
    view = late_with()
    ((task, patch),) = flags(view)
    found = condition_of(patch)
    assert (found["status"], found["reason"]) == ("True", "SlowerThanExpected")
    assert found["message"].startswith("nine of ten such tasks take less than")
    other: Condition = {
        "type": "MergeConflict",
        "status": "True",
        "reason": "Overlaps",
        "lastTransitionTime": stamp(START),
    }
    task["status"]["conditions"] = [other, found]
    assert flags(late_with(task)) == []
    task["status"]["state"] = "Done"
    ((_, patch),) = flags(late_with(task))
    assert (condition_of(patch)["status"], condition_of(patch)["reason"]) == (
        "False",
        "InTime",
    )
    assert patch["conditions"][0] == other


def test_what_is_learned_meanwhile_takes_nothing_back() -> None:
    flagged = running("1", 50.0)
    flagged["status"]["conditions"] = [{"type": "Late", "status": "True"}]
    view = late_with(flagged)
    assert is_late(view, flagged)
    assert flags(view) == []
    assert moves(view) == [], "it is moved only for what is known now"


def test_a_late_task_moves_to_an_idle_instance_that_is_much_faster() -> None:
    ((task, patch),) = moves(late_with())
    assert task["spec"]["id"] == "1"
    assert (patch["state"], patch["instance"], patch["attempt"]) == (
        "Bound",
        "demo-2",
        2,
    )
    assert patch["podUid"] == "p2"
    assert patch["branch"] == "swarm/demo/1/2"
    assert patch["forgiven"] == 1
    assert patch["history"][-1]["outcome"] == "InstanceSlow"
    assert patch["message"] == (
        "working for 25.0 h on demo-1, which is slow: moved to demo-2"
    )


def test_who_asks_hears_that_it_is_late_and_what_to_say() -> None:
    told = about(late_with(), "1")
    assert codes(told) == ["running", "late"]
    assert "it is late: nine of ten such tasks take less than" in told.text
    assert "say `reassign tasks from demo-1`" in told.text
    assert codes(about(late_with(running("1", 50.0)), "1")) == ["running"]


@pytest.mark.parametrize(
    ("case", "view"),
    [
        ("it is not late", late_with(running("1", 50.0))),
        ("nobody is idle", late_with(None, running("2", 10.0, "demo-2"))),
        ("the other is no faster", late_with(before=past(100.0, 100.0))),
        ("nothing was measured", late_with(before=[])),
        ("it was moved before", late_with(history=[{"outcome": "InstanceSlow"}])),
        ("a person chose", late_with(running("1", 90_000.0, assignedTo="demo-1"))),
        ("it is paused", late_with(running("1", 90_000.0, paused=True))),
        ("the other cannot", late_with(running("1", 90_000.0, capabilities=["gpu"]))),
        ("it is not wished", late_with(distribution={"slowInstances": "Keep"})),
        ("nothing starts", late_with(suspend=True)),
    ],
)
def test_it_stays_when(case: str, view: View) -> None:
    assert moves(view) == [], case


def test_one_idle_instance_takes_one_late_task() -> None:
    view = late_with(running("1", 90_000.0), running("2", 95_000.0, "demo-3"))
    ((task, _),) = moves(view)
    assert task["spec"]["id"] == "2"  # it waits for longer, and demo-3 is as usual


async def test_a_slow_instance_loses_its_task_to_a_fast_one(world: World) -> None:
    """In the life of a swarm: flagged, counted, foretold, moved."""
    others = [{"id": f"p{n}"} for n in range(20)]
    await prepared(world, {"id": "slow", "priority": 9}, *others, instances=2)
    slow = world.cluster.task("slow")["instance"]
    fast = "demo-1" if slow == "demo-2" else "demo-2"
    names = {task["spec"]["id"]: task for task in world.cluster.all(TASKS)}
    for number in range(20):
        name = names[f"p{number}"]["metadata"]["name"]
        over = merged("x", *((100.0, fast) if number % 2 else (1000.0, slow)))
        world.cluster.set_status(TASKS, name, **over["status"])
    await world.settle()
    assert world.status()["tasks"]["late"] == 0
    for _ in range(100):
        world.clock.seconds += 30
        world.cluster.beat(slow)
        await world.settle()
        if world.cluster.task("slow")["attempt"] == 2:
            break
    task = world.cluster.task("slow")
    assert (task["state"], task["instance"], task["attempt"]) == ("Bound", fast, 2)
    assert [record["outcome"] for record in task["history"]] == ["InstanceSlow"]
    assert not task.get("failures")
    assert task["conditions"] == []
    for _ in range(100):  # and if that one is slow as well, so be it
        world.clock.seconds += 30
        world.cluster.beat(fast)
        await world.settle()
    task = world.cluster.task("slow")
    assert task["attempt"] == 2
    assert find(task["conditions"], "Late") is not None
    assert world.status()["tasks"]["late"] == 1
    assert world.status()["forecast"]["late"] == ["slow"]
