"""The sample project: its spec is what the demo promises, its recipes do the work."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Set

import pytest

from kiro_swarm.agents import scripted
from kiro_swarm.tasks.file.model import SpecTask
from kiro_swarm.tasks.file.parser import parse

SAMPLE = Path(__file__).resolve().parents[3] / "examples" / "sample-project"
FILE = parse((SAMPLE / ".kiro/specs/pennybook/tasks.md").read_text(encoding="utf-8"))
LEAVES: Dict[str, SpecTask] = {task.id: task for task in FILE.tasks if task.leaf}
IN_ORDER = list(LEAVES)


def above(task_id: str) -> Set[str]:
    """All tasks that a task waits for, directly or not."""
    found: Set[str] = set()
    for needed in LEAVES[task_id].waits_for:
        found |= {needed} | above(needed)
    return found


def work(tree: Path, task_id: str, attempt: int = 1, brief: str = "") -> None:
    """Let the scripted agent do a task, without its pauses."""
    env = {
        "KIRO_TASK_ID": task_id,
        "KIRO_TASK_TITLE": LEAVES[task_id].title,
        "KIRO_TASK_ATTEMPT": str(attempt),
        "KIRO_TASK_BRIEF": brief,
    }
    assert scripted.run(tree, env, "", lambda _: None, lambda _: None) == 0


def finish(tree: Path, task_id: str) -> None:
    """A task with the help of a brief."""
    work(tree, task_id, 2, "it failed before")


def verify(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unittest", "discover", "-q"]
    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, check=False
    )


def git(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The sample project as a repository with one commit."""
    copy = tmp_path / "sample"
    shutil.copytree(SAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["init", "-q", "-b", "main"], ["add", "-A"]):
        assert git(copy, *command).returncode == 0
    assert git(copy, "commit", "-q", "-m", "Begin").returncode == 0
    return copy


def shuffled(dice: random.Random) -> List[str]:
    """An order in which a swarm could merge the tasks."""
    order: List[str] = []
    while len(order) < len(LEAVES):
        ready = [
            name for name in IN_ORDER if name not in order and above(name) <= set(order)
        ]
        order.append(dice.choice(ready))
    return order


def test_the_task_file_has_no_remarks() -> None:
    assert FILE.diagnostics == ()


def test_the_graph_has_all_shapes_that_the_demo_promises() -> None:
    assert len(LEAVES) >= 12
    assert [task.id for task in LEAVES.values() if task.optional] == ["3.5"]
    assert LEAVES["2.4"].waits_for == ("2.2", "2.3")
    assert {"2.1"} == set(LEAVES["2.2"].waits_for) == set(LEAVES["2.3"].waits_for)
    chain = ["1.1", "2.1", "3.1", "3.2", "4.1", "4.2", "4.4"]
    for needed, task in zip(chain, chain[1:]):
        assert needed in LEAVES[task].waits_for
    assert set(LEAVES["4.2"].files) & set(LEAVES["4.3"].files)


def test_every_task_serves_a_requirement_that_is_written_down() -> None:
    text = (SAMPLE / ".kiro/specs/pennybook/requirements.md").read_text("utf-8")
    written = {
        f"{number}.{line.split('.')[0]}"
        for number, part in enumerate(text.split("### Requirement ")[1:], start=1)
        for line in part.split("#### Acceptance Criteria")[1].splitlines()
        if line[:1].isdigit()
    }
    for task in LEAVES.values():
        assert task.requirements
        assert set(task.requirements) <= written, task.id


def test_every_task_has_a_recipe_of_one_to_three_seconds() -> None:
    recipes = json.loads((SAMPLE / scripted.RECIPES).read_text(encoding="utf-8"))
    assert set(recipes) == set(LEAVES)
    assert all(1 <= recipe["seconds"] <= 3 for recipe in recipes.values())


@pytest.mark.parametrize("task_id", IN_ORDER)
def test_a_task_passes_on_top_of_what_it_waits_for_and_nothing_else(
    tree: Path, task_id: str
) -> None:
    for needed in IN_ORDER:
        if needed in above(task_id) | {task_id}:
            finish(tree, needed)
    done = verify(tree)
    assert done.returncode == 0, done.stderr


def test_reading_fails_its_check_at_first_and_passes_with_a_brief(tree: Path) -> None:
    for needed in ("1.1", "1.2", "2.1"):
        work(tree, needed)
    work(tree, "2.2")
    first = verify(tree)
    assert first.returncode != 0
    assert "line 4" in first.stderr
    finish(tree, "2.2")
    assert verify(tree).returncode == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_suite_passes_in_whatever_order_the_tasks_are_merged(
    tree: Path, seed: int
) -> None:
    for task_id in shuffled(random.Random(seed)):
        finish(tree, task_id)
    done = verify(tree)
    assert done.returncode == 0, done.stderr
    assert git(tree, "status", "--porcelain").stdout == ""


def branch_with(tree: Path, base: str, tasks: Iterable[str]) -> None:
    for task_id in tasks:
        assert git(tree, "checkout", "-q", "-b", task_id, base).returncode == 0
        finish(tree, task_id)


@pytest.mark.parametrize(
    ("one", "other"), [("3.2", "3.3"), ("4.2", "4.3")], ids=["undeclared", "declared"]
)
def test_two_tasks_on_one_file_conflict_side_by_side_and_fit_one_after_the_other(
    tree: Path, one: str, other: str
) -> None:
    for needed in IN_ORDER:
        if needed in above(one) | above(other):
            finish(tree, needed)
    branch_with(tree, "main", [one, other])
    git(tree, "checkout", "-q", "main")
    assert git(tree, "merge", "-q", "--no-ff", "--no-edit", one).returncode == 0
    assert "CONFLICT" in git(tree, "merge", "--no-edit", other).stdout
    assert git(tree, "merge", "--abort").returncode == 0
    finish(tree, other)
    assert verify(tree).returncode == 0
