"""Every trap of a real ``tasks.md``, one story each."""

from __future__ import annotations

from textwrap import dedent

import pytest

from kiro_swarm.tasks.model import SpecTask, TaskFile
from kiro_swarm.tasks.parser import parse


def read(text: str) -> TaskFile:
    return parse(dedent(text))


def clean(text: str) -> dict[str, SpecTask]:
    """The tasks of a file that must have no errors and no warnings."""
    file = read(text)
    assert [d for d in file.diagnostics if d.severity != "info"] == []
    return {task.id: task for task in file.tasks}


def edges(text: str) -> dict[str, list[str]]:
    """What each leaf waits for, in a file without errors."""
    file = read(text)
    assert file.errors == ()
    return {task.id: list(task.waits_for) for task in file.leaves}


def said(file: TaskFile, code: str) -> list[str]:
    return [str(d) for d in file.diagnostics if d.code == code]


KIRO = """\
# Implementation Plan: Bubble Room

## Overview

Some words about 1.1 and 2.

## Tasks

- [x] 1. Data
  - [x] 1.1 Models 🎉
    - Write `models.py`
      - with care
    - _Requirements: 1.1, 2.3_

  - [ ]* 1.2 Property tests
    - **Property 3: symmetric**
    - **Validates: Requirements 2.1, 2.2**

- [-] 2. Checkpoint - ensure all tests pass
  - Ask if questions arise.

- [ ] 3. Pages
  - [~] 3.1 Server page
  - [ ] 3.2 Client page

## Notes

- Tasks marked with `*` are optional
"""


def test_a_kiro_file_gives_tasks_in_file_order_with_all_their_marks() -> None:
    tasks = {task.id: task for task in read(KIRO).tasks}
    assert list(tasks) == ["1", "1.1", "1.2", "2", "3", "3.1", "3.2"]
    assert [t.state for t in tasks.values()] == [
        *("done", "done", "open", "running", "open", "deferred", "open")
    ]
    assert [t.id for t in tasks.values() if t.optional] == ["1.2"]
    assert [t.id for t in tasks.values() if not t.leaf] == ["1", "3"]
    assert tasks["1.1"].parent == "1"
    assert tasks["2"].parent is None
    assert tasks["1.1"].title == "Models 🎉"
    assert tasks["1.1"].requirements == ("1.1", "2.3")
    assert tasks["1.2"].requirements == ("2.1", "2.2")
    assert tasks["1.1"].description == (
        "- Write `models.py`\n  - with care\n- _Requirements: 1.1, 2.3_"
    )
    assert (tasks["1.1"].line, tasks["1.1"].column) == (10, 6)
    assert KIRO[tasks["3.1"].offset] == "~"


def test_ids_come_from_numbers_not_from_indentation() -> None:
    tasks = clean("""\
        - [ ] 1. Group
        - [ ] 1.1 First
        - [ ] 1.2 Second
        - [ ] 2. Other
        """)
    assert [t.parent for t in tasks.values()] == [None, "1", "1", None]
    assert not tasks["1"].leaf


@pytest.mark.parametrize(
    ("line", "task_id", "title"),
    [
        ("- [ ] 0. Zero", "0", "Zero"),
        ("- [ ] 1.10 Tenth", "1.10", "Tenth"),
        ("- [ ] 1.2a Letter", "1.2a", "Letter"),
        ("- [ ] 0.1.1 Three levels", "0.1.1", "Three levels"),
        ("- [ ] CORE-1 Symbolic", "CORE-1", "Symbolic"),
        ("- [ ] CORE-1: Symbolic", "CORE-1", "Symbolic"),
        ("- [ ] **T1** Bold", "T1", "Bold"),
        ("- [ ] **2.1 All bold**", "2.1", "All bold"),
        ("- [ ] Task 4: Word", "4", "Word"),
        ("- [ ] 4) Bracket", "4", "Bracket"),
        ("- [ ] 2.1 - Dash", "2.1", "Dash"),
        ("- [ ]* 2.1 Star", "2.1", "Star"),
        ("- [ ]\\* 2.1 Star of a formatter", "2.1", "Star of a formatter"),
        ("* [X] 2.1 Other bullet", "2.1", "Other bullet"),
        ("1. [ ] 2.1 Numbered list", "2.1", "Numbered list"),
        ("- [ ]2.1 No space", "2.1", "No space"),
    ],
)
def test_every_form_of_an_id_is_read(line: str, task_id: str, title: str) -> None:
    (task,) = clean(line).values()
    assert (task.id, task.title) == (task_id, title)
    assert task.optional == ("Star" in title)


@pytest.mark.parametrize(
    "token",
    [
        "1.1$(id)",
        "1.1;reboot",
        "1/../2",
        "1.2.x",
        "1..2",
        "9999999999.",
        "1.1.1.1.1.1.1.1",
        "CORE-1;rm",
        "1.1\u202e",
        "1.\u0661",
        "1.-1",
    ],
)
def test_a_hostile_id_is_an_error_that_shows_it_and_says_what_is_allowed(
    token: str,
) -> None:
    file = parse(f"- [ ] 1.1 Fine\n- [ ] {token} Title\n")
    assert [t.id for t in file.tasks] == ["1.1"]
    (message,) = said(file, "bad-id")
    assert message.startswith("line 2: '")
    assert "an id is digits with dots (1.2)" in message
    assert message.isascii()


@pytest.mark.parametrize(
    "text", ["", "3 retries on failure", "Write docs", "S3 buckets", "../../etc/passwd"]
)
def test_a_box_without_an_id_is_no_task_and_that_is_said(text: str) -> None:
    file = parse(f"- [ ] 1.1 Fine\n\n## Checklist\n\n- [ ] {text}\n")
    if text.startswith("S3"):  # could be meant as an id, so it is one
        assert [t.id for t in file.tasks] == ["1.1", "S3"]
    else:
        assert [t.id for t in file.tasks] == ["1.1"]
        assert said(file, "box-without-id")[0].startswith("line 5: this box has no")


def test_a_checklist_inside_a_task_is_its_text() -> None:
    tasks = clean("""\
        - [ ] 1.1 Task
          - [ ] tests written
          - [x] UTF-8 is read
          - [ ] 3 retries
        - [ ] 1.2 Next
        """)
    assert list(tasks) == ["1.1", "1.2"]
    assert "- [x] UTF-8 is read\n- [ ] 3 retries" in tasks["1.1"].description


def test_a_symbolic_task_belongs_to_the_numbered_group_it_is_written_inside() -> None:
    tasks = clean("""\
        - [ ] 1. Core
          - [ ] CORE-1: First
          - [ ] CORE-2: Second
        - [ ] 2. After
          - _Depends: 1_
        """)
    assert tasks["CORE-2"].parent == "1"
    assert tasks["2"].dependencies == ("CORE-1", "CORE-2")


def test_symbolic_ids_inside_each_other_in_a_circle_do_no_harm() -> None:
    file = read("""\
        - [ ] S.1: x
        - [ ] S1.1: a
          - [ ] T1: b
        - [ ] T1.1: c
          - [ ] S1: d
        """)
    assert {t.id: t.parent for t in file.tasks} == {
        **{"S1.1": "S1", "T1": None, "T1.1": "T1", "S1": None},
    }


def test_a_number_that_disagrees_with_its_place_is_said() -> None:
    file = read("- [ ] 1. One\n  - [ ] 2.5 Odd\n")
    assert said(file, "odd-nesting") == [
        "line 2: task 2.5 is written inside task 1; its number decides"
    ]


def test_an_unknown_mark_is_an_error() -> None:
    file = read("- [v] 1. One\n- [] 2. Two\n- [a](https://x.test) link\n- [1] note\n")
    assert said(file, "unknown-mark") == [
        "line 1: the box [v] of task 1 is none of [ ], [x], [-], [~]",
        "line 2: the box [] of task 2 is none of [ ], [x], [-], [~]",
    ]


# ------------------------------------------------------------------ edges


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("_Depends: 1.1, 2.1_", ["1.1", "2.1"]),
        ("_Depends: 1.1 (needs 2.1 first), 2.1_", ["1.1", "2.1"]),
        ("_Depends: Tasks 1.1 and 2.1_", ["1.1", "2.1"]),
        ("_Depends: Task 1.1_", ["1.1"]),
        ("_Depends on: 1.1_", ["1.1"]),
        ("**Dependencies:** 2.1、1.1", ["1.1", "2.1"]),
        ("**Depends on**: `1.1`", ["1.1"]),
        ("Depends: 1.1", ["1.1"]),
        ("_Blocked by: 1.1_", ["1.1"]),
        ("_Depends: 1.1**", ["1.1"]),
        ("_Requirements: 2.1_ _Depends: 1.1_", ["1.1"]),
        ("_Depends: 1_", ["1.1", "1.2"]),
        ("_Depends: None_", []),
        ("_Depends: -_", []),
        ("_Depends: none (starts here)_", []),
    ],
)
def test_every_form_of_a_dependency_is_read(value: str, expected: list[str]) -> None:
    tasks = clean(f"- [ ] 1.1 A\n- [ ] 1.2 B\n- [ ] 2.1 C\n- [ ] 3. D\n  - {value}\n")
    assert list(tasks["3"].dependencies) == expected
    assert tasks["2.1"].waits_for == ()  # written edges are all the edges


def test_a_field_in_a_title_is_a_field() -> None:
    tasks = clean("- [ ] 1. A\n- [ ] 2. B _Depends: 1_\n")
    assert tasks["2"].title == "B"
    assert tasks["2"].dependencies == ("1",)


def test_what_a_group_waits_for_all_its_leaves_wait_for() -> None:
    assert edges("""\
        - [ ] 1. One
        - [ ] 2. Group
          - _Depends: 1_
          - [ ] 2.1 A
          - [ ] 2.2 B
            - _Depends: 2.1_
        """) == {"1": [], "2.1": ["1"], "2.2": ["1", "2.1"]}


def test_a_field_after_the_sub_tasks_belongs_to_the_group_by_its_indentation() -> None:
    tasks = clean("""\
        - [ ] 1. One
        - [ ] 2. Group
          - [ ] 2.1 A
            - detail
          - _Depends: 1_
        """)
    assert tasks["2.1"].dependencies == ("1",)


def test_an_unknown_dependency_is_an_error_with_both_ids_and_the_line() -> None:
    file = read("- [ ] 12. A\n  - words\n  - _Depends: 42_\n")
    assert said(file, "unknown-dependency") == [
        "line 3: task 12 depends on 42, which is not defined"
    ]
    assert file.errors[0].column == 5


@pytest.mark.parametrize(
    "value", ["Phase 2", "1.x", "1.1-1.3", "1.1–1.3", "other-spec:2.1", "everything"]
)
def test_a_dependency_that_cannot_be_resolved_is_an_error(value: str) -> None:
    file = read(f"- [ ] 1.1 A\n- [ ] 2. B\n  - _Depends: {value}_\n")
    (message,) = said(file, "unreadable-dependency")
    assert message.startswith("line 3: cannot read '")
    assert "of task 2" in message


def test_words_around_an_id_are_a_warning() -> None:
    file = read("- [ ] 1.1 A\n- [ ] 2. B\n  - _Depends: after 1.1 complete_\n")
    assert file.errors == ()
    assert file.tasks[1].dependencies == ("1.1",)
    assert "cannot read 'complete'" in said(file, "dependency-text")[0]


def test_dependencies_on_packages_are_not_edges_of_tasks() -> None:
    file = read("- [ ] 1. A\n- [ ] 2. B\n  - Dependencies: react, vite\n")
    assert file.errors == ()
    assert len(said(file, "dependency-text")) == 1
    assert file.tasks[1].implied == ("1",)


def test_a_dependency_in_prose_is_a_warning() -> None:
    file = read("- [ ] 1. A\n- [ ] 2. B\n  - This depends on task 1 of course\n")
    assert said(file, "prose-dependency") == [
        "line 3: 'depends on task 1' in the text of task 2 is not read as a "
        "dependency; write '_Depends: ..._' to make it one"
    ]


def test_blocks_is_refused_and_says_what_to_write() -> None:
    file = read("- [ ] 1. A\n  - _Blocks: 2_\n- [ ] 2. B\n")
    assert "write '_Depends: 1_' at the tasks" in str(file.errors[0])


def test_a_field_before_the_first_task_belongs_to_nobody_and_that_is_said() -> None:
    file = read("_Depends: 1_\n\n- [ ] 1. A\n\n# End\n- _Files: a_\n")
    assert [m[:40] for m in said(file, "orphan-field")] == [
        "line 1: this line belongs to no task; wr",
        "line 6: this line belongs to no task; wr",
    ]


def test_a_cycle_is_a_path_with_line_numbers_and_is_not_broken() -> None:
    file = read("""\
        - [ ] 1. A
        - [ ] 3. B
          - _Depends: 7_
        - [ ] 7. C
          - _Depends: 3, 1_
        """)
    assert [str(d) for d in file.errors] == [
        "line 2: dependency cycle: 3 (line 2) -> 7 (line 4) -> 3"
    ]
    assert file.tasks[1].dependencies == ("7",)
    assert file.tasks[2].dependencies == ("1", "3")


def test_of_very_many_cycles_the_first_ten_are_reported() -> None:
    pairs = "".join(
        f"- [ ] {n}. A\n  - _Depends: {n + 100}_\n"
        f"- [ ] {n + 100}. B\n  - _Depends: {n}_\n"
        for n in range(20)
    )
    assert len(said(parse(pairs), "cycle")) == 10


def test_two_cycles_are_both_reported_and_a_long_one_is_shortened() -> None:
    pair = "- [ ] 1. A\n  - _Depends: 2_\n- [ ] 2. B\n  - _Depends: 1_\n"
    ring = "".join(
        f"- [ ] {n}. R\n  - _Depends: {n + 1 if n < 49 else 10}_\n"
        for n in range(10, 50)
    )
    first, second = said(parse(pair + ring), "cycle")
    assert first == "line 1: dependency cycle: 1 (line 1) -> 2 (line 3) -> 1"
    assert "-> ... 28 more ... -> 49 (line 83) -> 10" in second


@pytest.mark.parametrize(("name", "what"), [("2.1", "itself"), ("2", "a part or")])
def test_a_task_that_waits_for_itself_is_an_error(name: str, what: str) -> None:
    file = read(f"- [ ] 2. G\n  - [ ] 2.1 A\n    - _Depends: {name}_\n")
    assert file.errors[0].message.startswith(
        f"task 2.1 depends on {name}, which is {what}"
    )


def test_a_second_definition_is_an_error_that_names_the_first() -> None:
    file = read("- [x] 5. A\n- [ ] 6. B\n- [ ] 5. A again\n  - more\n")
    assert [str(d) for d in file.errors] == [
        "line 3: task id 5 is already defined at line 1"
    ]
    assert file.tasks[0].state == "done"
    assert file.tasks[0].description == "- more"


def test_a_second_box_of_a_group_is_a_warning_for_the_sub_tasks_decide() -> None:
    file = read("- [x] 5. A\n\n\n- [ ] 5. A\n\n  - [x] 5.1 Sub\n-\n\n- [ ] 6. B\n")
    assert file.errors == ()
    assert said(file, "duplicate-id") == [
        "line 4: task id 5 is already defined at line 1"
    ]
    assert [t.id for t in file.leaves] == ["5.1", "6"]


def test_a_stale_tick_of_a_group_does_not_tick_its_sub_tasks() -> None:
    file = read("- [x] 1. G\n  - [ ] 1.1 A\n  - [ ] 1.2 B\n")
    assert [t.state for t in file.leaves] == ["open", "open"]
    assert said(file, "stale-group-tick") == [
        "line 1: task 1 is ticked but 1.1 (line 2) is not; the sub-tasks decide"
    ]


# ------------------------------------------------- sequence, checkpoints, waves


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
        ('{"waves":{"0":["1.1"]}}', "bad-wave-graph", "must be a list of waves"),
        ('["waves"]', "bad-wave-graph", "must be a list of waves"),
        ('{"waves":[{"id":0}]}', "bad-wave-graph", "have a list 'tasks'"),
        ('{"waves":[[null]]}', "bad-wave-graph", "must be an id"),
        ('{"waves":[{"id":0,"depends_on":[7],"tasks":[]}]}', "bad-wave-graph", "7"),
        ('{"waves":[{"id":0,"depends_on":7,"tasks":[]}]}', "bad-wave-graph", "a list"),
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


# ------------------------------------------------------------------ the text itself


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "BOM"])
@pytest.mark.parametrize("tail", [True, False], ids=["newline at end", "none"])
def test_line_ends_marks_and_a_missing_last_newline_change_nothing(
    newline: str, mark: str, tail: bool
) -> None:
    text = KIRO if tail else KIRO.rstrip("\n")
    expected = read(KIRO).tasks
    tasks = parse(mark + text.replace("\n", newline)).tasks
    assert [(t.id, t.line, t.state, t.title, t.description) for t in tasks] == [
        (t.id, t.line, t.state, t.title, t.description) for t in expected
    ]


def test_code_and_comments_hold_no_tasks() -> None:
    tasks = clean("""\
        - [ ] 1. Real
          ```markdown
          - [ ] 2. Example
          ```
        - ~~~
          - [ ] 3. Example in a list
          ~~~
        <!-- - [ ] 4. commented
        - [ ] 5. commented
        -->
        <!-- one line -->
        - [ ] 6. Real ``` not a fence ```
        """)
    assert list(tasks) == ["1", "6"]
    assert "- [ ] 2. Example" in tasks["1"].description


@pytest.mark.parametrize("opening", ["```json", "<!-- old"])
def test_a_block_without_an_end_is_an_error_when_it_hides_boxes(opening: str) -> None:
    file = parse(f"- [ ] 1. A\n{opening}\n- [ ] 2. B\n")
    assert said(file, "unclosed-block")[0].endswith(
        "has no end; 1 boxes below it are not read"
    )
    assert file.errors[0].line == 2
    harmless = parse(f"- [ ] 1. A\n{opening}\nwords\n")
    assert harmless.errors == ()


def test_a_box_in_a_quotation_is_no_task_and_that_is_said() -> None:
    file = read("> - [ ] 1. quoted\n\n- [ ] 2. Real\n")
    assert [t.id for t in file.tasks] == ["2"]
    assert len(said(file, "quoted-box")) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "# Plan\n\nwords\n"])
def test_a_file_without_tasks_is_an_error(text: str) -> None:
    file = parse(text)
    assert file.tasks == ()
    assert [d.code for d in file.errors] == ["no-tasks"]


def test_prose_after_the_list_is_not_text_of_the_last_task() -> None:
    tasks = clean("""\
        - [ ] 1. A
          - detail
        lazy words

        Agent A: Tasks 2.1 -> 2.2
        """)
    assert tasks["1"].description == "- detail\nlazy words"


def test_no_character_survives_that_a_record_could_not_carry() -> None:
    (task,) = parse("- [ ] 1. a\x00b\x1b[31m\ud800 \tc\n  - d\x07").tasks
    assert task.title == "a\ufffdb\ufffd[31m\ufffd c"
    assert task.description == "- d\ufffd"
    assert parse("- [ ] 1.").diagnostics[0].code == "no-title"


# ------------------------------------------------------------------ other fields


def test_files_boundaries_and_estimates_are_read() -> None:
    tasks = clean("""\
        - [ ] 1. A
          - _Files: `src/__init__.py`, ./src/a.py (new), app/(auth)/page.tsx, src/**_
          - _Boundary: SearchService extension (Aggregator), CI_
          - _Estimate: 1h 30min_
          - **Verify**: make test
        """)
    assert tasks["1"].files == (
        *("src/__init__.py", "src/a.py", "app/(auth)/page.tsx", "src/**"),
    )
    assert tasks["1"].boundary == ("SearchService extension", "CI")
    assert tasks["1"].estimate_seconds == 5400
    assert "**Verify**: make test" in tasks["1"].description


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30min", 1800), ("1h", 3600), ("45 m", 2700), ("90s", 90), ("1.5 hours", 5400)],
)
def test_estimates(text: str, seconds: int) -> None:
    assert clean(f"- [ ] 1. A\n  - _Estimate: {text}_\n")["1"].estimate_seconds == (
        seconds
    )


def test_an_estimate_that_cannot_be_read_is_a_warning() -> None:
    file = read("- [ ] 1. A\n  - _Estimate: soon_\n")
    assert file.tasks[0].estimate_seconds is None
    assert "cannot read the estimate 'soon'" in said(file, "bad-estimate")[0]


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "~/x", ".."])
def test_a_file_outside_the_repository_is_left_out_with_a_warning(path: str) -> None:
    file = read(f"- [ ] 1. A\n  - _Files: {path}, ok.py_\n")
    assert file.tasks[0].files == ("ok.py",)
    assert f"the file '{path}' of task 1" in said(file, "path-outside")[0]


def test_prose_and_ranges_of_requirements_stay_as_written() -> None:
    tasks = clean("- [ ] 1. A\n  - _Requirements: 2.1–2.7, All_\n")
    assert tasks["1"].requirements == ("2.1–2.7", "All")


def test_of_one_kind_of_problem_only_some_are_shown_and_the_rest_is_counted() -> None:
    file = parse("- [ ] no id\n" * 500 + "- [ ] 1. A\n  - _Depends: 9_\n")
    warnings = said(file, "box-without-id")
    assert len(warnings) == 51
    assert warnings[-1] == "line 50: ... and 450 more of the kind box-without-id"
    assert len(file.errors) == 1
