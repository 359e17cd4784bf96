"""Whoever gets a worktree sees no change in it, however soon or late git is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiro_swarm.workspace.checkout import checkout_tree
from kiro_swarm.workspace.errors import GitFailed
from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.settled import settle
from tests.unit.workspace.repositories import Swarm, commit, git, write
from tests.unit.workspace.test_unchanged import NO_ROUND_TRIP, begun

#: What a clock may be set back by, or a volume's be behind, between git and git.
BACK = 30


def with_a_slow_clock(index: Path) -> None:
    """As if the index had been written long before the files: git trusts none of them."""
    time = index.stat().st_mtime_ns - BACK * 10**9
    os.utime(index, ns=(time, time))


def cut_with(swarm: Swarm, case: str) -> Cut:
    content, attributes = NO_ROUND_TRIP[case]
    (swarm.upstream / "link.txt").symlink_to("app.py")
    return begun(swarm, {"a.txt": content, "sub/ä b.txt": content}, attributes)


@pytest.mark.parametrize("case", NO_ROUND_TRIP)
def test_an_agent_commits_what_it_changed_and_nothing_else(
    swarm: Swarm, case: str
) -> None:
    made = cut_with(swarm, case)
    tree = Path(made.tree)
    with_a_slow_clock(swarm.instance().admin / "index")
    assert git(tree, "status", "--porcelain") == ""
    write(tree, {"app.py": "ONE\ntwo\nthree\n"})
    commit(tree, {}, "By an agent")
    assert swarm.gather(made).files == ["app.py"]


@pytest.mark.parametrize("case", NO_ROUND_TRIP)
def test_a_gate_sees_what_it_changed_and_nothing_else(swarm: Swarm, case: str) -> None:
    made = cut_with(swarm, case)
    into = swarm.top / "gate"
    checkout_tree(swarm.mirror, made.base, into)
    with_a_slow_clock(into / ".git/index")
    assert git(into, "diff", "--stat", "--exit-code") == ""
    assert git(into, "status", "--porcelain") == ""
    # As long as it was, and in the second of the checkout.
    write(into, {"app.py": "ONE\ntwo\nthree\n"})
    assert git(into, "diff", "--name-only") == "app.py"


def test_what_git_knows_of_a_file_is_right_in_every_field(swarm: Swarm) -> None:
    commit(swarm.upstream, {f"{'x' * n}.txt": "y" * n for n in range(1, 20)})
    commit(swarm.upstream, {".gitattributes": "*.txt text\n"})
    made = checkout_tree(swarm.mirror, swarm.prepare().source, swarm.top / "gate")
    tree = Path(made.tree)
    before = (tree / ".git/index").read_bytes()
    # The strictest comparison, and the only one of the digest at the end.
    assert git(tree, "-c", "core.checkStat=default", "update-index", "--refresh") == ""
    git(tree, "fsck", "--no-dangling")
    assert (tree / ".git/index").read_bytes() == before
    times = {path.lstat().st_mtime for path in tree.glob("*.txt")}
    assert len(times) == 1


def test_what_is_not_as_the_index_says_is_left_alone(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": b"one\n", "b.txt": b"two\n"}, "* text\n")
    tree, index = Path(made.tree), swarm.instance().admin / "index"
    (tree / "a.txt").unlink()
    (tree / "b.txt").write_bytes(b"other\n")
    os.utime(tree / "b.txt", (1_000_000, 1_000_000))
    settle(tree, index)
    assert (tree / "b.txt").stat().st_mtime == 1_000_000
    assert git(tree, "status", "--porcelain").split("\n") == ["D a.txt", " M b.txt"]


def test_an_index_that_git_does_not_write_by_itself_is_told(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": b"one\n"}, "* text\n")
    index = swarm.instance().admin / "index"
    git(Path(made.tree), "update-index", "--index-version", "4")
    with pytest.raises(GitFailed, match="version that is not known: 4"):
        settle(Path(made.tree), index)
