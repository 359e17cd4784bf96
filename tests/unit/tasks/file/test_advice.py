"""What a remark proposes as a field says what the sentence says, and can be read."""

from __future__ import annotations

import re

import pytest

from kiro_swarm.tasks.file.nearest import Nearest
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


@pytest.mark.parametrize("place", ["  - {}", "\n{}"])
@pytest.mark.parametrize(
    "text",
    [
        *("after task 77", "Start after tasks 77 and 1", "before task 77"),
        *(
            "depends on task 77",
            "needs task 77 and task 1",
            "task 77 must be done first",
        ),
        *("finish task 77 before starting task 1", "Task 77 depends on task 1"),
        *("the client from task 77", "complete task 77 before all other tasks"),
    ],
)
def test_a_task_that_is_not_there_is_said_and_never_proposed(
    text: str, place: str
) -> None:
    file = parse(f"{TASKS}\n  - _Depends: none_\n{place.format(text)}\n")
    (remark,) = [d for d in file.diagnostics if d.code == "prose-dependency"]
    assert re.search("there is no task 77, the nearest is [39]", remark.message)
    assert not re.search(r"_Depends:[^_]*77|below (?:task )?77", remark.message)


def test_a_field_in_brackets_names_a_task_that_is_not_there() -> None:
    file = parse(f"{TASKS}\n  - (_Depends: 77_)\n")
    (remark,) = [d for d in file.diagnostics if d.code == "unread-field"]
    assert remark.message.endswith("is not read; there is no task 77, the nearest is 3")


@pytest.mark.parametrize(
    ("names", "name", "nearest"),
    [
        ("1 2 10", "7", "2 10"),
        ("1.1 1.2 1.10 2.1", "1.9", "1.2 1.10"),
        ("1 2", "99", "2"),
        ("1 2", "0", "1"),
        ("T01 T02 T10", "T3", "T02 T10"),
        ("T01 T02", "3", "T02"),
        ("CORE-1 CORE-3 1", "CORE-2", "CORE-1 CORE-3"),
        ("1.2a 1.2c", "1.2b", "1.2a 1.2c"),
        ("", "1", ""),
    ],
)
def test_the_nearest_are_one_before_and_one_behind(
    names: str, name: str, nearest: str
) -> None:
    assert Nearest(names.split()).of(name) == tuple(nearest.split())
    with_own = Nearest([*names.split(), "8"])
    assert "8" not in with_own.of(name, but="8")
