"""Parts of a plan that wait for each other, and orders drawn downwards: read, or told.

The plans write one dependency, so that nothing follows from their sequence.
"""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import clean, edges, said

#: Only C waits, for A alone.
PLAN = """\
## {one}: Ground

- [ ] 1. A
- [ ] 2. B

## {two}: House{more}

- [ ] 3. C
  - _Depends: 1_
- [ ] 4. D

## Notes

{notes}
"""
#: What is written, and what has to wait for phase 1 by it.
WORDS = """
Phase 2 depends on Phase 1                        phase 2
Phase 1 must be complete before starting Phase 2  phase 2
- **Phase 2**: depends on phase 1                 phase 2
Phase 1 -> Phase 2                                phase 2
Phase 1 → Phase 2: the walls stand on the ground  phase 2
Phases 1 and 2 must run in order                  phase 2
Task 4 starts after phase 1                       task 4
Giai đoạn 2 phụ thuộc vào giai đoạn 1             phase 2
阶段 2 依赖阶段 1                                 phase 2
"""


def plan(
    more: str = "", notes: str = "", one: str = "Phase 1", two: str = "Phase 2"
) -> str:
    return PLAN.format(more=more, notes=notes, one=one, two=two)


@pytest.mark.parametrize("row", WORDS.strip().split("\n"))
def test_a_part_that_waits_for_a_part_is_told(row: str) -> None:
    words, waits = (part.strip() for part in row.rsplit("  ", 1))
    (remark,) = said(parse(plan(notes=words)), "prose-dependency")
    assert remark.startswith("line 14:")
    assert "'_Depends: phase 1_' below " in remark
    assert waits in remark.rsplit(" below ", 1)[1]


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ("Layer 0", "Layer 1", "Layer 1 requires layer 0"),
        ("Phase I", "Phase II", "Phase II starts after Phase I."),
        ("第一阶段", "第二阶段", "第二阶段依赖第一阶段"),
        ("フェーズ1", "フェーズ2", "フェーズ2はフェーズ1に依存"),
        ("Phase 1: User Story 1", "Phase 2: US2", "US2 depends on US1"),
        ("Giai đoạn 1", "Giai đoạn 2", "Giai đoạn 2 sau giai đoạn 1"),
    ],
)
def test_parts_have_many_names(one: str, two: str, words: str) -> None:
    assert (
        len(said(parse(plan(notes=words, one=one, two=two)), "prose-dependency")) == 1
    )


def test_a_heading_may_say_it_by_number_or_by_name() -> None:
    numbered = said(parse(plan(more=" (depends on Phase 1)")), "prose-dependency")
    assert [" below each task of phase 2 " in remark for remark in numbered] == [True]
    named = parse(plan(more=" (Depends on Ground)", one="Layer", two="Layer"))
    (remark,) = said(named, "prose-dependency")
    assert remark.startswith(
        "line 6: 'ground' in this heading (the tasks below line 1)"
    )


def test_a_table_of_parts_is_told() -> None:
    table = "| Part | Depends on |\n| --- | --- |\n| Phase 2 | Phase 1 |"
    assert len(said(parse(plan(notes=table)), "diagram")) == 1


@pytest.mark.parametrize(
    "words",
    [
        "After Phase 1: the ground is there",
        "Phase 3 depends on Phase 1",
        "Phase 1 depends on the weather",
        "Phase 2 does not depend on Phase 1",
        "Phase 1 (2 days)",
        "Phases 1-2: three weeks",
    ],
)
def test_a_part_that_is_only_named_is_no_alarm(words: str) -> None:
    file = parse(plan(notes=words))
    assert not said(file, "prose-dependency") + said(file, "diagram")


def test_what_the_edges_say_of_a_part_is_no_alarm() -> None:
    text = plan(notes="Phase 2 depends on Phase 1", more=" (depends on Ground)")
    held = text.replace("_Depends: 1_", "_Depends: Phase 1_")
    clean(held.replace("- [ ] 4. D", "- [ ] 4. D\n  - _Depends: Phase 1_"))
    clean(text.replace("  - _Depends: 1_\n", ""))  # the sequence holds it


def test_marks_of_neighbours_do_not_reach_across_the_heading_of_a_phase() -> None:
    text = plan().replace("  - _Depends: 1_\n", "").replace(". ", ". (P) ")
    assert edges(text) == {"1": [], "2": [], "3": ["1", "2"], "4": ["1", "2"]}


@pytest.mark.parametrize(
    "drawing",
    [
        "Task 4\n  ↓\nTask 2",
        "4 (the door)\n |\n v\n2 (the wall)",
        "1 → 3\n    ▼\n2",
        "Phase 2\n│\n▼ when it stands\nPhase 1",
        "Tasks 3-4\n⬇\nTask 2",
    ],
)
def test_a_drawing_from_top_to_bottom_is_told_once(drawing: str) -> None:
    file = parse(plan(notes=f"```\n{drawing}\n ↓\nTask 1\n```"))
    assert len(said(file, "diagram")) == 1


@pytest.mark.parametrize(
    "drawing",
    ["Task 1\n ↓\nTask 3", "Store\n ↓\n3 replicas", "Day 4\n ↓\nDay 2", "4\n|\n2"],
)
def test_a_drawing_that_is_held_or_of_something_else_is_none(drawing: str) -> None:
    assert not said(parse(plan(notes=f"```\n{drawing}\n```")), "diagram")


def test_ids_of_a_word_are_found_in_a_row_of_arrows() -> None:
    text = (
        "- [ ] T01 A\n  - _Depends: none_\n- [ ] T02 B\n- [ ] T03 C\n\n```\n{}\n```\n"
    )
    drawn = text.format("T01 (first) → T03 (second) → T02 (last)")
    assert len(said(parse(drawn), "diagram")) == 1


def test_a_wave_of_mere_numbers_is_told() -> None:
    waves = "**Wave 1**: 1, 4\n\n**Wave 2**: 2"
    assert len(said(parse(plan(notes=waves)), "diagram")) == 1
    days = "**Day 1**: 4 hours\n\n**Day 2**: 2 more"
    assert not said(parse(plan(notes=days)), "diagram")


@pytest.mark.parametrize(
    "words",
    [
        "The frame tasks (3, 4) are done before the paint tasks (1, 2)",
        "Công việc 2 phụ thuộc công việc 4",
        "Nhiệm vụ 2 chỉ bắt đầu sau khi nhiệm vụ 4 hoàn thành",
        "Task 4 phải hoàn thành trước task 2",
    ],
)
def test_tasks_in_parentheses_and_in_vietnamese_are_found(words: str) -> None:
    assert len(said(parse(plan(notes=words)), "prose-dependency")) == 1


@pytest.mark.parametrize(
    "words",
    [
        *("Task 1 có thể song song với task 2", "Thứ tự thực hiện: 2, 1"),
        *("Nhiệm vụ 1 và nhiệm vụ 2 chạy song song", "Thứ tự: nhiệm vụ 2, nhiệm vụ 1"),
        *(
            "Trước tiên nhiệm vụ 2, sau đó nhiệm vụ 1",
            "задача 1 параллельно с задачей 2",
        ),
        *("Phase 1 (UI) can run in parallel with phase 2 (API)", "Tuần tự: 2, 1"),
    ],
)
def test_orders_in_vietnamese_and_with_asides_are_found(words: str) -> None:
    plan = "## Phase 1\n\n- [ ] 1. A\n\n## Phase 2\n\n- [ ] 2. B\n\n## Notes\n\n"
    assert len(said(parse(f"{plan}{words}\n"), "prose-dependency")) == 1


def test_a_field_in_vietnamese_is_read() -> None:
    text = "- [ ] 1. A\n  - _Phụ thuộc: 2_\n- [ ] 2. B\n  - _Phụ thuộc vào: không_\n"
    assert edges(text) == {"1": ["2"], "2": []}


@pytest.mark.parametrize(
    "heading", ["### - [ ] 2. B", "## [x] 2.1 B", "#### * [ ] 2: B"]
)
def test_a_box_in_a_heading_is_told(heading: str) -> None:
    (remark,) = said(parse(f"- [ ] 1. A\n\n{heading}\n\nwords\n"), "looks-like-task")
    assert remark.startswith("line 3:")


@pytest.mark.parametrize(
    "words",
    [
        "Phase 2 can start before phase 1 is done.",
        "Phase 2 may already begin before phase 1 ends",
        "Phase 2 does not have to wait for phase 1",
        "Giai đoạn 2 không cần chờ giai đoạn 1",
        "Giai đoạn 2 không phụ thuộc vào giai đoạn 1",
        "Giai đoạn 2 chưa cần chờ giai đoạn 1",
        "Giai đoạn 2 có thể bắt đầu trước khi giai đoạn 1 xong",
    ],
)
def test_what_only_may_be_or_is_denied_sets_no_order(words: str) -> None:
    assert said(parse(plan(notes=words)), "prose-dependency") == []


def test_something_else_after_a_part_is_not_the_task_above_it() -> None:
    task = "## Phase 1\n- [ ] 1. A\n## Phase 2\n- [ ] 2. B\n  - _Depends: none_\n  - "
    for words, count in (
        ("Review meeting after phase 1", 0),
        ("Starts after phase 1", 1),
        ("Pages once phase 1 is done", 1),
    ):
        remarks = said(parse(f"{task}{words}\n"), "prose-dependency")
        assert len(remarks) == count, words


def test_a_row_is_about_the_part_in_its_first_cell() -> None:
    rows = """
| Phase | Needs | Note |
|---|---|---|
| 3: US4 | Depends on Phase 2 | Can run parallel after US1 |
"""
    text = plan(notes=rows, one="Phase 1: US1", two="Phase 2: US4")
    first, *more = said(parse(text), "prose-dependency")
    assert "below each task of user story 4 " in first, first
    assert more == []
