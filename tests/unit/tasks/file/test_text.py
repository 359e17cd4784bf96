"""The text itself, and the fields that are no edges."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import KIRO, clean, read, said


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
