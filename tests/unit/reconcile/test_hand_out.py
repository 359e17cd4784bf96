"""Who gets which task: the view of a swarm in the words of the scheduling."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.status import swarm_status
from kiro_swarm.reconcile.tasks.hand_out import bindings, lacking
from tests.unit.reconcile.explained import about, ago, codes, node, seen, with_spec
from tests.unit.reconcile.learned import merged
from tests.unit.reconcile.views import DONE, WELL, Object, conditions


def given(view: View) -> dict[str, str]:
    """Task -> the instance that it is given to."""
    return {task["spec"]["id"]: patch["instance"] for task, patch in bindings(view)}


def strategy(name: str) -> dict[str, Any]:
    return {"distribution": {"strategy": name}}


def able(view: View, **capabilities: list[str]) -> View:
    """The instances ``i1``, ``i2`` can do something of their own."""
    for item in view.instances:
        own = capabilities.get(item["metadata"]["uid"])
        if own:
            item["spec"]["capabilities"] = own
    return view


def chain_and_single() -> list[Object]:
    return [
        node("1", "Ready"),
        node("2", "Ready"),
        node("3", "Blocked", "2"),
    ]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("DependencyAware", "2"),
        ("LoadBalanced", "2"),
        ("CapabilityBased", "2"),
        ("RoundRobin", "1"),
    ],
)
def test_the_longest_chain_goes_first_but_for_round_robin(
    name: str, first: str
) -> None:
    view = seen(*chain_and_single(), idle=1, **strategy(name))
    assert given(view) == {first: "demo-1"}


def test_what_was_measured_counts_more_than_what_was_guessed() -> None:
    """Hard tasks were declared short and took long: they go first from then on."""
    guess: dict[str, Any] = {"estimateSeconds": 60}
    past = [merged(f"9.{n}", 6000.0, complexity="High", **guess) for n in range(8)] + [
        merged(f"8.{n}", 60.0, complexity="Low", **guess) for n in range(8)
    ]
    easy = with_spec(node("1", "Ready"), complexity="Low", estimateSeconds=120)
    hard = with_spec(node("2", "Ready"), complexity="High", **guess)
    assert given(seen(easy, hard, idle=1)) == {"1": "demo-1"}
    assert given(seen(easy, hard, *past, idle=1)) == {"2": "demo-1"}


def fast_second() -> list[Object]:
    """The second instance took a tenth of the time of the first, six times each."""
    return [merged(f"9.{n}", 1000.0, "demo-1") for n in range(6)] + [
        merged(f"8.{n}", 100.0, "demo-2") for n in range(6)
    ]


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("DependencyAware", "demo-2"),  # the fastest
        ("LoadBalanced", "demo-2"),  # it has worked least
        ("RoundRobin", "demo-1"),  # whose turn it is
    ],
)
def test_the_strategy_chooses_among_the_idle(name: str, instance: str) -> None:
    view = seen(node("1", "Ready"), *fast_second(), idle=2, **strategy(name))
    assert given(view) == {"1": instance}


def test_a_task_goes_to_who_can_do_what_it_asks_for_whatever_the_case() -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["GPU", "python"])
    template = {"agent": {"command": ["true"]}, "capabilities": ["Python"]}
    view = able(seen(needs, idle=2, template=template), i2=["gpu"])
    assert given(view) == {"1": "demo-2"}
    assert lacking(view, needs) == []


def test_nobody_gets_what_nobody_can_do_and_it_is_said() -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["GPU", "rust"])
    view = able(seen(needs, idle=2), i1=["rust"])
    assert given(view) == {}
    told = about(view, "1")
    assert codes(told) == ["nobody-able"]
    assert "no instance can do gpu" in told.text
    assert "spec.template.capabilities" in told.text


def test_the_status_of_the_swarm_says_it_too() -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["gpu"])
    view = seen(needs, node("2", "Ready"), node("3", "Blocked", "1"), idle=2)
    message = swarm_status(view, DONE, WELL)["message"]
    assert message.endswith("; no instance can do 1: `explain task 1`")
    view = able(view, i2=["gpu"])
    assert "no instance" not in swarm_status(view, DONE, WELL)["message"]


@pytest.mark.parametrize(
    ("case", "others", "stalled"),
    [
        ("alone", [node("2", "Blocked", "1"), node("3", "Merged")], True),
        ("another can begin", [node("2", "Ready")], False),
        ("another is worked on", [node("2", "Running", instance="demo-1")], False),
        ("another is merged soon", [node("2", "Done")], False),
    ],
)
def test_a_swarm_is_stalled_when_only_that_is_left(
    case: str, others: list[Object], stalled: bool
) -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["gpu"])
    status = swarm_status(seen(needs, *others, idle=2), DONE, WELL)
    found = conditions(status)["Stalled"]
    assert found == ("True NobodyAble" if stalled else "False Progressing"), case


def test_a_person_may_give_it_to_who_cannot() -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["gpu"], assignedTo="demo-1")
    view = seen(needs, idle=2)
    assert given(view) == {"1": "demo-1"}
    assert lacking(view, needs) == []


def test_with_nobody_there_it_is_not_the_capabilities_that_are_missing() -> None:
    needs = with_spec(node("1", "Ready"), capabilities=["gpu"])
    assert lacking(seen(needs, instances=0), needs) == []


def test_optional_tasks_go_last_unless_something_needs_them() -> None:
    tasks = [
        with_spec(node("1", "Ready"), optional=True, estimateSeconds=9000),
        node("2", "Ready"),
        with_spec(node("3", "Ready"), optional=True),
        node("4", "Blocked", "3"),
    ]
    assert set(given(seen(*tasks, idle=2))) == {"2", "3"}


def test_who_waited_for_days_gets_every_fourth_turn() -> None:
    old = with_spec(node("1", "Ready", readyAt=ago(2 * 86400)), priority=-10)
    urgent = node("2", "Ready", readyAt=ago(5))
    past = [merged(f"9.{n}", 50.0) for n in range(3)]
    assert set(given(seen(old, urgent, *past[:2], idle=1))) == {"2"}
    assert set(given(seen(old, urgent, *past, idle=1))) == {"1"}


def test_a_circle_that_somebody_edited_into_the_tasks_stops_nothing_else() -> None:
    tasks = [node("1", "Blocked", "2"), node("2", "Blocked", "1"), node("3", "Ready")]
    assert given(seen(*tasks, idle=2)) == {"3": "demo-1"}


def test_a_new_attempt_forgets_what_was_observed_of_the_last() -> None:
    old = node("1", "Ready", conditions=[{"type": "Late", "status": "True"}])
    ((_, patch),) = bindings(seen(old, idle=1))
    assert patch["conditions"] == []
