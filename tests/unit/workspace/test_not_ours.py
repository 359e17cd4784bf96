"""What is not ours to read or to remove is named, and keeps neither the task nor the next one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

import pytest

from kiro_swarm.sandbox.disk import clear_folder
from kiro_swarm.workspace.errors import not_ours
from tests.unit.workspace.repositories import Swarm, write

#: As root the user of the pods is played by another one; anybody else owns all there is.
ROOT = os.geteuid() == 0
USER = 65532 if ROOT else os.geteuid()


def give(top: Path, user: int) -> None:
    for folder, _, files in os.walk(top):
        for name in ("", *files):
            os.chown(os.path.join(folder, name), user, -1, follow_symlinks=False)


@contextmanager
def as_the_pods_user(top: Path) -> Iterator[None]:
    """Be the user of the pods, who can get to ``top``."""
    for folder in top.parents:
        if not folder.stat().st_mode & 0o011:
            folder.chmod(0o755)
    me = os.geteuid()
    os.seteuid(USER)
    try:
        yield
    finally:
        os.seteuid(me)


def folder(top: Path) -> Path:
    place = top / "tree" / "mine" / "build"
    write(place, {"inner/file": "1"})
    place.chmod(0o700)
    return place


def file(top: Path) -> Path:
    place = top / "tree" / "key"
    place.write_text("1")
    place.chmod(0o600)
    return place


def objects(top: Path) -> Path:
    place = top / "repo.git" / "objects"
    place.chmod(0o700)
    return place


def lock(top: Path) -> Path:
    """Not even git's own folder of the worktree."""
    place = top / "repo.git" / "worktrees" / "tree"
    place.chmod(0o500)
    return place


def is_left(top: Path) -> list[str]:
    return [name for name in os.listdir(top) if name.startswith(".kiro-not-ours-")]


#: A folder of another user's that is not empty cannot be removed, a file in ours can.
STAYS = (folder, objects, lock)


@pytest.mark.parametrize("spoil", [folder, file, objects, lock])
def test_it_is_named_and_the_next_task_gets_a_clean_worktree(
    swarm: Swarm, spoil: Callable[[Path], Path]
) -> None:
    made, top = swarm.cut(), swarm.instance().folder
    write(Path(made.tree), {"new": "1", "mine/new": "1"})
    give(swarm.top, USER)
    place = spoil(top)
    give(place, os.geteuid())
    with as_the_pods_user(top):
        found = swarm.gather(made)
        if ROOT:
            name = place.relative_to(top if "repo.git" in place.parts else made.tree)
            assert found.reason == "UnreadablePath"
            assert (
                f"{str(name)!r} cannot be read or changed by uid {USER}"
                in found.message
            )
            assert "it is of uid 0); remove it as its owner" in found.message
        for attempt in (2, 3):
            tree = Path(swarm.cut(attempt=attempt).tree)
            assert sorted(os.listdir(tree)) == [".git", ".gitignore", ".kiro", "app.py"]
            assert len(is_left(top)) == (ROOT and spoil in STAYS)
    give(top, os.geteuid())
    swarm.cut(attempt=4)
    assert is_left(top) == []


def test_a_folder_is_emptied_of_all_that_is_ours(tmp_path: Path) -> None:
    top = tmp_path / "top"
    write(top, {"a/b/c/d": "1", "open/x/y": "1", "closed/x": "1", "z": "1"})
    (top / "empty").mkdir()
    give(top, USER)
    for name, mode in (
        ("open", 0o777),
        ("open/x", 0o777),
        ("closed", 0o755),
        ("empty", 0o700),
    ):
        (top / name).chmod(mode)
        give(top / name, os.geteuid())
    os.chown(top / "open/x/y", USER, -1)
    with as_the_pods_user(top):
        if not ROOT:
            clear_folder(top)
            assert os.listdir(top) == []
            return
        with pytest.raises(PermissionError) as caught:
            clear_folder(top)
    assert os.listdir(top) == ["closed"]
    assert "'closed' cannot be read or changed" in not_ours(caught.value, top)
    assert os.listdir(top / "closed") == ["x"]


ENCODED = {
    "UTF-16": b"odd",
    "UTF-16LE-BOM": b"odd",
    "NO-SUCH": b"x\n",
    "UTF-16BE": b"\xd8\x00x",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_a_file_that_is_not_in_its_encoding_is_named_alone(
    swarm: Swarm, encoding: str
) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    lines = f"*.txt text working-tree-encoding={encoding}\n"
    write(tree, {".gitattributes": lines, "a.py": "1", "b/c.md": "1"})
    (tree / "odd.txt").write_bytes(ENCODED[encoding])
    found = swarm.gather(made)
    assert found.reason == "UnreadablePath"
    said = f"'odd.txt': .gitattributes says working-tree-encoding={encoding}, and it is not"
    assert found.message.startswith(said)
    assert "a.py" not in found.message
    (tree / ".gitattributes").unlink()
    assert swarm.gather(made).reason == "Done"
