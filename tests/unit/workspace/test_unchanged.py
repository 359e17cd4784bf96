"""What nobody changed is no change, and what is not checked out is no deletion."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.instance import Cut
from kiro_swarm.workspace.leftovers import Excluded
from kiro_swarm.workspace.verdict import Evidence
from tests.unit.workspace.repositories import Swarm, commit, git, merged, write

CRLF = b"one\r\ntwo\r\n"
#: A file as it was committed, and the attributes that came later.
NO_ROUND_TRIP = {
    "text": (CRLF, "* text\n"),
    "checked out with CRLF": (b"one\r\ntwo\n", "* text eol=crlf\n"),
    "a keyword": (b"$Id: an old value $\n", "* ident\n"),
    "an encoding": (
        "plain £\n".encode("utf-16-le"),
        "*.txt working-tree-encoding=UTF-8\n",
    ),
    "nothing": (b"plain\n", "*.txt -text\n"),
}


def begun(swarm: Swarm, files: dict[str, bytes], attributes: str = "") -> Cut:
    """A worktree on a repository with these files, whose attributes came later."""
    for name, content in files.items():
        write(swarm.upstream, {name: ""})
        (swarm.upstream / name).write_bytes(content)
    git(swarm.upstream, "add", "--all")
    git(swarm.upstream, "commit", "--quiet", "-m", "Files")
    if attributes:
        write(swarm.upstream, {".gitattributes": attributes})
        git(swarm.upstream, "add", ".gitattributes")
        git(swarm.upstream, "commit", "--quiet", "-m", "Attributes")
    swarm.prepare()
    return swarm.cut()


@pytest.mark.parametrize("case", NO_ROUND_TRIP)
def test_an_idle_agent_changed_nothing(swarm: Swarm, case: str) -> None:
    content, attributes = NO_ROUND_TRIP[case]
    made = begun(swarm, {"a.txt": content, "sub/b.txt": content}, attributes)
    assert swarm.gather(made).reason == "NoChanges"
    assert swarm.gather(made).reason == "NoChanges"


@pytest.mark.parametrize("case", NO_ROUND_TRIP)
def test_what_an_agent_changed_is_all_that_is_changed(swarm: Swarm, case: str) -> None:
    content, attributes = NO_ROUND_TRIP[case]
    made = begun(swarm, {"a.txt": content, "b.txt": content}, attributes)
    write(Path(made.tree), {"app.py": "changed\n", "b.txt": "changed\n"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["app.py", "b.txt"])
    assert swarm.gather(made) == done


def test_attributes_that_the_agent_wrote_do_not_rewrite_files(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": CRLF})
    write(Path(made.tree), {".gitattributes": "* text\n"})
    assert swarm.gather(made).files == [".gitattributes"]


def test_attributes_that_the_agent_took_away_do_not_either(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": b"one\ntwo\n"}, "*.txt text eol=crlf\n")
    assert (Path(made.tree) / "a.txt").read_bytes() == CRLF
    (Path(made.tree) / ".gitattributes").unlink()
    assert swarm.gather(made).files == [".gitattributes"]


def test_what_was_renormalized_on_purpose_is_taken(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": CRLF}, "* text\n")
    git(Path(made.tree), "add", "--renormalize", ".")
    assert swarm.gather(made).files == ["a.txt"]


def test_modes_and_links_are_changes(swarm: Swarm) -> None:
    made = begun(swarm, {"a.txt": b"1", "b.txt": b"2"})
    tree = Path(made.tree)
    (tree / "a.txt").chmod(0o755)
    (tree / "b.txt").unlink()
    (tree / "b.txt").symlink_to("a.txt")
    assert swarm.gather(made).files == ["a.txt", "b.txt"]


def test_a_link_that_was_written_as_a_file_is_no_change(swarm: Swarm) -> None:
    (swarm.upstream / "link").symlink_to("app.py")
    commit(swarm.upstream, {})
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "config", "core.symlinks", "false")
    (tree / "link").unlink()
    git(tree, "checkout", "--", "link")
    assert not (tree / "link").is_symlink()
    assert swarm.gather(made).reason == "NoChanges"
    (tree / "link").write_text("something else")
    assert swarm.gather(made).files == ["link"]


def _sparse(tree: Path) -> None:
    git(tree, "sparse-checkout", "set", "--no-cone", "app.py")


def _sparse_index(tree: Path) -> None:
    git(tree, "sparse-checkout", "set", "--cone", "--sparse-index", "kept")


def _skipped(tree: Path) -> None:
    git(tree, "update-index", "--skip-worktree", "far/a.txt", "far/b.txt")
    (tree / "far/a.txt").unlink()
    (tree / "far/b.txt").unlink()


def _assumed(tree: Path) -> None:
    git(tree, "update-index", "--assume-unchanged", "far/a.txt", "far/b.txt")
    (tree / "far/a.txt").unlink()
    (tree / "far/b.txt").unlink()


@pytest.mark.parametrize("hide", [_sparse, _sparse_index, _skipped, _assumed])
def test_what_is_not_checked_out_is_not_deleted(
    swarm: Swarm, hide: Callable[[Path], None]
) -> None:
    made = begun(swarm, {"far/a.txt": b"1", "far/b.txt": b"2", "kept/c": b"3"})
    tree = Path(made.tree)
    hide(tree)
    assert not (tree / "far/a.txt").exists()
    assert swarm.gather(made).reason == "NoChanges"
    write(tree, {"app.py": "changed\n"})
    done = swarm.gather(made)
    assert (done.reason, done.files) == ("Done", ["app.py"])
    assert swarm.gather(made) == done
    merged(swarm, swarm.candidate(made, done.commit))
    assert swarm.show("far/a.txt") == "1"


def test_a_file_that_was_deleted_is_deleted(swarm: Swarm) -> None:
    made = begun(swarm, {"far/a.txt": b"1", "far/b.txt": b"2"})
    git(Path(made.tree), "update-index", "--skip-worktree", "far/a.txt")
    (Path(made.tree) / "far/a.txt").unlink()
    (Path(made.tree) / "far/b.txt").unlink()
    assert swarm.gather(made).files == ["far/b.txt"]


class TestLargeFileStorage:
    """Of Git LFS a repository has pointers; nothing of it runs here."""

    ATTRIBUTES = "*.png filter=lfs diff=lfs merge=lfs -text\n"
    CONTENT = b"\x89PNG" + bytes(range(256)) * 8

    def pointer(self, content: bytes) -> bytes:
        digest = hashlib.sha256(content).hexdigest()
        return (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{digest}\nsize {len(content)}\n"
        ).encode()

    def cut(self, swarm: Swarm) -> Cut:
        logo = {"logo.png": self.pointer(self.CONTENT)}
        return begun(swarm, logo, self.ATTRIBUTES)

    def test_content_in_place_of_its_pointer_is_no_change(self, swarm: Swarm) -> None:
        made = self.cut(swarm)
        (Path(made.tree) / "logo.png").write_bytes(self.CONTENT)
        assert swarm.gather(made).reason == "NoChanges"

    def test_a_new_file_is_stored_and_named(self, swarm: Swarm) -> None:
        made = self.cut(swarm)
        (Path(made.tree) / "new.png").write_bytes(self.CONTENT)
        done = swarm.gather(made)
        assert (done.reason, done.files) == ("Done", ["new.png"])
        assert "not by Git LFS: new.png" in done.warning
        assert done.warning in done.message
        assert swarm.gather(made) == done

    def test_content_of_a_new_pointer_is_taken_where_it_is(self, swarm: Swarm) -> None:
        made = self.cut(swarm)
        tree, new = Path(made.tree), b"other" + self.CONTENT
        (tree / "new.png").write_bytes(self.pointer(new))
        commit(tree, {}, "By an agent with git-lfs")
        (tree / "new.png").write_bytes(new)
        done = swarm.gather(made)
        assert (done.reason, done.files) == ("Done", ["new.png"])
        size = git(tree, "cat-file", "-s", f"{done.commit}:new.png")
        assert int(size) == len(new)

    def test_a_pointer_to_nothing_is_refused(self, swarm: Swarm) -> None:
        made = self.cut(swarm)
        (Path(made.tree) / "new.png").write_bytes(self.pointer(b"never seen"))
        done = swarm.gather(made)
        assert done.reason == "ContentElsewhere"
        assert "new.png" in done.message
        assert "Git LFS" in done.message

    def test_a_pointer_that_moves_is_none(self, swarm: Swarm) -> None:
        made = self.cut(swarm)
        os.rename(Path(made.tree) / "logo.png", Path(made.tree) / "img.png")
        done = swarm.gather(made)
        assert (done.reason, done.warning) == ("Done", "")


class TestLeftovers:
    """Files of agents' tools, and the swarm's own plan, are no work."""

    def gather(self, swarm: Swarm, made: Cut, *exclude: str) -> Evidence:
        folder = swarm.instance().folder
        return gather(
            *(folder, made.base, made.branch, "uid-1-1/1", "Task"),
            exclude=Excluded(exclude),
            plan="demo",
        )

    def test_they_are_left_out(self, swarm: Swarm) -> None:
        made = swarm.cut()
        there = [".aider.chat.history.md", ".claude/x.json", ".cursor/a/b", "x.bak"]
        write(Path(made.tree), dict.fromkeys([*there, "sub/.aider.tags", "a"], "1"))
        assert self.gather(swarm, made, "*.bak").files == ["a"]

    def test_alone_they_are_no_changes(self, swarm: Swarm) -> None:
        made = swarm.cut()
        write(Path(made.tree), {".codex/session": "1"})
        assert self.gather(swarm, made).reason == "NoChanges"

    def test_a_folder_that_the_repository_uses_is_taken(self, swarm: Swarm) -> None:
        made = begun(swarm, {".claude/commands/a.md": b"1"})
        write(Path(made.tree), {".claude/commands/b.md": "2", ".codex/x": "1"})
        assert self.gather(swarm, made).files == [".claude/commands/b.md"]

    def test_a_swarm_takes_one_back(self, swarm: Swarm) -> None:
        made = swarm.cut()
        write(Path(made.tree), {".claude/a.md": "2"})
        assert self.gather(swarm, made, "!.claude/").files == [".claude/a.md"]

    def test_what_was_staged_on_purpose_is_taken(self, swarm: Swarm) -> None:
        made = swarm.cut()
        write(Path(made.tree), {".claude/a.md": "2"})
        git(Path(made.tree), "add", "--force", ".claude/a.md")
        assert self.gather(swarm, made).files == [".claude/a.md"]

    @pytest.mark.parametrize("how", ["left", "committed", "and back", "staged"])
    def test_a_tick_alone_is_no_work(self, swarm: Swarm, how: str) -> None:
        made = swarm.cut()
        plan = Path(made.tree) / ".kiro/specs/demo/tasks.md"
        plan.write_text(plan.read_text().replace("[ ]", "[x]"))
        if how == "and back":
            commit(Path(made.tree), {"a": "1"})
            (Path(made.tree) / "a").unlink()
        if how == "committed":
            commit(Path(made.tree), {}, "Tick")
        if how == "staged":
            git(Path(made.tree), "add", "--all")
        done = self.gather(swarm, made)
        assert done.reason == "NoChanges"
        assert "which the swarm ticks" in done.message
        write(Path(made.tree), {"a": "1"})
        assert self.gather(swarm, made).reason == "Done"
