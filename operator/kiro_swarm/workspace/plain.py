"""What git opens below an agent's hands, as plain files and folders, before git runs.

Role: evidence.py and restore.py, first of all. git opens its own files, and a few of the
worktree, and waits for ever where one is a pipe, or reads without end where one leads to a
device.

Guarantees: no link is followed and nothing is opened; no recursion, however deep folders are
nested. In the instance's repository what is neither a file nor a folder is removed: it holds
nothing, and a missing file of git's has a meaning. In the worktree it is named, for it was made
there on purpose.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kiro_swarm.workspace.disk import read_plain, remove, walk

#: What git opens in any folder of a worktree.
_OPENED = {".gitattributes", ".gitignore", ".gitmodules", ".mailmap"}
_GITDIR = "gitdir: "


def make_plain(repository: Path) -> None:
    """Leave files and folders in a git directory, and nothing else."""
    for entry in walk(repository):
        if entry.is_dir(follow_symlinks=False):
            with suppress(OSError):  # git says of it what there is to say
                mode = entry.stat(follow_symlinks=False).st_mode
                os.chmod(entry.path, stat.S_IMODE(mode) | stat.S_IRWXU)
        elif not entry.is_file(follow_symlinks=False):
            remove(Path(entry.path))


def opened_by_git(tree: Path) -> list[bytes]:
    """What git would open in the worktree, and nobody can read to its end. Relative paths."""
    found: list[str] = []
    for entry in walk(tree):
        inside = f"/{os.path.relpath(entry.path, tree)}/"
        if "/.git/" in inside:
            if entry.name == ".git" and entry.is_file(follow_symlinks=False):
                found += [entry.path] if _leads_astray(Path(entry.path)) else []
            elif _is_endless(entry.path):
                found.append(entry.path)
        # Of these names git follows no link.
        elif entry.name in _OPENED and not entry.is_symlink():
            found += [entry.path] if _is_endless(entry.path) else []
    return [os.fsencode(os.path.relpath(path, tree)) for path in found]


def is_readable(lender: Path, depth: int = 5) -> bool:
    """Whether git can read all of a folder of objects, and of what that borrows from."""
    if not lender.is_absolute() or any(map(_is_endless, _paths(lender))):
        return False
    said = read_plain(lender / "info" / "alternates").split("\n")
    further = [os.path.join(lender, line) for line in said if line]
    # git goes no deeper either.
    return not further or (
        depth > 0 and all(is_readable(Path(x), depth - 1) for x in further[:depth])
    )


def _leads_astray(own: Path) -> bool:
    """Whether the git directory that a file ``.git`` names has something of the kind."""
    said = read_plain(own).strip()
    if not said.startswith(_GITDIR):
        return False
    place = own.parent / said[len(_GITDIR) :]
    return any(_is_endless(path) for path in (str(place), *_paths(place)))


def _paths(place: Path) -> Iterator[str]:
    return (entry.path for entry in walk(Path(os.path.realpath(place))))


def _is_endless(path: str) -> bool:
    """Whether it is, or leads to, what is no file and no folder; nothing is neither."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
