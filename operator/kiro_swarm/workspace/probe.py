"""Whether the swarm's own repository and file systems can be used at this moment.

Role: evidence for blame.py; asked only when something went wrong, so it may cost a second.

Guarantees: nothing stays behind. What a candidate brought is not looked at: only what the
integration branch leads to is read.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Optional
from uuid import uuid4

from kiro_swarm.policy.volume import FULL
from kiro_swarm.workspace.disk import remove
from kiro_swarm.workspace.errors import (
    BrokenRepository,
    GitFailed,
    GitHindered,
    VolumeTrouble,
    WorkspaceError,
    volume_trouble,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import START_REF, integration_head

#: Less room than this is none: a merge of nearly nothing needs some of it.
ROOM_BYTES = 8 * 1024 * 1024
_ROOM_FILES = 100
#: What the kernel did to this container for lack of memory.
MEMORY_EVENTS = Path("/sys/fs/cgroup/memory.events")
_SECONDS = 120.0


def find_trouble(
    mirror: Path, branch: str, room: int = ROOM_BYTES
) -> Optional[WorkspaceError]:
    """Why nothing can be merged now, whatever it is; None when nothing is in the way."""
    for place in (mirror, Path(tempfile.gettempdir())):
        trouble = _trouble_of(place, room)
        if trouble is not None:
            return trouble
    git = Git(mirror, seconds=_SECONDS)
    try:
        head = integration_head(mirror, branch)
        start = git.commit_id(START_REF)
        known = () if start is None else (f"^{start}",)
        git.run("ls-tree", "-r", "-t", "--name-only", head)
        git.run("rev-list", "--first-parent", "--count", head, *known)
    except GitHindered as error:
        return error
    except GitFailed as error:
        return BrokenRepository(
            f"the swarm's own repository cannot be read: {error.message}"
        )
    except OSError as error:
        return volume_trouble(error, mirror)
    except WorkspaceError as error:
        return error
    return None


def place_trouble(
    place: Path, events: Path = MEMORY_EVENTS, room: int = ROOM_BYTES
) -> Optional[WorkspaceError]:
    """Why nothing can be kept in a folder now, whatever it is; None: nothing is in the way.

    Also where the node, and not a limit of this container, ran out of memory: then the
    kernel has ended processes of this container that went over no limit.
    """
    trouble = _trouble_of(place, room) or _temporary_trouble(room)
    if trouble is not None:
        return trouble
    counts = _counts(events)
    if counts.get("oom_kill", 0) > 0 and not counts.get("oom"):
        return WorkspaceError(
            "the node has run out of memory and ended processes of this container",
            reason="MachineInTrouble",
        )
    return None


def _temporary_trouble(room: int) -> Optional[VolumeTrouble]:
    try:
        return _trouble_of(Path(tempfile.gettempdir()), room)
    except FileNotFoundError as error:
        said = f"no folder for temporary files can be written: {error.strerror}"
        return VolumeTrouble(said, reason="VolumeNotWritable")


def _counts(events: Path) -> dict[str, int]:
    try:
        lines = [line.split() for line in events.read_text("ascii").strip().split("\n")]
        return {name: int(count) for name, count in lines}
    except (OSError, ValueError):
        return {}  # another version of control groups, or none


def _trouble_of(place: Path, room: int) -> Optional[VolumeTrouble]:
    try:
        _use(place, room)
    except OSError as error:
        return volume_trouble(error, place)
    except VolumeTrouble as trouble:
        return trouble
    return None


def _use(place: Path, room: int) -> None:
    """Write a file and read it back."""
    facts = os.statvfs(place)
    free = facts.f_bavail * facts.f_frsize
    # Some file systems make their inodes as they go, and say that they have none.
    few = facts.f_files > 0 and facts.f_favail < _ROOM_FILES
    if free < room or few:
        raise VolumeTrouble(
            f"no room is left in {place}: {free} bytes and {facts.f_favail} files",
            reason=FULL,
        )
    # Every Job is process 1 of its container: its number is no name for it.
    path, content = place / f"kiro-probe-{uuid4().hex}", os.urandom(64 * 1024)
    try:
        with open(path, "xb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        if path.read_bytes() != content:
            raise OSError(errno.EIO, "what was written is not what is read")
    finally:
        remove(path)
