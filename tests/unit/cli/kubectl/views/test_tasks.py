"""The tree of tasks: nested as the ids are, readable without colour."""

from __future__ import annotations

from typing import Any

import pytest

from kiro_swarm.cli.kubectl.views.tasks import tasks_tree
from tests.unit.cli.kubectl.views import sample
from tests.unit.cli.kubectl.views.sample import NOW, shown, task


def lines_of(tasks: list[dict[str, Any]], wide: bool = False) -> list[str]:
    return shown(tasks_tree(sample.swarm(), tasks, wide, now=NOW), 200).splitlines()


def test_tasks_stand_under_their_groups_with_titles_and_tallies() -> None:
    lines = lines_of(sample.tasks())
    assert len(lines) == 1 + 15 + 4
    assert lines[1].split() == ["1", "4/4", "Lay", "the", "ground"]
    assert lines[2].startswith("├─ 1.1  ✔ Merged")
    assert lines[5].startswith("└─ 1.4  ✔ Merged")
    assert lines[11].split()[:4] == ["3", "1/4", "✘1", "◕1"]


def test_a_line_says_attempt_instance_time_and_why() -> None:
    lines = {line.split()[1]: line for line in lines_of(sample.tasks())[2:]}
    assert "● Running    2  ■ shop-2  2m00s  Reset a forgotten password" in lines["2.3"]
    assert lines["2.3"].endswith("writing tests of reset a forgotten password")
    assert lines["3.4"].endswith("waits for 3.2, 3.3")
    assert "NoChanges: attempt 3: the agent committed nothing" in lines["3.2"]


@pytest.mark.parametrize(
    ("state", "condition", "said"),
    [
        ("Running", {"status": "True", "message": "conflicts in app.py"}, "in app.py"),
        ("Done", {"status": "True", "message": "conflicts in app.py"}, "in app.py"),
        ("Running", {"status": "True"}, "ConflictPredicted"),
        ("Running", {"status": "False", "message": "merges cleanly"}, "at work"),
        ("Ready", {"status": "True", "message": "conflicts in app.py"}, "at work"),
        ("Running", "nonsense", "at work"),
    ],
)
def test_what_is_in_the_way_of_a_merge_is_the_first_thing_to_say(
    state: str, condition: Any, said: str
) -> None:
    item = task("1", "above", state=state)
    if isinstance(condition, dict):
        condition = {"type": "ConflictPredicted", **condition}
    item["status"].update(message="at work", conditions=["x", condition])
    assert lines_of([item])[1].endswith(said)


@pytest.mark.parametrize(
    ("approval", "approved", "said"),
    [
        ("Required", 0, "`approve task 1` or reject it; 1 file changed"),
        ("Required", 1, "  1 file changed"),
        ("Never", 0, "  1 file changed"),
    ],
)
def test_what_waits_for_an_approval_says_so(
    approval: str, approved: int, said: str
) -> None:
    item = task("1", "above", state="Done")
    item["status"].update(attempt=1, message="1 file changed", reason="")
    item["spec"]["approvedAttempt"] = approved
    asking = {**sample.swarm(), "spec": {"integration": {"approval": approval}}}
    line = shown(tasks_tree(asking, [item], now=NOW), 200).splitlines()[1]
    assert line.endswith(said)


def test_a_wide_tree_has_branch_commit_and_dependencies() -> None:
    lines = {line.split()[1]: line for line in lines_of(sample.tasks(), True)[2:]}
    assert lines["2.1"].endswith("swarm/shop/2.1/1  aaaaaaaaaa  1.2 1.4")


def test_ids_nest_as_deep_as_they_go_and_words_stand_alone() -> None:
    tasks = [task(i) for i in ("1.1.1", "1.1.2", "1.2", "CORE-1", "2")]
    for order, item in enumerate(tasks):
        item["spec"]["order"] = order
    lines = lines_of(tasks)[1:]
    assert [line.rstrip().split("  ○")[0].split("  0/")[0] for line in lines] == [
        *("1          ", "├─ 1.1     ", "│  ├─ 1.1.1", "│  └─ 1.1.2"),
        *("└─ 1.2     ", "CORE-1     ", "2          "),
    ]


def test_a_task_with_tasks_under_it_is_a_task() -> None:
    lines = lines_of([task("1", "above"), task("1.1", "below")])
    assert lines[1].startswith("1       ○ Blocked")
    assert lines[2].startswith("└─ 1.1  ○ Blocked")


def test_numbers_order_tasks_where_the_file_order_is_not_known() -> None:
    lines = lines_of([task(i) for i in ("1.10", "1.9", "1.2")])
    assert [line.split()[1] for line in lines[2:]] == ["1.2", "1.9", "1.10"]


def test_many_open_dependencies_are_counted() -> None:
    lines = lines_of([task("1", needs=[str(number) for number in range(2, 9)])])
    assert lines[1].endswith("waits for 2, 3, 4, 5 +3")


def test_a_paused_task_says_so() -> None:
    paused = task("1", state="Ready")
    paused["spec"]["paused"] = True
    assert lines_of([paused])[1].endswith("paused")


def test_a_swarm_without_tasks_says_so() -> None:
    assert lines_of([]) == ["no tasks of shop yet"]
