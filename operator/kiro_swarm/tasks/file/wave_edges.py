"""A wave graph -> edges between leaves.

Used by ``edges`` where waves are all that a file says about order. Checkpoints cut the
file into stretches: a checkpoint is a barrier by its position, so a wave that would make
a task above it wait for one below it loses there, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from kiro_swarm.tasks.file.codes import Code
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.model import Remarks, Severity
from kiro_swarm.tasks.file.waves import Waves


class WaveEdges:
    """The leaves of each wave. ``missing``: leaves in no wave, checkpoints aside.

    ``alone``: the waves are the only edges of the file, so what is wrong with them is an
    error, not a warning.
    """

    def __init__(
        self, groups: Groups, waves: Waves, remarks: Remarks, *, alone: bool
    ) -> None:
        self._groups = groups
        self._waves = waves
        self._remarks = remarks
        self._alone = alone
        self._stretch = self._stretches()
        self._levels = self._place()
        placed = {leaf for level in self._levels for leaf in level}
        self.missing = [
            index
            for index, leaf in enumerate(groups.leaves)
            if index not in placed and not groups.is_checkpoint(leaf)
        ]
        if alone and waves.waves:
            for index in self.missing:
                leaf = groups.leaves[index]
                remarks.add(
                    "warning",
                    "not-in-waves",
                    leaf.line,
                    f"task {leaf.id} is in no wave; it waits for the task above it",
                    leaf.column,
                )

    def _stretches(self) -> list[int]:
        """For each leaf the number of the stretch between checkpoints that it is in."""
        result, stretch = [], 0
        for leaf in self._groups.leaves:
            barrier = self._groups.is_checkpoint(leaf)
            result.append(stretch + 1 if barrier else stretch)
            stretch += 2 if barrier else 0
        return result

    def _place(self) -> list[list[int]]:
        """Leaves per wave. A leaf named itself wins over a wave that names its group."""
        levels: list[list[int]] = []
        seen: set[int] = set()
        named = {name for wave in self._waves.waves for name in wave.tasks}
        for wave in self._waves.waves:
            level: list[int] = []
            for name in wave.tasks:
                for leaf in self._members(name):
                    own = self._groups.leaves[leaf].id
                    if own != name and own in named:
                        continue
                    if leaf in seen:
                        self._complain(
                            "task-in-two-waves", f"task {own} is in two waves"
                        )
                        continue
                    seen.add(leaf)
                    level.append(leaf)
            levels.append(level)
        return levels

    def _members(self, name: str) -> list[int]:
        members = self._groups.members(name)
        if members is None:
            shown = name[:40].encode("unicode_escape").decode("ascii")
            self._complain(
                "unknown-in-waves",
                f"the wave graph names task {shown}, which is not defined"
                + (
                    self._groups.nearest(name).replace(",", ";", 1)
                    if is_id(name)
                    else ""
                ),
            )
        return members or []

    def _complain(self, code: Code, message: str) -> None:
        severity: Severity = "error" if self._alone else "warning"
        self._remarks.add(severity, code, self._waves.line, message)

    def edges(self) -> Iterator[tuple[int, int]]:
        """(leaf, leaf it waits for) of all waves."""
        lowest = [
            min((self._stretch[leaf] for leaf in level), default=None)
            for level in self._levels
        ]
        for index, wave in enumerate(self._waves.waves):
            if wave.after is not None:
                for before in wave.after:
                    for leaf in self._levels[index]:
                        for needed in self._levels[before]:
                            yield leaf, needed
                continue
            for stretch in {self._stretch[leaf] for leaf in self._levels[index]}:
                before, said = index - 1, False
                while before >= 0:
                    bottom = lowest[before]
                    if bottom is not None and bottom <= stretch:
                        break
                    if bottom is not None and not said:
                        self._contradicts(index, before, stretch)
                        said = True
                    before -= 1
                if before >= 0:
                    yield from self._between(index, before, stretch)

    def _between(
        self, index: int, before: int, stretch: int
    ) -> Iterator[tuple[int, int]]:
        for leaf in self._levels[index]:
            if self._stretch[leaf] != stretch:
                continue
            for needed in self._levels[before]:
                if self._stretch[needed] <= stretch:
                    yield leaf, needed
                else:
                    self._say_contradiction(leaf, needed)

    def _contradicts(self, index: int, before: int, stretch: int) -> None:
        """All of an earlier wave is below the next checkpoint."""
        leaf = next(i for i in self._levels[index] if self._stretch[i] == stretch)
        self._say_contradiction(leaf, self._levels[before][0])

    def _say_contradiction(self, leaf: int, needed: int) -> None:
        waiting, other = self._groups.leaves[leaf], self._groups.leaves[needed]
        self._remarks.add(
            "warning",
            "wave-across-checkpoint",
            waiting.line,
            f"the waves let task {waiting.id} wait for {other.id}, which is below the "
            "next checkpoint; the checkpoint decides",
            waiting.column,
        )
