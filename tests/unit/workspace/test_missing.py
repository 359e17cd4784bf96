"""What git could not write is no deletion; what git was told to delete is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.instance import Cut
from tests.unit.workspace.repositories import Swarm, commit, git, merged, write

FILES = {"far/b.bin": "content", "far/a.txt": "text", "c.bin": "other"}


def begun(swarm: Swarm) -> Cut:
    commit(swarm.upstream, {**FILES, ".gitattributes": "*.bin filter=far -text\n"})
    swarm.prepare()
    return swarm.cut()


def fails(tree: Path, smudge: str = "false") -> None:
    """A filter as an agent's image has one, that cannot do its work."""
    git(tree, "config", "filter.far.smudge", smudge)
    git(tree, "config", "filter.far.clean", "cat")
    git(tree, "config", "filter.far.required", "true")


def _checkout(tree: Path) -> None:
    (tree / "far/b.bin").unlink()
    git(tree, "checkout", "--", "far/b.bin", check=False)


def _checkout_all(tree: Path) -> None:
    for name in ("far/b.bin", "c.bin"):
        (tree / name).unlink()
    git(tree, "checkout", "--force", ".", check=False)


def _reset(tree: Path) -> None:
    (tree / "far/b.bin").write_text("changed")
    git(tree, "reset", "--quiet", "--hard", check=False)


def _stash(tree: Path) -> None:
    (tree / "far/b.bin").write_text("changed")
    git(tree, "stash", check=False)
    git(tree, "stash", "drop", check=False)


def _restore(tree: Path) -> None:
    (tree / "far/b.bin").write_text("changed")
    git(tree, "restore", "far/b.bin", check=False)


@pytest.mark.parametrize("leave", [_checkout, _checkout_all, _reset, _stash, _restore])
@pytest.mark.parametrize("smudge", ["false", "sh -c 'kill -9 $$'", "no-such-program"])
def test_what_a_filter_failed_to_write_is_not_deleted(
    swarm: Swarm, leave: Callable[[Path], None], smudge: str
) -> None:
    made = begun(swarm)
    tree = Path(made.tree)
    fails(tree, smudge)
    leave(tree)
    assert not (tree / "far/b.bin").exists()
    idle = swarm.gather(made)
    assert idle.reason == "NoChanges"
    assert "far/b.bin" in idle.warning
    assert swarm.gather(made) == idle
    write(tree, {"app.py": "changed\n"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["app.py"])
    assert "far/b.bin" in done.warning
    assert "`git rm` deletes" in done.message
    assert swarm.gather(made) == done
    merged(swarm, swarm.candidate(made, done.commit))
    assert swarm.show("far/b.bin") == "content"


@pytest.mark.parametrize("how", ["git rm", "git add", "git commit"])
def test_what_git_was_told_to_delete_is_deleted(swarm: Swarm, how: str) -> None:
    made = begun(swarm)
    tree = Path(made.tree)
    fails(tree)
    if how == "git rm":
        git(tree, "rm", "--quiet", "far/b.bin")
    else:
        (tree / "far/b.bin").unlink()
        git(tree, "add", "--all")
    if how == "git commit":
        git(tree, "commit", "--quiet", "-m", "Mine")
    done = swarm.gather(made)
    assert (done.reason, done.files, done.warning) == ("Done", ["far/b.bin"], "")


def test_what_was_moved_is_not_there_twice(swarm: Swarm) -> None:
    made = begun(swarm)
    (Path(made.tree) / "far/b.bin").rename(Path(made.tree) / "moved.bin")
    done = swarm.gather(made)
    # Both ends of the move: each of them is in the way of others who change it.
    assert (done.files, done.warning) == (["far/b.bin", "moved.bin"], "")
    assert "far/b.bin" not in git(Path(made.tree), "ls-files").splitlines()


def test_what_comes_from_a_file_without_a_filter_is_named(swarm: Swarm) -> None:
    """It is in git already, and never was as its filter would have it."""
    made = begun(swarm)
    write(Path(made.tree), {"copied.bin": "text"})
    assert "without their filter: copied.bin" in swarm.gather(made).warning


def test_a_file_without_a_filter_is_deleted_by_whoever_does_it(swarm: Swarm) -> None:
    made = begun(swarm)
    (Path(made.tree) / "far/a.txt").unlink()
    assert swarm.gather(made).files == ["far/a.txt"]


def test_attributes_that_the_agent_took_away_count_as_well(swarm: Swarm) -> None:
    made = begun(swarm)
    tree = Path(made.tree)
    fails(tree)
    _checkout(tree)
    git(tree, "rm", "--quiet", ".gitattributes")
    git(tree, "commit", "--quiet", "-m", "Mine")
    assert swarm.gather(made).files == [".gitattributes"]


def test_git_that_was_killed_in_the_middle_deletes_nothing(swarm: Swarm) -> None:
    made = begun(swarm)
    tree = Path(made.tree)
    lock = swarm.instance().admin / "index.lock"
    lock.write_text("")
    (tree / "far/a.txt").unlink()
    write(tree, {"app.py": "changed\n"})
    for _ in range(2):
        done = swarm.gather(made)
        assert done.reason == "OperationInProgress"
        assert "far/a.txt" in done.message
    lock.unlink()
    git(tree, "checkout", "--", "far/a.txt")
    assert swarm.gather(made).files == ["app.py"]


def test_a_lock_that_was_left_and_nothing_is_missing(swarm: Swarm) -> None:
    made = begun(swarm)
    (swarm.instance().admin / "index.lock").write_text("")
    write(Path(made.tree), {"app.py": "changed\n"})
    git(Path(made.tree), "status")
    assert swarm.gather(made).files == ["app.py"]
