"""A look at work under way disturbs nobody, believes nobody and stays within bounds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from kiro_swarm.workspace import lookahead as module
from kiro_swarm.workspace import uncommitted
from kiro_swarm.workspace.errors import (
    GitFailed,
    InvalidRef,
    ObjectsRefused,
    RefNotFound,
)
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.lookahead import foretell
from tests.unit.workspace.ahead import CLEAN, MINE, THEIRS, Bench, names
from tests.unit.workspace.poison import Canary, poison
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    branch,
    commit,
    git,
    write,
)


def test_a_look_leaves_no_trace_and_needs_no_right_to_write(bench: Bench) -> None:
    commit(bench.tree, {"app.py": MINE})
    write(bench.tree, {"new": "mine\n"})
    bench.others_merge({"app.py": THEIRS, "new": "theirs\n"})
    before = everything(bench.swarm.top)
    assert names(bench.look()) == ("app.py", "new")
    assert everything(bench.swarm.top) == before


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        facts = path.lstat()
        found[str(path)] = (facts.st_mtime_ns, facts.st_size)
    return found


def test_an_agent_in_the_middle_of_a_commit_is_not_waited_for(bench: Bench) -> None:
    write(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    instance = bench.swarm.instance(1)
    locks = [instance.admin / "index.lock", instance.admin / "HEAD.lock"]
    locks.append(instance.repository / f"refs/heads/{bench.made.branch}.lock")
    for lock in locks:
        lock.write_text("half of something")
    shutil.rmtree(instance.admin / "logs", ignore_errors=True)
    (instance.admin / "index").write_bytes(b"torn")
    assert names(bench.look()) == ("app.py",)
    assert all(lock.exists() for lock in locks)


def test_packed_refs_are_read_as_well(bench: Bench) -> None:
    commit(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    git(bench.swarm.instance(1).repository, "pack-refs", "--all")
    git(bench.swarm.mirror, "pack-refs", "--all")
    assert names(bench.look()) == ("app.py",)


def test_nothing_of_a_poisoned_instance_is_run(bench: Bench, canary: Canary) -> None:
    commit(bench.tree, {"app.py": MINE})
    write(bench.tree, {"new": "mine\n"})
    bench.others_merge({"app.py": THEIRS, "new": "theirs\n"})
    poison(bench.swarm.instance(1), canary)
    assert names(bench.look()) == ("app.py", "new")
    assert canary.sung() == []


def test_names_that_steer_a_terminal_are_written_out(bench: Bench) -> None:
    hostile = ["a\nb", "c\x1b[2Jd", "e\u202ef", 'q"uote', "n" * 200, "--output=x"]
    write(bench.tree, dict.fromkeys(hostile, "mine\n"))
    bench.others_merge(dict.fromkeys(hostile, "theirs\n"))
    shown = names(bench.look())
    assert set(shown) == {
        *("a<U+000A>b", "c<U+001B>[2Jd", "e<U+202E>f", 'q"uote', "--output=x"),
        "n" * 117 + "...",
    }


def test_a_name_that_is_no_utf8(bench: Bench) -> None:
    name = os.fsdecode(b"gr\xfc\xdfe")
    write(bench.tree, {name: "mine\n"})
    bench.others_merge({name: "theirs\n"})
    assert names(bench.look()) == ("gr\ufffd\ufffde",)


def test_a_folder_that_became_a_link_is_not_followed(
    bench: Bench, tmp_path: Path
) -> None:
    """What lies there must not become part of anything."""
    bench.others_merge({"deep/file": "theirs\n"})
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, {"file": "secret\n"})
    (bench.tree / "deep").symlink_to(elsewhere)
    assert bench.look() == CLEAN
    shutil.rmtree(bench.tree)
    bench.tree.symlink_to(elsewhere)
    bench.others_merge({"file": "theirs\n"}, "2")
    assert bench.look() == CLEAN


def test_what_is_no_file_is_passed_over_and_not_waited_for(bench: Bench) -> None:
    bench.others_merge({"pipe": "theirs\n", "shut": "theirs\n"})
    os.mkfifo(bench.tree / "pipe")
    write(bench.tree, {"shut": "mine\n"})
    (bench.tree / "shut").chmod(0)
    # Who may read everything, as in some containers, finds the conflict.
    readable = os.access(bench.tree / "shut", os.R_OK)
    assert names(bench.look()) == (("shut",) if readable else ())


def test_large_files_are_left_to_the_merge(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uncommitted, "FILE_BYTES", 1000)
    monkeypatch.setattr(uncommitted, "TOTAL_BYTES", 1500)
    mine = {"a": "m" * 1000, "b": "m" * 600, "c": "m" * 1001, "d": "m" * 500}
    write(bench.tree, mine)
    bench.others_merge(dict.fromkeys(mine, "theirs\n"))
    assert names(bench.look()) == ("a", "d")


def test_of_many_changed_files_the_first_are_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uncommitted, "FILES", 3)
    many = [f"file{number}" for number in range(9)]
    write(bench.tree, dict.fromkeys(many, "mine\n"))
    bench.others_merge(dict.fromkeys(many, "theirs\n"))
    assert names(bench.look()) == ("file0", "file1", "file2")
    commit(bench.tree, {})
    assert names(bench.look()) == tuple(many), "a commit is looked at whole"


# ------------------------------------------------------------- no answer


def test_without_an_integration_branch_there_is_no_answer(bench: Bench) -> None:
    git(bench.swarm.mirror, "update-ref", "-d", f"refs/heads/{INTEGRATION}")
    with pytest.raises(RefNotFound, match="no branch 'swarm/demo/integration'"):
        bench.look()


def test_a_branch_that_is_gone(bench: Bench) -> None:
    with pytest.raises(ObjectsRefused, match="is not in the instance's repository"):
        bench.ahead.look(branch("1.1", 7))
    shutil.rmtree(bench.swarm.instance(1).folder)
    with pytest.raises(ObjectsRefused, match="not a plain folder"):
        bench.look()


@pytest.mark.parametrize("name", ["main", "../../x", "swarm/demo/../x/1", ""])
def test_only_branches_of_tasks_are_looked_at(bench: Bench, name: str) -> None:
    with pytest.raises(InvalidRef):
        bench.ahead.look(name)


def test_a_commit_that_cannot_be_read_is_tried_again_when_something_changes(
    bench: Bench,
) -> None:
    done = commit(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS})
    objects = bench.swarm.instance(1).repository / "objects"
    lost = objects / done[:2] / done[2:]
    kept = lost.with_name("kept")
    lost.rename(kept)
    with pytest.raises(ObjectsRefused):
        bench.look()
    assert bench.look() is None, "as long as nothing changes, nothing is tried"
    kept.rename(lost)
    commit(bench.tree, {"more": "x\n"})
    assert names(bench.look()) == ("app.py",)


def test_work_of_another_history_has_no_answer(bench: Bench) -> None:
    git(bench.tree, "checkout", "--quiet", "--orphan", "other")
    commit(bench.tree, {"app.py": MINE})
    git(bench.tree, "branch", "--force", bench.made.branch, "HEAD")
    with pytest.raises(GitFailed, match="merge-base"):
        bench.look()


def test_finished_work_is_judged_by_its_commit_alone(bench: Bench) -> None:
    """Its instance has turned to another task: the worktree is not its own any more."""
    done = commit(bench.tree, {"app.py": MINE})
    bench.others_merge({"app.py": THEIRS, "new": "theirs\n"})
    write(bench.tree, {"new": "of another task\n"})
    folder, mirror = bench.swarm.instance(1).folder, bench.swarm.mirror
    found = foretell(folder, mirror, INTEGRATION, done, SPEC)
    assert (found.files, found.tasks) == (("app.py",), ("1.2",))
    with pytest.raises(InvalidRef):
        foretell(folder, mirror, INTEGRATION, "HEAD", SPEC)
    with pytest.raises(RefNotFound):
        foretell(folder, mirror, "main", done, SPEC)


def test_more_than_the_limit_is_not_copied(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIMITS", Limits(stored_bytes=10_000))
    commit(bench.tree, {"random": os.urandom(20_000).hex()})
    with pytest.raises(ObjectsRefused, match="more than"):
        bench.look()


def test_a_swarm_with_long_names(bench: Bench) -> None:
    """The overlay quotes every byte of a path; git takes that to its limit."""
    name = "/".join(["d" * 200] * 4) + "/\u00fc\\ \t'x"
    bench.others_merge({name: "theirs\n"})
    write(bench.tree, {name: "mine\n"})
    prediction = bench.look()
    assert prediction is not None
    assert prediction.count == 1
