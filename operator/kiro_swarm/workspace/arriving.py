"""What comes from a server, gathered beside the mirror before it becomes a part of it.

Role: mirror.py and sync.py fetch into ``beside`` and then have ``take_in``, as the sole owner of
the mirror, bring what came there.

Guarantees: nobody waits for a server but who asked it: the lock of the mirror, which each merge
takes, is held while files are renamed and what is new is looked through, and never while a
network is used. Into the mirror come whole files that git has checked, and then the refs. What a
killed one left is removed by the next, or by upkeep.py.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from kiro_swarm.workspace.borrowed import make_borrower
from kiro_swarm.workspace.disk import folders, remove
from kiro_swarm.workspace.errors import RepositoryBusy, volume_trouble
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.locks import sole_owner, sole_owner_of_mirror

_ABOUT = ".arriving."
_LOOSE = re.compile("[0-9a-f]{2}")
#: What makes a pack be there comes last.
_PARTS = (".pack", ".rev", ".idx")


@contextmanager
def beside(mirror: Path) -> Iterator[Git]:
    """git in an empty repository on the mirror's volume that has the objects of the mirror.

    Raises RepositoryBusy, VolumeTrouble.
    """
    with ExitStack() as opened:
        try:
            with sole_owner_of_mirror(mirror):
                remove_left(mirror)
                made = tempfile.mkdtemp(
                    prefix=f"{mirror.name}{_ABOUT}", dir=mirror.parent
                )
                place = Path(made)
                opened.callback(remove, place)
                held = opened.enter_context(sole_owner(place))
            path = place / "repo.git"
            make_borrower(path, mirror, "ref: refs/heads/arriving")
        except OSError as error:
            raise volume_trouble(error, mirror.parent) from error
        yield Git(path, held=held)


def take_in(git: Git, arrived: Git, names: Sequence[str]) -> None:
    """Bring the refs of these names, as they are beside it, into the mirror of ``git``.

    The caller is its sole owner. Raises GitFailed.
    """
    listed = arrived.run("for-each-ref", "--format=%(refname) %(objectname)", *names)
    wanted = dict(line.split(" ") for line in listed.lines)
    _move_objects(arrived.git_dir / "objects", git.git_dir / "objects")
    _check(git, list(wanted.values()))
    lines = "".join(f"update {name} {oid}\n" for name, oid in wanted.items())
    git.run("update-ref", "--stdin", stdin=lines.encode("ascii"))


def _check(git: Git, tips: Sequence[str]) -> None:
    """What was there when it arrived may have been dropped since: look, as a fetch does."""
    git.run("rev-list", "--objects", "--quiet", *tips, "--not", "--all")


def _move_objects(source: Path, target: Path) -> None:
    for folder in folders(source):
        if _LOOSE.fullmatch(folder.name):
            _move(folder, target / folder.name, "*")
    for part in _PARTS:
        _move(source / "pack", target / "pack", f"pack-*{part}")


def _move(source: Path, target: Path, pattern: str) -> None:
    files = sorted(source.glob(pattern))
    if not files:
        return
    target.mkdir(exist_ok=True)
    for file in files:
        os.rename(file, target / file.name)
    for folder in (target, target.parent):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_left(mirror: Path) -> None:
    """Remove what killed ones left beside it. The caller is the sole owner of the mirror."""
    for place in folders(mirror.parent):
        if place.name.startswith(f"{mirror.name}{_ABOUT}"):
            # Whoever holds it is at work there.
            with suppress(RepositoryBusy), sole_owner(place, seconds=0.0):
                remove(place)
