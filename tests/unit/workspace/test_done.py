"""Finished work gets a ref in the mirror before it is removed from where its runner kept it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.disk import folders
from kiro_swarm.workspace.done import DONE_REFS, forget, kept, remove_adopted
from kiro_swarm.workspace.finished import keep
from kiro_swarm.workspace.locks import PAUSE_SECONDS, sole_owner_of_mirror
from kiro_swarm.workspace.outcomes import Candidate
from kiro_swarm.workspace.packed_refs import Entry, replace_below
from kiro_swarm.workspace.tags import DROPPED
from kiro_swarm.workspace.upkeep import Needed, tidy
from tests.unit.workspace.repositories import INTEGRATION, Swarm, adopted, git, merged

UID = "0" * 36


@pytest.fixture
def done(swarm: Swarm) -> Path:
    """The folder with the shelves of all instances."""
    return swarm.top / "finished"


def put_aside(swarm: Swarm, work: Candidate) -> None:
    """What the runner does before it reports Done."""
    shelf = swarm.top / "finished" / work.instance_dir.name
    places = (work.instance_dir, swarm.mirror)
    keep(shelf, work.uid, work.attempt, *places, INTEGRATION, work.commit)


def refs(swarm: Swarm, below: str = DONE_REFS) -> dict[str, str]:
    listed = git(
        *(swarm.mirror, "for-each-ref", "--format=%(refname) %(objectname)"), below
    )
    return dict(line.split(" ") for line in listed.splitlines())


def test_the_next_agent_cannot_destroy_finished_work(swarm: Swarm, done: Path) -> None:
    work = swarm.work({"new.py": "work\n"})
    put_aside(swarm, work)
    swarm.cut(task="2")
    shutil.rmtree(work.instance_dir)
    assert adopted(swarm) == 1
    outcome = merged(swarm, work)
    assert swarm.show("new.py") == "work"
    assert outcome.commit == swarm.head()
    assert swarm.fsck(swarm.mirror) == ""


def test_what_was_adopted_is_under_a_ref_and_no_longer_aside(
    swarm: Swarm, done: Path
) -> None:
    first = swarm.work({"a.py": "a\n"})
    put_aside(swarm, first)
    second = swarm.work({"b.py": "b\n"}, index=2, task="2")
    put_aside(swarm, second)
    assert adopted(swarm) == 2
    assert adopted(swarm) == 0
    assert refs(swarm) == {
        f"{DONE_REFS}/uid-1-1/1": first.commit,
        f"{DONE_REFS}/uid-2/1": second.commit,
    }
    assert [folders(shelf) for shelf in folders(done)] == [[], []]


def test_only_what_the_mirror_has_is_removed(swarm: Swarm, done: Path) -> None:
    work = swarm.work({"a.py": "a\n"})
    put_aside(swarm, work)
    (folder,) = folders(done / "demo-1")
    (found,) = kept(swarm.top)
    remove_adopted(swarm.mirror, found)
    assert folder.is_dir()
    adopted(swarm)
    assert not folder.exists()


@pytest.mark.parametrize("written", ["nothing", "other bytes", "a link"])
def test_what_is_not_the_commit_is_not_adopted(
    swarm: Swarm, done: Path, tmp_path: Path, written: str
) -> None:
    work = swarm.work({"a.py": "a\n"})
    put_aside(swarm, work)
    (folder,) = folders(done / "demo-1")
    (found,) = (folder / "repo.git" / "objects").glob("pack/*.pack")
    content = found.read_bytes()
    found.chmod(0o600)
    found.unlink()
    if written == "other bytes":
        found.write_bytes(content[:-4])
    elif written == "a link":
        elsewhere = tmp_path / "elsewhere"
        elsewhere.write_bytes(content)
        found.symlink_to(elsewhere)
    assert adopted(swarm) == 0
    assert refs(swarm) == {}
    assert folder.is_dir(), "nothing goes that is nowhere else"
    assert merged(swarm, work).commit == swarm.head(), "the instance has it still"


def test_refs_go_when_their_task_is_merged_and_not_before(
    swarm: Swarm, done: Path
) -> None:
    rejected = swarm.work({"a.py": "first\n"})
    put_aside(swarm, rejected)
    taken = swarm.work({"a.py": "second\n"}, attempt=2)
    put_aside(swarm, taken)
    waits = swarm.work({"b.py": "b\n"}, index=2, task="2")
    put_aside(swarm, waits)
    adopted(swarm)
    forget(swarm.mirror, INTEGRATION, set())
    assert len(refs(swarm)) == 3
    merged(swarm, taken)
    forget(swarm.mirror, INTEGRATION, set())
    assert set(refs(swarm).values()) == {rejected.commit, waits.commit}
    forget(swarm.mirror, INTEGRATION, {taken.uid})
    assert refs(swarm) == {f"{DONE_REFS}/{waits.trailer}": waits.commit}


def _merged_go(swarm: Swarm) -> None:
    forget(swarm.mirror, INTEGRATION, set())


def _followed_go(swarm: Swarm) -> None:
    tidy(swarm.top, swarm.mirror, INTEGRATION, Needed({UID: 2000}, ()))


def _dropped_go(swarm: Swarm) -> None:
    tidy(swarm.top, swarm.mirror, INTEGRATION, Needed({}, ()))


@pytest.mark.parametrize(
    ("place", "go"),
    [
        (f"{DONE_REFS}/{UID}/{{0}}", _merged_go),
        (f"{DONE_REFS}/{UID}/{{0}}", _followed_go),
        (f"{DROPPED}/{{0}}/x", _dropped_go),
    ],
)
def test_others_have_the_mirror_while_many_refs_go(
    swarm: Swarm, place: str, go: Callable[[Swarm], None]
) -> None:
    # Packed: each of its own file would be synced, and a busy disk takes seconds for it.
    entry: Entry = (swarm.head().encode(), None)
    names = [place.format(number).encode() for number in range(1, 801)]
    below = "/".join(place.split("/")[:3])
    with sole_owner_of_mirror(swarm.mirror):
        replace_below(swarm.mirror, f"{below}/", dict.fromkeys(names, entry), {})
    left: list[int] = []
    stop = threading.Event()

    def other() -> None:
        while not stop.is_set():
            with sole_owner_of_mirror(swarm.mirror):
                left.append(len(refs(swarm, below)))
            time.sleep(PAUSE_SECONDS)

    beside = threading.Thread(target=other)
    beside.start()
    try:
        go(swarm)
    finally:
        stop.set()
        beside.join()
    assert refs(swarm, below) == {}
    assert set(left) - {0, 800}, "it was the sole owner from the first to the last"
