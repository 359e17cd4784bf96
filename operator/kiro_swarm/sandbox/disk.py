"""Files and folders where somebody else may have put anything.

Role: whoever empties what foreign code has written to: the entrypoint of its container, and
the package ``workspace``, which reads and writes there as well (its own disk.py).

Guarantees: never follows a symbolic link, so nothing outside the folder is touched, also
while somebody who is alive in there swaps folders for links: each step goes from an open
folder to a name in it. Copes with folders that were made unreadable, are nested deeper than a
path can be long, hold millions of names, or belong to another project of the file system.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import struct
from contextlib import suppress
from pathlib import Path
from typing import Callable, Collection, Optional, Union

#: Names of a folder that are held in memory at once.
_AT_ONCE = 10_000
#: linux/fs.h: ``struct fsxattr``, how it is read and written, and its flag that what comes
#: into a folder has to be of the folder's own project.
_PROJECT = "IIIII8x"
_GET_PROJECT, _SET_PROJECT, _INHERITED = 0x801C581F, 0x401C5820, 0x200

#: Of an open file: a request of its file system, and what that reads and writes.
Ioctl = Callable[[int, int, bytearray], object]


def real_folder(path: Path) -> None:
    """Make sure that ``path`` is a folder itself, not a link to one or a file."""
    try:
        os.mkdir(path)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)
            os.mkdir(path)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        os.close(_enter(path))


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


def clear_folder(folder: Path, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Empty the folder, making it first where needed; the folder itself stays.

    Every inner folder is moved to the top before it is emptied: no recursion, and no path
    grows longer than one name. Raises PermissionError where something in it is not ours to
    remove (another user's, immutable); all else is gone then.

    :param ioctl: as ``forget_project`` has it.
    """
    real_folder(folder)
    top = _enter(folder)
    try:
        forget_project(top, ioctl)
        stuck = _remove_files(top)
        _remove_folders(top, stuck)
    finally:
        os.close(top)
    for name, error in stuck.items():
        # Of its own it knows a name below an open folder only.
        error.filename = str(folder / name)
        raise error


def _remove_folders(top: int, stuck: dict[str, OSError]) -> None:
    """Remove what is in an open folder; what has to stay is added to ``stuck``."""
    prefix = f".kiro-removed-{secrets.token_hex(8)}"
    counter = 0
    while True:
        inner = _names(top, stuck)
        if not inner:
            return
        for name in inner:
            try:
                current = _enter(name, top)
                try:
                    left = _remove_files(current)
                    while True:
                        children = _names(current, left)
                        if not children:
                            break
                        for child in children:
                            counter += 1
                            _move_out(child, current, top, f"{prefix}-{counter}", left)
                finally:
                    os.close(current)
                if left:
                    raise next(iter(left.values()))
                os.rmdir(name, dir_fd=top)
            except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
                _remove_anyway(name, top, stuck, error)


def _names(folder: int, without: Collection[str]) -> list[str]:
    """Some names in an open folder; none when there are no others."""
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in without:
                found.append(entry.name)
            if len(found) == _AT_ONCE:
                break
    return found


def _enter(name: Union[str, Path], folder: Optional[int] = None) -> int:
    """Open a folder, no link to one, so that we may list and change what is in it.

    Raises NotADirectoryError for what is none, FileNotFoundError, PermissionError.
    """
    flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    place = os.open(name, flags, dir_fd=folder)
    try:
        # By the open folder: a name may lead to something else by now.
        itself = f"/proc/self/fd/{place}"
        try:
            os.chmod(itself, 0o700)
        except PermissionError:
            wanted = os.R_OK | os.W_OK | os.X_OK
            if not os.access(itself, wanted, effective_ids=True):
                raise
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    finally:
        os.close(place)


def _move_out(
    child: str, current: int, top: int, to: str, left: dict[str, OSError]
) -> None:
    """Move a folder out of another, or add it to what is left there."""
    try:
        # To move a folder is to write into it: its ".." changes.
        os.close(_enter(child, current))
        os.rename(child, to, src_dir_fd=current, dst_dir_fd=top)
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        _remove_anyway(child, current, left, error)


def _remove_anyway(
    name: str, folder: int, left: dict[str, OSError], why: OSError
) -> None:
    """Remove what could not be entered: it may be empty, or no folder any more."""
    try:
        os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:
        if not isinstance(why, NotADirectoryError):
            left[name] = why
            return
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            left[name] = error


def forget_project(folder: int, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Let folders of any project be moved into this one (XFS, ext4 with projects).

    :param ioctl: for the tests, whose file system may have no projects.
    """
    with suppress(OSError):  # a file system without any
        found = bytearray(struct.calcsize(_PROJECT))
        ioctl(folder, _GET_PROJECT, found)
        flags, *rest = struct.unpack(_PROJECT, found)
        if flags & _INHERITED:
            cleared = bytearray(struct.pack(_PROJECT, flags & ~_INHERITED, *rest))
            ioctl(folder, _SET_PROJECT, cleared)


def remove_attributes(path: Path) -> None:
    """Remove what was attached to a folder itself: extended attributes that may go."""
    with suppress(OSError):  # a file system without any
        for name in os.listxattr(path, follow_symlinks=False):
            with suppress(OSError):  # those of the system are nobody's to remove
                os.removexattr(path, name, follow_symlinks=False)


def _remove_files(folder: int) -> dict[str, OSError]:
    """Remove what is no folder; what is not ours to remove stays, and is told with why."""
    left: dict[str, OSError] = {}
    while True:
        names: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name not in left and not entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
                if len(names) == _AT_ONCE:
                    break
        if not names:
            return left
        for name in names:
            try:
                os.unlink(name, dir_fd=folder)
            except (FileNotFoundError, IsADirectoryError):
                continue  # somebody else is at it: it is met again
            except PermissionError as error:
                left[name] = error
