"""Whatever an agent puts where git opens a file: evidence has an answer, and at once.

A table of kinds of files by the places that git reads, and whatever else is raised there.
"""

from __future__ import annotations

import ast
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import kiro_swarm.workspace
from kiro_swarm.workspace.disk import remove
from kiro_swarm.workspace.instance import Instance
from kiro_swarm.workspace.plain import make_plain, opened_by_git
from kiro_swarm.workspace.restore import restore
from kiro_swarm.workspace.verdict import Evidence
from tests.unit.workspace.repositories import Swarm, git, write

_FOLDER = Path(kiro_swarm.workspace.__file__).parent


def _socket(path: Path) -> None:
    # Bound by a short name: an address has room for a hundred bytes.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _device(path: Path) -> None:
    try:
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        path.symlink_to("/dev/zero")  # who is not root cannot make it, an agent neither


KINDS: dict[str, Callable[[Path], None]] = {
    "fifo": os.mkfifo,
    "socket": _socket,
    "device": _device,
    "folder": Path.mkdir,
    "loop": lambda path: path.symlink_to(path.name),
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "away": lambda path: path.symlink_to("/etc/hostname"),
    "nowhere": lambda path: path.symlink_to("/nowhere"),
}
PLACES = (
    *("config", "packed-refs", "HEAD", "shallow", "description", "refs/heads/zz"),
    *("refs/heads/a/b/c", "refs/stash", "refs/tags/t", "logs/refs/heads/x"),
    *("objects/info/alternates", "objects/info/commit-graph", "info/exclude"),
    *("objects/info/packs", "objects/pack/multi-pack-index", "info/attributes"),
    *(
        "objects/pack/pack-x.idx",
        "objects/aa/" + "b" * 38,
        "info/grafts",
        "config.worktree",
    ),
    *("worktrees/tree/HEAD", "worktrees/tree/index", "worktrees/tree/ORIG_HEAD"),
    *("worktrees/tree/commondir", "worktrees/tree/gitdir", "worktrees/tree/logs/HEAD"),
    *("worktrees/tree/config.worktree", "worktrees/tree/sharedindex.x"),
    *("worktrees/other/HEAD", "worktrees/other/gitdir", "modules/m/HEAD"),
)
#: Where each of these alone is tried with git, for a pipe.
ALONE = (
    "packed-refs",
    "objects/info/alternates",
    "refs/heads/zz",
    "worktrees/tree/index",
)
OPENED = (".gitattributes", "inner/.gitattributes", ".gitignore", ".gitmodules")


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail where it takes longer."""

    def late(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def put(kind: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)


def gathered(swarm: Swarm, spoil: Callable[[Instance], None]) -> Evidence:
    made = swarm.cut()
    write(Path(made.tree), {"new": "1"})
    spoil(swarm.instance())
    with within(60):
        return swarm.gather(made)


@pytest.mark.parametrize("kind", KINDS)
def test_a_git_directory_has_files_and_folders_alone(kind: str, tmp_path: Path) -> None:
    for place in PLACES:
        put(kind, tmp_path / place)
    (tmp_path / "kept").write_text("1")
    make_plain(tmp_path)
    for path in tmp_path.rglob("*"):
        assert not path.is_symlink()
        assert path.is_dir() or path.is_file()
    assert (tmp_path / "kept").read_text() == "1"


@pytest.mark.parametrize("place", ALONE)
def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(
    swarm: Swarm, place: str
) -> None:
    def spoil(instance: Instance) -> None:
        put("fifo", instance.repository / place)

    found = gathered(swarm, spoil)
    assert (found.reason, found.files) == ("Done", ["new"])


@pytest.mark.parametrize("kind", ["fifo", "endless", "loop", "socket"])
def test_all_of_them_at_once_neither(swarm: Swarm, kind: str) -> None:
    def spoil(instance: Instance) -> None:
        for place in PLACES:
            put(kind, instance.repository / place)

    found = gathered(swarm, spoil)
    assert (found.reason, found.files) == ("Done", ["new"])


def test_folders_in_the_place_of_files_are_a_verdict(swarm: Swarm) -> None:
    def spoil(instance: Instance) -> None:
        for place in ALONE:
            put("folder", instance.repository / place)

    assert gathered(swarm, spoil).reason in ("Done", "BrokenRepository")


@pytest.mark.parametrize("place", OPENED)
def test_a_pipe_that_git_would_open_in_the_worktree_is_named(
    swarm: Swarm, place: str
) -> None:
    def spoil(instance: Instance) -> None:
        put("fifo", instance.tree / place)

    found = gathered(swarm, spoil)
    assert found.reason == "UnreadablePath"
    assert place in found.message
    assert "remove" in found.message


def test_what_a_check_has_left_keeps_no_restore_waiting(swarm: Swarm) -> None:
    made = swarm.cut()
    write(Path(made.tree), {"new": "1"})
    commit = swarm.gather(made).commit
    assert commit is not None
    for place in OPENED:
        put("fifo", Path(made.tree, place))
    put("fifo", swarm.instance().admin / "index")
    with within(60):
        restore(swarm.instance().folder, made.branch, commit)
    assert git(Path(made.tree), "status", "--porcelain") == ""


def test_what_git_opens_in_a_repository_within_is_named(tmp_path: Path) -> None:
    tree, beside = tmp_path / "tree", tmp_path / "beside"
    for place in ("a/.git/HEAD", "b/.git/refs/heads/main", "c/plain", "d/.gitignore"):
        put("fifo", tree / place)
    put("endless", tree / "e/.git/packed-refs")
    put("away", tree / "f/.gitattributes")
    put("fifo", beside / "HEAD")
    write(tree, {"g/.git": f"gitdir: {beside}\n", "h/.git": "gitdir: ../nowhere\n"})
    assert sorted(opened_by_git(tree)) == [
        *(b"a/.git/HEAD", b"b/.git/refs/heads/main", b"d/.gitignore"),
        *(b"e/.git/packed-refs", b"g/.git"),
    ]


def test_pipes_that_git_does_not_open_are_nobody_s_concern(swarm: Swarm) -> None:
    def spoil(instance: Instance) -> None:
        put("fifo", instance.tree / "pipe")
        put("socket", instance.tree / "inner" / "socket")
        put("away", instance.tree / "inner" / ".gitattributes")

    found = gathered(swarm, spoil)
    assert (found.reason, found.files) == ("Done", ["inner/.gitattributes", "new"])


def test_what_an_agent_borrows_from_is_not_read(swarm: Swarm, tmp_path: Path) -> None:
    def spoil(instance: Instance) -> None:
        put("fifo", tmp_path / "mine" / "pack" / "pack-x.idx")
        put("fifo", tmp_path / "mine" / "info" / "alternates")
        alternates = instance.repository / "objects" / "info" / "alternates"
        with alternates.open("a") as more:
            more.write(f"{tmp_path / 'mine'}\n")

    assert gathered(swarm, spoil).reason == "Done"


def test_folders_nested_deeper_than_a_stack_are_a_verdict(swarm: Swarm) -> None:
    here = os.getcwd()

    def spoil(instance: Instance) -> None:
        os.chdir(instance.tree)
        for _ in range(2100):  # longer than a path can be, twice the stack of Python
            os.mkdir("d")
            os.chdir("d")
        Path("file").write_text("1")
        os.chdir(here)

    try:
        assert gathered(swarm, spoil).reason == "UnreadablePath"
        swarm.cut(attempt=2)
    finally:
        os.chdir(here)
        # What removes the folders of tests goes down by calls of itself, and fails there.
        remove(swarm.top / "instances")


def test_nothing_that_is_raised_is_left_without_an_answer(swarm: Swarm) -> None:
    """A name of the agent's that our own code stumbles over is a verdict on its work."""

    def spoil(instance: Instance) -> None:
        git(instance.tree, "add", "new")
        put("folder", instance.admin / "index")
        (instance.admin / "index" / "x").write_text("1")

    assert gathered(swarm, spoil).reason in ("Done", "BrokenRepository")


def test_no_walk_recurses() -> None:
    for path in _FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("rglob", "rmtree"), path
                assert ast.unparse(node) != "os.walk", path
