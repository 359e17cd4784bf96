"""Files and folders where somebody else may have put anything.

Role: whoever empties what foreign code has written to: the entrypoint of its container, and
the package ``workspace``, which reads and writes there as well (its own disk.py).

Guarantees: never follows a symbolic link, so nothing outside the folder is touched; copes
with folders that were made unreadable or are nested deeper than a path can be long.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path


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


def remove_attributes(path: Path) -> None:
    """Remove what was attached to a folder itself: extended attributes that may go."""
    with suppress(OSError):  # a file system without any
        for name in os.listxattr(path, follow_symlinks=False):
            with suppress(OSError):  # those of the system are nobody's to remove
                os.removexattr(path, name, follow_symlinks=False)


def _remove_files(folder: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
