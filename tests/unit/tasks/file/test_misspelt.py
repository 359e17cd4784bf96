"""A field with a slip in its name, or without its colon, is told with what is right."""

from __future__ import annotations

import pytest

from kiro_swarm.tasks.file.parser import parse


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("_Depends 1_", "write '_Depends: 1_'"),
        ("_Depends on 1.1, 1.2_", "write '_Depends: 1.1, 1.2_'"),
        ("_depends-on 1_", "has no ':'"),
        ("_Depends= 1_", "write '_Depends: 1_'"),
        ("_Depends - 1_", "write '_Depends: 1_'"),
        ("**Blocks -> 1**", "write '_Blocks: 1_'"),
        ("_Blocked by 1_.", "write '_Blocked by: 1_'"),
        ("_Depnds: 1_", "did you mean 'Depends'?"),
        ("_Dpends: none yet_", "did you mean 'Depends'?"),
        ("_Depedns: 1_", "did you mean 'Depends'?"),
        ("**Dependancies:** 1", "did you mean 'Dependencies'?"),
        ("_Fils: a.py_", "did you mean 'Files'?"),
        ("_Capabilties: gpu_", "did you mean 'Capabilities'?"),
        ("_Prioriy: high_", "did you mean 'Priority'?"),
        ("_Requiremnts: 1.1_", "did you mean 'Requirements'?"),
        ("**Acceptence Criteria:**", "did you mean 'Acceptance criteria'?"),
    ],
)
def test_a_misspelt_field_is_told_with_what_is_right(field: str, said: str) -> None:
    text = f"- [ ] 1. A\n- [ ] 1.1 A\n- [ ] 1.2 A\n- [ ] 3. C\n  - {field}\n"
    (remark,) = [d for d in parse(text).diagnostics if d.severity == "warning"]
    assert (remark.code, remark.line) == ("unread-field", 5)
    assert said in remark.message


@pytest.mark.parametrize(
    "text",
    [
        *("_depends 3_", "_Depends on the weather_", "_Depends 1 and rain_"),
        *("_blocks 9_", "Depnds: later", "_Tiles: 3_", "_Note: 1 file_", "_Style: a_"),
        *("_depends_ 1", "_Blocks of marble_", "_Reason: x_", "_Filter: x_"),
    ],
)
def test_what_is_only_like_a_field_is_no_alarm(text: str) -> None:
    text = f"- [ ] 1. A\n- [ ] 3. C\n  - {text}\n"
    assert [d.code for d in parse(text).diagnostics if d.code == "unread-field"] == []
