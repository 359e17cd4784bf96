"""The ready tasks that the board keeps in line: what it gives is what is in the tasks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.meta import READY
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.reconcile.snapshot.board import Board, TaskIndex
from kiro_swarm.reconcile.snapshot.measured import Measured, measure
from kiro_swarm.reconcile.snapshot.ready import TaskQueue, ready_task
from kiro_swarm.reconcile.tasks.hand_out import bindings
from kiro_swarm.tasks.plan.ranks import MOST_TASKS
from kiro_swarm.tasks.plan.strategies import STRATEGIES, IdleInstance, Strategy
from tests.unit.reconcile.explained import ago, node, seen, with_spec
from tests.unit.reconcile.surroundings import START
from tests.unit.reconcile.test_learned import as_stored, seen_in
from tests.unit.reconcile.views import Object
from tests.unit.tasks.plan.chosen import choose, named

DAY = 24 * 3600
IDS = [str(number) for number in range(7)]
IDLE = [
    IdleInstance("demo-1", 1),
    IdleInstance("demo-2", 2, capabilities=frozenset({"ui"})),
]
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(0, 2),
        "files": st.sampled_from([["a"], ["a/x"], ["b"]]),
        "capabilities": st.sampled_from([["UI"], ["db"]]),
        "assignedTo": st.sampled_from(["demo-1", "demo-9"]),
        "paused": st.booleans(),
    },
)
#: (id, state or None for gone, days since it is ready or None for unknown, spec)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.sampled_from([READY, READY, READY, "Blocked", "Running", "Failed", None]),
        st.one_of(st.none(), st.integers(0, 4)),
        SPECS,
    ),
    min_size=1,
    max_size=25,
)


def asked(index: TaskIndex, measured: Measured, strategy: Strategy) -> TaskQueue:
    ready = index.by_state[READY]
    return index.ready.queue(ready, index.version, measured, strategy)


def decided(queue: TaskQueue, turn: int) -> list[tuple[str, str]]:
    pairs = queue.choose(IDLE, [("a/y",)], turn=turn, now=START.timestamp())
    return named(pairs)


def sorted_anew(
    index: TaskIndex, measured: Measured, strategy: Strategy, turn: int
) -> list[tuple[str, str]]:
    """The same decision by sorting the tasks of the view, as it is meant."""
    waiting = []
    for task in index.by_state[READY]:
        if not task["spec"].get("paused"):
            status: Any = task["status"]
            days = status["days"]
            waited = 0.0 if days is None else float(days * DAY)
            waiting.append(replace(ready_task(task, measured), waited=waited))
    ranks = measured.ranks
    return named(choose(waiting, IDLE, ranks, [("a/y",)], strategy=strategy, turn=turn))


@given(STEPS, st.data())
def test_whatever_happens_the_line_is_that_of_the_tasks(
    steps: list[tuple[str, Optional[str], Optional[int], Object]], data: st.DataObject
) -> None:
    measures = [measure([node(i, READY) for i in IDS], count) for count in (1, 2)]
    measured, strategy = measures[0], STRATEGIES["DependencyAware"]
    board, before = Board(""), None
    for task_id, state, days, spec in steps:
        since: Any = {} if days is None else {"readyAt": ago(days * DAY)}
        item = with_spec(node(task_id, state or READY, days=days, **since), **spec)
        if state is None:
            board.remove(item)
        else:
            board.put(item)
        what = data.draw(st.sampled_from(["", "", "ask", "ask", "ask", "other"]))
        if what == "other":
            measured = data.draw(st.sampled_from(measures))
            strategy = STRATEGIES[data.draw(st.sampled_from(sorted(STRATEGIES)))]
        if what:
            turn = data.draw(st.integers(0, 3))
            index = board.task_index()
            expected = sorted_anew(index, measured, strategy, turn)
            if before is not None and data.draw(st.booleans()):
                # A view of before is answered by what it saw, and changes nothing.
                old = sorted_anew(before, measured, strategy, turn)
                assert decided(asked(before, measured, strategy), turn) == old
            assert decided(asked(index, measured, strategy), turn) == expected
            before = index


def test_a_large_swarm_hands_out_as_a_new_operator_would() -> None:
    """What is kept from one change to the next decides what is decided without it."""
    cache, made = Cache(), seen(idle=2)
    for number in range(MOST_TASKS + 20):
        files = [f"src/{number % 5}"] if number % 3 else []
        waits = {"readyAt": ago(2 * DAY if number % 50 == 9 else number)}
        task = node(str(number), READY, **waits)
        task = with_spec(task, priority=number * 7 % 4, files=files)
        cache.put(TASKS, as_stored(task, 1))
    given = []
    for version in range(2, 40):
        view = replace(seen_in(cache, made), instances=made.instances, pods=made.pods)
        decided = bindings(view)
        assert decided == bindings(replace(view, known_index=None))
        task, patch = decided[0]
        given.append(task["spec"]["id"])
        # Done and not merged: it keeps its files.
        ended = {**patch, "state": "Done" if version % 8 == 0 else "Merged"}
        cache.put(TASKS, as_stored({**task, "status": ended}, version))
    assert len(given) == len(set(given)) == 38
