"""Every way in which a task file says what waits for what."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import clean, edges, read, said


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
    ("value", "code", "says"),
    [
        ("Version 2", "unreadable-dependency", "cannot read 'Version 2'"),
        ("everything", "unreadable-dependency", "cannot read 'everything'"),
        ("2.1-1.1", "unreadable-dependency", "'2.1-1.1' of task 3 is no range"),
        ("1.1-1.9", "unknown-dependency", "depends on 1.9, which is not defined"),
        ("Phase 9", "unknown-dependency", "depends on Phase 9, which is not defined"),
        ("9.x", "unknown-dependency", "depends on 9, which is not defined"),
    ],
)
def test_a_dependency_that_cannot_be_resolved_is_an_error(
    value: str, code: str, says: str
) -> None:
    file = read(f"- [ ] 1.1 A\n- [ ] 2.1 B\n- [ ] 3. C\n  - _Depends: {value}_\n")
    (message,) = said(file, code)
    assert message.startswith("line 4: ")
    assert says in message
    assert "task 3" in message


def test_words_around_an_id_are_a_warning() -> None:
    file = read("- [ ] 1.1 A\n- [ ] 2. B\n  - _Depends: 1.1 when it rains_\n")
    assert file.errors == ()
    assert file.tasks[1].dependencies == ("1.1",)
    assert "cannot read 'when it rains'" in said(file, "dependency-text")[0]


def test_dependencies_on_packages_are_not_edges_of_tasks() -> None:
    file = read("- [ ] 1. A\n- [ ] 2. B\n  - Dependencies: react, vite\n")
    assert file.errors == ()
    assert len(said(file, "dependency-text")) == 1
    assert file.tasks[1].implied == ("1",)


def test_a_dependency_in_prose_is_a_warning() -> None:
    file = read("- [ ] 1. A\n- [ ] 2. B\n  - This depends on task 1 of course\n")
    assert said(file, "prose-dependency") == [
        "line 3: 'depends on task 1' in the text of task 2 is not read as a "
        "dependency; write '_Depends: 1_' below task 2 to make it one"
    ]


def test_blocks_is_a_dependency_written_at_its_other_end() -> None:
    assert edges("- [ ] 1. A\n  - _Blocks: 2, 3.1_\n- [ ] 2. B\n- [ ] 3.1 C\n") == {
        **{"1": [], "2": ["1"], "3.1": ["1"]}
    }
    assert edges("- [ ] 1. A\n  - **Blocks:** None\n- [ ] 2. B\n")["2"] == ["1"]
    file = read("- [ ] 1. A\n  - _Blocks: 9, auth:2_\n- [ ] 2. B\n")
    assert said(file, "unknown-dependency") == [
        "line 2: task 1 blocks 9, which is not defined; the nearest is 2"
    ]
    assert "cannot hold 'auth:2'" in said(file, "dependency-text")[0]


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
