"""No pattern of a tree keeps git busy for ever, whoever brings it and whoever brings the paths."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import (
    BrokenRepository,
    GitTimeout,
    ObjectsRefused,
    SyncRefused,
)
from kiro_swarm.workspace.evidence import gather
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.git import LOCAL_SECONDS, WORKTREE_SECONDS, Git
from kiro_swarm.workspace.leftovers import Excluded
from kiro_swarm.workspace.patterns import (
    BYTES,
    endless_below,
    files_of,
    is_endless,
    objection,
    rules_of,
    told_of_patterns,
)
from kiro_swarm.workspace.restore import restore
from kiro_swarm.workspace.sync import Source, sync
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    merged,
    unproven,
    write,
)

EVIL = "**/a/" * 12 + "b"
DEEP = "/".join("a" * 40) + "/c"
FLAT = "*a" * 12 + "b"
LONG = "a" * 120 + "c"
#: A line of one task, and a path of another.
PAIRS = {"deep": (EVIL, DEEP), "flat": (FLAT, f"src/{LONG}")}


@pytest.mark.parametrize("name", [".gitattributes", ".gitignore", "src/.gitignore"])
def test_of_two_tasks_side_by_side_the_second_is_refused(
    swarm: Swarm, name: str
) -> None:
    line, path = PAIRS["flat"]
    swarm.prepare()
    first = swarm.work({path: "x\n"})
    second = swarm.work({name: f"{line} text\n" if "attr" in name else line}, 2, "1.2")
    merged(swarm, first)
    said = unproven(swarm, second)
    assert said.startswith("UnusablePath")
    assert name in said
    assert "12 stars in *a*a*a" in said
    # The train and the next worktrees go on.
    made = swarm.cut(2, "2")
    write(Path(made.tree), {"new.py": "w\n"})
    assert swarm.gather(made, 2, "2").reason == "Done"


@pytest.mark.parametrize("pair", PAIRS)
def test_the_pattern_first_and_the_path_is_refused(swarm: Swarm, pair: str) -> None:
    line, path = PAIRS[pair]
    swarm.prepare()
    second = swarm.work({path: "x\n"})
    merged(swarm, swarm.work({".gitattributes": f"{line} text\n"}, 2, "1.2"))
    assert unproven(swarm, second).startswith("UnusablePath")
    # It is told when the work is kept already, and not only when it is merged.
    with pytest.raises(ObjectsRefused) as refused:
        keep(
            *(swarm.shelf(), second.uid, second.attempt, second.instance_dir),
            *(swarm.mirror, INTEGRATION, second.commit, second.base),
        )
    assert refused.value.reason == "UnusablePath"


def test_evidence_ends_before_git_reads_it(swarm: Swarm) -> None:
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"sub/.gitignore": EVIL, f"sub/{DEEP}": "x\n", "new.py": ""})
    began = time.monotonic()
    found = swarm.gather(made)
    assert found.reason == "UnreadablePath"
    assert "sub/.gitignore" in found.message
    assert "write fewer stars" in found.message
    assert time.monotonic() - began < 100, "git would not end"
    (tree / "sub" / ".gitignore").unlink()
    assert swarm.gather(made).reason == "Done"
    assert not is_endless(tree)


def test_the_link_and_the_pipe_of_such_a_name_are_not_read(swarm: Swarm) -> None:
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"evil": EVIL, DEEP: "x\n"})
    (tree / "a" / ".gitignore").symlink_to("../evil")
    os.mkfifo(tree / "a" / "a" / ".gitattributes")
    assert endless_below(Git(swarm.mirror), tree, b"", made.base) is None
    for mode in ("120000", "100644"):
        head = _plant(swarm.upstream, {DEEP: "x\n", ".gitignore": EVIL}, mode)
        own = Git(swarm.upstream / ".git")
        refused = objection(own, {}, files_of(own, head)) != ""
        assert refused == (mode == "100644")


def test_what_is_too_much_to_read_is_refused(swarm: Swarm) -> None:
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {".gitignore": "#" * (4 * BYTES + 1)})
    assert swarm.gather(made).reason == "UnreadablePath"
    write(tree, {".gitignore": "#" * (BYTES + 1)})
    assert git(tree, "add", ".gitignore") == ""
    head = commit(tree, {})
    assert rules_of(Git(swarm.mirror), {}) == {}
    own = Git(swarm.instance().repository)
    assert list(rules_of(own, files_of(own, head)).values()) == [None]


@pytest.mark.parametrize("value", ["", "-"])
def test_an_attribute_that_ends_each_checkout_is_refused(
    swarm: Swarm, value: str
) -> None:
    swarm.prepare()
    first = swarm.work({"sub/a.zig": "x\n"})
    line = f"*.zig {value}working-tree-encoding\n"
    second = swarm.work({"sub/.gitattributes": line}, 2, "1.2")
    merged(swarm, first)
    assert "without a value" in unproven(swarm, second)
    fine = f"#{line}*.zig !working-tree-encoding\n*.txt working-tree-encoding=UTF-8\n"
    merged(swarm, swarm.work({".gitattributes": fine}, 3, "2"))


def test_a_source_that_stops_every_task_is_not_begun(swarm: Swarm) -> None:
    tree = swarm.upstream
    commit(tree, {DEEP: "x\n"})
    _plant(tree, {".gitignore": EVIL})
    with pytest.raises(BrokenRepository, match=r"\.gitignore.*write fewer stars"):
        swarm.prepare()
    git(tree, "reset", "--quiet", "--hard", "HEAD~1")
    assert swarm.prepare().integration == git(tree, "rev-parse", "HEAD")


def test_a_sync_with_it_moves_nothing(swarm: Swarm) -> None:
    swarm.prepare()
    merged(swarm, swarm.work({DEEP: "x\n"}))
    commit(swarm.upstream, {".gitattributes": f"{EVIL} text\n"})
    before = swarm.head()
    source = Source(swarm.url, "main", True)
    with pytest.raises(SyncRefused) as refused:
        sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), "command")
    assert refused.value.reason == "UnusablePath"
    assert swarm.head() == before


def _plant(tree: Path, files: dict[str, str], mode: str = "100644") -> str:
    """Commit files whose patterns plain git must not read before."""
    for name, text in files.items():
        place = tree.parent / "planted"
        place.write_text(text)
        blob = git(tree, "hash-object", "-w", "--no-filters", str(place))
        git(tree, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{name}")
    git(tree, "commit", "--quiet", "-m", "Evil")
    return git(tree, "rev-parse", "HEAD")


def _lived_with(swarm: Swarm) -> str:
    """The integration branch has had such a line since before it was looked for."""
    swarm.prepare()
    tree = swarm.upstream
    commit(tree, {DEEP: "x\n"})
    bad = _plant(tree, {".gitignore": EVIL})
    git(swarm.mirror, "fetch", "--quiet", swarm.url, "main")
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", bad)
    return bad


def test_who_finds_it_there_is_not_to_blame(swarm: Swarm) -> None:
    bad = _lived_with(swarm)
    own = Git(swarm.mirror)
    there = files_of(own, bad)
    blob = there[b"app.py"]
    tree = swarm.upstream

    def changed(ignore: str, more: bytes = b"b.py") -> str:
        found = files_of(own, _copied(swarm, _plant(tree, {".gitignore": ignore})))
        return objection(own, there, {**found, more: blob})

    assert objection(own, there, {**there, b"a/a/a/b": blob}) == ""
    assert changed(f"{EVIL}\n*.log\n") == ""
    assert changed("*.log\n") == ""
    assert ".gitignore, 12 stars in **/a/" in changed(f"{EVIL}\n{EVIL}x\n")


def _copied(swarm: Swarm, head: str) -> str:
    git(swarm.mirror, "fetch", "--quiet", swarm.url, "main")
    return head


def test_evidence_on_such_a_branch_is_nobodys_fault(swarm: Swarm) -> None:
    _lived_with(swarm)
    made = swarm.cut()
    write(Path(made.tree), {"new.py": "w\n", "sub/.gitignore": "*.log\n"})
    with pytest.raises(BrokenRepository) as raised:
        swarm.gather(made)
    assert "no attempt is to blame" in raised.value.message
    assert "in its source, and `sync`" in raised.value.message
    # A further one of its own is.
    write(Path(made.tree), {"sub/.gitignore": EVIL, f"sub/{DEEP}": "x\n"})
    assert swarm.gather(made).reason == "UnreadablePath"


def test_patterns_of_the_swarm_are_the_swarms(swarm: Swarm) -> None:
    swarm.prepare()
    made = swarm.cut()
    write(Path(made.tree), {LONG: "w\n"})
    folder = swarm.instance().folder
    exclude = Excluded((FLAT,))
    with pytest.raises(BrokenRepository, match=r"spec\.template\.agent\.exclude"):
        gather(folder, made.base, made.branch, "uid-1/1", "First", exclude=exclude)


def test_what_a_check_wrote_does_not_keep_the_work_from_coming_back(
    swarm: Swarm,
) -> None:
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, {"new.py": "w\n", DEEP: "x\n"})
    done = swarm.gather(made)
    assert done.commit
    write(tree, {".gitignore": EVIL, "a/.gitattributes": f"{EVIL} text\n"})
    restore(swarm.instance().folder, made.branch, done.commit)
    assert (tree / ".gitignore").read_text() == "*.log\n"
    assert not (tree / "a" / ".gitattributes").exists()
    assert (tree / DEEP).read_text() == "x\n"


def test_a_checkout_that_takes_too_long_says_why(swarm: Swarm) -> None:
    bad = _lived_with(swarm)
    own, begun = Git(swarm.mirror), git(swarm.mirror, "rev-parse", f"{bad}~2")
    said = "git worktree did not finish within 420 seconds"

    def told(head: str) -> str:
        with pytest.raises(GitTimeout) as raised, told_of_patterns(own, head):
            raise GitTimeout(said)
        return raised.value.message

    assert told(begun) == said
    assert ".gitignore" in told(bad)
    assert "whoever keeps the repository has to correct it" in told(bad)


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the git command of a name hang."""
    folder, real = tmp_path / "hanging", shutil.which("git")
    folder.mkdir()

    def hang(name: str) -> None:
        script = f'case "$*" in *" {name} "*) sleep 60;; esac\nexec {real} "$@"\n'
        (folder / "git").write_text(f"#!/bin/sh\n{script}")
        (folder / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return hang


def test_a_git_that_never_ends_is_the_works_where_the_machine_is_well(
    swarm: Swarm, hanging: Callable[[str], None]
) -> None:
    swarm.prepare()
    made = swarm.cut()
    write(Path(made.tree), {"new.py": "w\n"})
    hanging("add")
    folder = swarm.instance().folder
    found = gather(folder, made.base, made.branch, "uid-1/1", "First", seconds=1.0)
    assert found.reason == "BrokenRepository"
    assert "git add did not finish within 1 seconds" in found.message
    # The runner waits so long for the answer.
    assert WORKTREE_SECONDS + 120 < LOCAL_SECONDS
