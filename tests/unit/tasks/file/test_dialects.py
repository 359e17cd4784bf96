"""One short plan in each dialect that people write, and what must come out of it."""

from __future__ import annotations

import pytest

from tests.unit.tasks.file.reading import clean, edges, read, said

KIRO_2026 = """\
# Implementation Plan: Booking

## Overview

Two rooms, one calendar. 1.1 comes first.

## Tasks

- [x] 1. Calendar
  - [x] 1.1 Store bookings
    - Refuse overlaps
    - _Requirements: 1.1, 1.2_
  - [ ]* 1.2 Property tests
    - **Property 1: no two bookings overlap**
    - **Validates: Requirements 1.2_
- [ ] 2. Checkpoint - all tests pass
- [-] 3. Pages
  - [~] 3.1 Week view
  - [ ] 3.10 Day view

## Notes

- Tasks marked `*` can be skipped; 3.10 needs the colours of 1.1

## Task Dependency Graph

```json
{"waves": [{"id": 0, "tasks": ["1.1"]}, {"id": 1, "tasks": ["1.2"]},
 {"id": 2, "tasks": ["3.1", "3.10"]}]}
```
"""


def test_a_feature_spec_of_2026_is_read_with_its_waves() -> None:
    tasks = clean(KIRO_2026)
    assert list(tasks) == ["1", "1.1", "1.2", "2", "3", "3.1", "3.10"]
    assert [t.id for t in tasks.values() if not t.leaf] == ["1", "3"]
    assert tasks["1.2"].optional
    assert tasks["1.2"].requirements == ("1.2",)
    assert [tasks[i].state for i in ("3", "3.1", "3.10")] == [
        *("running", "deferred", "open")
    ]
    assert tasks["1.2"].dependencies == ("1.1",)
    assert tasks["2"].waits_for == ("1.1", "1.2")
    assert tasks["3.10"].dependencies == ("1.2",)
    assert set(tasks["3.10"].waits_for) == {"1.1", "1.2", "2"}


def test_a_bugfix_spec_has_its_graph_first_and_its_own_fields() -> None:
    text = """\
        # Implementation Plan

        ## Task Dependency Graph

        ```json
        { "waves": [
            { "wave": 1, "description": "on the old code", "tasks": ["1", "2"] },
            { "wave": 2, "description": "the fix", "tasks": ["3.1"] },
            { "wave": 3, "tasks": ["3.2"] } ] }
        ```

        ```mermaid
        graph TD
            T1[Task 1: Show the bug] --> T31[Task 3.1]
        ```

        ## Tasks

        - [x] 1. Show the bug
          - _Bug_Condition: two writers at once_
        - [ ] 2. Pin what works
        - [ ] 3. Fix
          - [ ] 3.1 Lock
            - _Expected_Behavior: one waits_
            - _Preservation: readers never wait_
          - [ ] 3.2 Verify
            - Re-run the tests of task 1
        """
    tasks = clean(text)
    assert {i: t.dependencies for i, t in tasks.items() if t.leaf} == {
        **{"1": (), "2": (), "3.1": ("1", "2"), "3.2": ("3.1",)}
    }
    assert tasks["3.1"].description == (
        "- _Expected_Behavior: one waits_\n- _Preservation: readers never wait_"
    )


def test_cc_sdd_marks_are_read_on_either_side_of_the_title() -> None:
    tasks = clean("""\
        ## 1. Foundation

        - [ ] 1.1 Config
          - _Boundary: Config, CI_
        - [ ] 1.2 (P) Mapping
          - _Depends: 1.1_
          - _Boundary: Mapping_
        - [ ] 1.3 Types (P)
          - _Depends: none_
        """)
    assert [t.title for t in tasks.values()] == ["Config", "Mapping", "Types"]
    assert [t.parallel for t in tasks.values()] == [False, True, True]
    assert tasks["1.1"].boundary == ("Config", "CI")
    assert [t.waits_for for t in tasks.values()] == [(), ("1.1",), ()]


def test_where_only_marks_say_what_is_parallel_neighbours_run_side_by_side() -> None:
    assert (
        edges("""\
        - [ ] 1. Base
        - [ ] 1.1 A
        - [ ] 1.2 (P) B
        - [ ] 1.3 (P) C
        - [ ] 1.4 D
        - [ ] 2. (P) Left
        - [ ] 2.1 E
        - [ ] 2.2 F
        - [ ] 3. Right (P)
        - [ ] 3.1 G
        - [ ] 4. [P] Alone
        - [ ] 5. Last
        """)
        == {
            **{"1.1": [], "1.2": ["1.1"], "1.3": ["1.1"], "1.4": ["1.2", "1.3"]},
            **{"2.1": ["1.4"], "2.2": ["2.1"], "3.1": ["1.4"], "4": ["1.4"]},
            "5": ["2.2", "3.1", "4"],
        }
    )


PHASES = """\
## Phase 1: Ground

- [ ] CORE-1: Types
- [ ] CORE-2: Store
  - **Dependencies:** CORE-1 (the types, of course)

## Phase 2: House

### Walls

- [ ] UI-1: Rooms
  - **Dependencies:** Phase 1 complete
- [ ] UI-2: Doors
  - **Dependencies:** UI-1, all of Phase 1

## After

- [ ] T1: Party
  - **Depends on**: {}
"""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Phase 2 complete", ["UI-1", "UI-2"]),
        ("phase 02 is done", ["UI-1", "UI-2"]),
        ("Phase 1 and Phase 2", ["CORE-1", "CORE-2", "UI-1", "UI-2"]),
        ("all tasks in Phase 1", ["CORE-1", "CORE-2"]),
        ("Tasks CORE-1, UI-2", ["CORE-1", "UI-2"]),
        ("after CORE-2 complete", ["CORE-2"]),
        ("`CORE-1` & **UI-2** must be finished first", ["CORE-1", "UI-2"]),
        ("CORE-1–CORE-2", ["CORE-1", "CORE-2"]),
        ("CORE-1 to CORE-2", ["CORE-1", "CORE-2"]),
        ("all previous tasks", ["CORE-1", "CORE-2", "UI-1", "UI-2"]),
        ("everything above", ["CORE-1", "CORE-2", "UI-1", "UI-2"]),
    ],
)
def test_whole_phases_ranges_and_words_around_ids_are_read(
    value: str, expected: list[str]
) -> None:
    tasks = clean(PHASES.replace("{}", value))
    assert list(tasks["T1"].dependencies) == expected
    assert tasks["UI-2"].dependencies == ("CORE-1", "CORE-2", "UI-1")


def test_a_phase_may_be_a_line_in_bold_or_the_title_of_a_group() -> None:
    bold = "**Phase 1: A**\n\n- [ ] 1. X\n\n**Phase 2: B**\n\n- [ ] 2. Y\n  - {}\n"
    assert edges(bold.format("_Depends: Phase 1_"))["2"] == ["1"]
    group = "- [ ] 4. Phase 1: A\n  - [ ] 4.1 X\n- [ ] 5. Y\n  - _Depends: Phase 1_\n"
    assert edges(group)["5"] == ["4.1"]


def test_a_phase_that_is_only_a_number_is_said() -> None:
    file = read("- [ ] 3.1 A\n- [ ] 3.2 B\n- [ ] 4. C\n  - _Depends: Phase 3_\n")
    assert file.tasks[2].dependencies == ("3.1", "3.2")
    assert said(file, "phase-as-group") == [
        "line 4: there is no heading 'Phase 3'; task 4 waits for all tasks of group 3"
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.x", ["1.1", "1.2", "1.3"]),
        ("Tasks 1.*", ["1.1", "1.2", "1.3"]),
        ("1.2-1.3", ["1.2", "1.3"]),
        ("1.1–1.2, 2", ["1.1", "1.2", "2"]),
        ("1.1 through 1.3", ["1.1", "1.2", "1.3"]),
        ("1-2", ["1.1", "1.2", "1.3", "2"]),
        ("Task 1.1 + Task 2", ["1.1", "2"]),
    ],
)
def test_wildcards_and_ranges_of_numbers_are_read(
    value: str, expected: list[str]
) -> None:
    text = "- [ ] 1.1 A\n- [ ] 1.2 B\n- [ ] 1.3 C\n- [ ] 2. D\n- [ ] 3. E\n"
    assert edges(f"{text}  - _Depends: {value}_\n")["3"] == expected


@pytest.mark.parametrize(
    "value",
    [
        "auth-core:2.1",
        "auth-core/2.1",
        "auth#CORE-1",
        "auth-core: Task 2",
        "the auth-core spec",
        "`auth` spec complete",
        "spec auth-core task 2.1",
        ".kiro/specs/auth-core/tasks.md",
        ".kiro/specs/auth-core/tasks.md#2.1",
    ],
)
def test_a_reference_to_another_spec_is_kept_and_holds_the_task(value: str) -> None:
    file = read(f"- [ ] 1. A\n- [ ] 2. G\n  - _Depends: 1, {value}_\n  - [ ] 2.1 B\n")
    assert file.errors == ()
    assert len(said(file, "cross-spec-dependency")) == 1
    assert file.leaves[1].dependencies == ("1",)
    assert len(file.leaves[1].external) == 1
    assert file.leaves[0].external == ()


def test_checklists_are_not_tasks_whatever_their_numbers() -> None:
    file = read("""\
        ## Prerequisites

        - [x] 1. Node is installed

        ## Tasks

        - [ ] 1. A
          - [ ] 99.9% of calls are answered
          - [ ] 24/7, in 2.5GB, as 3.0.0-rc1
        - [ ] 2. B

        ## Definition of Done

        - [ ] 1. All tests pass
        - [ ] Reviewed
        """)
    assert file.errors == ()
    assert [(t.id, t.line) for t in file.tasks] == [("1", 7), ("2", 10)]
    assert len(said(file, "checklist-box")) == 3
    assert file.tasks[0].acceptance_criteria == (
        "99.9% of calls are answered",
        "24/7, in 2.5GB, as 3.0.0-rc1",
    )


def test_a_second_list_goes_on_with_its_own_ids_and_doubles_are_errors() -> None:
    file = read("## One\n\n- [ ] 1. A\n\n## Two\n\n- [ ] 2. B\n- [ ] 1. A\n")
    assert [t.id for t in file.tasks] == ["1", "2"]
    assert said(file, "duplicate-id") == [
        "line 8: task id 1 is already defined at line 3"
    ]


def test_criteria_stand_below_their_heading_line_or_beside_it() -> None:
    tasks = clean("""\
        - [ ] 1. A
          - **Acceptance Criteria:**
            - It is fast
              even on a phone
            - It is small
          - not one
          - _Done when: somebody smiles_
        - [ ] 2. B
          **Acceptance Criteria**
          - text only, the line above has no colon
          Acceptance criteria:
          - first
          - second
          - _Requirements: 1.1_
          - not one
        """)
    assert tasks["1"].acceptance_criteria == (
        "It is fast even on a phone",
        "It is small",
        "somebody smiles",
    )
    assert tasks["2"].acceptance_criteria == ("first", "second")


def test_priority_complexity_and_capabilities_are_read() -> None:
    tasks = clean("""\
        - [ ] 1. G
          - **Priority:** 🔴 P1 (soon)
          - _Capabilities: linux_
          - [ ] 1.1 A
            - Complexity: 7/10 | Effort: ~2-3 days
            - _Required skills: docker, `go`_
          - [ ] 1.2 B
            - **Priority:** low | **Owner:** Ada | **Estimated effort:** 1 week
            - Priority: of the user, always
        """)
    first, second = tasks["1.1"], tasks["1.2"]
    assert (first.priority, first.complexity) == (50, "High")
    assert first.capabilities == ("docker", "go", "linux")
    assert (second.priority, second.estimate_seconds) == (-50, 144_000)
    assert second.capabilities == ("linux",)


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("_Priority: 1e9_", "bad-priority"),
        ("_Priority: 5000_", "bad-priority"),
        ("_Complexity: 11_", "bad-complexity"),
        ("_Complexity: fine_", "bad-complexity"),
        ("_Estimate: 5 points_", "bad-estimate"),
    ],
)
def test_a_value_off_the_scale_is_a_warning(field: str, code: str) -> None:
    assert len(said(read(f"- [ ] 1. A\n  - {field}\n"), code)) == 1


SHAPES = {
    "waves by name": '{"waves": {"1": ["1.1"], "2": {"tasks": ["1.2"]}}}',
    "titles": '{"waves": [["Task 1.1: A"], ["1.2 - B"]]}',
    "other keys": '{"waves": [{"taskIds": ["1.1"]}, {"dependsOn": 0, "taskIds": ["1.2"]}]}',
    "no fence": "",
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_rarer_shapes_of_a_wave_graph_are_read(shape: str) -> None:
    graph = SHAPES[shape] or '{\n  "waves": [\n    ["1.1"],\n    ["1.2"]\n  ]\n}'
    fence = "~~~" if SHAPES[shape] else ""
    tasks = clean(f"- [ ] 1.1 A\n- [ ] 1.2 B\n\n# G\n\n{fence}\n{graph}\n{fence}\n")
    assert tasks["1.2"].dependencies == ("1.1",)


def test_an_arrow_between_tasks_is_said_once_a_drawing() -> None:
    file = read("""\
        - [ ] T1 A
          - _Depends: none_
        - [ ] T2 B
          - _Depends: none_

        Agent A: Tasks T1 → T2, later

        ```
        T1 --> T2
        T2 ==> T1
        T1 -> T9
        ```
        """)
    assert [d.line for d in file.diagnostics if d.code == "diagram"] == [6, 9]


def test_the_star_may_stand_behind_the_id() -> None:
    tasks = clean("- [ ] 1.1* Tests\n- [ ] 1.2 *Very* fine\n")
    assert [t.optional for t in tasks.values()] == [True, False]
