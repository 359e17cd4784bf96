"""Fields in brackets, quotes, code or tags are told, with one that is read."""

from __future__ import annotations

import re

import pytest

from kiro_swarm.tasks.file.parser import parse

TASKS = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n  - _Depends: none_\n- [ ] 9. D"


@pytest.mark.parametrize(
    "field",
    [
        *("(_Depends: 3_)", "`_Depends: 3_`", "[_Depends: 3_]", '"_Depends: 3_"'),
        *("<u>Depends: 3</u>", "“_Depends: 3_”", "~~_Depends: 3_~~", "`Depends: 3`"),
        *("<b>_Depends:_</b> 3", "\\_Depends: 3\\_", "_Estimate: 2h_ (_Depends: 3_)"),
        *(
            "Estimate: 2h, Depends: 3",
            "_Estimate: 2h_ / Depends: 3",
            "(**Depends:** 3)",
        ),
        *(
            "Depends - 3",
            "Depends → 3",
            "Depends on -> 3",
            "_Depends; 3_",
            "「_依赖：3_」",
        ),
    ],
)
def test_a_field_that_is_not_read_is_told_with_its_place(field: str) -> None:
    file = parse(f"{TASKS}\n  - {field}\n")
    (remark,) = [d for d in file.diagnostics if d.severity != "info"]
    assert (remark.code, remark.line) == ("unread-field", 6)
    assert 3 <= remark.column <= 5 + len(field)
    (proposed,) = re.findall(r"write '(_[^']*_)'", remark.message)
    mended = parse(f"{TASKS}\n  - {proposed}\n")
    assert mended.tasks[-1].dependencies == ("3",)
    assert not [d for d in mended.diagnostics if d.severity != "info"]


@pytest.mark.parametrize("field", ["(_Depends: 3_)", "`_Depends: 3_`", "[_Blocks: 3_]"])
def test_such_a_field_of_a_title_is_told(field: str) -> None:
    file = parse(f"{TASKS} {field}\n")
    (remark,) = [d for d in file.diagnostics if d.severity != "info"]
    assert (remark.code, remark.line) == ("unread-field", 5)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "(_Depends: 9_)",
            "`_Depends: ..._`",
            "`depends: react 3`",
        ),
        *("> _Depends: 3_", "- _Depends: 3_", "Depends - the weather", "(_Files: 3_)"),
    ],
)
def test_what_names_no_other_task_is_no_alarm(text: str) -> None:
    file = parse(f"{TASKS}\n  - {text}\n")
    assert [d for d in file.diagnostics if d.code == "unread-field"] == []


@pytest.mark.parametrize(
    "name", ["Sau", "Sau khi", "Nach", "Après", "Después de", "Depois de", "Dopo"]
)
def test_after_is_a_field_in_other_languages(name: str) -> None:
    file = parse(f"{TASKS}\n  - _{name}: 3_\n")
    assert file.tasks[-1].dependencies == ("3",)
