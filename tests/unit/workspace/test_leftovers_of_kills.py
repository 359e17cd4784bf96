"""What processes leave that are killed goes, and work that is only there does not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kiro_swarm.workspace.done import kept
from kiro_swarm.workspace.locks import sole_owner
from kiro_swarm.workspace.outcomes import Merged
from kiro_swarm.workspace.upkeep import Needed, Thresholds, marks, tidy
from tests.unit.workspace.repositories import INTEGRATION, Swarm, adopted, train

ALWAYS = Thresholds(loose_objects=0, kept_seconds=0, pause_seconds=0)
#: Below the mirror, as git and we leave them when they are killed.
HALVES = (
    *("config.lock", "packed-refs.lock", "packed-refs.new", "gc.pid"),
    *("objects/pack/tmp_pack_Xy12ab", "objects/pack/.tmp-77-pack-00ff.pack"),
    *(
        "objects/pack/tmp_idx_ab",
        "objects/ab/tmp_obj_x1",
        "objects/tmp_objdir-gc-1/ab/x",
    ),
    *("objects/pack/multi-pack-index.lock", "objects/info/commit-graph.lock"),
    *("objects/info/packs_a1B2c3", "info/refs_a1B2c3", "refs/heads/a.lock"),
    *("kiro-incoming/objects/pack/pack-1.pack", "kiro-probe-1"),
)


def _tidy(swarm: Swarm, needed: Needed, thresholds: Thresholds = ALWAYS) -> bool:
    return tidy(swarm.top, swarm.mirror, INTEGRATION, needed, thresholds)


def _shelf(swarm: Swarm, index: int = 1) -> Path:
    return swarm.top / "finished" / f"demo-{index}"


def _half(place: Path) -> None:
    (place / "repo.git" / "objects").mkdir(parents=True)
    (place / "repo.git" / "objects" / "large").write_bytes(b"x" * 1000)


@pytest.mark.parametrize("name", HALVES)
def test_what_a_killed_process_had_half_done_in_the_mirror_goes(
    swarm: Swarm, name: str
) -> None:
    half = swarm.mirror / name
    half.parent.mkdir(parents=True, exist_ok=True)
    half.write_text("half")
    os.utime(half, (1_700_000_000, 1_700_000_000))
    # Nothing is due to be packed: it goes all the same.
    _tidy(swarm, Needed({}, ()), Thresholds())
    assert not half.exists()
    assert swarm.fsck(swarm.mirror) == ""
    assert isinstance(train(swarm).merge(swarm.work({"a": "1"})), Merged)


def test_a_gc_that_was_killed_in_another_pod_keeps_none_from_packing(
    swarm: Swarm,
) -> None:
    """git believes for twelve hours that it runs there still."""
    (swarm.mirror / "gc.pid").write_text("7 kiro-integrate-17-abcde")
    keep = swarm.mirror / "objects" / "pack" / "pack-0.keep"
    keep.write_text("fetch-pack 7 on kiro-prepare-1")
    assert _tidy(swarm, Needed({}, ()))
    assert not keep.exists()


def test_what_a_killed_runner_left_on_its_shelf_goes(swarm: Swarm) -> None:
    swarm.keep(swarm.work({"a": "1"}))
    shelf = _shelf(swarm)
    for name in ("uid-2.1.new", "uid-3.1.gone", "uid-4.1"):
        _half(shelf / name)
    (shelf / "notes of a person").mkdir()
    _tidy(swarm, Needed({}, ()))
    names = sorted(path.name for path in shelf.iterdir() if path.is_dir())
    assert names == ["notes of a person", "uid-1-1.1"]
    assert [work.trailer for work in kept(swarm.top)] == ["uid-1-1/1"]


def test_a_runner_that_keeps_work_at_this_moment_is_left_alone(swarm: Swarm) -> None:
    swarm.keep(swarm.work({"a": "1"}))
    _half(_shelf(swarm) / "uid-2.1.new")
    with sole_owner(_shelf(swarm)):
        _tidy(swarm, Needed({}, ()))
    assert (_shelf(swarm) / "uid-2.1.new").exists()


def test_superseded_work_on_a_shelf_goes_and_the_latest_and_the_unknown_stay(
    swarm: Swarm,
) -> None:
    for attempt in (1, 2):
        swarm.keep(swarm.work({"a": str(attempt)}, attempt=attempt))
    swarm.keep(swarm.work({"b": "1"}, task="2"))
    _tidy(swarm, Needed({"uid-1-1": 2}, ()))
    assert {work.trailer for work in kept(swarm.top)} == {"uid-1-1/2", "uid-2/1"}


def test_merged_work_that_was_kept_again_goes_without_room_for_an_adoption(
    swarm: Swarm,
) -> None:
    done = swarm.work({"a": "1"})
    assert isinstance(train(swarm).merge(done), Merged)
    swarm.keep(done)
    assert len(list(kept(swarm.top))) == 1
    _tidy(swarm, Needed({"uid-1-1": 1}, ("demo-1",)))
    assert list(kept(swarm.top)) == []


def test_an_instance_that_begins_while_it_is_tidied_loses_nothing(
    swarm: Swarm,
) -> None:
    """It was wanted again after anybody asked, and had its folder cut first."""
    swarm.cut(index=1)
    swarm.cut(index=2)
    seen = marks(swarm.top)
    needed = Needed({}, ())
    swarm.cut(index=1, attempt=2)
    tidy(swarm.top, swarm.mirror, INTEGRATION, needed, ALWAYS, seen=seen)
    assert (swarm.instance(1).tree / "app.py").exists()
    assert os.listdir(swarm.instance(2).folder) == ["kiro-swarm.flock"]


def test_a_first_cut_after_the_look_loses_nothing(swarm: Swarm) -> None:
    seen = marks(swarm.top)
    swarm.cut(index=3)
    tidy(swarm.top, swarm.mirror, INTEGRATION, Needed({}, ()), ALWAYS, seen=seen)
    assert (swarm.instance(3).tree / "app.py").exists()


@pytest.mark.parametrize("what", ["lock", "shelf"])
def test_one_folder_that_cannot_be_emptied_keeps_no_other_from_it(
    swarm: Swarm, what: str
) -> None:
    swarm.keep(swarm.work({"a": "1"}, index=2))
    swarm.cut(index=1)
    swarm.cut(index=2)
    stands = swarm.instance(1).folder if what == "lock" else _shelf(swarm, 0)
    stands.mkdir(parents=True, exist_ok=True)
    with sole_owner(stands):
        assert _tidy(swarm, Needed({"uid-1-1": 2}, ()))
    assert os.listdir(swarm.instance(2).folder) == ["kiro-swarm.flock"]
    assert list(kept(swarm.top)) == []


def test_packing_is_due_where_room_is_short_whatever_there_is(swarm: Swarm) -> None:
    idle = Thresholds(pause_seconds=0)
    assert not _tidy(swarm, Needed({}, ()), idle)
    place = (swarm.top, swarm.mirror, INTEGRATION)
    assert tidy(*place, Needed({}, ()), idle, pressed=True)


def test_removal_of_adopted_work_that_is_killed_leaves_no_place(swarm: Swarm) -> None:
    """By its first step it is no place any more, so that nobody takes half of it."""
    swarm.keep(swarm.work({"a": "1"}))
    place = next(kept(swarm.top)).place
    assert adopted(swarm) == 1
    assert not place.exists()
    assert stat.S_ISDIR(place.parent.stat().st_mode)
