"""Files and folders where somebody else may have put anything.

Role: everything in this package that writes or clears in an instance's folder.

Guarantees: never follows a symbolic link, so nothing outside the folder is touched. How
folders are emptied is in ``sandbox/disk.py``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

from kiro_swarm.sandbox.disk import (
    clear_folder,
    real_folder,
    remove,
    remove_attributes,
)

__all__ = [
    "clear_folder",
    "folders",
    "read_plain",
    "real_folder",
    "remove",
    "remove_attributes",
    "sync_folder",
    "walk",
    "write_plain",
]


def walk(top: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below a folder, a folder before what is in it; follows no link.

    Without recursion, which ends in an error at a thousand folders. What cannot be listed, or
    is deeper than a path can be long, is left out.
    """
    left = [str(top)]
    while left:
        try:
            with os.scandir(left.pop()) as found:
                entries = list(found)
        except OSError:
            continue
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                left.append(entry.path)


def folders(place: Path) -> list[Path]:
    """The real folders in a folder, in order; none where it is not there."""
    try:
        with os.scandir(place) as entries:
            names = [e.name for e in entries if e.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [place / name for name in sorted(names)]


def read_plain(path: Path, folder: Optional[int] = None) -> str:
    """The text of a plain file (16 MiB at most); empty when it is anything else.

    Bytes that are not UTF-8 are kept, as in names of files (os.fsencode).

    ``folder`` is an open one that a relative ``path`` begins at.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, dir_fd=folder)
    except OSError:
        return ""
    # A folder must not come to ``fdopen``, which refuses it.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return ""
    with os.fdopen(descriptor, "rb") as source:
        return source.read(16 * 1024 * 1024).decode("utf-8", "surrogateescape")


def write_plain(path: Path, text: str) -> None:
    """Replace the file as a whole, durably, whatever stood there."""
    if path.is_dir() and not path.is_symlink():
        remove(path)
    fresh = path.with_name(path.name + ".kiro-new")
    remove(fresh)
    with open(fresh, "x", encoding="utf-8", errors="surrogateescape") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.replace(fresh, path)


def sync_folder(folder: Path) -> None:
    """Make durable which names are in it: what is moved there, before what it was is removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
