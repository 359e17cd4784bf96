"""What looks to a person like a task, a dependency or a graph is read, or is told.

Tables of hostile and careless spellings; the last table is of ordinary lines, which are no
alarm.
"""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.edit import tick
from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import read, said

NBSP, WIDE, THIN, ZERO = "\u00a0", "\u3000", "\u2009", "\u200b"


@pytest.mark.parametrize(
    ("line", "state"),
    [
        (f"- [{NBSP}] 2. B", "open"),
        (f"- [{WIDE}] 2. B", "open"),
        (f"- [{THIN}] 2. B", "open"),
        (f"- [{ZERO}] 2. B", "open"),
        (f"-{NBSP}[ ] 2. B", "open"),
        ("- [\t] 2. B", "open"),
        ("- [  ] 2. B", "open"),
        ("- [] 2. B", "open"),
        ("* [] 2. B", "open"),
        ("-[ ] 2. B", "open"),
        ("*[ ]2. B", "open"),
        ("[ ] 2. B", "open"),
        ("\u2022 [ ] 2. B", "open"),
        ("\u2013 [ ] 2. B", "open"),
        ("- - [ ] 2. B", "open"),
        ("- \uff3b \uff3d 2. B", "open"),
        ("- [X ] 2. B", "done"),
        ("- [ x] 2. B", "done"),
        ("- [ x ] 2. B", "done"),
        ("- [\u2713] 2. B", "done"),
        ("- [\u2714\ufe0f] 2. B", "done"),
        ("- [\u2705] 2. B", "done"),
        ("- [\uff58] 2. B", "done"),
        ("[x] 2. B", "done"),
    ],
)
def test_a_nearly_right_box_is_a_box(line: str, state: str) -> None:
    text = f"- [ ] 1. A\n{line}\n"
    file = parse(text)
    assert [d for d in file.diagnostics if d.severity != "info"] == []
    assert [(t.id, t.title, t.state) for t in file.tasks[1:]] == [("2", "B", state)]
    ticked = parse(tick(text.encode(), "2", title="B").decode())
    assert [t.state for t in ticked.tasks] == ["open", "done"]


@pytest.mark.parametrize(
    ("head", "task", "title"),
    [
        ("1.1\u3001T", "1.1", "T"),
        ("1.1\uff1aT", "1.1", "T"),
        ("\uff11\uff0e\uff12 T", "1.2", "T"),
        ("1.1: T", "1.1", "T"),
        ("(1.1) T", "1.1", "T"),
        ("#1.1 T", "1.1", "T"),
        ("\u3010T7\u3011 T", "T7", "T"),
        ("~~1.1~~ T", "1.1", "T"),
        ("\u4efb\u52a1 3\uff1aT", "3", "T"),
        ("\u30bf\u30b9\u30af1.2 T", "1.2", "T"),
        ("Aufgabe 3: T", "3", "T"),
        ("[WIP] 1.1 T", "1.1", "[WIP] T"),
        ("**[DONE]** 1.1 T", "1.1", "**[DONE]** T"),
        ("\u2705 1.1 T", "1.1", "\u2705 T"),
        ("\U0001f534 [core] 1.1 T", "1.1", "\U0001f534 [core] T"),
        ("[P] 1.1 T", "1.1", "T"),
        ("[T001] T", "T001", "T"),
    ],
)
@pytest.mark.parametrize("indent", ["", "  "])
def test_an_id_is_found_behind_labels_and_in_other_signs(
    head: str, task: str, title: str, indent: str
) -> None:
    file = parse(f"- [ ] 9. Group\n  - words\n{indent}- [ ] {head}\n")
    assert [(t.id, t.title) for t in file.tasks[1:]] == [(task, title)]
    assert not file.errors


def test_a_label_that_is_a_priority_becomes_one() -> None:
    file = read("""\
        - [x] [P0] 1.1 Layout
        - [ ] [P1] 1.1.1 Check the layout
        - [ ] **[HIGH]** 1.2 Database
        - [ ] P2: 1.3 Start values
          - _Depends: 1.2_
        - [ ] [P3] 1.4 Commands
          - _Depends: 1.3_
          - _Priority: critical_
        """)
    assert not [d for d in file.diagnostics if d.severity != "info"]
    assert [(t.id, t.title, t.priority) for t in file.tasks] == [
        ("1.1", "Layout", 100),
        ("1.1.1", "Check the layout", 50),
        ("1.2", "Database", 50),
        ("1.3", "Start values", 0),
        ("1.4", "Commands", 100),
    ]
    assert file.tasks[4].dependencies == ("1.3",)


def test_a_priority_alone_is_no_id() -> None:
    file = read("- [ ] 1. A\n\n- [ ] [P0] Set up\n- [ ] [P1] Build\n")
    assert [t.id for t in file.tasks] == ["1"]
    assert len(said(file, "box-without-id")) == 2


@pytest.mark.parametrize(
    "line",
    [
        "- \\[ \\] 7. B",
        "- \\[x\\] 7.1 B",
        "- ( ) 7. B",
        "- (x) 7.1 B",
        "- { } 7. B",
        "- \u3010 \u3011 7. B",
        "- [WIP] 7.1 B",
        "- [done] 7. B",
        "- [ 7. B",
        "- \u2610 7. B",
        "\u2705 **7.1** B",
        "- \u2b1c Task 7: B",
        "- 7.1 [ ] B",
        "7.1 B [x]",
        "- **7.** B [ ]",
        "## [ ] 7. B",
        "### Task 7: B",
        "### \u4efb\u52a1 7\uff1aB",
        "| [ ] | 7.1 | B |",
        "| 7.1 | B | \u2705 |",
    ],
)
def test_what_looks_like_a_task_and_is_none_is_told_with_its_place(line: str) -> None:
    text = f"- [ ] 1. A\n  - words\n\n{line}\n"
    file = parse(text)
    (remark,) = [d for d in file.diagnostics if d.severity == "warning"]
    assert (remark.code, remark.line) == ("looks-like-task", 4)
    assert "7" in remark.message
    known = parse(text + "\n- [ ] 7. B\n- [ ] 7.1 C\n")
    assert not [d for d in known.diagnostics if d.severity == "warning"]


def test_an_unknown_mark_that_is_no_ascii_is_written_out() -> None:
    file = read("- [\u2022] 1. One\n")
    assert said(file, "unknown-mark") == [
        "line 1: the box [\u2022 U+2022] of task 1 is none of [ ], [x], [-], [~]"
    ]


FIELDS = [
    *("_Prerequisite: Task 1_", "**Prerequisites:** 1", "_After: 1_", "_Run after: 1_"),
    *(
        "_Waits for: 1_",
        "Predecessors: 1",
        "_\u4f9d\u8d56: 1_",
        "_\u4f9d\u8d56\uff1a1_",
    ),
    *("_\u524d\u7f6e\u4efb\u52a1: 1_", "_\u4f9d\u5b58: 1_", "_\u4f9d\u8cf4: 1_"),
    *("_\uc758\uc874\uc131: 1_", "_Abh\u00e4ngig von: 1_", "_D\u00e9pend de: 1_"),
    *(
        "_Depende de: 1_",
        "_Depend\u00eancias: 1_",
        "_\u0417\u0430\u0432\u0438\u0441\u0438\u043c\u043e\u0441\u0442\u0438: 1_",
    ),
]


@pytest.mark.parametrize("field", FIELDS)
def test_a_dependency_of_another_name_or_language_is_read(field: str) -> None:
    file = parse(
        f"- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B\n- [ ] 3. C\n  - {field}\n"
    )
    assert [d for d in file.diagnostics if d.severity != "info"] == []
    assert [t.waits_for for t in file.tasks] == [(), (), ("1",)]


@pytest.mark.parametrize(
    "value", ["\u65e0", "\u306a\u3057", "\uc5c6\uc74c", "keine", "Aucune", "nenhuma"]
)
def test_nothing_is_nothing_in_other_languages(value: str) -> None:
    file = parse(f"- [ ] 1. A\n- [ ] 2. B\n  - _Depends: {value}_\n")
    assert [t.waits_for for t in file.tasks] == [(), ()]


def test_requirements_of_another_language_are_read() -> None:
    file = parse(
        "- [ ] 1. A\n  - _\u9700\u6c42: 1.1, 2.3_\n- [ ] 2. B\n  - _\u8981\u4ef6: 4_\n"
    )
    assert [t.requirements for t in file.tasks] == [("1.1", "2.3"), ("4",)]


@pytest.mark.parametrize(
    "field",
    [
        *(
            "_Requires: 1_",
            "_Needs: Task 1_",
            "_Upstream: 1.1, 1.2_",
            "**Unblocks:** 1",
        ),
        *(
            "_Linked: 1.1_",
            "_\u0e02\u0e36\u0e49\u0e19\u0e01\u0e31\u0e1a: 1_",
            "Required by: 1",
        ),
        *("_Prerequisites: 1, 9_", "_After: 3_"),
    ],
)
def test_a_field_of_tasks_that_is_not_understood_is_told(field: str) -> None:
    text = f"- [ ] 1. A\n- [ ] 1.1 A\n- [ ] 1.2 A\n- [ ] 3. C\n  - {field}\n"
    (remark,) = [d for d in parse(text).diagnostics if d.severity == "warning"]
    assert (remark.code, remark.line) == ("unread-field", 5)


PROSE = [
    *("depends on 1", "builds on task 1", "blocked by 1", "waiting for task 1"),
    *("requires completion of 1", "needs the completion of 1", "after completing 1"),
    *("after task 1", "once 1 is done", "until task 1", "Prerequisite: task 1 (later)"),
    *(
        "\u4f9d\u8d56\u4efb\u52a1 1",
        "\u5728\u4efb\u52a1 1 \u5b8c\u6210\u4e4b\u540e",
        "\u30bf\u30b9\u30af1\u306b\u4f9d\u5b58",
        "1\uc5d0 \uc758\uc874",
    ),
]


@pytest.mark.parametrize("words", PROSE)
def test_a_dependency_in_words_is_told_in_the_text_and_in_the_title(words: str) -> None:
    for text, line in (
        (f"- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B\n  - It {words} here\n", 4),
        (f"- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B ({words})\n", 3),
    ):
        (remark,) = [d for d in parse(text).diagnostics if d.severity == "warning"]
        assert (remark.code, remark.line) == ("prose-dependency", line)


def test_words_that_the_edges_say_too_are_no_alarm() -> None:
    text = "- [ ] 1. A\n- [ ] 2. B\n  - _Depends: 1_\n- [ ] 3. C (after task 1)\n"
    file = parse(
        text + "  - _Depends: 2_\n  - builds on task 1\n\nTask 3 follows task 2.\n"
    )
    assert [d for d in file.diagnostics if d.severity != "info"] == []


def test_words_outside_of_the_tasks_are_told_where_the_edges_say_otherwise() -> None:
    text = "- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B\n\n# Notes\n\n"
    for words in ("Task 2 depends on task 1.", "Task 1 must come before task 2."):
        (remark,) = parse(text + words).diagnostics
        assert (remark.code, remark.line) == ("prose-dependency", 7)


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("depends on 1", 0),
        ("depends on 1 and 2", 1),
        ("depends on task 1, task 2", 1),
        ("depends on 1, 9", 0),
    ],
)
def test_all_of_a_list_in_words_is_compared_with_the_edges(
    words: str, count: int
) -> None:
    text = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n  - _Depends: 1_\n"
    file = parse(f"{text}  - It {words}.\n")
    assert len(said(file, "prose-dependency")) == count


def test_words_in_a_code_block_are_told_where_they_name_both_tasks() -> None:
    text = "- [ ] 1. A\n  - _Depends: none_\n- [ ] 2. B\n\n# Notes\n\n```\n{}\n```\n"
    for words, count in (
        ("|- 2 Join ..... (depends on task 1)", 1),
        ("# depends on task 1", 0),
        ("Wave 2 (depends on task 1)", 0),
        ('{"waves": [["1"], ["2"]], "why": "task 2 depends on task 1"}', 0),
        ("pip install --after 1", 0),
    ):
        assert len(said(parse(text.format(words)), "prose-dependency")) == count


GRAPHS = {
    "labels": '```mermaid\ngraph TD\n  A["2. Data"] --> B["1. Page"]\n```',
    "names": "```mermaid\ngraph TD\n  T2 --> T1\n```",
    "dot": '```dot\na [label="2. Data"]\nb [label="1. Page"]\na -> b\n```',
    "json": '```json\n{"tasks": [{"id": "1", "dependsOn": ["2"]}]}\n```',
    "yaml": '```yaml\ndepends_on:\n  "1": ["2"]\n```',
    "waves in yaml": '```yaml\nwaves:\n  - ["2"]\n  - ["1"]\n```',
    "ascii": "```\n2 --> 1\n```",
    "table": "| Task | Depends on |\n| --- | --- |\n| 1 | 2 |",
    "list": "- Task 1: task 2",
    "words": "Task 2, then task 1.",
}


@pytest.mark.parametrize("shape", GRAPHS)
def test_a_graph_in_another_shape_is_told(shape: str) -> None:
    text = (
        f"- [ ] 1. Page\n- [ ] 2. Data\n\n## Task Dependency Graph\n\n{GRAPHS[shape]}\n"
    )
    (remark,) = [d for d in parse(text).diagnostics if d.severity == "warning"]
    assert remark.code == ("prose-dependency" if shape == "words" else "diagram")
    assert remark.line > 5


def test_a_drawing_of_what_the_edges_say_is_no_alarm() -> None:
    drawn = GRAPHS["labels"].replace("2. Data", "X").replace("1. Page", "2. Data")
    drawn = drawn.replace('"X"', '"1. Page"')
    text = f"- [ ] 1. Page\n- [ ] 2. Data\n\n## Graph\n\n{drawn}\n\n1 -> 2\n"
    assert [d for d in parse(text).diagnostics if d.severity != "info"] == []


ORDINARY = """\
# Implementation Plan: Shop (P1)

## Overview

The page needs 2.5 GB, see [1] and [the docs](https://example.test/1.1) after 3 retries.

## Tasks

- [ ] 1. Data [core]
  - (1) first, (2) second
  - 1.5 s at most -> fast; 24/7; requires Node 18 and 2 GB
  - [ ] Store 3 tables
  - **Property 1: symmetric**
  - **Validates: Requirements 2.1**
  - _Design: 1.2_
  - _Sprint: 2_
  - Version: 2.1
  - #12 is fixed (x)
- [ ] 2. Pages
  - [ ] 2.1 Show, then edit [draft]
    - After 2 retries it gives up; before 3 it waits for 1 second
    - Story points: 2
    - _Requirements: 1.1, 2.1_
  - [ ]* 2.2 Tests: needs 100% of 2 branches
- [ ] 3. Checkpoint - ensure all tests pass

| Requirement | Test |
| --- | --- |
| 1.1 | done |

## Notes

- Tasks marked with `*` are optional, `[ ]` is open
- Dependencies: React 18, Vite 5
"""


def test_ordinary_lines_are_no_alarm() -> None:
    file = parse(ORDINARY)
    assert [str(d) for d in file.diagnostics if d.severity != "info"] == [
        "line 36: this line belongs to no task; write it below a task"
    ][: len(said(file, "orphan-field"))]
    assert [t.id for t in file.tasks] == ["1", "2", "2.1", "2.2", "3"]
