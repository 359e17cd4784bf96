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
from typing import Final, Optional

from kiro_swarm.workspace.limits import in_units

_BLOCK: Final = 512


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
                    found.count(entry.stat(follow_symlinks=False))
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    if enough and (
                        found.bytes > enough.bytes or found.files > enough.files
                    ):
                        return found
        except FileNotFoundError:
            continue  # somebody works there
        except OSError:
            # Closed by its mode, or deeper than a path can be long.
            found.unread = found.unread or os.path.relpath(place, folder)
    return found


def excess(folder: Path, before: Taken, room: Room) -> str:
    """Why what has come into a folder is too much where room is short; empty if it is not.

    It is as much as all that is free: of those who fill a file system one at least is
    above that before it is full, and nobody is for what others have written.

    :param before: what was in it when it began.
    """
    files = room.free_files if room.files + room.free_files else 1 << 62
    enough = Taken(before.bytes + room.free, before.files + files)
    found = taken_by(folder, enough)
    if found.bytes > enough.bytes:
        more = in_units(found.bytes - before.bytes)
        return f"at least {more} more than it began with, and {in_units(room.free)} are free"
    if found.files > enough.files:
        more_files = found.files - before.files
        return (
            f"at least {more_files} more files than it began with, and {files} are free"
        )
    if found.unread and not before.unread:
        return f"a folder that its runner cannot read ({found.unread[:200]})"
    return ""
