"""An attempt that fills the volume is ended and charged; nobody is for what others fill."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import List

import pytest

from kiro_swarm.agents.driver import OnProgress
from kiro_swarm.lifecycle.reasons import NO_FAULT, SCRATCH_FULL
from kiro_swarm.runner.attempt import Failed, Finished, Result
from kiro_swarm.runner.cycles import OnCycle
from kiro_swarm.runner.room import LOOK_SECONDS, Bounded
from kiro_swarm.runner.work import OnCut
from kiro_swarm.runner.worktree import Cut, WorktreeError
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
        self._bounded = Bounded(folder, self._give_back, clock, self._room)

    def write(self, name: str, size: int) -> None:
        (self.folder / name).write_bytes(os.urandom(size * MIB))

    async def attempt(self, *writes: int, ends: bool = True) -> Result:
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
            return FINISHED

        async def cut(_: object) -> None:
            self.said.append("cut")

        return await self._bounded.around(work)(cut, self.said.append, cut)

    def _room(self, place: Path) -> Room:
        assert place == self.folder
        if self.gone:
            raise OSError(116, "Stale file handle")
        mine = sum(path.stat().st_size for path in place.iterdir())
        used = self.others + mine
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


async def test_whose_files_fill_the_volume_is_charged_and_they_go(
    instance: Instance,
) -> None:
    result = await instance.attempt(9)
    assert isinstance(result, Failed)
    assert result.reason == SCRATCH_FULL
    assert SCRATCH_FULL not in NO_FAULT
    assert "more than it began with, and 1 MiB are free" in result.message
    assert "raise spec.storage.size" in result.message
    assert "ignored files as well" in result.brief
    assert "spec." not in result.brief, "an agent cannot do that"
    assert list(instance.folder.iterdir()) == []


async def test_it_is_ended_while_its_agent_runs(instance: Instance) -> None:
    running = asyncio.ensure_future(instance.attempt(9, ends=False))
    for _ in range(100):
        await instance.clock.advance(LOOK_SECONDS / 10)
        await asyncio.sleep(0.01)
        if running.done():
            break
    result = await asyncio.wait_for(running, 5)
    assert isinstance(result, Failed)
    assert result.reason == SCRATCH_FULL
    assert instance.stopped
    assert instance.emptied == 1


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
    assert instance.emptied == 0


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
