"""An attempt that fills the volume is ended and charged; nobody is for what others fill."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import List, Optional, Tuple

import pytest

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.lifecycle.reasons import (
    NO_FAULT,
    SCRATCH_FULL,
    VOLUME_FULL,
    WORKSPACE_FAILED,
)
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.attempt_run import Work
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.room import LOOK_SECONDS, Bounded
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut, WorktreeError
from kiro_swarm.sandbox.port import Held
from kiro_swarm.workspace.room import Room
from tests.unit.runner.fakes import BASE, COMMIT, FakeClock

MIB = 1024 * 1024
CUT = Cut(BASE, "swarm/demo/1.1/1")
FINISHED = Finished(COMMIT, BASE, CUT.branch, 1.0, "done")


class Instance:
    """A folder on a volume of so many MiB, of which others use a part."""

    def __init__(self, folder: Path, clock: FakeClock, size: int = 10) -> None:
        self.folder = folder
        self.clock = clock
        self.size = size * MIB
        self.others = 0
        self.gone = False
        self.emptied = 0
        self.stopped = False
        self.said: List[str] = []
        self.held = Held()
        self.result: Result = FINISHED
        self.kept: List[Tuple[Result, int]] = []
        self.keeps = True
        self.bounded = Bounded(folder, self._give_back, clock, self._room, self._asked)

    def write(self, name: str, size: float) -> None:
        (self.folder / name).write_bytes(os.urandom(int(size * MIB)))

    async def attempt(self, *writes: float, ends: bool = True) -> Result:
        """An agent that leaves files of these sizes, and ends or goes on for ever."""

        async def work(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            await on_cut(CUT)
            try:
                for number, size in enumerate(writes):
                    self.write(str(number), size)
                while not ends:
                    await self.clock.sleep(1.0)
            finally:
                self.stopped = True
            return self.result

        async def cut(_: object) -> None:
            self.said.append("cut")

        around = self.bounded.around(work, self._keeping)
        return await around(cut, self.said.append, cut)

    def _keeping(self, work: Work) -> Work:
        """Remembers what is kept, and how much was emptied by then."""

        async def kept(
            on_cut: OnCut, on_progress: OnProgress, on_cycle: OnCycle
        ) -> Result:
            result = await work(on_cut, on_progress, on_cycle)
            if isinstance(result, Finished) and not self.keeps:
                return Failed(WORKSPACE_FAILED, "No space left on device")
            self.kept.append((result, self.emptied))
            return result

        return kept

    async def _asked(self) -> Held:
        return self.held

    def _room(self, place: Path) -> Room:
        assert place == self.folder
        if self.gone:
            raise OSError(116, "Stale file handle")
        mine = sum(path.stat().st_size for path in place.iterdir())
        used = self.others + mine + self.held.bytes
        return Room(used, max(0, self.size - used))

    async def _give_back(self) -> None:
        self.emptied += 1
        if self.gone:
            raise WorktreeError("away")
        for path in self.folder.iterdir():
            path.unlink()


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path, FakeClock())


async def ended(instance: Instance, *writes: float) -> Result:
    """How an attempt ends whose agent goes on for ever; FINISHED where nobody ends it."""
    running = asyncio.ensure_future(instance.attempt(*writes, ends=False))
    for _ in range(60):
        await instance.clock.advance(LOOK_SECONDS / 10)
        await asyncio.sleep(0.01)
        if running.done():
            break
    if not running.done():
        running.cancel()
        await asyncio.wait({running})
        return FINISHED
    assert instance.stopped
    return running.result()


async def test_whose_files_fill_the_volume_is_charged_and_they_go(
    instance: Instance,
) -> None:
    result = await ended(instance, 9.5)
    assert isinstance(result, Failed)
    assert result.reason == SCRATCH_FULL
    assert SCRATCH_FULL not in NO_FAULT
    assert "512 KiB are free; that is more than half of the volume" in result.message
    assert "raise spec.storage.size" in result.message
    assert "ignored files as well" in result.brief
    assert "spec." not in result.brief, "an agent cannot do that"
    assert instance.emptied == 1
    assert list(instance.folder.iterdir()) == []


async def test_what_is_held_open_in_no_folder_is_its_own_too(
    instance: Instance,
) -> None:
    instance.held = Held(bytes=6 * MIB, files=1)
    instance.others = int(3.5 * MIB)
    result = await ended(instance)
    assert isinstance(result, Failed)
    assert result.reason == SCRATCH_FULL


@pytest.mark.parametrize("free", [0.5, 0.0])
async def test_good_work_is_kept_first_and_never_thrown_away_for_room(
    instance: Instance, free: float
) -> None:
    assert await instance.attempt(10 - free) == FINISHED
    assert instance.kept == [(FINISHED, 0)], "kept before anything was emptied"
    assert instance.emptied == 1


async def test_three_honest_builds_that_fit_all_end_well(tmp_path: Path) -> None:
    # 8 of mirror and three times 25 on a volume of 102: some 19 are free.
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        one = Instance(folder, FakeClock(), size=102)
        one.others = (8 + 50) * MIB
        assert await one.attempt(25) == FINISHED
        assert (one.kept, one.emptied) == ([(FINISHED, 0)], 1)
        other = Instance(folder, FakeClock(), size=102)
        other.others = (8 + 50) * MIB
        assert await ended(other, 25) == FINISHED
        assert (other.said, other.emptied) == (["cut"], 0)


@pytest.mark.parametrize(
    ("own", "others", "reason"),
    [
        # Less than half of it: nobody can tell whose fault it is.
        (3, 6.9, VOLUME_FULL),
        # There is room yet, if little.
        (3, 6.5, None),
        # Its end would give back less than there is.
        (0.01, 9.9, None),
    ],
)
async def test_who_is_ended_for_what_others_fill_is_not_charged(
    instance: Instance, own: float, others: float, reason: Optional[str]
) -> None:
    instance.others = int(others * MIB)
    result = await ended(instance, own)
    assert (result.reason if isinstance(result, Failed) else None) == reason
    assert VOLUME_FULL in NO_FAULT
    assert instance.emptied == (reason is not None)


@pytest.mark.parametrize(
    ("own", "others", "reason"), [(6, 4, SCRATCH_FULL), (3, 7, VOLUME_FULL)]
)
@pytest.mark.parametrize("keeps", [True, False])
async def test_what_failed_for_want_of_room_is_told_as_that(
    instance: Instance, own: int, others: int, reason: str, keeps: bool
) -> None:
    instance.others = others * MIB
    instance.keeps = keeps
    if keeps:
        instance.result = Failed("VerificationFailed", "no space left")
    result = await instance.attempt(own)
    assert isinstance(result, Failed)
    assert result.reason == reason


async def test_what_failed_beside_it_keeps_its_reason(instance: Instance) -> None:
    instance.result = Failed("VerificationFailed", "red")
    assert await instance.attempt(8.5) == instance.result
    assert instance.emptied == 1


async def test_a_folder_with_work_of_before_is_not_emptied_where_nothing_was_cut(
    instance: Instance,
) -> None:
    hindered = Failed(WORKSPACE_FAILED, "cannot see what is Done on this instance")

    def keeping(work: Work) -> Work:
        async def kept(*_: object) -> Result:
            return hindered

        return kept

    async def never(*_: object) -> Result:
        raise AssertionError("it was hindered")

    async def nothing(_: object) -> None:
        return None

    instance.write("only copy", 9.9)
    around = instance.bounded.around(never, keeping)
    assert await around(nothing, instance.said.append, nothing) == hindered
    assert instance.emptied == 0


@pytest.mark.parametrize(
    ("others", "before", "writes"),
    [
        # The volume has room, however much is written.
        (0, 0, (7,)),
        # It is short by what others, or an earlier task's checkout, have there.
        (9, 0, ()),
        (6, 3, ()),
        (85, 0, (1,)),
    ],
)
async def test_nobody_is_charged_for_what_is_not_theirs(
    instance: Instance, others: int, before: int, writes: tuple[int, ...]
) -> None:
    instance.size = 100 * MIB if others > 10 else instance.size
    instance.others = others * MIB
    if before:
        instance.write("before", before)
    assert await instance.attempt(*writes) == FINISHED


async def test_a_volume_that_cannot_be_asked_is_in_nobodys_way(
    instance: Instance,
) -> None:
    instance.gone = True
    assert await instance.attempt(9) == FINISHED


async def test_an_attempt_that_is_stopped_stops_its_agent(instance: Instance) -> None:
    running = asyncio.ensure_future(instance.attempt(1, ends=False))
    for _ in range(500):
        await asyncio.sleep(0.01)
        if instance.said:
            break
    await instance.clock.advance(1.0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert instance.stopped
    assert instance.emptied == 0
