"""An agent tidies its repository, or has it borrow elsewhere: its work is taken, or named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.workspace.repositories import (
    Swarm,
    branch,
    commit,
    git,
    merged,
    write,
)

#: What an agent may have git do with what is there.
TIDIED: dict[str, tuple[str, ...]] = {
    "as it is": ("status",),
    "refs packed": ("pack-refs", "--all", "--prune"),
    "collected": ("gc", "--prune=now", "--quiet"),
    "repacked": ("repack", "-a", "-d", "-q"),
    "repacked without what is lent": ("repack", "-a", "-d", "-l", "-q"),
}
TAGS: dict[str, tuple[str, ...]] = {
    "light": ("tag", "mine"),
    "with a message": ("tag", "-a", "-m", "Mine", "mine"),
}


def _tagged(tree: Path, *tag: str) -> str:
    """Work that only a tag leads to."""
    git(tree, "checkout", "--quiet", "--detach")
    oid = commit(tree, {"app.py": "x\n"})
    git(tree, *tag)
    git(tree, "checkout", "--quiet", branch())
    return oid


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("tidied", TIDIED)
def test_work_under_a_tag_of_the_agent_is_named(
    swarm: Swarm, tidied: str, tag: str
) -> None:
    git(swarm.upstream, "tag", "of-the-source")
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    oid = _tagged(tree, *TAGS[tag])
    git(tree, *TIDIED[tidied])
    empty = swarm.gather(made)
    assert empty.reason == "WrongBranch"
    assert f"refs/tags/mine ({oid[:12]})" in empty.message
    write(tree, {"b": "1"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["b"])
    assert f"refs/tags/mine ({oid[:12]})" in done.warning
    assert "of-the-source" not in done.warning


@pytest.mark.parametrize("tidied", TIDIED)
def test_what_the_source_has_tagged_ahead_of_the_branch_is_nobody_s_work(
    swarm: Swarm, tidied: str
) -> None:
    commit(swarm.upstream, {"later": "1"})
    ahead = f"file://{swarm.upstream}"
    git(swarm.mirror, "fetch", "--quiet", ahead, "main:refs/tags/ahead")
    made = swarm.cut()
    git(Path(made.tree), *TIDIED[tidied])
    assert swarm.gather(made).reason == "NoChanges"


@pytest.mark.parametrize("tidied", TIDIED)
def test_work_on_the_branch_is_taken(swarm: Swarm, tidied: str) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    commit(tree, {"a": "1"})
    git(tree, *TIDIED[tidied])
    write(tree, {"b": "2"})
    done = swarm.gather(made)
    assert done.reason == "Done"
    git(tree, *TIDIED[tidied])
    merged(swarm, swarm.candidate(made, done.commit))
    assert (swarm.show("a"), swarm.show("b")) == ("1", "2")


def _also(alternates: Path, other: Path) -> None:
    alternates.write_text(f"{alternates.read_text()}{other}\n")


def _instead(alternates: Path, other: Path) -> None:
    alternates.write_text(f"{other}\n")


def _by_a_link(alternates: Path, other: Path) -> None:
    aside = alternates.with_name("aside")
    aside.write_text(f"{alternates.read_text()}{other}\n")
    alternates.unlink()
    alternates.symlink_to(aside)


def _lend(swarm: Swarm, elsewhere: Path, lend: Callable[[Path, Path], None]) -> str:
    """The agent works in a clone of its own, and has its repository borrow from it."""
    place = swarm.instance()
    other = elsewhere / "other"
    # What stands alone has to have everything.
    how = "--no-local" if lend is _instead else "--shared"
    git(elsewhere, "clone", "--quiet", how, str(place.repository), str(other))
    git(other, "checkout", "--quiet", "-B", "own", swarm.head())
    oid = commit(other, {"new": "1", "folder/new": "2"})
    lend(place.repository / "objects/info/alternates", other / ".git/objects")
    git(place.tree, "reset", "--quiet", "--hard", oid)
    return oid


@pytest.mark.parametrize("lend", [_also, _instead, _by_a_link])
@pytest.mark.parametrize("more", [False, True], ids=["as it is", "with more"])
def test_work_whose_objects_lie_in_a_folder_elsewhere_is_taken(
    swarm: Swarm, tmp_path_factory: pytest.TempPathFactory, lend: object, more: bool
) -> None:
    assert callable(lend)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    made = swarm.cut()
    _lend(swarm, elsewhere, lend)
    if more:
        write(Path(made.tree), {"b": "3"})
    done = swarm.gather(made)
    assert done.reason == "Done", done
    assert done.files == (["b"] if more else []) + ["folder/new", "new"]
    shutil.rmtree(elsewhere)
    candidate = swarm.candidate(made, done.commit)
    swarm.keep(candidate)
    merged(swarm, swarm.kept(candidate))
    assert (swarm.show("new"), swarm.show("folder/new")) == ("1", "2")
    assert swarm.fsck(swarm.mirror) == ""


def test_where_that_folder_is_gone_what_lies_in_the_worktree_is_taken(
    swarm: Swarm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    made = swarm.cut()
    _lend(swarm, elsewhere, _also)
    shutil.rmtree(elsewhere)
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["folder/new", "new"])
    merged(swarm, swarm.candidate(made, done.commit))
    assert swarm.show("new") == "1"


def test_an_ordinary_repository_is_not_packed(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"b": "1"})
    assert swarm.gather(made).reason == "Done"
    assert list((swarm.instance().repository / "objects" / "pack").iterdir()) == []
