"""Strategies, capabilities, optional tasks, and that nobody waits forever."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.plan.schedule import (
    FAIR_EVERY,
    PATIENCE_SECONDS,
    may_have,
)
from kiro_swarm.tasks.plan.strategies import (
    STRATEGIES,
    IdleInstance,
    ReadyTask,
    Strategy,
)
from tests.unit.tasks.plan.chosen import choose
from tests.unit.tasks.plan.random_graphs import INSTANCES, ready_tasks

UI, UI_DB = frozenset({"ui"}), frozenset({"ui", "db"})
PLAIN = IdleInstance("plain", 1, assigned=1, load=10.0)
FAST = IdleInstance("fast", 2, assigned=2, load=30.0, speed=2.0)
PAINTER = IdleInstance("painter", 3, assigned=0, load=20.0, capabilities=UI)
ABLE = IdleInstance("able", 4, assigned=5, load=5.0, capabilities=UI_DB)
ALL = [PLAIN, FAST, PAINTER, ABLE]

SHORT = ReadyTask("short", 0)
LONG = ReadyTask("long", 1)
SCREEN = ReadyTask("screen", 2, capabilities=UI)
RANKS = {"short": 1.0, "long": 9.0, "screen": 5.0}


def pairs(
    ready: list[ReadyTask],
    idle: list[IdleInstance],
    strategy: str = "DependencyAware",
    turn: int = 0,
    busy: tuple[tuple[str, ...], ...] = (),
) -> list[tuple[str, str]]:
    chosen = choose(ready, idle, RANKS, busy, strategy=STRATEGIES[strategy], turn=turn)
    return [(task.id, instance.name) for task, instance in chosen]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (
            "DependencyAware",  # the longest chain on the fastest
            [("long", "fast"), ("screen", "painter"), ("short", "plain")],
        ),
        (
            "LoadBalanced",  # the longest chain on who has worked least
            [("long", "able"), ("screen", "painter"), ("short", "plain")],
        ),
        (
            "CapabilityBased",  # what few can do first; who can do less, first
            [("screen", "painter"), ("long", "fast"), ("short", "plain")],
        ),
        (
            "RoundRobin",  # the file's order, by turns
            [("short", "painter"), ("long", "plain"), ("screen", "able")],
        ),
    ],
)
def test_each_strategy_hands_out_in_its_own_way(
    strategy: str, expected: list[tuple[str, str]]
) -> None:
    assert pairs([SCREEN, SHORT, LONG], ALL, strategy) == expected


def test_the_seed_names_four_strategies() -> None:
    assert list(STRATEGIES) == [
        *("DependencyAware", "LoadBalanced", "CapabilityBased", "RoundRobin")
    ]
    assert all(strategy.name == name for name, strategy in STRATEGIES.items())


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_priority_capability_and_a_persons_choice_hold_in_every_strategy(
    strategy: str,
) -> None:
    urgent = replace(SHORT, priority=3)
    assert pairs([LONG, urgent, SCREEN], [PLAIN], strategy) == [("short", "plain")]
    assert pairs([SCREEN], [PLAIN, FAST], strategy) == []
    mine = replace(SCREEN, assigned_to="plain")
    assert pairs([mine, urgent], [PLAIN], strategy) == [("screen", "plain")]


def test_optional_tasks_come_last_unless_a_person_wants_them_first() -> None:
    optional = replace(LONG, last=True)
    assert pairs([optional, SHORT], [PLAIN]) == [("short", "plain")]
    wanted = replace(optional, priority=1)
    assert pairs([wanted, SHORT], [PLAIN]) == [("long", "plain")]


def test_a_little_difference_in_speed_is_chance() -> None:
    slower = IdleInstance("fewer", 2, assigned=0, speed=0.95)
    assert pairs([LONG], [PLAIN, slower]) == [("long", "fewer")]
    assert pairs([LONG], [replace(PLAIN, speed=0.0), slower]) == [("long", "fewer")]


# ------------------------------------------------------------------ fairness

OLD = replace(SHORT, waited=PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("turn", "first"), [(0, "long"), (1, "long"), (2, "long"), (3, "short")]
)
def test_every_fourth_binding_is_for_who_has_waited_too_long(
    turn: int, first: str
) -> None:
    assert pairs([OLD, LONG], [PLAIN], turn=turn) == [(first, "plain")]
    assert pairs([SHORT, LONG], [PLAIN], turn=turn) == [("long", "plain")]


def test_a_turn_is_not_lost_on_a_task_that_nobody_here_can_do() -> None:
    older = replace(SCREEN, waited=9 * PATIENCE_SECONDS)
    assert pairs([older, OLD, LONG], [PLAIN], turn=3) == [("short", "plain")]


def test_files_are_kept_free_for_who_has_waited_too_long_for_them() -> None:
    wide = ReadyTask("wide", 9, files=("src",), waited=PATIENCE_SECONDS)
    narrow = ReadyTask("narrow", 3, files=("src/a",))
    busy = (("src/b",),)
    assert pairs([replace(wide, waited=1.0), narrow], [PLAIN], busy=busy) == [
        ("narrow", "plain")
    ]
    assert pairs([wide, narrow], [PLAIN], busy=busy) == []
    assert pairs([wide, narrow, LONG], [PLAIN], busy=busy) == [("long", "plain")]
    # What is busy may never land (it may wait for a person): others go on for a while.
    longer = replace(wide, waited=2 * PATIENCE_SECONDS)
    assert pairs([longer, narrow], [PLAIN], busy=busy) == [("narrow", "plain")]
    assert pairs([wide, narrow], [PLAIN]) == [("narrow", "plain")]


@given(
    st.lists(
        st.tuples(st.integers(-9, 9), st.integers(0, 99)), min_size=1, max_size=12
    ),
    st.sampled_from(list(STRATEGIES.values())),
    st.integers(3600, 40000),
    st.data(),
)
def test_nobody_waits_forever_however_urgent_the_others_are(
    first: list[tuple[int, int]],
    strategy: Strategy,
    step: int,
    data: st.DataObject,
) -> None:
    """An instance gets free every ``step`` seconds, and each time a task becomes ready."""
    ready = {
        f"t{n}": (ReadyTask(f"t{n}", n, priority), 0)
        for n, (priority, _) in enumerate(first)
    }
    ranks = {f"t{n}": float(rank) for n, (_, rank) in enumerate(first)}
    # All that were there before it may go before it, one in four bindings.
    limit = PATIENCE_SECONDS + (len(first) + 1) * FAIR_EVERY * step
    for turn in range(int(limit // step) + 20):
        now = turn * step
        (task, instance), *others = choose(
            [replace(one, waited=now - since) for one, since in ready.values()],
            [PLAIN],
            ranks,
            strategy=strategy,
            turn=turn,
        )
        assert instance is PLAIN
        assert others == []
        assert task.waited <= limit
        del ready[task.id]
        new = ReadyTask(f"n{turn}", turn % 7, priority=turn % 10)
        ready[new.id] = (new, now)
        ranks[new.id] = 100.0 + turn % 13
    assert not any(f"t{n}" in ready for n in range(len(first)))


@given(st.data(), st.sampled_from(list(STRATEGIES.values())), st.integers(0, 3))
def test_a_choice_depends_on_no_order_and_leaves_no_pair_that_fits(
    data: st.DataObject, strategy: Strategy, turn: int
) -> None:
    ready = data.draw(st.integers(0, 10).flatmap(ready_tasks))
    ranks = {task.id: float(data.draw(st.integers(0, 3))) for task in ready}
    busy = [("a/x",)]
    chosen = choose(ready, INSTANCES, ranks, busy, strategy=strategy, turn=turn)
    assert chosen == choose(
        data.draw(st.permutations(ready)),
        data.draw(st.permutations(INSTANCES)),
        ranks,
        busy,
        strategy=strategy,
        turn=turn,
    )
    assert all(may_have(task, instance) for task, instance in chosen)
    left = [i for i in INSTANCES if i not in [instance for _, instance in chosen]]
    out = [*busy, *(task.files for task, _ in chosen)]
    for task in ready:
        if task not in [one for one, _ in chosen]:
            assert choose([task], left, ranks, out, strategy=strategy) == []
