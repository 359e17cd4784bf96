"""A volume that somebody can fill: a file system of its own, where this process may make one."""

from __future__ import annotations

import functools
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Tuple

from tests.unit.hostile.acts_gates import VOLUME_MIB

#: Ways to a process that may mount, and whose mounts nobody else sees.
_WAYS = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))
_MOUNT = ("mount", "-t", "tmpfs", "-o", f"size={VOLUME_MIB}m", "tmpfs")


@functools.cache
def may_mount() -> Tuple[str, ...]:
    """A command prefix, with which a process can make such volumes; empty where none can."""
    for way in _WAYS:
        try:
            tried = subprocess.run(
                [*way, *_MOUNT, "/mnt"], capture_output=True, check=False
            )
        except FileNotFoundError:
            continue
        if tried.returncode == 0:
            return way
    return ()


@contextmanager
def volume(place: Path, bounded: bool) -> Iterator[Path]:
    """A folder, of this size where it is ``bounded`` and can be; gone afterwards."""
    place.mkdir(parents=True)
    mounted = bounded and _done(*_MOUNT, str(place))
    try:
        yield place
    finally:
        if mounted:
            _done("umount", "--lazy", str(place))


def _done(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
