"""Work that is not on the task's branch is named, wherever it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.workspace.repositories import Swarm, branch, commit, git, write


def _stash(tree: Path) -> None:
    write(tree, {"app.py": "x\n"})
    git(tree, "stash", "--quiet")


def _stash_of_new_files(tree: Path) -> None:
    write(tree, {"new": "x\n"})
    git(tree, "stash", "--quiet", "--include-untracked")


def _branch(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "-b", "feature/x")
    commit(tree, {"app.py": "x\n"})
    commit(tree, {"app.py": "y\n"})
    git(tree, "checkout", "--quiet", branch())


def _deleted_branch(tree: Path) -> None:
    _branch(tree)
    git(tree, "branch", "--quiet", "-D", "feature/x")


def _detached(tree: Path) -> None:
    git(tree, "checkout", "--quiet", "--detach")
    commit(tree, {"app.py": "x\n"})
    git(tree, "checkout", "--quiet", branch())


def _beside(tree: Path) -> None:
    side = tree.parent / "side"
    git(tree, "worktree", "add", "--quiet", str(side), "-b", "side")
    commit(side, {"app.py": "x\n"})


def _beside_detached(tree: Path) -> None:
    side = tree.parent / "side"
    git(tree, "worktree", "add", "--quiet", "--detach", str(side))
    commit(side, {"app.py": "x\n"})


PLACES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a stash": (_stash, "the stash"),
    "a stash of new files": (_stash_of_new_files, "the stash"),
    "another branch": (_branch, "branch feature/x"),
    "a branch that is gone": (_deleted_branch, "no branch leads to"),
    "a detached HEAD": (_detached, "no branch leads to"),
    "a worktree beside": (_beside, "branch side"),
    "a detached one": (_beside_detached, "worktree "),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_empty_branch_and_work_elsewhere(swarm: Swarm, place: str) -> None:
    hide, words = PLACES[place]
    made = swarm.cut()
    hide(Path(made.tree))
    done = swarm.gather(made)
    assert done.reason == "WrongBranch"
    assert words in done.message
    assert done.message.count("(") == 1, "one place, its last commit"
    assert made.branch in done.message


@pytest.mark.parametrize("place", ["a stash", "another branch", "a detached one"])
def test_beside_work_that_is_taken_it_is_a_warning(swarm: Swarm, place: str) -> None:
    hide, words = PLACES[place]
    made = swarm.cut()
    hide(Path(made.tree))
    write(Path(made.tree), {"b": "1"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["b"])
    assert f"not taken, for it is not on the branch: {words}" in done.warning
    assert swarm.gather(made) == done


def test_what_an_agent_amended_is_not_named(swarm: Swarm) -> None:
    made = swarm.cut()
    commit(Path(made.tree), {"a": "1"})
    git(Path(made.tree), "commit", "--quiet", "--amend", "-m", "Better words")
    assert swarm.gather(made).warning == ""


def test_what_earlier_tasks_left_is_not_named(swarm: Swarm) -> None:
    first = swarm.cut(task="1.1")
    write(Path(first.tree), {"a": "1"})
    swarm.gather(first, task="1.1")
    assert swarm.gather(swarm.cut(task="1.2"), task="1.2").reason == "NoChanges"


def test_names_are_printable_and_few(swarm: Swarm) -> None:
    made = swarm.cut()
    for number in range(12):
        name = f"\x7fbad{number}" if number % 2 else f"é{number}"
        git(Path(made.tree), "checkout", "--quiet", "-B", f"x{number}", made.base)
        done = commit(Path(made.tree), {"a": str(number)})
        git(Path(made.tree), "update-ref", f"refs/strange/{name.strip(chr(127))}", done)
    git(Path(made.tree), "checkout", "--quiet", made.branch)
    message = swarm.gather(made).message
    assert message.isprintable()
    assert message.count("(") == 5


def test_a_tag_that_the_agent_moved_is_named(swarm: Swarm) -> None:
    git(swarm.upstream, "tag", "v1")
    git(swarm.upstream, "tag", "--annotate", "v2", "--message", "Released")
    git(swarm.upstream, "tag", "late")
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    commit(tree, {"app.py": "x\n"})
    for name in ("v1", "v2"):
        git(tree, "tag", "--force", name, "HEAD")
    # What the source moves is no work of the agent, nor is what it takes back.
    commit(swarm.upstream, {"newer.py": "x\n"})
    git(swarm.upstream, "tag", "--force", "late")
    swarm.prepare()
    warning = swarm.gather(made).warning
    assert (
        "not taken, for only commits are: tags/v1 (moved), tags/v2 (moved)" in warning
    )
    assert "late" not in warning


def test_tags_and_notes_of_the_agent_are_named(swarm: Swarm) -> None:
    git(swarm.upstream, "tag", "v1")
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    assert "not taken" not in swarm.gather(made).warning
    git(tree, "tag", "--annotate", "v2", "--message", "Released")
    git(tree, "notes", "add", "--message", "Seen")
    said = "not taken, for only commits are: notes/commits, tags/v2"
    idle = swarm.gather(made)
    assert (idle.reason, said in idle.warning) == ("NoChanges", True)
    commit(tree, {"app.py": "x\n"})
    done = swarm.gather(made)
    assert (done.reason, said in done.message) == ("Done", True)
