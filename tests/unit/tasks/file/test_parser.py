"""Boxes, ids and marks of a real ``tasks.md``, one story each."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.edit import tick
from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import KIRO, clean, read, said


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
    file = parse(f"- [ ] 1.1 Fine\n\n## Ideas\n\n- [ ] {text}\n")
    if text.startswith("S3"):  # could be meant as an id, so it is one
        assert [t.id for t in file.tasks] == ["1.1", "S3"]
    else:
        assert [t.id for t in file.tasks] == ["1.1"]
        assert said(file, "box-without-id")[0].startswith("line 5: this box has no")


def test_the_line_is_given_as_it_should_be() -> None:
    file = parse("- [ ] 1. A\n\n- [ ] 7 No dot\n- [x] Write  docs\n- [ ] 1 again\n")
    advised = [text.split("'")[1] for text in said(file, "box-without-id")]
    assert advised == ["- [ ] 7. No dot", "- [x] 2. Write docs", "- [ ] 3. 1 again"]
    for line in advised:
        assert len(parse(f"- [ ] 1. A\n\n{line}\n").tasks) == 2


def test_where_no_box_has_an_id_one_remark_says_it() -> None:
    (remark,) = parse("# Plan\n\n- [ ] Write docs\n- [x] Test\n" * 9).diagnostics
    assert (remark.severity, remark.code, remark.line) == ("error", "no-tasks", 3)
    assert "none of its 18 boxes has a task id; write '- [ ] 1. Write docs'" in (
        remark.message
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("safe \u202egnp.exe\u202c", "safe \\u202egnp.exe\\u202c"),
        ("pass\u200bword", "pass\\u200bword"),
        ("a\u2066b\u2069", "a\\u2066b\\u2069"),
        ("soft\u00adware", "soft\\xadware"),
        ("tag\U000e0041", "tag\\U000e0041"),
    ],
)
def test_what_nobody_sees_in_a_title_is_told_and_shown_escaped(
    written: str, shown: str
) -> None:
    text = f"- [ ] 1. {written}\n- [ ] 2. B\n"
    file = parse(text)
    assert [t.title for t in file.tasks] == [shown, "B"]
    assert len(said(file, "unseen-characters")) == 1
    # One title, whether it was read before or after it was shown so.
    for title in (written, shown):
        assert b"[x] 1." in tick(text.encode(), "1", title=title)


@pytest.mark.parametrize(
    "title", ["\U0001f468\u200d\U0001f469 ok", "\u0645\u06cc\u200c\u062e"]
)
def test_what_writing_needs_is_left_in_a_title(title: str) -> None:
    file = parse(f"- [ ] 1. {title}\n")
    assert file.tasks[0].title == title
    assert not said(file, "unseen-characters")


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
    file = read("- [v] 1. One\n- [?] 2. Two\n- [a](https://x.test) link\n- [1] note\n")
    assert said(file, "unknown-mark") == [
        "line 1: the box [v] of task 1 is none of [ ], [x], [-], [~]",
        "line 2: the box [?] of task 2 is none of [ ], [x], [-], [~]",
    ]
