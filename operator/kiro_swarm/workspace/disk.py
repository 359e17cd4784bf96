"""Files and folders where somebody else may have put anything.

Role: everything in this package that writes or clears in an instance's folder.

Guarantees: never follows a symbolic link, so nothing outside the folder is touched; copes
with folders that were made unreadable or are nested deeper than a path can be long.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Optional


def real_folder(path: Path) -> None:
    """Make sure that ``path`` is a folder itself, not a link to one or a file."""
    try:
        os.mkdir(path)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            os.mkdir(path)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        os.chmod(path, 0o700)


def remove(path: Path) -> None:
    """Remove a file, link or folder with all that is in it; nothing there is fine."""
    try:
        is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return
    if is_folder:
        clear_folder(path)
        os.rmdir(path)
    else:
        os.unlink(path)


def clear_folder(folder: Path) -> None:
    """Empty the folder, making it first where needed; the folder itself stays.

    Every inner folder is moved to the top before it is emptied: no recursion, and no path
    grows longer than one name.
    """
    real_folder(folder)
    _remove_files(folder)
    prefix = f".kiro-removed-{secrets.token_hex(8)}"
    counter = 0
    while True:
        inner = os.listdir(folder)
        if not inner:
            return
        for name in inner:
            current = folder / name
            os.chmod(current, 0o700)
            _remove_files(current)
            for child in os.listdir(current):
                # To move a folder is to write into it: its ".." changes.
                os.chmod(current / child, 0o700)
                counter += 1
                os.rename(current / child, folder / f"{prefix}-{counter}")
            os.rmdir(current)


def read_plain(path: Path, folder: Optional[int] = None) -> str:
    """The text of a plain file (16 MiB at most); empty when it is anything else.

    ``folder`` is an open one that a relative ``path`` begins at.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, dir_fd=folder)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as source:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return source.read(16 * 1024 * 1024).decode("utf-8", "replace")


def write_plain(path: Path, text: str) -> None:
    """Replace the file as a whole, durably, whatever stood there."""
    if path.is_dir() and not path.is_symlink():
        remove(path)
    fresh = path.with_name(path.name + ".kiro-new")
    remove(fresh)
    with open(fresh, "x", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.replace(fresh, path)


def _remove_files(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
