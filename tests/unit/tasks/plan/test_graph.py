"""Order, ranks, readiness; choosing; claims."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.plan.graph import CycleError, TaskGraph
from kiro_swarm.tasks.plan.overlap import Claims
from kiro_swarm.tasks.plan.strategies import IdleInstance, ReadyTask
from tests.unit.tasks.plan.chosen import choose

#      0
#     / \
#    1   2
#     \ /
#      3     4
DIAMOND = TaskGraph([[], [0], [0], [1, 2], []], [10, 20, 5, None, 1])


def test_a_diamond_has_an_order_ranks_a_critical_path_and_a_width() -> None:
    assert DIAMOND.topological_order() == [0, 1, 2, 3, 4]
    assert DIAMOND.upward_ranks() == [3630.0, 3620.0, 3605.0, 3600.0, 1.0]
    assert DIAMOND.critical_path() == [0, 1, 3]
    assert DIAMOND.width() == 2


def test_an_empty_graph_is_a_graph() -> None:
    empty = TaskGraph([])
    assert empty.topological_order() == empty.critical_path() == empty.ready([]) == []
    assert empty.width() == 0
    assert empty.find_cycle() is None


def test_an_optional_task_may_come_last_unless_another_needs_it() -> None:
    assert DIAMOND.only_for_optional([True] * 5) == [True] * 5
    needed = [True, True, False, True, False]
    assert DIAMOND.only_for_optional(needed) == [False, True, False, True, False]


def test_edges_to_tasks_further_down_change_nothing_but_the_order() -> None:
    upside_down = TaskGraph([[], [2, 3], [4], [4], []], [1, None, 5, 20, 10])
    assert upside_down.topological_order() == [0, 4, 2, 3, 1]
    assert upside_down.upward_ranks() == [1.0, 3600.0, 3605.0, 3620.0, 3630.0]
    assert upside_down.critical_path() == [4, 3, 1]
    assert upside_down.width() == 2


@pytest.mark.parametrize(
    ("states", "ready"),
    [
        (["Blocked"] * 5, [0, 4]),
        (["Ready", "Blocked", "Blocked", "Blocked", "Running"], [0]),
        (["Done", "Blocked", "Blocked", "Blocked", "Bound"], []),
        (["Merged", "Blocked", "Skipped", "Blocked", "Merged"], [1]),
        (["Merged", "Merged", "Skipped", "Blocked", "Failed"], [3]),
        (["Merged", "Failed", "Merged", "Blocked", "Done"], []),
    ],
)
def test_a_task_is_ready_when_all_before_it_are_merged_or_skipped(
    states: list[str], ready: list[int]
) -> None:
    assert DIAMOND.ready(states) == ready


def test_a_cycle_is_found_as_a_path_in_which_each_waits_for_the_next() -> None:
    graph = TaskGraph([[], [3, 0], [1], [2], [1]])
    assert graph.find_cycle() == [1, 3, 2]
    with pytest.raises(CycleError, match="3 tasks") as caught:
        graph.topological_order()
    assert caught.value.cycle == [1, 3, 2]
    assert TaskGraph([[0]]).find_cycle() == [0]


@pytest.mark.parametrize("needed", [-1, 2, 99])
def test_a_dependency_outside_the_graph_is_refused(needed: int) -> None:
    with pytest.raises(ValueError, match="task 1 depends on a task outside"):
        TaskGraph([[], [needed]])


def test_lists_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one estimate"):
        TaskGraph([[]], [])
    with pytest.raises(ValueError, match="one state"):
        DIAMOND.ready(["Ready"])


edges = st.integers(1, 25).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(0, count - 1), max_size=4),
        min_size=count,
        max_size=count,
    )
)


@given(edges)
def test_a_graph_has_an_order_or_a_cycle_and_both_are_right(
    needed: list[list[int]],
) -> None:
    graph = TaskGraph(needed)
    cycle = graph.find_cycle()
    if cycle is None:
        place = {task: at for at, task in enumerate(graph.topological_order())}
        assert len(place) == len(needed)
        assert all(place[n] < place[t] for t, ns in enumerate(needed) for n in ns)
    else:
        assert len(set(cycle)) == len(cycle)
        assert cycle[0] == min(cycle)
        assert all(
            after in needed[task]
            for task, after in zip(cycle, cycle[1:] + cycle[:1])  # a ring
        )


# ------------------------------------------------------------------ choosing

THREE = [IdleInstance(f"demo-{n}", n) for n in (1, 2, 3)]


def pairs(*args: object) -> list[tuple[str, str]]:
    return [(t.id, i.name) for t, i in choose(*args)]  # type: ignore[arg-type]


def test_the_longest_chain_goes_first_and_file_order_breaks_ties() -> None:
    ready = [ReadyTask("c", 2), ReadyTask("a", 0), ReadyTask("b", 1)]
    assert pairs(ready, THREE, {"b": 9.0}) == [
        *(("b", "demo-1"), ("a", "demo-2"), ("c", "demo-3"))
    ]
    assert pairs(ready, THREE[:1], {"b": 9.0}) == [("b", "demo-1")]


def test_priority_goes_before_the_chain() -> None:
    ready = [ReadyTask("long", 0), ReadyTask("urgent", 1, priority=5)]
    assert pairs(ready, THREE[:1], {"long": 99.0}) == [("urgent", "demo-1")]


def test_work_is_spread_over_the_instances() -> None:
    idle = [IdleInstance("demo-1", 1, assigned=4), IdleInstance("demo-2", 2)]
    assert pairs([ReadyTask("a", 0)], idle, {}) == [("a", "demo-2")]
    ten = [IdleInstance("demo-10", 10), IdleInstance("demo-9", 9)]
    assert pairs([ReadyTask("a", 0)], ten, {}) == [("a", "demo-9")]


def test_tasks_with_overlapping_files_do_not_run_at_once() -> None:
    ready = [
        ReadyTask("a", 0, files=("src/api",)),
        ReadyTask("b", 1, files=("src/api/routes.py",)),
        ReadyTask("c", 2, files=("src/api.py",)),
        ReadyTask("d", 3, files=("docs/x.md",)),
    ]
    assert pairs(ready, THREE, {}, [("docs",)]) == [("a", "demo-1"), ("c", "demo-2")]


@pytest.mark.parametrize(
    ("case", "ready", "expected"),
    [
        (
            "it comes before what is more urgent, for its instance",
            [ReadyTask("a", 0, priority=9), ReadyTask("mine", 1, assigned_to="demo-1")],
            [("mine", "demo-1"), ("a", "demo-2")],
        ),
        (
            "nobody else gets it",
            [ReadyTask("mine", 0, assigned_to="gone"), ReadyTask("a", 1)],
            [("a", "demo-1")],
        ),
        (
            "of two for one instance the urgent one; the other waits",
            [
                ReadyTask("late", 0, assigned_to="demo-2"),
                ReadyTask("first", 1, priority=1, assigned_to="demo-2"),
            ],
            [("first", "demo-2")],
        ),
        (
            "its files count as everybody's do",
            [
                ReadyTask("mine", 0, files=("docs/a",), assigned_to="demo-1"),
                ReadyTask("a", 1),
            ],
            [("a", "demo-1")],
        ),
    ],
)
def test_a_task_that_is_assigned_goes_to_its_instance_alone(
    case: str, ready: list[ReadyTask], expected: list[tuple[str, str]]
) -> None:
    assert pairs(ready, THREE[:2], {}, [("docs",)]) == expected, case


def test_nothing_to_do_and_nobody_to_do_it() -> None:
    assert pairs([], THREE, {}) == pairs([ReadyTask("a", 0)], [], {}) == []


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("a.py", "a.py", True),
        ("./a.py", "a.py", True),
        ("src", "src/a.py", True),
        ("src/", "src/a.py", True),
        ("src", "src2/a.py", False),
        ("src/a.py", "src/b.py", False),
        ("src/**/*.py", "src/x/y.py", True),
        ("src/**", "docs/**", False),
        ("*.md", "src/a.py", True),
        ("src\\a.py", "src/a.py", True),
        ("SearchService extension", "SearchService extension", True),
        ("SearchService extension", "Config", False),
        ("src/{a,b}.py", "src/c", True),
    ],
)
def test_claims_overlap_both_ways(one: str, other: str, overlap: bool) -> None:
    for first, second in ((one, other), (other, one)):
        claims = Claims()
        claims.add([first])
        assert claims.overlap([second]) is overlap
        assert not claims.overlap([])


def test_claims_that_are_given_back_hold_nobody() -> None:
    claims = Claims()
    claims.add(["src/a", "src/a", "docs"], owner=1)
    claims.add(["src/a/b"], owner=2)
    assert claims.holder(["docs/x"]) == 1
    claims.release(1)
    assert claims.holder(["docs/x"]) is None
    assert claims.holder(["src"]) == 2
    claims.release(2)
    claims.release(2)
    assert not claims.overlap(["src", "src/a/b", "*"])


paths = st.lists(
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join),
    max_size=3,
).map(tuple)
ready_tasks = st.lists(
    st.tuples(paths, st.integers(-1, 1)),
    max_size=12,
).map(
    lambda items: [
        ReadyTask(str(order), order, priority, files)
        for order, (files, priority) in enumerate(items)
    ]
)


def touch(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


@given(ready_tasks, st.integers(0, 5), st.lists(paths, max_size=2), st.randoms())
def test_a_choice_never_overlaps_and_leaves_nothing_out_that_would_fit(
    ready: list[ReadyTask],
    count: int,
    busy: list[tuple[str, ...]],
    random: object,
) -> None:
    idle = [IdleInstance(f"i-{n}", n) for n in range(count)]
    chosen = choose(ready, idle, {}, busy)
    shuffled = list(ready)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(shuffled, idle, {}, busy) == chosen
    assert len({i.name for _, i in chosen}) == len({t.id for t, _ in chosen})
    sets = [*busy, *(task.files for task, _ in chosen)]
    taken = [task for task, _ in chosen]
    for one, other in itertools.combinations(sets[len(busy) - 1 if busy else 0 :], 2):
        assert not any(touch(a, b) for a in one for b in other)
    if len(chosen) < count:
        for task in ready:
            assert task in taken or any(
                touch(a, b) for files in sets for a in files for b in task.files
            )
