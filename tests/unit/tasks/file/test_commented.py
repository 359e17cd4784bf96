"""Tasks and dependencies in HTML comments are told, each in its place."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse
from tests.unit.tasks.file.reading import said

TASKS = "- [ ] 1. A\n- [ ] 2. B\n{}\n- [ ] 3. C\n"


@pytest.mark.parametrize(
    ("comment", "line", "column"),
    [
        ("<!--\n- [ ] 7. Gone\n-->", 4, 4),
        ("<!-- - [ ] 7. Gone -->", 3, 9),
        ("  <!-- ## Setup\n\n  - [x] **7.** Gone -->", 5, 6),
    ],
)
def test_a_task_in_a_comment_is_told(comment: str, line: int, column: int) -> None:
    file = parse(TASKS.format(comment))
    (remark,) = [d for d in file.diagnostics if d.code == "quoted-box"]
    assert (remark.severity, remark.line, remark.column) == ("info", line, column)
    assert remark.message == "the box of 7 is inside a comment, so it is not a task"


@pytest.mark.parametrize(
    ("comment", "line"),
    [
        ("  <!-- _Depends: 1_ -->", 3),
        ("  <!-- depends: 1 -->", 3),
        ("  <!-- _依赖: 1_ -->", 3),
        ("<!--\n  - _Blocks: 3_\n-->", 4),
    ],
)
def test_a_dependency_in_a_comment_is_told(comment: str, line: int) -> None:
    (remark,) = said(parse(TASKS.format(comment)), "comment-field")
    assert remark.startswith(f"line {line}:")


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- the 1st of 2 -->",
        "<!-- Depends: react -->",
        "<!-- - [ ] 1. A -->",
        "<!-- - [ ] write it down -->",
        "<!-- - [ ] 2. B\n  - _Depends: 1_ -->",
        "<!-- _Files: a.py_ -->",
    ],
)
def test_what_else_is_in_a_comment_is_no_alarm(comment: str) -> None:
    codes = {d.code for d in parse(TASKS.format(comment)).diagnostics}
    assert codes == {"sequential"}
