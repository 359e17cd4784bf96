"""Graphs, tasks and instances for the tests of scheduling."""

from __future__ import annotations

from hypothesis import strategies as st

from kiro_swarm.tasks.plan.graph import TaskGraph
from kiro_swarm.tasks.plan.strategies import IdleInstance, ReadyTask

INSTANCES = [
    IdleInstance("i-1", 1),
    IdleInstance("i-2", 2, assigned=3, load=50.0, capabilities=frozenset({"ui"})),
    IdleInstance("i-3", 3, speed=2.0, capabilities=frozenset({"ui", "db"})),
]


@st.composite
def graphs(draw: st.DrawFn, most: int = 14) -> TaskGraph:
    """Graphs without cycles; half of them have edges to tasks further down."""
    count = draw(st.integers(1, most))
    needed = [
        sorted(draw(st.sets(st.integers(0, task - 1), max_size=3))) if task else []
        for task in range(count)
    ]
    seconds = draw(
        st.lists(st.integers(1, 9).map(float), min_size=count, max_size=count)
    )
    at = draw(st.one_of(st.just(list(range(count))), st.permutations(range(count))))
    moved: list[list[int]] = [[] for _ in needed]
    for task, others in enumerate(needed):
        moved[at[task]] = [at[other] for other in others]
    return TaskGraph(moved, seconds)


@st.composite
def ready_tasks(draw: st.DrawFn, count: int) -> list[ReadyTask]:
    """What may be said of tasks, of each a little."""
    names = ["a", "b", "a/x", "a/y", "c"]
    return [
        ReadyTask(
            f"t{number}",
            number,
            draw(st.sampled_from([0, 0, 0, 1])),
            tuple(draw(st.sets(st.sampled_from(names), max_size=1))),
            draw(st.sampled_from(["", "", "", "", "i-1", "i-9"])),
            frozenset(draw(st.sampled_from(["", "", "", "ui", "db"])).split()),
            draw(st.booleans()),
            stumbled=draw(st.booleans()),
        )
        for number in range(count)
    ]
