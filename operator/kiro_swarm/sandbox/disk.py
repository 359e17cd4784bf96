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
    grows longer than one name. Raises PermissionError where something in it is not ours to
    remove (another user's, immutable); all else is gone then.
    """
    real_folder(folder)
    prefix = f".kiro-removed-{secrets.token_hex(8)}"
    counter = 0
    stuck = _remove_files(folder)
    while True:
        inner = [name for name in os.listdir(folder) if name not in stuck]
        if not inner:
            break
        for name in inner:
            current = folder / name
            try:
                _open_up(current)
                left = _remove_files(current)
                for child in os.listdir(current):
                    if child not in left:
                        counter += 1
                        moved = folder / f"{prefix}-{counter}"
                        _move_out(current / child, moved, left)
                if left:
                    raise next(iter(left.values()))
                os.rmdir(current)
            except PermissionError as error:
                try:
                    os.rmdir(current)  # it may be empty, whosever it is
                except OSError:
                    stuck[name] = error
    if stuck:
        raise next(iter(stuck.values()))


def _open_up(folder: Path) -> None:
    """Let us list a folder and change what is in it. Raises PermissionError."""
    try:
        os.chmod(folder, 0o700)
    except PermissionError:
        wanted = os.R_OK | os.W_OK | os.X_OK
        if not os.access(folder, wanted, effective_ids=True):
            raise


def _move_out(child: Path, to: Path, left: dict[str, PermissionError]) -> None:
    """Move a folder out of another, or add it to what is left there."""
    try:
        # To move a folder is to write into it: its ".." changes.
        _open_up(child)
        os.rename(child, to)
    except PermissionError as error:
        try:
            os.rmdir(child)
        except OSError:
            left[child.name] = error


def remove_attributes(path: Path) -> None:
    """Remove what was attached to a folder itself: extended attributes that may go."""
    with suppress(OSError):  # a file system without any
        for name in os.listxattr(path, follow_symlinks=False):
            with suppress(OSError):  # those of the system are nobody's to remove
                os.removexattr(path, name, follow_symlinks=False)


def _remove_files(folder: Path) -> dict[str, PermissionError]:
    """Remove what is no folder; what is not ours to remove stays, and is told with why."""
    left: dict[str, PermissionError] = {}
    with os.scandir(folder) as entries:
        for entry in list(entries):
            if not entry.is_dir(follow_symlinks=False):
                try:
                    os.unlink(entry.path)
                except PermissionError as error:
                    left[entry.name] = error
    return left
