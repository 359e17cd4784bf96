"""The names of the branch stay bounded over all tasks, and no few tasks use up the others' room."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits
from kiro_swarm.workspace.patterns import endless_below
from kiro_swarm.workspace.tree_names import counted, room, too_many
from tests.unit.workspace.repositories import (
    Swarm,
    commit,
    git,
    merged,
    train,
    unproven,
    write,
)

#: As small as these repositories; what is free of it is 256 bytes.
SMALL = 32 * 1024
_NAMES = st.sampled_from([b"a", b"b", b"ab", b"a.b", b"a-", b"\xc3\xa4", b"x" * 9])
_PATHS = st.sets(st.lists(_NAMES, min_size=1, max_size=5).map(b"/".join), max_size=20)


@given(_PATHS)
@settings(max_examples=200, deadline=None)
def test_files_and_folders_are_counted_once(paths: set[bytes]) -> None:
    files = {path + b"/file" for path in paths}
    parts = [path.split(b"/") for path in files]
    names = {b"/".join(p[:n]) for p in parts for n in range(1, len(p) + 1)}
    assert counted(sorted(files)) == sum(len(name) + 100 for name in names)


def test_who_comes_late_finds_room_however_much_the_first_bring() -> None:
    """Forty tasks take all that they may; the next one still brings sixty files."""
    most = 1024 * 1024
    there: dict[bytes, str] = {}
    for task in range(40):
        room = max(most // 128, (most - counted(sorted(there))) // 4)
        own = {b"%d-%d" % (task, n): "x" for n in range(room // 107)}
        more = {b"%d+%d" % (task, n): "x" for n in range(room // 90)}
        assert too_many(there, {**there, **own}, own, most) == ""
        assert "a task may bring " in too_many(there, {**there, **more}, more, most)
        there.update(own)
    assert most * 0.9 < counted(sorted(there)) < most * 1.25
    few = {b"new-%d" % n: "x" for n in range(60)}
    assert too_many(there, {**there, **few}, few, most) == ""


@pytest.mark.parametrize("begun", [0.0, 0.99, 1.2, 1.3, 1.9, 2.5])
def test_a_thousand_tasks_that_bring_all_they_may_stay_below_an_end(
    begun: float,
) -> None:
    """What a worktree may have is twice as much: no attempt fails for what others brought."""
    most = 128 * 1024 * 1024
    before = start = int(most * begun)
    brought = []
    for _ in range(1000):
        brought.append(max(0, room(before, most)))
        before += brought[-1]
    assert before <= max(start, most * (5 / 4 if begun < 5 / 4 else 2))
    assert brought == sorted(brought, reverse=True), "none finds more than those before"
    assert begun > 1 or sum(one >= most // 128 for one in brought) > 20


def test_where_there_is_no_room_files_are_moved_and_edited_and_none_is_added() -> None:
    most = 1024
    there = {b"%03d" % n: "x" for n in range(30)}
    assert too_many(there, {**there, b"000": "y"}, [], most) == ""
    moved = {(b"m" + p[1:] if p == b"000" else p): "x" for p in there}
    assert too_many(there, moved, [b"m00"], most) == ""
    said = too_many(there, {**there, b"new": "x"}, [b"new"], most)
    assert "there is no room for more. Remove or move files" in said


def _files(folder: str, count: int) -> dict[str, str]:
    return {f"{folder}/file-{n:03d}.txt": "x\n" for n in range(count)}


def test_what_is_merged_counts_with_what_comes(swarm: Swarm) -> None:
    """Of the task alone this would not be too much; of one that only moves files nothing is."""
    swarm.prepare()
    limits = Limits(names_bytes=SMALL)
    second = swarm.work(_files("two", 60), index=2, task="2")
    outcome = train(swarm, limits=limits).merge(swarm.work(_files("one", 60)))
    assert type(outcome).__name__ == "Merged", outcome
    said = unproven(swarm, second, limits)
    assert said.startswith("TooLarge: the names of the files and folders that the")
    made = swarm.cut(task="1.2")
    git(Path(made.tree), "mv", "one", "moved")
    moved = swarm.candidate(made, swarm.gather(made, task="1.2").commit, task="1.2")
    outcome = train(swarm, limits=limits).merge(moved)
    assert type(outcome).__name__ == "Merged", outcome
    merged(swarm, second)


@pytest.mark.parametrize(("there", "own"), [(2, True), (200, False)])
def test_who_has_brought_the_names_of_a_worktree(
    swarm: Swarm, there: int, own: bool
) -> None:
    commit(swarm.upstream, _files("lib", there))
    swarm.prepare()
    made = swarm.cut()
    tree = Path(made.tree)
    write(tree, _files("mine", 300 - there))
    found = endless_below(Git(swarm.mirror), tree, b"", made.base, names_bytes=4_000)
    assert found is not None
    assert (found.own, "no attempt is to blame" in found.said) == (own, not own)
