"""The scripted agent does what its recipe says, inside its worktree."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.agents import scripted
from kiro_swarm.agents.scripted import BANNER, ScriptError

ENV = {"KIRO_TASK_ID": "1.1", "KIRO_TASK_TITLE": "Greet", "KIRO_TASK_ATTEMPT": "1"}


class Stage:
    """A worktree with recipes, and what the agent said and waited there."""

    def __init__(self, tree: Path, recipes: object) -> None:
        self.tree = tree
        self.said: list[str] = []
        self.waited: list[float] = []
        (tree / ".kiro").mkdir()
        text = recipes if isinstance(recipes, str) else json.dumps(recipes)
        (tree / ".kiro" / "scripted-agent.json").write_text(text)

    def run(self, **env: str) -> int:
        return scripted.run(
            self.tree,
            {**ENV, **env},
            "the prompt",
            self.said.append,
            self.waited.append,
        )


def test_it_follows_the_recipe_and_says_what_it_is(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        {
            "1.1": {
                "seconds": 1.5,
                "files": {"src/a.txt": "hello\n", "log.txt": {"append": "more\n"}},
                "say": ["reading", "writing"],
                "exit": 3,
            }
        },
    )
    (tmp_path / "log.txt").write_text("first\n")
    assert stage.run() == 3
    assert (tmp_path / "src" / "a.txt").read_text() == "hello\n"
    assert (tmp_path / "log.txt").read_text() == "first\nmore\n"
    assert stage.said == [
        BANNER,
        "task 1.1, attempt 1: Greet",
        "reading",
        "writing",
        "wrote src/a.txt",
        "wrote log.txt",
    ]
    assert stage.waited == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("env", "written"),
    [
        ({}, "wrong"),
        ({"KIRO_TASK_ATTEMPT": "1", "KIRO_TASK_BRIEF": "a gate was red"}, "right"),
        ({"KIRO_TASK_ATTEMPT": "2", "KIRO_TASK_BRIEF": "a check failed"}, "right"),
        ({"KIRO_TASK_ATTEMPT": "2"}, "right"),
    ],
)
def test_the_first_attempt_can_go_wrong_and_the_next_does_better(
    tmp_path: Path, env: dict[str, str], written: str
) -> None:
    first = {"files": {"a": "wrong"}}
    stage = Stage(tmp_path, {"1.1": {"files": {"a": "right"}, "firstAttempt": first}})
    assert stage.run(**env) == 0
    assert (tmp_path / "a").read_text() == written


@pytest.mark.parametrize(
    ("cycle", "written"),
    [("0", "right"), ("1", "first"), ("2", "second"), ("3", "right"), ("4", "right")],
)
def test_the_first_cycles_can_go_wrong_each_in_its_own_way(
    tmp_path: Path, cycle: str, written: str
) -> None:
    cycles = [{"files": {"a": "first"}}, {"files": {"a": "second"}}]
    stage = Stage(tmp_path, {"1.1": {"files": {"a": "right"}, "cycles": cycles}})
    assert stage.run(KIRO_TASK_CYCLE=cycle) == 0
    assert (tmp_path / "a").read_text() == written
    named = "task 1.1, attempt 1: Greet"
    if cycle != "0":
        named = f"task 1.1, attempt 1, cycle {cycle}: Greet"
    assert stage.said[1] == named


def test_without_a_recipe_the_task_becomes_a_note(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {})
    assert stage.run(KIRO_TASK_ID="../../x y") == 0
    note = tmp_path / ".kiro" / "notes" / "x-y.md"
    assert note.read_text() == "# ../../x y Greet\n\nthe prompt"
    (tmp_path / ".kiro" / "scripted-agent.json").unlink()
    assert stage.run() == 0
    assert (tmp_path / ".kiro" / "notes" / "1.1.md").is_file()


def test_it_commits_when_told(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    stage = Stage(tmp_path, {"1.1": {"files": {"a": "b"}, "commit": True}})
    assert stage.run() == 0
    log = subprocess.run(
        ["git", "log", "--format=%an: %s", "--name-only"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert log.stdout.split("\n")[0] == "scripted agent: 1.1 Greet"
    assert "a" in log.stdout.splitlines()


def test_a_commit_outside_a_repository_is_said_plainly(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"1.1": {"commit": True}})
    with pytest.raises(ScriptError, match="git add failed: "):
        stage.run()


@pytest.mark.parametrize(
    "name",
    ["../up", "/etc/passwd", "a/../../b", ".git/hooks/x", ".GIT/config", ".", "link/x"],
)
def test_a_path_that_leads_out_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(tmp_path)
    stage = Stage(tree, {"1.1": {"files": {"fine": "x", name: "x"}}})
    with pytest.raises(ScriptError, match=r"leads out|inside \.git"):
        stage.run()
    assert not (tree / "fine").exists()


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        ("{", "the file: Invalid JSON"),
        ({"1.1": {"secs": 1}}, r"1.1.secs: Extra inputs"),
        ({"1.1": {"seconds": -1}}, r"1.1.seconds: Input should be greater"),
        ({"1.1": {"exit": 300}}, r"1.1.exit: Input should be less"),
        ({"1.1": {"cycles": {}}}, r"1.1.cycles: Input should be a valid array"),
        ({"1.1": {"cycles": [{"exit": -1}]}}, r"1.1.cycles.0.exit: Input should be gr"),
        ({"1.1": {"cycles": [{}] * 21}}, r"1.1.cycles: List should have at most"),
        ({"1.1": {"cycles": [{"cycles": []}]}}, r"1.1.cycles.0.cycles: Extra inputs"),
    ],
)
def test_a_bad_recipe_is_named(tmp_path: Path, recipes: Any, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        Stage(tmp_path, recipes).run()


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"KIRO_TASK_ID": ""}, "KIRO_TASK_ID is not set"),
        ({"KIRO_TASK_ATTEMPT": "one"}, "KIRO_TASK_ATTEMPT is 'one'"),
        ({"KIRO_TASK_CYCLE": "\u0663"}, "KIRO_TASK_CYCLE is '\u0663'; it must be"),
    ],
)
def test_a_bad_environment_is_named(
    tmp_path: Path, env: dict[str, str], message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        Stage(tmp_path, {"1.1": {}}).run(**env)
