"""What a remark proposes as a field says what the sentence says, and can be read."""

from __future__ import annotations

import re

import pytest

from kiro_swarm.tasks.file.parser import parse

TASKS = "- [ ] 1. A\n- [ ] 2. B\n- [ ] 3. C\n  - _Depends: none_\n- [ ] 9. D"


@pytest.mark.parametrize(
    ("text", "needed", "waits"),
    [
        ("3 must not begin before 2", "2", "3"),
        ("Task 2 should not start before task 1", "1", "2"),
        ("Task 3 can't start before task 2 is merged", "2", "3"),
        ("Task 3 shouldn’t start before task 2", "2", "3"),
        ("Task 2 must not start prior to task 1", "1", "2"),
        ("Nhiệm vụ 3 không được bắt đầu trước nhiệm vụ 2", "2", "3"),
        ("La tâche 3 ne doit pas commencer avant la tâche 2", "2", "3"),
        ("must never run before task 3", "3", "9"),
        ("Task 1 must run before task 3", "1", "3"),
        ("Task 1 must not only run before task 3", "1", "3"),
    ],
)
def test_what_must_not_be_before_waits(text: str, needed: str, waits: str) -> None:
    tasks = TASKS.replace("A\n", "A\n  - _Depends: none_\n")
    (remark,) = [
        d
        for d in parse(f"{tasks}\n  - {text}\n").diagnostics
        if d.severity == "warning"
    ]
    assert re.search(
        rf"write '_Depends: {needed}_' below (?:task )?{waits} to", remark.message
    )


@pytest.mark.parametrize(
    "text",
    [
        *("Phase 4 (after Phases 1-3)", "Phase 4 (depends on Phases 1 and 3)"),
        *("Phase 4, after tasks 1.1-3.1", "Phase 4: wait for tasks 1.1-1.2, 2.1"),
        *("Phase 4 (after phases 3-1)", "Phase 4, after tasks 2.1-1.1"),
        *("Phase 4 depends on all previous tasks", "Phase 4 (after Phase 1)"),
    ],
)
def test_what_a_remark_proposes_can_be_read(text: str) -> None:
    phases = "".join(
        f"## Phase {n}\n- [ ] {n}.1 A\n  - _Depends: none_\n"
        f"- [ ] {n}.2 B\n  - _Depends: none_\n\n"
        for n in (1, 2, 3)
    )
    file = parse(f"{phases}## {text}\n- [ ] 4.1 C\n  - _Depends: none_\n")
    said = [d.message for d in file.diagnostics if d.code == "prose-dependency"]
    proposed = [field for m in said for field in re.findall(r"write '(_.*?_)'", m)]
    assert proposed
    for field in proposed:
        mended = parse(f"{phases}## {text}\n- [ ] 4.1 C\n  - {field}\n")
        assert not mended.errors
        assert not [d for d in mended.diagnostics if d.code == "prose-dependency"]
