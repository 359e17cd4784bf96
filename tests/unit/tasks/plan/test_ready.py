"""The line of ready tasks, kept up: it decides what is decided by sorting all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.plan.ready import ReadyQueue
from kiro_swarm.tasks.plan.schedule import PATIENCE_SECONDS, line_key
from kiro_swarm.tasks.plan.strategies import STRATEGIES, IdleInstance, ReadyTask
from tests.unit.tasks.plan.chosen import choose, named
from tests.unit.tasks.plan.random_graphs import INSTANCES, ready_tasks

ONE = [IdleInstance("i-1", 1)]
SOME_DAYS = st.integers(0, int(4 * PATIENCE_SECONDS))


@given(st.data(), st.sampled_from(sorted(STRATEGIES)))
def test_whatever_comes_and_goes_it_decides_as_by_sorting_all(
    data: st.DataObject, name: str
) -> None:
    strategy = STRATEGIES[name]
    tasks = data.draw(st.integers(1, 14).flatmap(ready_tasks))
    queue = ReadyQueue(strategy)
    there: dict[str, tuple[ReadyTask, float, int]] = {}
    now = turn = 0
    busy: list[tuple[str, ...]] = []
    for _ in range(data.draw(st.integers(1, 20))):
        now += data.draw(SOME_DAYS)
        step = data.draw(st.sampled_from(["choose", "put", "put", "put", "remove"]))
        task = data.draw(st.sampled_from(tasks))
        if step == "put":
            # It is new, or somebody has edited it, or what is known of its chain.
            task = replace(task, priority=data.draw(st.integers(0, 1)))
            rank = float(data.draw(st.integers(0, 3)))
            since = now - data.draw(SOME_DAYS)
            queue.put(task, rank, since)
            there[task.id] = (task, rank, since)
        elif step == "remove":
            queue.remove(task.id)
            there.pop(task.id, None)
        else:
            idle = data.draw(
                st.lists(st.sampled_from(INSTANCES), unique_by=lambda i: i.name)
            )
            pairs = queue.choose(idle, busy, turn=turn, now=now)
            ready = [replace(t, waited=now - since) for t, _, since in there.values()]
            ranks = {task_id: rank for task_id, (_, rank, _) in there.items()}
            expected = choose(ready, idle, ranks, busy, strategy=strategy, turn=turn)
            assert named(pairs) == named(expected)
            for chosen, _ in pairs:
                queue.remove(chosen.id)
                del there[chosen.id]
            busy = [task.files for task, _ in pairs][:1]
            turn += len(pairs)
        for who in ("", "i-1"):
            line = [one for one in there.values() if one[0].assigned_to == who]
            line.sort(key=lambda one: line_key(one[0], one[1], strategy))
            assert queue.line(who) == [task for task, _, _ in line]


def test_a_task_stays_in_line_until_it_is_removed() -> None:
    queue = ReadyQueue()
    queue.put(ReadyTask("a", 0), 1.0)
    assert named(queue.choose(ONE)) == named(queue.choose(ONE)) == [("a", "i-1")]
    queue.remove("a")
    queue.remove("a")
    assert queue.choose(ONE) == []


def test_a_task_of_which_nobody_knows_since_when_it_waits_has_its_turn_by_urgency() -> (
    None
):
    queue = ReadyQueue()
    queue.put(ReadyTask("urgent", 1), 9.0, since=0.0)
    queue.put(ReadyTask("unknown", 0), 1.0)
    late = 9 * PATIENCE_SECONDS
    assert named(queue.choose(ONE, turn=3, now=late)) == [("urgent", "i-1")]
    queue.put(ReadyTask("unknown", 0), 1.0, since=-1.0)
    assert named(queue.choose(ONE, turn=3, now=late)) == [("unknown", "i-1")]


class Counted(ReadyQueue):
    """Counts the tasks that are looked at."""

    looks = 0

    def _task(self, task_id: str) -> ReadyTask:
        self.looks += 1
        return super()._task(task_id)


@pytest.mark.parametrize("wanted", [frozenset[str](), frozenset({"gpu"})])
def test_a_choice_looks_at_as_much_of_the_line_as_it_needs(
    wanted: frozenset[str],
) -> None:
    queue = Counted()
    for number in range(1000):
        task = ReadyTask(str(number), number, capabilities=wanted)
        queue.put(task, 0.0, since=0.0)
    queue.put(ReadyTask("assigned", 0, assigned_to="i-9"), 0.0, since=0.0)
    first = [] if wanted else [("0", "i-1")]
    assert named(queue.choose(ONE, now=5.0)) == first
    assert queue.looks == len(first)
