"""The line of ready tasks, kept up: it decides what `choose` decides from scratch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.meta import BLOCKED, DONE, FAILED, MERGED, READY, RUNNING
from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.ready import ReadyQueue
from kiro_swarm.tasks.plan.schedule import choose
from kiro_swarm.tasks.plan.strategies import (
    STRATEGIES,
    IdleInstance,
    ReadyTask,
    Strategy,
)
from tests.unit.tasks.plan.random_graphs import INSTANCES, graphs, ready_tasks

ONE = [IdleInstance("i-1", 1)]


class Model:
    """The same swarm, told by nothing but the states of its tasks."""

    def __init__(
        self, graph: TaskGraph, tasks: list[ReadyTask], strategy: Strategy
    ) -> None:
        self.graph, self.tasks, self.strategy = graph, tasks, strategy
        self.ranks = graph.upward_ranks()
        self.states = [BLOCKED] * len(tasks)
        self.since = [0] * len(tasks)
        self.turn = self.now = 0
        self.before = set(graph.ready(self.states))

    def queue(self) -> ReadyQueue:
        return ReadyQueue(
            self.graph,
            self.tasks,
            self.ranks,
            self.states,
            since=self.since,
            strategy=self.strategy,
        )

    def wait(self, seconds: int) -> None:
        ready = set(self.graph.ready(self.states))
        for task in ready - self.before:
            self.since[task] = self.now
        self.before = ready
        self.now += seconds

    def choose(self, idle: list[IdleInstance]) -> list[tuple[str, str]]:
        pairs = choose(
            [
                replace(self.tasks[n], waited=self.now - self.since[n])
                for n in self.graph.ready(self.states)
            ],
            idle,
            {task.id: rank for task, rank in zip(self.tasks, self.ranks)},
            [
                task.files
                for task, state in zip(self.tasks, self.states)
                if state in (RUNNING, DONE)
            ],
            strategy=self.strategy,
            turn=self.turn,
        )
        for task, _ in pairs:
            self.states[task.order] = RUNNING
        self.turn += len(pairs)
        return [(task.id, instance.name) for task, instance in pairs]


@given(st.data(), st.sampled_from(sorted(STRATEGIES)))
def test_whatever_happens_it_decides_as_one_made_anew_from_the_states(
    data: st.DataObject, name: str
) -> None:
    graph = data.draw(graphs())
    tasks = data.draw(ready_tasks(len(graph.dependencies)))
    model = Model(graph, tasks, STRATEGIES[name])
    queue = model.queue()
    for _ in range(data.draw(st.integers(1, 15))):
        model.wait(data.draw(st.integers(1, 40000)))
        if data.draw(st.integers(0, 3)) == 0:
            queue = model.queue()  # a restart
        step = data.draw(st.sampled_from(["choose", "choose", "end", "any"]))
        if step == "choose":
            idle = data.draw(
                st.lists(st.sampled_from(INSTANCES), unique_by=lambda i: i.name)
            )
            turn = model.turn
            expected = model.choose(idle)
            pairs = queue.choose(idle, turn=turn, now=model.now)
            assert [(task.id, one.name) for task, one in pairs] == expected
        else:
            states = (RUNNING,) if step == "end" else (BLOCKED, RUNNING, FAILED, MERGED)
            some = [n for n, state in enumerate(model.states) if state in states]
            if some:
                happens(data, model, queue, data.draw(st.sampled_from(some)))
        assert queue.ready() == graph.ready(model.states)


def happens(data: st.DataObject, model: Model, queue: ReadyQueue, number: int) -> None:
    """Something becomes of one task, for both."""
    state = model.states[number]
    if state == MERGED:
        model.states[number] = BLOCKED
        queue.reopen(number, model.now)
    elif state == FAILED or (state == RUNNING and data.draw(st.booleans())):
        model.states[number] = BLOCKED
        queue.give_back(number, model.now)
    elif state == RUNNING and data.draw(st.booleans()):
        model.states[number] = MERGED
        newly = queue.satisfy(number, model.now)
        assert set(newly) == set(model.graph.ready(model.states)) - model.before
    else:
        model.states[number] = FAILED
        queue.hold(number)


#   0 -> 1 -> 3, 2
CHAIN = TaskGraph([[], [0], [], [1]], [1.0, 1.0, 1.0, 1.0])
FOUR = [ReadyTask(name, order) for order, name in enumerate("abcd")]


def chain(states: list[str], tasks: list[ReadyTask] = FOUR) -> ReadyQueue:
    return ReadyQueue(CHAIN, tasks, CHAIN.upward_ranks(), states)


def next_of(queue: ReadyQueue) -> list[str]:
    return [task.id for task, _ in queue.choose(ONE)]


def test_a_completion_tells_who_is_ready_because_of_it_once() -> None:
    queue = chain([BLOCKED] * 4)
    assert [next_of(queue), next_of(queue), next_of(queue)] == [["a"], ["c"], []]
    assert queue.satisfy(0) == [1]
    assert queue.satisfy(0) == []
    assert next_of(queue) == ["b"]


def test_a_task_that_is_reopened_takes_its_dependents_out_of_the_line() -> None:
    queue = chain([MERGED, READY, RUNNING, BLOCKED])
    queue.reopen(0)
    queue.reopen(0)
    assert queue.ready() == [0]
    assert [next_of(queue), next_of(queue)] == [["a"], []]
    assert queue.satisfy(0) == [1]


def test_a_task_given_back_before_its_turn_changes_nothing() -> None:
    queue = chain([BLOCKED] * 4)
    queue.give_back(0)
    queue.give_back(3)
    assert queue.ready() == [0, 2]


def test_who_waits_for_files_goes_on_when_they_are_given_back() -> None:
    tasks = [replace(task, files=("src",)) for task in FOUR]
    queue = chain([DONE, BLOCKED, READY, BLOCKED], tasks)
    assert next_of(queue) == []
    queue.satisfy(0)
    assert [next_of(queue), next_of(queue)] == [["b"], []]
    queue.hold(1)
    assert next_of(queue) == ["c"]


def test_a_finished_task_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="task 0 is finished; reopen it first"):
        chain([MERGED] * 4).hold(0)


def test_lists_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one task, rank and state"):
        chain([BLOCKED] * 3)


def test_a_dependency_that_is_written_twice_counts_once() -> None:
    graph = TaskGraph([[], [0, 0], [1, 0, 1]])
    ranks = graph.upward_ranks()
    queue = ReadyQueue(graph, FOUR[:3], ranks, [BLOCKED] * 3)
    assert [queue.satisfy(0), queue.satisfy(1)] == [[1], [2]]
    queue.reopen(1)
    assert queue.ready() == [1]
