"""A rescue of a volume that is full or damaged: what can be pushed is, and the rest is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kiro_swarm.workspace.rescue import RESCUE_REFS, Rescued, rescue
from tests.unit.workspace.repositories import INTEGRATION, Swarm, adopted, git, merged
from tests.unit.workspace.test_done import put_aside
from tests.unit.workspace.test_rescue import INTO, ROOT, UID, theirs

#: What there is to be rescued: merged, adopted, on a shelf.
ALL = ["done/uid-1-2/1", "done/uid-2/1", "integration"]


@pytest.fixture
def three(swarm: Swarm) -> Swarm:
    merged(swarm, swarm.work({"a.py": "a\n"}))
    put_aside(swarm, swarm.work({"b.py": "b\n"}, index=2, task="1.2"))
    assert adopted(swarm) == 1
    put_aside(swarm, swarm.work({"c.py": "c\n"}, index=3, task="2"))
    return swarm


def tried(swarm: Swarm, head: str = "") -> Rescued:
    return rescue(swarm.mirror, swarm.top, swarm.url, INTEGRATION, UID, head=head)


def pushed(swarm: Swarm) -> list[str]:
    """Names of what the repository has now."""
    start = f"{INTO}/"
    return sorted(r[len(start) :] for r in theirs(swarm) if r.startswith(RESCUE_REFS))


def zeros(path: Path) -> None:
    """What a power cut leaves of a file whose name was written first."""
    path.chmod(0o600)
    path.write_bytes(b"\0" * max(path.stat().st_size, 41))


def shelf(swarm: Swarm) -> Path:
    return next((swarm.top / "finished").glob("*/*/repo.git"))


def loose(swarm: Swarm, name: str) -> Path:
    oid = git(swarm.mirror, "rev-parse", name)
    return swarm.mirror / "objects" / oid[:2] / oid[2:]


def a_folder(path: Path) -> None:
    """A folder in the place of a file."""
    path.unlink(missing_ok=True)
    (path / "x").mkdir(parents=True)


BRANCH = f"refs/heads/{INTEGRATION}"
#: Damage -> what cannot be rescued for it, where anything cannot.
DAMAGE: dict[str, tuple[Callable[[Swarm], object], list[str]]] = {
    "branch, empty": (lambda s: (s.mirror / BRANCH).write_bytes(b""), []),
    "branch, zeros": (lambda s: zeros(s.mirror / BRANCH), []),
    "branch, gone": (lambda s: (s.mirror / BRANCH).unlink(), []),
    "start": (lambda s: zeros(s.mirror / "refs/kiro/start"), []),
    "another": (lambda s: (s.mirror / "refs/kiro/other").write_text("x"), []),
    "done": (lambda s: zeros(s.mirror / "refs/kiro/done/uid-1-2/1"), [ALL[0]]),
    "HEAD, empty": (lambda s: (s.mirror / "HEAD").write_bytes(b""), []),
    "HEAD, gone": (lambda s: (s.mirror / "HEAD").unlink(), []),
    "config": (lambda s: zeros(s.mirror / "config"), []),
    "config, gone": (lambda s: (s.mirror / "config").unlink(), []),
    "packed-refs": (lambda s: (s.mirror / "packed-refs").write_text("a line\n"), []),
    "packed-refs, zeros": (
        lambda s: (s.mirror / "packed-refs").write_bytes(b"\0" * 50),
        [],
    ),
    "doubts": (lambda s: a_folder(s.mirror / "kiro-doubts"), []),
    "incoming": (lambda s: (s.mirror / "kiro-incoming").write_text("x"), []),
    "a lock": (lambda s: (s.mirror / f"{BRANCH}.lock").write_text(""), []),
    # Each work begins from it.
    "head commit": (lambda s: zeros(loose(s, BRANCH)), ALL),
    "head tree": (lambda s: zeros(loose(s, f"{BRANCH}^{{tree}}")), []),
    "shelf, config": (lambda s: zeros(shelf(s) / "config"), []),
    "shelf, HEAD": (lambda s: zeros(shelf(s) / "HEAD"), []),
    "shelf, alternates": (
        lambda s: (shelf(s) / "objects/info/alternates").unlink(),
        [],
    ),
}


@pytest.mark.parametrize("what", list(DAMAGE))
def test_one_bad_thing_keeps_nothing_else_from_being_pushed(
    three: Swarm, what: str
) -> None:
    head = three.head()
    damage, lost = DAMAGE[what]
    damage(three)
    made = tried(three, head)
    assert pushed(three) == [name for name in ALL if name not in lost], made
    # It is said once, and of what is lost.
    assert len(made.left) == len(lost), made.left
    for name in lost:
        assert any(name.split("done/")[-1] in line for line in made.left)


#: The rescue, in a process that cannot make or fill a file below a folder: there is no room.
NO_ROOM = """
import errno, os, sys
from pathlib import Path
from kiro_swarm.workspace.rescue import rescue
top = os.path.realpath(sys.argv[2])
def no_room(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes and os.path.realpath(arguments[0]).startswith(top + os.sep):
            raise OSError(errno.ENOSPC, "No space left on device")
    if event == "os.mkdir" and os.path.realpath(arguments[0]).startswith(top + os.sep):
        raise OSError(errno.ENOSPC, "No space left on device")
sys.addaudithook(no_room)
made = rescue(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5])
print(made.left)
"""


def test_a_rescue_needs_no_room(three: Swarm) -> None:
    volume = three.top
    ended = subprocess.run(
        [
            *(sys.executable, "-c", NO_ROOM, str(three.mirror), str(volume)),
            *(three.url, INTEGRATION, UID),
        ],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.stdout == "[]\n", ended.stderr
    assert pushed(three) == ALL
