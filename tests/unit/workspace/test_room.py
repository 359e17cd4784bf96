"""What a folder takes, whatever somebody has made of it, and when that is too much."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Optional, Tuple

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
    why = excess(tmp_path, Taken(), Room(99 * MIB, MIB))
    assert why is not None
    assert "cannot read (xxx" in why.said
    assert not why.own
    remove(tmp_path / ("x" * 200))


GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("room", "nearly"),
    [
        # A twentieth; no less than 64 MiB, where that is no more than a tenth.
        (Room(9_400 * MIB, 600 * MIB), False),
        (Room(9_600 * MIB, 400 * MIB), True),
        (Room(GIB - 65 * MIB, 65 * MIB), False),
        (Room(GIB - 63 * MIB, 63 * MIB), True),
        (Room(89 * MIB, 11 * MIB), False),
        (Room(91 * MIB, 9 * MIB), True),
        # A disk of terabytes, of which the volume is a folder.
        (Room(9_998 * GIB, 2 * GIB), False),
        (Room(0, 0), False),
        (Room(1, 99 * GIB, 90_000, 10_000), False),
        (Room(1, 99 * GIB, 97_000, 3_000), True),
    ],
)
def test_when_room_is_nearly_gone(room: Room, nearly: bool) -> None:
    assert room.is_nearly_gone == nearly


@pytest.mark.parametrize(
    ("before", "room", "held", "own"),
    [
        # More than half of the volume is its own.
        (Taken(), Room(MIB, MIB // 32), (0, 0), True),
        # The same with what is in no folder.
        (Taken(), Room(4 * MIB, MIB // 8), (2 * MIB, 1), True),
        # Less than half: it ends once there is no room, and is not charged.
        (Taken(), Room(9 * MIB, MIB // 8), (0, 0), False),
        (Taken(), Room(9 * MIB, MIB // 2), (0, 0), None),
        # Nothing would come back.
        (Taken(), Room(999 * MIB, 2 * MIB), (0, 0), None),
        # Large, but not by this attempt.
        (Taken(bytes=2 * MIB), Room(MIB, MIB // 32), (0, 0), None),
        # There is room.
        (Taken(), Room(MIB, MIB), (0, 0), None),
        # Files: so many that few are left.
        (Taken(), Room(1, 99 * MIB, 10, 0), (0, 2), True),
        (Taken(), Room(1, 99 * MIB, 99, 1), (0, 0), False),
        (Taken(), Room(1, 99 * MIB, 99, 9), (0, 0), None),
        (Taken(files=4), Room(1, 99 * MIB, 10, 0), (0, 0), None),
        (Taken(files=4), Room(1, 99 * MIB, 10, 0), (0, 6), True),
        # Many bytes where files are short are not the cause.
        (Taken(), Room(MIB // 2, MIB // 2, 99, 9), (0, 0), None),
    ],
)
def test_who_has_to_end_and_whose_fault_it_is(
    tmp_path: Path,
    before: Taken,
    room: Room,
    held: Tuple[int, int],
    own: Optional[bool],
) -> None:
    filled(tmp_path)
    for number in range(3):
        (tmp_path / str(number)).touch()
    found = excess(tmp_path, before, room, held)
    assert (found and found.own) == own


def test_what_goes_while_it_is_counted_hides_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "many").mkdir()
    for number in range(500):
        (tmp_path / "many" / str(number)).touch()
    filled(tmp_path / "many" / "inner")
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for number in range(500):
                (tmp_path / "many" / str(number)).unlink()
            for number in range(500):
                (tmp_path / "many" / str(number)).touch()

    agent = threading.Thread(target=churn)
    agent.start()
    try:
        blind = [n for n in range(200) if taken_by(tmp_path).bytes < MIB]
    finally:
        stop.set()
        agent.join()
    assert blind == []


def test_a_folder_is_measured_beside_somebody_who_works_there(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(".")
    os.mkfifo(tmp_path / "pipe")
    assert taken_by(tmp_path).files == 2
    assert taken_by(tmp_path / "gone") == Taken()
