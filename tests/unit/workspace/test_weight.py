"""Little on disk, much in memory: refused before git reads it; honest work is not."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.errors import GitFailed
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.outcomes import Merged
from tests.unit.workspace.bombs import FILE, FOLDER, Bomber, bomber
from tests.unit.workspace.repositories import (
    Swarm,
    adopted,
    branch,
    commit,
    git,
    merged,
    train,
    unproven,
    write,
)
from tests.unit.workspace.test_done import put_aside

_MIB = 1024 * 1024


def _peak(swarm: Swarm, candidate_commit: str, base: str) -> tuple[str, int]:
    """What the train says in a process of its own, and the most memory of a child there."""
    program = (
        "import re, resource, sys; from pathlib import Path\n"
        "from kiro_swarm.workspace.instance import Cut\n"
        "from tests.unit.workspace.repositories import Swarm, branch, unproven\n"
        "swarm = Swarm(Path(sys.argv[1])); made = Cut(sys.argv[2], branch(), '')\n"
        "print(unproven(swarm, swarm.candidate(made, sys.argv[3])).split(':')[0])\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        # Its own by this page: the other count has what pytest had when it forked.
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(swarm.top), base, candidate_commit],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    reason, *peaks = done.stdout.split()
    return reason, max(map(int, peaks)) // 1024


def _huge_commit(bombs: Bomber) -> str:
    start = git(bombs.swarm.mirror, "cat-file", "commit", bombs.made.base) + "\n"
    return bombs.huge("commit", start.encode(), 400)


def _behind_a_huge_commit(bombs: Bomber) -> str:
    return bombs.commit(bombs.root(), parent=_huge_commit(bombs))


def _huge_tree(bombs: Bomber) -> str:
    return bombs.commit(bombs.root(huge=(FOLDER, bombs.huge("tree", b"", 400))))


def _shared(bombs: Bomber, depth: int, fan: int = 10) -> str:
    oid, mode = bombs.plant("blob", b"q"), FILE
    for _ in range(depth):
        oid = bombs.tree({f"d{n}": (mode, oid) for n in range(fan)})
        mode = FOLDER
    return oid


def _paths(bombs: Bomber) -> str:
    return bombs.commit(bombs.root(bomb=(FOLDER, _shared(bombs, 7))))


def _paths_of_the_mirror(bombs: Bomber) -> str:
    """A folder that the mirror has, a thousand times a thousand times."""
    tree = git(bombs.swarm.mirror, "rev-parse", f"{bombs.made.base}^{{tree}}")
    for _ in range(2):
        tree = bombs.tree({f"d{n}": (FOLDER, tree) for n in range(1000)})
    return bombs.commit(bombs.root(bomb=(FOLDER, tree)))


def _bytes(bombs: Bomber) -> str:
    """One blob of a mebibyte in two thousand places."""
    blob = bombs.plant("blob", b"x" * _MIB)
    tree = bombs.tree({f"f{n}": (FILE, blob) for n in range(2000)})
    return bombs.commit(bombs.root(bomb=(FOLDER, tree)))


def _deep(bombs: Bomber) -> str:
    oid = bombs.tree({"f": (FILE, bombs.plant("blob", b"q"))})
    for _ in range(5000):
        oid = bombs.tree({"d": (FOLDER, oid)})
    return bombs.commit(bombs.root(deep=(FOLDER, oid)))


def _within_a_changed_folder(bombs: Bomber) -> str:
    kiro = bombs.tree({"specs": (FOLDER, _shared(bombs, 7))})
    return bombs.commit(bombs.root(**{".kiro": (FOLDER, kiro)}))


def _hidden_by_a_planted_base(bombs: Bomber) -> str:
    """The tree that the task began from, as it never was, says that nothing is new."""
    new = bombs.root(bomb=(FOLDER, _shared(bombs, 7)))
    base = git(bombs.swarm.mirror, "rev-parse", f"{bombs.made.base}^{{tree}}")
    text = subprocess.run(
        ["git", "cat-file", "tree", new],
        cwd=bombs.swarm.instance().repository,
        env={
            "PATH": "/usr/bin:/bin",
            "GIT_DIR": str(bombs.swarm.instance().repository),
        },
        capture_output=True,
        check=True,
    ).stdout
    bombs.plant("tree", text, oid=base)
    return bombs.commit(new)


def _long_paths(bombs: Bomber, count: int = 12_000) -> str:
    """Each in 198 folders, of two hundred objects: 3,378 bytes."""
    tree = bombs.tree({"f": (FILE, bombs.plant("blob", b"q"))})
    for _ in range(197):
        tree = bombs.tree({"a" * 16: (FOLDER, tree)})
    wide = bombs.tree({f"{n:06d}": (FOLDER, tree) for n in range(count)})
    return bombs.commit(bombs.root(w=(FOLDER, wide)))


def _folders_of_nothing(bombs: Bomber) -> str:
    """No file at all: git walks through ten million folders to find out."""
    tree = bombs.tree({})
    for _ in range(7):
        tree = bombs.tree({f"d{n}": (FOLDER, tree) for n in range(10)})
    return bombs.commit(bombs.root(bomb=(FOLDER, tree)))


def _a_folder_for_each(bombs: Bomber) -> str:
    """5,000 files, and a checkout of 900,000 folders."""
    tree = bombs.tree({"f": (FILE, bombs.plant("blob", b"q"))})
    for _ in range(180):
        tree = bombs.tree({"n": (FOLDER, tree)})
    wide = bombs.tree({f"{n:04d}": (FOLDER, tree) for n in range(5000)})
    return bombs.commit(bombs.root(w=(FOLDER, wide)))


def _commits(bombs: Bomber) -> str:
    tree, last = bombs.root(), bombs.made.base
    for _ in range(300):
        text = f"tree {tree}\nparent {last}\n" + "x" * 900_000
        last = bombs.plant("commit", text.encode())
    return bombs.commit(tree, parent=last)


BOMBS: list[tuple[str, Callable[[Bomber], str]]] = [
    ("a commit of 400 MiB", _huge_commit),
    ("a parent of 400 MiB", _behind_a_huge_commit),
    ("a tree of 400 MiB", _huge_tree),
    ("ten million paths of nine objects", _paths),
    ("a million folders of the mirror", _paths_of_the_mirror),
    ("one blob in 2,000 places", _bytes),
    ("5,000 folders in each other", _deep),
    ("12,000 long paths", _long_paths),
    ("ten million folders of nothing", _folders_of_nothing),
    ("180 folders for each file", _a_folder_for_each),
    ("in a folder that was there", _within_a_changed_folder),
    ("hidden by a planted base", _hidden_by_a_planted_base),
    ("300 commits of 900 KB", _commits),
]


@pytest.mark.parametrize(
    "bomb", [bomb for _, bomb in BOMBS], ids=[name for name, _ in BOMBS]
)
def test_a_bomb_is_refused_in_little_memory(
    swarm: Swarm, bomb: Callable[[Bomber], str]
) -> None:
    bombs = bomber(swarm)
    reason, peak = _peak(swarm, bomb(bombs), bombs.made.base)
    assert reason == "TooLarge"
    assert peak < 250, "MiB, of this process and of any git"


def test_what_came_with_other_work_is_weighed_when_it_is_claimed(swarm: Swarm) -> None:
    """A commit in the history of an attempt that ended small is the next one's claim."""
    bombs = bomber(swarm)
    paths = bombs.commit(bombs.root(bomb=(FOLDER, _shared(bombs, 6))))
    small = bombs.commit(bombs.root(), parent=paths)
    put_aside(swarm, bombs.candidate(small))
    assert adopted(swarm) == 1
    said = unproven(swarm, bombs.candidate(paths))
    assert said.startswith("TooLarge: checked out, the task brings")
    merged(swarm, bombs.candidate(small))


@pytest.mark.parametrize("more", [0, 60])
def test_what_an_earlier_commit_had_is_not_brought_by_who_brings_it_back(
    swarm: Swarm, more: int
) -> None:
    commit(swarm.upstream, {f"assets/{n}.txt": f"{n}\n" for n in range(100)})
    git(swarm.upstream, "rm", "-rq", "assets")
    git(swarm.upstream, "commit", "-qm", "gone")
    swarm.prepare()
    made = swarm.cut()
    git(Path(made.tree), "checkout", "-q", "HEAD~1", "--", "assets")
    write(Path(made.tree), {f"new/{n}": f"new {n}\n" for n in range(more)})
    done = swarm.candidate(made, swarm.gather(made).commit)
    put_aside(swarm, done)
    assert adopted(swarm) == 1
    limits = Limits(paths=50)
    if more:
        assert unproven(swarm, done, limits).startswith("TooLarge")
    else:
        outcome = train(swarm, None, limits).merge(done)
        assert isinstance(outcome, Merged), outcome


def test_the_depth_of_one_folder_is_not_that_of_another(swarm: Swarm) -> None:
    """One is changed, and one is new; neither is deeper than 110 folders."""
    changed, new = "d/" * 110 + "f", "e/" * 110 + "f"
    merged(swarm, swarm.work({changed: "0\n"}))
    merged(swarm, swarm.work({changed: "1\n", new: "1\n"}, index=2, task="2"))


def test_a_folder_that_contains_itself_is_refused(swarm: Swarm) -> None:
    bombs = bomber(swarm)
    mine = "d" * 40
    bombs.tree({"x": (FOLDER, mine)}, oid=mine)
    work = bombs.commit(bombs.root(ring=(FOLDER, mine)))
    assert "contains itself" in unproven(swarm, bombs.candidate(work))


@pytest.mark.parametrize("kind", ["tag", "blob", "tree"])
def test_what_is_no_commit_is_refused_by_name(swarm: Swarm, kind: str) -> None:
    bombs = bomber(swarm)
    texts = {
        "tag": f"object {bombs.made.base}\ntype commit\ntag x\n\nx\n".encode(),
        "blob": b"x",
        "tree": b"100644 x\0" + b"\1" * 20,
    }
    said = unproven(swarm, bombs.candidate(bombs.plant(kind, texts[kind])))
    assert said.startswith("CommitMissing")
    assert f"is a {kind}, not a commit" in said


def test_an_index_of_more_objects_than_allowed_is_not_read(swarm: Swarm) -> None:
    done = swarm.work({"a": "1"})
    git(done.instance_dir / "repo.git", "repack", "-q", "-a", "-d", "-l")
    limits = Limits(objects=2)
    assert "more than 2 objects" in unproven(swarm, done, limits)


def test_a_file_that_no_host_takes_is_named_before_it_is_merged(swarm: Swarm) -> None:
    made = swarm.cut()
    with open(Path(made.tree) / "movie.bin", "wb") as file:
        file.truncate(3 * _MIB)
    done = swarm.candidate(made, swarm.gather(made).commit)
    said = unproven(swarm, done, Limits(file_bytes=2 * _MIB))
    assert said.startswith("FileTooLarge: movie.bin has 3 MiB")
    merged(swarm, done)


def test_a_large_file_that_was_taken_out_again_is_named_too(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    (tree / "lib").mkdir()
    with open(tree / "lib" / "movie.bin", "wb") as file:
        file.truncate(3 * _MIB)
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "-m", "a movie")
    (tree / "lib" / "movie.bin").unlink()
    (tree / "small.txt").write_text("x")
    done = swarm.candidate(made, swarm.gather(made).commit)
    said = unproven(swarm, done, Limits(file_bytes=2 * _MIB))
    assert said.startswith("FileTooLarge: movie.bin has 3 MiB in a commit before")
    merged(swarm, done)


def test_what_was_taken_under_another_policy_is_judged_by_that_of_today(
    swarm: Swarm,
) -> None:
    """Work that waits for a person is in the mirror before it is merged."""
    made = swarm.cut()
    write(Path(made.tree), {"lib/movie.bin": "x" * 3000})
    git(Path(made.tree), "add", "--all")
    git(Path(made.tree), "commit", "--quiet", "-m", "a movie")
    write(Path(made.tree), {"lib/movie.bin": "x", "lib/large.bin": "y" * 2001})
    done = swarm.candidate(made, swarm.gather(made).commit)
    put_aside(swarm, done)
    assert adopted(swarm) == 1
    said = unproven(swarm, done, Limits(file_bytes=2000))
    assert said.startswith("FileTooLarge: lib/")
    assert "2000 bytes are allowed" in said
    merged(swarm, done)
    # What the branch has, in whatever commit, every host has taken.
    again = swarm.cut(task="1.2")
    write(Path(again.tree), {"movie.bin": "x" * 3000, "copy.bin": "y" * 2001})
    copied = swarm.candidate(again, swarm.gather(again, task="1.2").commit, task="1.2")
    put_aside(swarm, copied)
    assert adopted(swarm) == 1
    outcome = train(swarm, limits=Limits(file_bytes=2000)).merge(copied)
    assert type(outcome).__name__ == "Merged", outcome


def test_honest_work_in_a_large_repository_is_not_large(swarm: Swarm) -> None:
    """Only what is not where it was counts: not the thousand files beside it."""
    names = {f"lib/p{n % 40}/m{n}.py": f"{n}\n" for n in range(1000)}
    commit(swarm.upstream, names)
    swarm.prepare()
    small = Limits(paths=50, checked_out_bytes=10_000)
    first = swarm.work({"lib/p1/m1.py": "mine\n", "lib/new/x.py": "x\n"})
    outcome = train(swarm, limits=small).merge(first)
    assert type(outcome).__name__ == "Merged", outcome
    made = swarm.cut(task="1.2")
    git(Path(made.tree), "mv", "lib/p2", "moved")
    moved = swarm.candidate(made, swarm.gather(made, task="1.2").commit, task="1.2")
    outcome = train(swarm, limits=small).merge(moved)
    assert type(outcome).__name__ == "Merged", "25 files at a new place"
    made = swarm.cut(task="2")
    git(Path(made.tree), "mv", "lib", "all")
    everything = swarm.candidate(made, swarm.gather(made, task="2").commit, task="2")
    assert "TooLarge" in unproven(swarm, everything, small)


def test_merges_and_many_commits_of_an_agent_are_weighed(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    git(tree, "checkout", "--quiet", "-b", "side")
    for number in range(30):
        commit(tree, {"side.txt": str(number)})
    git(tree, "checkout", "--quiet", branch())
    commit(tree, {"main.txt": "x"})
    git(tree, "merge", "--quiet", "--no-edit", "side")
    merged(swarm, swarm.candidate(made, swarm.gather(made).commit))
    assert swarm.show("side.txt") == "29"


def test_git_that_reads_what_is_not_proved_has_bounds(swarm: Swarm) -> None:
    bombs = bomber(swarm)
    tree = bombs.huge("tree", b"", 600)
    git_there = Git(swarm.instance().repository)
    with pytest.raises(GitFailed, match=r"attempting to allocate|out of memory"):
        git_there.bounded().run("cat-file", "tree", tree)
    write(Path(bombs.made.tree), {"a": "1"})
    status = git_there.bounded().run(
        "-c", "alias.limits=!cat /proc/self/limits", "limits"
    )
    (line,) = (one for one in status.text.splitlines() if "address space" in one)
    assert line.split()[3] == str(2048 * _MIB)
    assert resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY


def test_of_too_much_the_largest_file_is_named(swarm: Swarm) -> None:
    made = swarm.cut()
    tree = Path(made.tree)
    for name, size in (("a.bin", 1), ("movie.bin", 3), ("z.bin", 2)):
        with open(tree / name, "wb") as file:
            file.truncate(size * _MIB)
    done = swarm.candidate(made, swarm.gather(made).commit)
    unpacked = unproven(swarm, done, Limits(unpacked_bytes=4 * _MIB))
    assert "with 6 MiB, the largest is movie.bin with 3 MiB; at most" in unpacked
    placed = unproven(swarm, done, Limits(checked_out_bytes=4 * _MIB))
    assert "the largest is movie.bin with 3 MiB; at most" in placed
