"""How much room a file system has, and how much of it the folder of an instance takes.

Role: the runner bounds by it what an agent leaves in its worktree; the Jobs of the swarm ask
whether the volume is to be tidied.

Guarantees: a folder is only read, no link in it is followed, and what it holds is counted once,
however often it is linked there. What cannot be read in it is never taken for nothing.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Optional

from kiro_swarm.workspace.limits import in_units

_BLOCK: Final = 512
_MIB: Final = 1024 * 1024


class _Reserve(NamedTuple):
    """What has to stay free: a twentieth, at least and at most so much."""

    least: int
    most: int

    def of(self, size: int) -> int:
        # The least is no more than a tenth, so that a small volume is of use.
        return min(max(size // 20, min(self.least, size // 10)), self.most)


#: The least is what a cut and a merge of a common repository want; the most is what one disk
#: takes between two looks of a runner.
_BYTES: Final = _Reserve(64 * _MIB, 1024 * _MIB)
_FILES: Final = _Reserve(4_000, 100_000)


@dataclass(frozen=True)
class Room:
    """Of a file system: bytes, and files where it has a bound on their number, else 0."""

    used: int
    free: int
    files: int = 0
    free_files: int = 0

    def is_short(self, part: float) -> bool:
        """Whether more than this part of it is in use."""
        bytes_in_use = self.used > part * (self.used + self.free)
        bounded = self.files + self.free_files > 0
        return bytes_in_use or (
            bounded and self.files > part * (self.files + self.free_files)
        )

    @property
    def is_nearly_gone(self) -> bool:
        """Whether the next who needs room may find none."""
        return self.lacks_bytes() or self.lacks_files()

    def lacks_bytes(self, part: int = 1) -> bool:
        """Whether less than this part of the reserve is free."""
        return self.free * part < _BYTES.of(self.used + self.free)

    def lacks_files(self, part: int = 1) -> bool:
        """The same, of files."""
        return self.free_files * part < _FILES.of(self.files + self.free_files)


def room_of(place: Path) -> Room:
    """Of the file system of a folder. Raises OSError."""
    facts = os.statvfs(place)
    size = facts.f_frsize
    return Room(
        (facts.f_blocks - facts.f_bfree) * size,
        facts.f_bavail * size,
        max(0, facts.f_files - facts.f_favail),
        facts.f_favail if facts.f_files else 0,
    )


@dataclass
class Taken:
    """What a folder takes: bytes and files. ``unread``: the first that cannot be read in it."""

    bytes: int = 0
    files: int = 0
    unread: str = ""
    _linked: set[tuple[int, int]] = field(default_factory=set)

    def count(self, facts: os.stat_result) -> None:
        """Count one, unless it was counted under another name."""
        if facts.st_nlink > 1 and not stat.S_ISDIR(facts.st_mode):
            itself = (facts.st_dev, facts.st_ino)
            if itself in self._linked:
                return
            self._linked.add(itself)
        self.files += 1
        self.bytes += facts.st_blocks * _BLOCK


def taken_by(folder: Path, enough: Optional[Taken] = None) -> Taken:
    """What is in a folder; with ``enough``, no more than is needed to know that it is more."""
    found, left = Taken(), [str(folder)]
    while left:
        place = left.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    try:
                        found.count(entry.stat(follow_symlinks=False))
                        if entry.is_dir(follow_symlinks=False):
                            left.append(entry.path)
                    except FileNotFoundError:
                        continue  # somebody works there; the others still count
                    if enough and (
                        found.bytes > enough.bytes or found.files > enough.files
                    ):
                        return found
        except FileNotFoundError:
            continue  # the folder itself has gone
        except OSError:
            # Closed by its mode, or deeper than a path can be long.
            found.unread = found.unread or os.path.relpath(place, folder)
    return found


class Excess(NamedTuple):
    """Why an attempt has to end for want of room: ``own`` where it alone has taken it."""

    said: str
    own: bool


def excess(
    folder: Path, before: Taken, room: Room, held: tuple[int, int] = (0, 0)
) -> Optional[Excess]:
    """Whether an attempt has to end, where room is nearly gone; None: it may go on.

    More than half of a volume can be no more than one attempt's: that one is the cause, and
    ends at once. Of nobody else it can be told who is. Once there is no room, all fail who
    write, and each of them ends whose end gives back more than there is.

    :param before: what was in the folder when it began.
    :param held: bytes and files that its processes hold and that are in no folder.
    """
    if not room.is_nearly_gone:
        return None
    most = Taken(1 << 62, 1 << 62)
    if room.lacks_bytes():
        most.bytes = before.bytes + (room.used + room.free) // 2 - held[0]
    if room.lacks_files():
        most.files = before.files + (room.files + room.free_files) // 2 - held[1]
    found = taken_by(folder, most)
    more = found.bytes + held[0] - before.bytes
    more_files = found.files + held[1] - before.files
    grown = f"taken at least {in_units(max(0, more))} in {max(0, more_files)} files"
    free = f"{in_units(room.free)} are free"
    if room.lacks_files():
        free += f", and {room.free_files} files"
    said = f"{grown} since it began; {free}"
    if found.bytes > most.bytes or found.files > most.files:
        return Excess(f"{said}; that is more than half of the volume", True)
    if found.unread and not before.unread:
        closed = f"a folder that its runner cannot read ({found.unread[:200]})"
        return Excess(f"{said}; and it has {closed}", False)
    bytes_back = room.lacks_bytes(4) and more > room.free
    files_back = room.lacks_files(4) and more_files > room.free_files
    return Excess(said, False) if bytes_back or files_back else None
