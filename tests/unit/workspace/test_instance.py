"""A worktree for every task, whatever the last one left."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import InvalidRef, RefNotFound
from kiro_swarm.workspace.instance import cut
from tests.unit.workspace.poison import Canary, poison
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    TASKS,
    Swarm,
    branch,
    commit,
    git,
    write,
)


def _is_fresh(swarm: Swarm, index: int = 1, name: str | None = None) -> None:
    tree = swarm.instance(index).tree
    wanted = name or branch()
    assert git(tree, "symbolic-ref", "HEAD") == f"refs/heads/{wanted}"
    assert git(tree, "rev-parse", "HEAD") == swarm.head()
    assert git(tree, "status", "--porcelain", "--ignored") == ""
    assert (tree / SPEC).read_text() == TASKS


def test_a_first_cut_makes_a_small_repository(swarm: Swarm) -> None:
    made = swarm.cut()
    _is_fresh(swarm)
    assert made.to_json() == {
        "base": swarm.head(),
        "branch": branch(),
        "tree": str(swarm.instance().tree),
    }
    repository = swarm.instance().repository
    size = sum(path.stat().st_size for path in repository.rglob("*") if path.is_file())
    assert size < 10_000
    assert git(repository, "worktree", "list").count("\n") == 1


def test_a_repeat_is_the_same(swarm: Swarm) -> None:
    assert swarm.cut() == swarm.cut()
    _is_fresh(swarm)


def test_nothing_of_the_earlier_task_is_left(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"new.txt": "x", "debug.log": "ignored", "a/b/c.log": "ignored"})
    (tree / "app.py").write_text("changed")
    git(tree, "update-index", "--assume-unchanged", "app.py")
    git(tree, "init", "--quiet", "nested")
    (tree / "locked/inner").mkdir(parents=True)
    (tree / "locked/inner").chmod(0)
    swarm.cut(task="1.2")
    _is_fresh(swarm, name=branch("1.2"))


def test_a_tree_deeper_than_any_path_is_cleared(swarm: Swarm) -> None:
    swarm.cut()
    top = os.open(swarm.instance().tree, os.O_RDONLY)
    name = "deeper" * 20
    for _ in range(60):
        os.mkdir(name, dir_fd=top)
        inner = os.open(name, os.O_RDONLY, dir_fd=top)
        os.close(top)
        top = inner
    os.close(top)
    swarm.cut()
    _is_fresh(swarm)


@pytest.mark.parametrize(
    "damage",
    [
        "repo.git",
        "repo.git/objects",
        "repo.git/refs",
        "repo.git/HEAD",
        "repo.git/config",
        "repo.git/worktrees",
        "tree",
        "tree/.git",
    ],
)
@pytest.mark.parametrize("way", ["removed", "a file", "a link", "a folder"])
def test_a_deleted_or_replaced_part_is_made_again(
    swarm: Swarm, damage: str, way: str
) -> None:
    swarm.cut()
    outside = swarm.top / "outside"
    write(outside, {"keep.txt": "mine", "refs/heads/x": "y", "HEAD": "z"})
    target = swarm.instance().folder / damage
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    if way == "a file":
        target.write_text("rubbish")
    elif way == "a link":
        target.symlink_to(outside, target_is_directory=True)
    elif way == "a folder":
        write(target, {"rubbish": "x"})
    swarm.cut(task="1.2")
    _is_fresh(swarm, name=branch("1.2"))
    assert (outside / "keep.txt").read_text() == "mine"
    assert len(list(outside.rglob("*"))) == 5


def _all_of(folder: Path) -> dict[str, bytes]:
    """Everything in a folder, but for times and our lock."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.fsencode(os.readlink(path))
        elif path.is_dir():
            found[name] = b"a folder"
        elif path.name != "kiro-swarm.flock":
            content = b"" if path.name == "index" else path.read_bytes()
            found[name] = re.sub(rb"\d{10} \+0000", b"", content)
    return found


def test_a_cut_leaves_what_a_first_cut_makes_and_nothing_else(
    swarm: Swarm, canary: Canary
) -> None:
    """Objects, refs, hooks, junk in any place: whatever an agent can write."""
    swarm.cut()
    first = _all_of(swarm.instance().folder)
    work = swarm.work({"x.txt": "1"})
    tree, folder = swarm.instance().tree, swarm.instance().folder
    git(tree, "update-ref", "refs/heads/swarm/demo/2/1", str(work.commit))
    poison(swarm.instance(), canary)
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        (place / "junk").write_bytes(b"0" * 1000)
        (place / ".hidden").mkdir(exist_ok=True)
    os.symlink("/etc/passwd", folder / "link")
    os.mkfifo(folder / "pipe")
    swarm.cut()
    assert _all_of(folder) == first
    assert canary.sung() == []


def test_an_object_planted_in_the_place_of_the_mirror_s_is_gone(swarm: Swarm) -> None:
    """git reads loose objects without looking at their hash."""
    swarm.cut()
    blob = git(swarm.mirror, "rev-parse", f"{INTEGRATION}:app.py")
    planted = swarm.instance().repository / "objects" / blob[:2] / blob[2:]
    planted.parent.mkdir(exist_ok=True)
    planted.write_bytes(zlib.compress(b"blob 5\0evil\n"))
    swarm.cut(task="1.2")
    assert (swarm.instance().tree / "app.py").read_text() == "one\ntwo\nthree\n"


def test_files_in_the_place_of_object_folders_do_not_stop_the_next_task(
    swarm: Swarm,
) -> None:
    swarm.cut()
    objects = swarm.instance().repository / "objects"
    shutil.rmtree(objects)
    write(objects, {f"{number:02x}": "" for number in range(256)})
    assert swarm.work({"x": "1"}, task="1.2").commit


def test_refs_planted_in_the_way_of_a_branch_do_not_matter(swarm: Swarm) -> None:
    swarm.cut()
    repository = swarm.instance().repository
    refs = repository / "refs/heads"
    shutil.rmtree(refs)
    write(refs, {"swarm": swarm.head(), "$(id)": swarm.head(), "empty": ""})
    os.symlink("/etc/passwd", refs / "link")
    os.mkfifo(refs / "pipe")
    (repository / "packed-refs").write_text(
        f"{swarm.head()} refs/heads/swarm/demo\n{'0' * 40} refs/heads/none\nrubbish\n"
    )
    swarm.cut()
    _is_fresh(swarm)
    assert "demo\n" not in git(repository, "for-each-ref", "--format=%(refname)")


def test_a_poisoned_repository_runs_nothing_and_is_clean_again(
    swarm: Swarm, canary: Canary
) -> None:
    made = swarm.cut()
    poison(swarm.instance(), canary)
    swarm.cut()
    _is_fresh(swarm)
    assert made.branch == branch()
    assert canary.sung() == []
    config = (swarm.instance().repository / "config").read_text()
    assert "evil" not in config
    assert not (swarm.instance().repository / "hooks").exists()


def test_planted_grafts_and_replacements_change_no_history(swarm: Swarm) -> None:
    made = swarm.cut()
    tree, repository = Path(made.tree), swarm.instance().repository
    fake = commit(tree, {"fake": "1"})
    git(repository, "replace", "--force", made.base, fake)
    write(repository, {"info/grafts": f"{made.base} {fake}\n", "shallow": made.base})
    swarm.cut()
    _is_fresh(swarm)
    assert git(repository, "replace", "--list") == ""


def test_twenty_instances_are_cut_at_once(swarm: Swarm) -> None:
    with ThreadPoolExecutor(8) as pool:
        cuts = list(pool.map(swarm.cut, range(1, 21)))
    assert {made.base for made in cuts} == {swarm.head()}
    for index in range(1, 21):
        _is_fresh(swarm, index)


def test_cuts_of_one_instance_at_once_take_turns(swarm: Swarm) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: swarm.cut(), range(8)))
    _is_fresh(swarm)


@pytest.mark.parametrize("name", ["main", "../x", "swarm/a/b/1;id", "--orphan"])
def test_a_branch_of_another_form_is_refused(swarm: Swarm, name: str) -> None:
    folder = swarm.instance().folder
    with pytest.raises(InvalidRef):
        cut(folder, swarm.mirror, name, INTEGRATION)
    assert not folder.exists()


def test_without_an_integration_branch_nothing_is_cut(swarm: Swarm) -> None:
    with pytest.raises(RefNotFound, match="prepare job"):
        cut(swarm.instance().folder, swarm.mirror, branch(), "other")
