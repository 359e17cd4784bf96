"""Order without written edges: sequence, checkpoints, wave graphs."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import edges, read, said


def test_a_file_without_edges_and_waves_is_worked_on_from_top_to_bottom() -> None:
    text = "- [ ] 1. G\n  - [ ] 1.1 A\n  - [ ] 1.2 B\n- [ ] 2. C\n"
    assert edges(text) == {"1.1": [], "1.2": ["1.1"], "2": ["1.2"]}
    file = read(text)
    assert all(task.dependencies == () for task in file.tasks)
    assert said(file, "sequential")[0].startswith("line 2: no dependencies and no")


def test_skipping_an_optional_task_lets_nothing_start_earlier() -> None:
    assert (
        edges("""\
        - [ ] 1.1 A
        - [ ]* 1.2 Tests
        - [~] 1.3 Deferred
        - [ ] 2. B
        - [ ] 3. C
        """)
        == {
            "1.1": [],
            "1.2": ["1.1"],
            "1.3": ["1.1", "1.2"],
            "2": ["1.1", "1.2", "1.3"],
            "3": ["2"],
        }
    )


def test_a_checkpoint_waits_for_all_above_and_holds_all_below() -> None:
    assert (
        edges("""\
        - [ ] 1.1 A
        - [ ] 1.2 B
          - _Depends: none_
        - [ ] 2. Checkpoint - all green
        - [ ] 3.1 C
        - [ ] 3.2 D
        - [ ] 4. Final checkpoint
        - [ ] 5.1 Sub-task called
        - [ ] 5.2 Checkpoint, but not at the top
        """)
        == {
            "1.1": [],
            "1.2": [],
            "2": ["1.1", "1.2"],
            "3.1": ["2"],
            "3.2": ["2"],
            "4": ["2", "3.1", "3.2"],
            "5.1": ["4"],
            "5.2": ["4"],
        }
    )


def test_an_optional_checkpoint_holds_nothing() -> None:
    text = "- [ ] 1. A\n- [ ]* 2. Checkpoint\n- [ ] 3. C\n  - _Depends: none_\n"
    assert edges(text) == {"1": [], "2": [], "3": []}


def test_a_dependency_across_a_checkpoint_is_a_cycle_and_is_said() -> None:
    file = read(
        "- [ ] 1. A\n  - _Depends: 3_\n- [ ] 2. Checkpoint\n- [ ] 3. C\n",
    )
    assert said(file, "cycle") == [
        "line 1: dependency cycle: 1 (line 1) -> 3 (line 4) -> 2 (line 3) -> 1"
    ]


FIVE = "".join(f"- [ ] 1.{n} T\n" for n in range(1, 6))
WAVES = {
    "objects with id": '{"waves":[{"id":0,"tasks":["1.1","1.2"]},'
    '{"id":1,"tasks":["1.3"]},{"id":2,"tasks":["1.4","1.5"]}]}',
    "objects with wave, out of order": '{"waves":[{"wave":2,"tasks":["1.3"]},'
    '{"wave":1,"tasks":["1.1","1.2"]},{"wave":10,"tasks":["1.4","1.5"]}]}',
    "arrays of arrays": '{"waves":[["1.1","1.2"],["1.3"],["1.4","1.5"]]}',
    "numbers": '{"waves":[[1.1,1.2],[1.3],[1.4,1.5]]}',
    "objects of tasks": '{"waves":[[{"id":"1.1"},{"id":"1.2"}],["1.3"],["1.4","1.5"]]}',
    "names with depends_on": '{"waves":[{"name":"a","tasks":["1.1","1.2"]},'
    '{"name":"b","depends_on":["a"],"tasks":["1.3"]},'
    '{"name":"c","depends_on":["b"],"tasks":["1.4","1.5"]}]}',
    "many lines": '{\n  "waves": [\n    ["1.1",\n "1.2"],\n ["1.3"], ["1.4", "1.5"]\n]}',
}
WAVE_EDGES = {
    **{"1.1": [], "1.2": [], "1.3": ["1.1", "1.2"], "1.4": ["1.3"], "1.5": ["1.3"]}
}


@pytest.mark.parametrize("shape", list(WAVES))
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_wave_graph_alone_gives_edges_between_consecutive_waves(
    shape: str, first: bool
) -> None:
    graph = f"\n## Task Dependency Graph\n\n```json\n{WAVES[shape]}\n```\n\n"
    text = graph + FIVE if first else FIVE + graph
    file = parse(text)
    assert file.diagnostics == ()
    assert {t.id: list(t.dependencies) for t in file.tasks} == WAVE_EDGES
    assert all(t.implied == () for t in file.tasks)


def fenced(graph: str) -> str:
    return f"\n# Graph\n```json\n{graph}\n```\n"


def test_depends_on_between_waves_can_leave_a_wave_out() -> None:
    graph = (
        '{"waves":[{"id":0,"tasks":["1.1"]},{"id":1,"tasks":["1.2"]},'
        '{"id":2,"depends_on":[0],"tasks":["1.3"]},{"id":3,"depends_on":[],'
        '"tasks":["1.4","1.5"]}]}'
    )
    assert edges(FIVE + fenced(graph)) == {
        **{"1.1": [], "1.2": ["1.1"], "1.3": ["1.1"], "1.4": [], "1.5": []}
    }


def test_waves_are_no_edges_where_the_file_writes_edges() -> None:
    text = FIVE + "  - _Depends: 1.1_\n" + fenced(WAVES["arrays of arrays"])
    assert edges(text) == {
        **{"1.1": [], "1.2": [], "1.3": [], "1.4": [], "1.5": ["1.1"]}
    }


def test_a_group_in_a_wave_is_its_leaves_and_a_leaf_named_itself_wins() -> None:
    text = "- [ ] 1.1 A\n- [ ] 1.2 B\n- [ ] 2. C\n"
    assert edges(text + fenced('{"waves":[["2"],["1"]]}')) == {
        **{"1.1": ["2"], "1.2": ["2"], "2": []}
    }
    assert edges(text + fenced('{"waves":[["1"],["2"],["1.2"]]}')) == {
        **{"1.1": [], "1.2": ["2"], "2": ["1.1"]}
    }


def test_checkpoints_missing_from_the_waves_are_barriers_by_position() -> None:
    text = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. Checkpoint\n- [ ] 4. C\n- [ ] 5. D\n"
    graph = '{"waves":[["1"],["2","4"],["5"]]}'
    assert edges(text + fenced(graph)) == {
        **{"1": [], "2": ["1"], "3": ["1", "2"], "4": ["1", "3"], "5": ["2", "4", "3"]}
    }


def test_a_wave_that_contradicts_a_checkpoint_loses_and_that_is_said() -> None:
    text = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. Checkpoint\n- [ ] 4. C\n"
    file = parse(text + fenced('{"waves":[["1"],["4"],["2"]]}'))
    assert file.errors == ()
    assert {t.id: list(t.waits_for) for t in file.tasks} == {
        **{"1": [], "2": ["1"], "3": ["1", "2"], "4": ["1", "3"]}
    }
    mixed = parse(text + fenced('{"waves":[["1","4"],["2"]]}'))
    assert said(mixed, "wave-across-checkpoint")[0].startswith(
        "line 2: the waves let task 2 wait for 4, which is below the next checkpoint"
    )


def test_a_task_in_no_wave_waits_for_the_task_above_it() -> None:
    file = parse(FIVE + fenced('{"waves":[["1.1"],["1.2"],["1.4","1.5"]]}'))
    assert said(file, "not-in-waves") == [
        "line 3: task 1.3 is in no wave; it waits for the task above it"
    ]
    assert file.tasks[2].implied == ("1.2",)


@pytest.mark.parametrize(
    ("graph", "code", "says"),
    [
        ('{"waves":[["1.1"],["9"]]}', "unknown-in-waves", "names task 9, which is not"),
        ('{"waves":[["1.1"],["1.1"]]}', "task-in-two-waves", "task 1.1 is in two"),
        ('{"waves":[["1.1"]', "bad-wave-graph", "cannot read the wave graph"),
        ('{"waves":7}', "bad-wave-graph", "must be a list of waves"),
        ('["waves"]', "bad-wave-graph", "must be a list of waves"),
        ('{"waves":[{"id":0}]}', "bad-wave-graph", "have a list 'tasks'"),
        ('{"waves":[[null]]}', "bad-wave-graph", "must be an id"),
        ('{"waves":[{"id":0,"depends_on":[7],"tasks":[]}]}', "bad-wave-graph", "7"),
        (
            '{"waves":[{"id":0,"depends_on":{"a":7},"tasks":[]}]}',
            "bad-wave-graph",
            "a list",
        ),
        ('{"waves":[{"id":0,"tasks":[]},{"id":0,"tasks":[]}]}', "bad-wave-graph", "id"),
        ('{"waves":' + "[" * 100_000, "bad-wave-graph", "cannot read"),
        ('{"waves":[' + "[]," * 5000 + "[]]}", "bad-wave-graph", "more than 5000"),
    ],
)
def test_a_broken_wave_graph_is_an_error_at_its_line(
    graph: str, code: str, says: str
) -> None:
    file = parse(FIVE + fenced(graph))
    remark = next(d for d in file.errors if d.code == code)
    assert says in remark.message
    assert remark.line in (8, 9)


def test_a_wave_graph_that_orders_nothing_is_only_a_warning_when_wrong() -> None:
    text = FIVE + "  - _Depends: 1.1_\n" + fenced('{"waves":[["9"]]}')
    file = parse(text)
    assert file.errors == ()
    assert len(said(file, "unknown-in-waves")) == 1


def test_two_wave_graphs_are_an_error() -> None:
    graph = fenced(WAVES["arrays of arrays"])
    assert said(parse(FIVE + graph + graph), "second-wave-graph") == [
        "line 13: there is a wave graph at line 8 already; keep one"
    ]
