"""What foreign code wrote goes, and nothing else does."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from kiro_swarm.sandbox.disk import clear_folder, forget_project, remove


def swap(place: Path, folders: list[Path], link: Path) -> int:
    """A process that puts links in the place of folders, again and again."""
    child = os.fork()
    if child:
        return child
    aside = place / "aside"
    with suppress(BaseException):
        while True:
            one = random.choice(folders)
            with suppress(OSError):
                os.rename(one, aside)
                os.symlink(link, one)
            with suppress(OSError):
                os.unlink(one)
            with suppress(OSError):
                os.rename(aside, one)
    os._exit(0)


def test_a_folder_that_is_swapped_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Whoever lives in it still: an agent in its grace period, or on a node that was lost."""
    kept = tmp_path / "pack"
    kept.mkdir()
    work = [kept / str(number) for number in range(20)]
    for path in work:
        path.write_text("work of everybody")
    place = tmp_path / "instance"
    folders = [place / "tree" / str(number) for number in range(40)]

    def fill() -> None:
        for folder in folders:
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "x").touch()

    fill()
    swapping = swap(place, folders, kept)
    removals = 0
    try:
        end = time.monotonic() + 1.5
        # A busy machine may take long for the few that the race needs at least.
        while (time.monotonic() < end or removals < 6) and all(
            path.exists() for path in work
        ):
            removals += 1
            with suppress(OSError):
                remove(place / "tree")
            fill()
    finally:
        os.kill(swapping, signal.SIGKILL)
        os.waitpid(swapping, 0)
    # What the filling wrote through a link is no matter.
    assert [path for path in work if not path.exists()] == [], removals
    remove(place)
    assert not place.exists()


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/x").touch()
    place = tmp_path / "place"
    place.mkdir()
    (place / "link").symlink_to(tmp_path / "kept")
    (place / "inner").mkdir()
    (place / "inner/link").symlink_to(tmp_path / "kept")
    clear_folder(place)
    assert os.listdir(place) == []
    assert os.listdir(tmp_path / "kept") == ["x"]


def test_many_names_and_many_folders_go(tmp_path: Path) -> None:
    place = tmp_path / "place"
    for number in range(30):
        (place / "a" / str(number) / "b").mkdir(parents=True)
    for number in range(10_500):
        os.close(os.open(place / f"a/file-{number}", os.O_CREAT))
    remove(place)
    assert not place.exists()


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o400, 0o500])
def test_folders_that_cannot_be_entered_go(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "place"
    inner = place / "a/b/c"
    inner.mkdir(parents=True)
    (inner / "x").touch()
    for folder in (inner, inner.parent, inner.parent.parent):
        folder.chmod(mode)
    remove(place)
    assert not place.exists()


class _Fsxattr(ctypes.Structure):
    """linux/fs.h, ``struct fsxattr``: the flags and the project of a file."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("flags", "extent", "extents")),
        *((name, ctypes.c_uint32) for name in ("project", "cow_extent")),
        ("pad", ctypes.c_ubyte * 8),
    )


_INHERIT, _APPEND = 0x200, 0x10


def _request(writes: bool, number: int) -> int:
    """As ``_IOR('X', number, struct fsxattr)`` and ``_IOW`` make it, on x86 and ARM."""
    return (1 if writes else 2) << 30 | ctypes.sizeof(_Fsxattr) << 16 | 88 << 8 | number


class _Projects:
    """A folder on XFS, as far as it is asked about projects."""

    def __init__(self) -> None:
        self.found = _Fsxattr(flags=_INHERIT | _APPEND, project=7, extent=5)

    def ioctl(self, folder: int, request: int, data: bytearray) -> None:
        if request == _request(False, 31):
            data[:] = bytes(self.found)
        elif request == _request(True, 32):
            self.found = _Fsxattr.from_buffer_copy(data)
        else:
            raise OSError(errno.ENOTTY, "no such request")


def test_a_folder_with_a_project_of_its_own_takes_others_to_be_removed() -> None:
    """An agent may set it, and XFS then refuses what is moved in there (EXDEV)."""
    folder = _Projects()
    forget_project(-1, folder.ioctl)
    assert (folder.found.flags, folder.found.project) == (_APPEND, 7)
    assert folder.found.extent == 5


class _Seen(_Projects):
    """The same, and what was in the folder when its project was forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.there: list[list[str]] = []

    def ioctl(self, folder: int, request: int, data: bytearray) -> None:
        super().ioctl(folder, request, data)
        if request == _request(True, 32):
            self.there.append(os.listdir(folder))


def test_it_is_forgotten_before_a_folder_is_emptied(tmp_path: Path) -> None:
    """All inner folders are moved there, so it is the only one whose project counts."""
    (tmp_path / "x/y/z").mkdir(parents=True)
    folder = _Seen()
    clear_folder(tmp_path / "x", folder.ioctl)
    assert os.listdir(tmp_path / "x") == []
    assert folder.there == [["y"]]
    assert not folder.found.flags & _INHERIT
