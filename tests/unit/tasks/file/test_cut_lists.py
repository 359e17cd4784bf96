"""A list of ids that goes on behind its closing mark is read, or told with its place."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse

TASKS = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n- [ ] 9. D\n"


@pytest.mark.parametrize(
    "field",
    [
        *("_Depends: 1_, 2", "_Depends: 1_ and 2", "_Depends: 1_; 2", "_Depends: 1_ 2"),
        *(
            "_Depends: 1_, _2_",
            "_Depends: 1_ & 2",
            "*Depends: 1*, 2",
            "_Depends: 1_ | 2",
        ),
        *("_Depends: 1_, task 2", "__Depends: 1__ , 2 (both)", "_After: 1_, 2"),
        *("_Depends: 1_, 2 complete", "**Depends: 1**, 2.", "_Depends: 1_ / 2"),
    ],
)
def test_what_goes_on_behind_the_closing_mark_is_read(field: str) -> None:
    file = parse(f"{TASKS}  - {field}\n")
    assert file.tasks[-1].dependencies == ("1", "2")
    assert not [d for d in file.diagnostics if d.severity != "info"]


def test_what_is_blocked_and_required_goes_on_as_well() -> None:
    file = parse(f"{TASKS}  - _Blocks: 1_, 2\n  - _Requirements: 1.1_, 2.3\n")
    assert [task.dependencies for task in file.tasks[:3]] == [("9",), ("9",), ()]
    assert file.tasks[-1].requirements == ("1.1", "2.3")


@pytest.mark.parametrize(
    "field",
    [
        *("_Depends: 1_, 2 hours", "_Depends: 1_; task 2 of the plan"),
        *("_Depends: 1,\n    2_", "Depends: 1 and\n    2", "_Depends: 1、\n    2_"),
    ],
)
def test_ids_that_are_not_read_are_told(field: str) -> None:
    file = parse(f"{TASKS}  - {field}\n")
    (remark,) = [d for d in file.diagnostics if d.severity != "info"]
    assert (remark.code, remark.line, remark.column) == ("unread-field", 5, 5)
    assert "in front of the mark that closes it" in remark.message


@pytest.mark.parametrize(
    "field",
    [
        *("_Depends: 1_ (2 is optional)", "_Depends: 1_.", "_Depends: 1_ - 9 files"),
        *("_Depends: 1_ | Estimate: 2h", "_Depends: 1_ | _Blocks: none_"),
        *("_Depends: 1_ - see the design", "_Depends: none_", "_Depends: 1_ -"),
    ],
)
def test_other_words_behind_a_field_are_no_ids(field: str) -> None:
    file = parse(f"{TASKS}  - {field}\n")
    assert not [d for d in file.diagnostics if d.severity != "info"]
    assert file.tasks[-1].dependencies in (("1",), ())
