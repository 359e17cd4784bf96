"""A swarm in which nothing begins until a person acts says so, and what to say.

The members of the kind: instances that people hold or do not want, tasks that are paused, tasks
that are for an instance which does not take them, what nobody can do, and what waits for a task
that does not exist.
"""

from __future__ import annotations

from itertools import product

import pytest

from kiro_swarm.api.swarm_status import KiroSwarmStatus
from kiro_swarm.reconcile.swarms.status import swarm_status
from kiro_swarm.reconcile.tasks.hand_out import bindings
from kiro_swarm.reconcile.tasks.standstill import standstill
from tests.support.shapes import valid
from tests.unit.reconcile.explained import node, seen, with_spec
from tests.unit.reconcile.views import DONE, WELL, Object, conditions

HELD = "no instance is idle: 2 paused or stopped: say `resume instance demo-1`"


def paused(item: Object) -> Object:
    return with_spec(item, paused=True)


def only_for(item: Object, instance: str) -> Object:
    return with_spec(item, assignedTo=instance)


@pytest.mark.parametrize(
    ("case", "tasks", "spec", "desired", "ready", "stalled", "words"),
    [
        (
            "all instances are held",
            [node("1", "Ready"), node("2", "Blocked", "1")],
            {},
            {1: "Stopped", 2: "Paused"},
            "False InstancesHeld",
            "True InstancesHeld",
            HELD,
        ),
        (
            "the same, while a merge is left",
            [node("1", "Ready"), node("2", "Done")],
            {},
            {1: "Stopped", 2: "Paused"},
            "False InstancesHeld",
            "False Progressing",
            HELD,
        ),
        (
            "the same, beside a task that failed",
            [node("1", "Ready"), node("2", "Failed")],
            {},
            {1: "Stopped", 2: "Stopped"},
            "False InstancesHeld",
            "True InstancesHeld",
            HELD,
        ),
        (
            "no instance is wanted",
            [node("1", "Ready")],
            {"instances": 0},
            {},
            "False NoInstances",
            "True NoInstances",
            "no instance is wanted: say `scale instances 1`",
        ),
        (
            "what could begin is paused",
            [
                paused(node("1", "Ready")),
                paused(node("2", "Ready")),
                node("3", "Merged"),
            ],
            {},
            {},
            "True InstancesReady",
            "True TasksPaused",
            "1, 2 are paused: say `resume task 1`",
        ),
        (
            "it is for one that is not there",
            [only_for(node("1", "Ready"), "demo-9")],
            {},
            {},
            "True InstancesReady",
            "True InstanceMissing",
            "nobody takes 1: it is assigned to demo-9, which does not exist: say "
            "`unassign task 1`",
        ),
        (
            "it is for one that is held",
            [only_for(node("1", "Ready"), "demo-1")],
            {},
            {1: "Paused"},
            "True InstancesReady",
            "True InstancesHeld",
            "nobody takes 1: it is assigned to demo-1, which is paused: say "
            "`resume instance demo-1` or `unassign task 1`",
        ),
        (
            "it is for one that leaves",
            [only_for(node("1", "Ready"), "demo-2")],
            {"instances": 1},
            {},
            "True InstancesReady",
            "True InstanceMissing",
            "nobody takes 1: it is assigned to demo-2, which leaves: 1 instances are "
            "wanted: say `scale instances 2` or `unassign task 1`",
        ),
        (
            "nobody can do it",
            [with_spec(node("1", "Ready"), capabilities=["gpu"])],
            {},
            {},
            "True InstancesReady",
            "True NobodyAble",
            "no instance can do 1: `explain task 1`",
        ),
        (
            "it waits for a task that does not exist",
            [node("1", "Blocked", "7"), node("2", "Blocked", "1")],
            {},
            {},
            "True InstancesReady",
            "True DependencyMissing",
            "1 waits for tasks that do not exist: say `explain task 1`",
        ),
        (
            "several of these, the most in front",
            [
                with_spec(node("1", "Ready"), capabilities=["gpu"]),
                paused(node("2", "Ready")),
                paused(node("3", "Ready")),
            ],
            {},
            {},
            "True InstancesReady",
            "True TasksPaused",
            "2, 3 are paused: say `resume task 2`; no instance can do 1: `explain task 1`",
        ),
    ],
)
def test_what_waits_for_a_person_is_said_with_the_sentence(
    case: str,
    tasks: list[Object],
    spec: Object,
    desired: dict[int, str],
    ready: str,
    stalled: str,
    words: str,
) -> None:
    view = seen(*tasks, idle=2, desired=desired, **spec)
    status = swarm_status(view, DONE, WELL)
    found = conditions(status)
    assert status["message"].endswith(f" merged; {words}"), case
    assert found["Ready"] == ready, case
    assert found["Stalled"] == stalled, case
    valid(KiroSwarmStatus, status)


@pytest.mark.parametrize("desired", [{}, {1: "Paused"}])
@pytest.mark.parametrize(
    ("case", "tasks"),
    [
        ("a task may begin", [paused(node("1", "Ready")), node("2", "Ready")]),
        ("one is under way", [node("1", "Running", instance="demo-1")]),
        ("all is done", [node("1", "Merged")]),
        ("there are none yet", []),
    ],
)
def test_nothing_is_said_where_something_may_begin_or_nothing_is_to(
    case: str, tasks: list[Object], desired: dict[int, str]
) -> None:
    view = seen(*tasks, idle=2, desired=desired)
    assert standstill(view) is None, case
    assert conditions(swarm_status(view, DONE, WELL))["Stalled"] == "False Progressing"


def test_who_suspends_or_deletes_a_swarm_is_told_of_that_alone() -> None:
    held = {1: "Stopped", 2: "Stopped"}
    assert standstill(seen(node("1", "Ready"), desired=held, suspend=True)) is None
    assert standstill(seen(node("1", "Ready"), desired=held, deleting=True)) is None


def test_a_finished_swarm_needs_no_instances() -> None:
    view = seen(node("1", "Merged"), desired={1: "Stopped", 2: "Stopped"})
    found = conditions(swarm_status(view, DONE, WELL))
    assert found["Ready"] == "True InstancesReady"


def test_whatever_is_held_a_standstill_is_never_said_of_what_can_begin() -> None:
    """All ways to hold two tasks and two instances, against the hand-out itself."""
    marks: list[Object] = [
        {},
        {"paused": True},
        {"assignedTo": "demo-1"},
        {"assignedTo": "demo-9"},
        {"capabilities": ["gpu"]},
    ]
    wishes = ("Running", "Paused", "Stopped")
    for one, two, first, second, instances in product(
        marks, marks, wishes, wishes, (0, 1, 2)
    ):
        view = seen(
            with_spec(node("1", "Ready"), **one),
            with_spec(node("2", "Ready"), **two),
            idle=2,
            desired={1: first, 2: second},
            instances=instances,
        )
        still = standstill(view)
        assert (still is None) == bool(bindings(view)), (one, two, first, second)
