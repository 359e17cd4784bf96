"""Killed after any of its writes, the next run leaves what an undisturbed one leaves, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from kiro_swarm.workspace.done import DONE_REFS
from kiro_swarm.workspace.doubts import NAME, Doubts
from kiro_swarm.workspace.upkeep import Needed, tidy
from tests.unit.workspace.mortal import NEVER, Mortal
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Swarm,
    adopted,
    commit,
    git,
    merged,
)

_ROOT = Path(__file__).parents[3]
State = dict[str, object]


@pytest.fixture(scope="module")
def mortal() -> Iterator[Mortal]:
    """Runs each work in a process of its own."""
    made = Mortal(_ROOT)
    yield made
    made.close()


class Ground:
    """A volume that each run finds as it was: at the same place, for repositories borrow."""

    def __init__(self, folder: Path, prepared: Swarm) -> None:
        self.top, self._stored = prepared.top, folder / "stored"
        shutil.copytree(self.top, self._stored, symlinks=True)

    def again(self) -> Swarm:
        shutil.rmtree(self.top)
        shutil.copytree(self._stored, self.top, symlinks=True)
        return Swarm(self.top)


@pytest.fixture
def here(prepared: Path, tmp_path: Path) -> Swarm:
    """A swarm with a folder of its own, and room beside it."""
    top = tmp_path / "volume"
    shutil.copytree(prepared, top)
    return Swarm(top)


def _shelf(swarm: Swarm) -> None:
    swarm.work({"new.py": "work\n"})


def _rescue(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}, index=1, task="1.1"))
    swarm.keep(swarm.work({"b.py": "b\n"}, index=2, task="1.2"))
    adopted(swarm)
    swarm.keep(swarm.work({"c.py": "c\n"}, index=3, task="2"))


def _delivery(swarm: Swarm) -> None:
    swarm.keep(swarm.work({"new.py": "work\n"}))


def _prepare(swarm: Swarm) -> None:
    commit(swarm.upstream, {"later.py": "later\n"})


def _sync(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    commit(swarm.upstream, {"later.py": "later\n"})


GROUNDS: Mapping[str, Callable[[Swarm], None]] = {
    "shelf": _shelf,
    "rescue": _rescue,
    "delivery": _delivery,
    "prepare": _prepare,
    "sync": _sync,
}


def state(swarm: Swarm, work: str) -> State:
    """All that matters, without times and the ids that they are part of.

    What killed processes left half done is tidied first, as Jobs do.
    """
    halves = [*swarm.top.glob("finished/*/*.*.*"), *swarm.mirror.glob("*-incoming")]
    if halves:
        needed = Needed({}, ("demo-1", "demo-2", "demo-3"))
        tidy(swarm.top, swarm.mirror, INTEGRATION, needed)
    about = "%(refname) %(objecttype) %(tree) %(*tree) %(contents:subject)"
    found: State = {}
    for name, where in (("mirror", swarm.mirror), ("source", swarm.upstream)):
        found[f"refs of the {name}"] = git(where, "for-each-ref", f"--format={about}")
    # All that refs lead to can be read; a merge is there once.
    git(swarm.mirror, "rev-list", "--all", "--objects", "--quiet")
    line = ("log", "--first-parent", "--format=%T %B", INTEGRATION)
    found["branch"] = git(swarm.mirror, *line)
    found["mirror"] = sorted(
        path.name for path in swarm.mirror.iterdir() if path.name != NAME
    )
    found["arriving"] = [path.name for path in swarm.top.glob("*.arriving.*")]
    shelves = swarm.top / "finished"
    shelved = sorted(str(path.relative_to(shelves)) for path in shelves.glob("*/*"))
    found["shelves"] = shelved
    refs = git(swarm.mirror, "for-each-ref", "--format=%(refname)", DONE_REFS).split()
    if work == "rescue":
        # It pushed what it has adopted, and the volume goes with the place of it.
        stays = {ref[len(DONE_REFS) + 1 :].replace("/", ".") for ref in refs}
        found["shelves"] = [
            name for name in shelved if name.rsplit("/", 1)[-1] not in stays
        ]
    doubts = Doubts(swarm.mirror)
    found["to blame"] = [doubts.verdict(f"uid-{n}/1") for n in ("1-1", "1-2", "2")]
    return found


def killed_everywhere(mortal: Mortal, ground: Ground, work: str) -> list[str]:
    """Kill before each act, run again, compare; what was wrong, and where."""
    swarm = ground.again()
    acts, ended = mortal.run(work, swarm.top)
    assert ended == 0
    right, wrong = state(swarm, work), []
    for number in range(len(acts)):
        swarm = ground.again()
        done, ended = mortal.run(work, swarm.top, number)
        assert (done, ended) == (acts[: number + 1], -9), f"not the same acts: {done}"
        _, ended = mortal.run(work, swarm.top, NEVER)
        made = state(swarm, work) if ended == 0 else {"ended": ended}
        if made != right:
            differ = {k: v for k, v in made.items() if right.get(k) != v}
            wrong.append(f"killed before {number}, {acts[number]}: {differ}")
    return wrong


@pytest.mark.parametrize("work", GROUNDS)
def test_killed_after_any_write_the_next_run_ends_as_an_undisturbed_one(
    mortal: Mortal, here: Swarm, tmp_path: Path, work: str
) -> None:
    GROUNDS[work](here)
    assert killed_everywhere(mortal, Ground(tmp_path, here), work) == []


def test_two_acts_the_other_way_round_are_found(
    mortal: Mortal, here: Swarm, tmp_path: Path
) -> None:
    """Removed from the shelf before the mirror has it under a ref."""
    _delivery(here)
    wrong = killed_everywhere(mortal, Ground(tmp_path, here), "careless")
    assert wrong
    assert all("git update-ref" in where for where in wrong), wrong
