"""Between two passes a worktree is what was committed: nothing of the check is left."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest
from click.testing import CliRunner

from kiro_swarm.cli.workspace import workspace
from kiro_swarm.workspace.errors import GitFailed, InvalidRef
from kiro_swarm.workspace.restore import restore
from tests.unit.workspace.repositories import Swarm, branch, commit, git, write

MISSING = "0" * 39 + "1"


def _litter(tree: Path) -> None:
    write(tree, {"report.xml": "x", "build/out/a": "x", "build/out/b": "y"})


def _litter_beside_what_is_ignored(tree: Path) -> None:
    write(tree, {"out/report.xml": "x", "out/deep/er/a": "x", "out/deep/kept.log": "y"})
    (tree / "out" / "deep").chmod(0o555)


def _read_only_litter(tree: Path) -> None:
    write(tree, {"cache/inner/file": "x"})
    (tree / "cache" / "inner").chmod(0o555)
    (tree / "cache").chmod(0o555)


def _changes(tree: Path) -> None:
    write(tree, {"app.py": "reformatted\n"})
    (tree / "work.txt").unlink()


def _a_folder_for_a_file(tree: Path) -> None:
    (tree / "work.txt").unlink()
    write(tree, {"work.txt/inner": "x"})


def _a_commit(tree: Path) -> None:
    commit(tree, {"app.py": "by the check\n"}, "By the check")


def _another_branch(tree: Path) -> None:
    git(tree, "checkout", "-q", "-b", "other")
    _a_commit(tree)


def _a_merge(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach", "HEAD~1")
    commit(tree, {"work.txt": "otherwise\n"})
    other = git(tree, "rev-parse", "HEAD")
    git(tree, "checkout", "-q", branch())
    git(tree, "merge", "-q", other, check=False)


def _a_repository(tree: Path) -> None:
    git(tree, "init", "-q", "fixture")
    write(tree, {"fixture/a": "x"})


def _a_link_out(tree: Path) -> None:
    os.symlink("/", tree / "root")


def _no_git(tree: Path) -> None:
    (tree / ".git").unlink()


def _a_hook(tree: Path) -> None:
    hook = tree.parent / "repo.git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ../hooked\n")
    hook.chmod(0o755)


@pytest.mark.parametrize(
    "leave",
    [
        _litter,
        _litter_beside_what_is_ignored,
        _read_only_litter,
        _changes,
        _a_folder_for_a_file,
        _a_commit,
        _another_branch,
        _a_merge,
        _a_repository,
        _a_link_out,
        _no_git,
        _a_hook,
    ],
)
def test_whatever_a_check_left_is_gone(
    swarm: Swarm, leave: Callable[[Path], None]
) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"work.txt": "work\n", "debug.log": "ignored"})
    done = swarm.gather(made)
    assert done.commit is not None
    leave(tree)
    folder = swarm.instance().folder
    restore(folder, made.branch, done.commit)
    assert git(tree, "status", "--porcelain", "--branch") == f"## {branch()}"
    assert git(tree, "rev-parse", branch()) == done.commit
    assert (tree / "work.txt").read_text() == "work\n"
    assert (tree / "debug.log").read_text() == "ignored"
    assert not (folder / "hooked").exists()
    assert restore(folder, made.branch, done.commit).removed == 0
    # A branch that the check made is named, and not taken.
    again = swarm.gather(made)
    assert replace(again, warning="", message=done.message) == done


def test_the_next_pass_goes_on_from_there(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"a": "1"})
    first = swarm.gather(made)
    assert first.commit is not None
    _litter(tree)
    assert restore(swarm.instance().folder, made.branch, first.commit).removed == 2
    write(tree, {"b": "2"})
    second = swarm.gather(made)
    assert (second.reason, second.files) == ("Done", ["a", "b"])
    assert git(tree, "rev-parse", f"{second.commit}^") == first.commit


def test_bad_arguments_are_told(swarm: Swarm) -> None:
    made = swarm.cut()
    folder = swarm.instance().folder
    with pytest.raises(InvalidRef):
        restore(folder, "main", made.base)
    with pytest.raises(InvalidRef):
        restore(folder, made.branch, "HEAD")
    with pytest.raises(GitFailed):
        restore(folder, made.branch, MISSING)


def test_the_command_line_answers_with_one_line_of_json(swarm: Swarm) -> None:
    made = swarm.cut()
    _litter(Path(made.tree))

    def call(commit_id: str) -> tuple[int, dict[str, Any]]:
        arguments = [
            *("restore", f"--instance-dir={swarm.instance().folder}"),
            *(f"--branch={made.branch}", f"--commit={commit_id}"),
        ]
        done = CliRunner().invoke(workspace, arguments)
        return done.exit_code, json.loads(done.output)

    assert call(made.base) == (0, {"commit": made.base, "removed": 2})
    status, answer = call(MISSING)
    assert (status, answer["error"]["reason"]) == (1, "GitFailed")


def test_a_folder_is_cleared_and_can_be_cut_again(swarm: Swarm) -> None:
    tree = Path(swarm.cut().tree)
    write(tree, {"ignored.log": "x"})
    tree.chmod(0o500)
    folder = swarm.instance().folder
    done = CliRunner().invoke(workspace, ["clear", f"--instance-dir={folder}"])
    assert (done.exit_code, json.loads(done.output)) == (0, {"cleared": True})
    assert [path.name for path in folder.iterdir()] == ["kiro-swarm.flock"]
    assert (Path(swarm.cut().tree) / "app.py").exists()


def test_what_is_ignored_in_a_new_folder_stays(swarm: Swarm) -> None:
    """Of a folder without a tracked file git says nothing of what is ignored in it."""
    made = swarm.cut()
    tree = Path(made.tree)
    _litter_beside_what_is_ignored(tree)
    write(tree, {"alone/kept.log": "y"})
    restore(swarm.instance().folder, made.branch, made.base)
    left = [str(p.relative_to(tree)) for p in tree.glob("o*/**/*") if p.is_file()]
    assert left == ["out/deep/kept.log"]
    assert (tree / "alone/kept.log").read_text() == "y"
