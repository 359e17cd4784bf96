"""What a folder takes, whatever somebody has made of it, and when that is too much."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiro_swarm.workspace.disk import remove
from kiro_swarm.workspace.room import Room, Taken, excess, room_of, taken_by

MIB = 1024 * 1024


def filled(folder: Path, size: int = MIB) -> Path:
    """A file of that size, written and not only promised."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "filled"
    file.write_bytes(os.urandom(size))
    os.sync()
    return file


@pytest.mark.parametrize(
    ("room", "short"),
    [
        (Room(80, 20), False),
        (Room(81, 20), True),
        (Room(0, 0), False),
        # A bound on files, which not every file system has.
        (Room(1, 99, 80, 20), False),
        (Room(1, 99, 90, 10), True),
    ],
)
def test_when_room_is_short(room: Room, short: bool) -> None:
    assert room.is_short(0.8) == short


def test_the_room_of_a_folder_is_that_of_its_file_system(tmp_path: Path) -> None:
    room, facts = room_of(tmp_path), os.statvfs(tmp_path)
    assert room.used + room.free <= facts.f_blocks * facts.f_frsize
    assert room.is_short(0.0)
    assert not room.is_short(1.0)


def test_what_is_in_a_folder_is_counted_once_and_nothing_else(tmp_path: Path) -> None:
    there = tmp_path / "there"
    file = filled(there / "a" / "b")
    for name in ("one", "two"):
        os.link(file, there / name)
    filled(tmp_path / "elsewhere")
    (there / "link").symlink_to(tmp_path / "elsewhere")
    (there / "promised").touch()
    os.truncate(there / "promised", 1 << 40)
    found = taken_by(there)
    assert MIB <= found.bytes < 2 * MIB
    # Two folders, the file under its three names, the link, and what has no bytes.
    assert (found.files, found.unread) == (5, "")


def test_what_is_too_deep_or_closed_is_not_taken_for_nothing(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(40):
            os.mkdir("x" * 200, dir_fd=here)
            inner = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    found = taken_by(tmp_path)
    assert found.unread.startswith("xxx")
    assert "cannot read (xxx" in excess(tmp_path, Taken(), Room(99 * MIB, MIB))
    remove(tmp_path / ("x" * 200))


@pytest.mark.parametrize(
    ("before", "room", "said"),
    [
        (Taken(), Room(99 * MIB, MIB // 2), "more than it began with, and 512 KiB"),
        (Taken(), Room(99 * MIB, 2 * MIB), ""),
        # Large, but not by this attempt.
        (Taken(bytes=MIB), Room(99 * MIB, MIB // 2), ""),
        (Taken(), Room(1, 99 * MIB, 99, 3), "4 more files than it began with, and 3"),
        (Taken(files=4), Room(1, 99 * MIB, 99, 3), ""),
        (Taken(), Room(1, 99 * MIB), ""),
    ],
)
def test_what_is_too_much_is_more_than_what_is_free(
    tmp_path: Path, before: Taken, room: Room, said: str
) -> None:
    filled(tmp_path)
    for number in range(3):
        (tmp_path / str(number)).touch()
    found = excess(tmp_path, before, room)
    assert said in found
    assert bool(said) == bool(found)


def test_a_folder_is_measured_beside_somebody_who_works_there(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    assert taken_by(tmp_path).files == 2
    assert taken_by(tmp_path / "gone") == Taken()
