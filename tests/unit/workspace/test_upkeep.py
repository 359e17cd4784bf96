"""The volume of a swarm that works for a month is not larger than that of one that began."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiro_swarm.workspace.done import forget
from kiro_swarm.workspace.outcomes import Merged, Unproven
from kiro_swarm.workspace.upkeep import Needed, Thresholds, marks, tidy
from tests.support.sizes import Figures, sized
from tests.unit.workspace.repositories import (
    INTEGRATION,
    Gate,
    Swarm,
    adopted,
    branch,
    git,
    train,
    write,
)

#: A month at ten tasks a day is the whole.
TASKS = sized(12, 300)
SCALES = sized(4, 20)
#: Bytes that each task brings; its first attempt brings four times as many and is sent back.
SIZE = 20_000
#: What a volume has beside the history: of this small repository, with four instances.
BOUND = 400_000
#: So many tasks are worked through before the volume is tidied. Until then each leaves the
#: objects of two attempts, and each of the instances a worktree, what is ignored there, and
#: its own objects.
BETWEEN = 6
LEFT = 5 * SIZE
INSTANCES = 4
FOLDER = (7 + 3 + 3 + 4) * SIZE
SOON = Thresholds(loose_objects=100, kept_seconds=0, pause_seconds=0)


def _bytes_in(folder: Path) -> int:
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    )


def _used(swarm: Swarm) -> int:
    """Bytes of the volume; the source is elsewhere."""
    return _bytes_in(swarm.top) - _bytes_in(swarm.upstream)


def _needed(*instances: int, **attempts: int) -> Needed:
    return Needed(attempts, {f"demo-{index}" for index in instances})


def _one_task(
    swarm: Swarm, index: int, number: int, attempt: int, gate: Gate
) -> object:
    """Work in noise, kept as a runner does, then merged or sent back."""
    task = str(number)
    made = swarm.cut(index, task, attempt)
    if attempt == 1:
        Path(made.tree, "noise.bin").write_bytes(os.urandom(3 * SIZE))
    Path(made.tree, "ignored.log").write_bytes(os.urandom(3 * SIZE))
    write(Path(made.tree), {f"f{number % 7}": os.urandom(SIZE // 2).hex()})
    done = swarm.candidate(
        made, swarm.gather(made, index, task, attempt).commit, index, task, attempt
    )
    swarm.keep(done)
    adopted(swarm)
    return train(swarm, gate).merge(swarm.kept(done))


@pytest.mark.timeout(sized(120, 3600))
def test_a_month_of_tasks_stays_below_a_bound(swarm: Swarm, figures: Figures) -> None:
    attempts: dict[str, int] = {}
    sizes: list[int] = []
    peak = 0
    instances = 1
    for number in range(1, TASKS + 1):
        if number % max(1, TASKS // SCALES) == 0:
            instances = INSTANCES if instances == 1 else 1
        index = number % instances + 1
        for attempt in (1, 2):
            attempts[f"uid-{number}"] = attempt
            outcome = _one_task(swarm, index, number, attempt, Gate(attempt == 2))
            assert isinstance(outcome, Merged) == (attempt == 2), outcome
        if number % BETWEEN == 0:
            peak = max(peak, _used(swarm))
            forget(swarm.mirror, INTEGRATION, list(attempts))
            there = {f"demo-{n}" for n in range(1, instances + 1)}
            tidy(swarm.top, swarm.mirror, INTEGRATION, Needed(attempts, there), SOON)
            sizes.append(_used(swarm))
    # Its history takes what was merged, compressed; all else is as it was.
    bound = TASKS * SIZE * 8 // 10 + BOUND
    highest = bound + BETWEEN * LEFT + INSTANCES * FOLDER
    figures(tasks=TASKS, bytes=sizes[-1], bound=bound)
    figures(peak_bytes=peak, peak_bound=highest)
    assert sizes[-1] < bound, (sizes, bound)
    assert peak < highest, (peak, highest)
    assert swarm.fsck(swarm.mirror) == ""
    assert git(swarm.mirror, "rev-list", "--count", INTEGRATION) == str(2 * TASKS + 1)
    assert len(git(swarm.mirror, "for-each-ref").splitlines()) <= 5


def test_folders_of_instances_that_are_gone_are_empty_and_the_others_as_they_were(
    swarm: Swarm,
) -> None:
    swarm.cut(index=1)
    swarm.cut(index=2)
    tidy(swarm.top, swarm.mirror, INTEGRATION, _needed(1))
    assert (swarm.instance(1).tree / "app.py").exists()
    assert os.listdir(swarm.instance(2).folder) == ["kiro-swarm.flock"]
    swarm.cut(index=2)
    assert (swarm.instance(2).tree / "app.py").exists()


def test_where_room_is_short_folders_of_idle_instances_go_as_well(swarm: Swarm) -> None:
    """What an agent has left in its worktree, ignored, is bounded by nothing else."""
    for index in (1, 2):
        swarm.cut(index=index)
    needed = Needed({}, {"demo-1", "demo-2"}, busy={"demo-2"})
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed)
    assert (swarm.instance(1).tree / "app.py").exists()
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed, pressed=True)
    assert os.listdir(swarm.instance(1).folder) == ["kiro-swarm.flock"]
    assert (swarm.instance(2).tree / "app.py").exists()
    swarm.cut(index=1)
    assert (swarm.instance(1).tree / "app.py").exists()


def test_a_folder_that_was_cut_since_it_was_looked_at_stays(swarm: Swarm) -> None:
    swarm.cut(index=1)
    seen = marks(swarm.top)
    swarm.cut(index=1, task="2")
    idle = Needed({}, {"demo-1"})
    tidy(swarm.top, swarm.mirror, INTEGRATION, idle, seen=seen, pressed=True)
    assert (swarm.instance(1).tree / "app.py").exists()


def test_finished_work_of_the_latest_attempt_stays_and_of_earlier_ones_goes(
    swarm: Swarm,
) -> None:
    for attempt in (1, 2):
        swarm.keep(swarm.work({"a": str(attempt)}, attempt=attempt))
    swarm.keep(swarm.work({"b": "x"}, task="2"))
    assert adopted(swarm) == 3
    tidy(swarm.top, swarm.mirror, INTEGRATION, _needed(1, **{"uid-1-1": 2}), SOON)
    refs = git(swarm.mirror, "for-each-ref", "--format=%(refname)", "refs/kiro/done")
    # The second task is unknown here: nobody says that its work is not needed.
    assert refs.split() == ["refs/kiro/done/uid-1-1/2", "refs/kiro/done/uid-2/1"]


def _rejected(swarm: Swarm) -> str:
    done = swarm.work({"a": "1"})
    assert not isinstance(train(swarm, Gate(False)).merge(done), (Merged, Unproven))
    return done.commit


@pytest.mark.parametrize(
    ("thresholds", "bases", "goes"),
    [
        (Thresholds(loose_objects=0, kept_seconds=0), (), True),
        (Thresholds(loose_objects=0), (), False),
        (Thresholds(kept_seconds=0), (), False),
        (Thresholds(loose_objects=0, kept_seconds=0), ("f" * 40,), False),
    ],
    ids=["old and many", "young", "few", "an attempt began elsewhere"],
)
def test_objects_that_nothing_leads_to_go_when_that_is_safe(
    swarm: Swarm, thresholds: Thresholds, bases: tuple[str, ...], goes: bool
) -> None:
    commit = _rejected(swarm)
    # git counts in whole seconds.
    for path in swarm.mirror.rglob("objects/??/*"):
        os.utime(path, (1_700_000_000, 1_700_000_000)) if goes or bases else None
    needed = Needed({}, {"demo-1"}, bases)
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed, thresholds)
    found = git(swarm.mirror, "cat-file", "-t", commit, check=False)
    assert (found == "") == goes
    assert swarm.fsck(swarm.mirror) == ""


def test_an_agent_at_work_notices_nothing(swarm: Swarm) -> None:
    """Its base, and the branch that it looks at, are packed under it."""
    made = swarm.cut()
    _rejected(swarm)
    swarm.cut(index=2)
    needed = Needed({}, {"demo-1", "demo-2"}, (made.base,))
    assert tidy(swarm.top, swarm.mirror, INTEGRATION, needed, SOON_ALWAYS)
    tree = swarm.instance(2).tree
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree, "log", "--oneline").count("\n") == 0
    done = swarm.work({"b": "2"}, index=2, task="2")
    assert isinstance(train(swarm).merge(done), Merged)
    assert git(tree, "rev-parse", "HEAD^") == made.base
    assert branch("2") in git(tree, "branch")


SOON_ALWAYS = Thresholds(loose_objects=0, kept_seconds=0, pause_seconds=0)
