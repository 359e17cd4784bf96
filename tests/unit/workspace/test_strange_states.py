"""Whatever state an agent leaves its index and configuration in, its files are taken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.workspace.repositories import Swarm, commit, git, merged, write


def _intent_to_add(tree: Path) -> None:
    git(tree, "add", "-N", "new")


def _split_index(tree: Path) -> None:
    git(tree, "update-index", "--split-index")
    git(tree, "add", "new")


def _split_index_whose_half_is_gone(tree: Path) -> None:
    _split_index(tree)
    for half in (tree.parent / "repo.git").rglob("sharedindex.*"):
        half.unlink()


def _untracked_cache(tree: Path) -> None:
    git(tree, "config", "core.untrackedCache", "true")
    git(tree, "update-index", "--force-untracked-cache")


def _believed_valid(tree: Path) -> None:
    git(tree, "config", "core.fsmonitor", "true")
    git(tree, "update-index", "--fsmonitor-valid", "app.py", check=False)
    git(tree, "update-index", "--assume-unchanged", "app.py")


def _promisor(tree: Path) -> None:
    git(tree, "config", "extensions.partialClone", "origin")
    git(tree, "config", "remote.origin.url", "file:///nowhere")
    git(tree, "config", "remote.origin.promisor", "true")


def _graft(tree: Path) -> None:
    info = tree.parent / "repo.git" / "info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(git(tree, "rev-parse", "HEAD") + "\n")


def _replaced(tree: Path) -> None:
    other = git(tree, "commit-tree", "-m", "Other", git(tree, "write-tree"))
    git(tree, "replace", "HEAD", other)


def _worktree_config(tree: Path) -> None:
    git(tree, "config", "extensions.worktreeConfig", "true")
    git(tree, "config", "--worktree", "core.bare", "true")


def _included(tree: Path) -> None:
    planted = tree.parent / "planted"
    planted.write_text("[core]\n\tworktree = /tmp\n\texcludesFile = /dev/stdin\n")
    git(tree, "config", "includeIf.gitdir:/**.path", str(planted))


def _everything_excluded(tree: Path) -> None:
    planted = tree.parent / "planted"
    planted.write_text("*\n")
    git(tree, "config", "core.excludesFile", str(planted))
    (tree.parent / "repo.git" / "info" / "exclude").write_text("*\n")


def _reftable(tree: Path) -> None:
    git(tree, "config", "core.repositoryformatversion", "1")
    git(tree, "config", "extensions.refStorage", "reftable")


def _no_index(tree: Path) -> None:
    admin = tree.parent / "repo.git" / "worktrees" / "tree"
    (admin / "index").write_bytes(b"no index")


@pytest.mark.parametrize(
    "leave",
    [
        *(_intent_to_add, _split_index, _split_index_whose_half_is_gone),
        *(_untracked_cache, _believed_valid, _promisor, _graft, _replaced),
        *(_worktree_config, _included, _everything_excluded, _reftable, _no_index),
    ],
)
def test_files_are_taken_as_they_are(
    swarm: Swarm, leave: Callable[[Path], None]
) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    (tree.parent / "repo.git" / "info").mkdir(exist_ok=True)
    write(tree, {"new": "new\n"})
    leave(tree)
    write(tree, {"app.py": "changed\n"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["app.py", "new"]), done
    assert swarm.gather(made) == done
    merged(swarm, swarm.candidate(made, done.commit))
    assert (swarm.show("app.py"), swarm.show("new")) == ("changed", "new")


@pytest.mark.parametrize("message", [(), ("-a", "-m", "Mine")])
def test_work_that_only_a_tag_has_is_named(
    swarm: Swarm, message: tuple[str, ...]
) -> None:
    git(swarm.upstream, "tag", "v1")
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    assert swarm.gather(made).reason == "NoChanges"
    commit(tree, {"app.py": "changed\n"})
    git(tree, "tag", *message, "mine")
    git(tree, "reset", "--quiet", "--hard", made.base)
    os.unlink(swarm.instance().admin / "logs" / "HEAD")
    found = swarm.gather(made)
    assert found.reason == "WrongBranch", found
    assert "refs/tags/mine" in found.message


def test_a_conflict_without_a_merge_is_named(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    blob = git(tree, "rev-parse", "HEAD:app.py")
    lines = f"0 {'0' * 40}\tapp.py\n100644 {blob} 1\tapp.py\n100644 {blob} 2\tapp.py\n"
    subprocess.run(
        ["git", "update-index", "--index-info"],
        cwd=tree,
        input=lines.encode(),
        check=True,
    )
    found = swarm.gather(made)
    assert (found.reason, "app.py" in found.message) == ("UnmergedPaths", True)
