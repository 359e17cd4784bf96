"""What a worktree shows as changed and nobody has changed.

Role: evidence.py, when it has staged the worktree.

What git stages of a file need not be what it checked out: line ends that an attribute calls
text, keywords, encodings, a large file that is a pointer in git; a volume that knows no
executable bit or only one case of letters; and a file that was not checked out at all is not
there to be staged. So the index gets back the entry of the commit where

- a file looks as a checkout of that entry, by the attributes of the commit that the work
  ends with or began from, would make it look in this very place; or
- a link became a file that holds its target, as git writes it where links are off; or
- a pointer of Git LFS stood there before the task and its content is in the worktree (of a
  pointer that the agent has made, the content is taken: nobody else has it); or
- a file is missing that the agent's index says is not to be there (sparse checkout,
  skip-worktree, assume-unchanged), whose name is too long for the volume, or which git could
  not write (missing.py).

Guarantees: a file that the agent staged itself, as something else than the commit has, is
left staged. Nothing outside of the repository's folder is written. Called again it finds
the same: what is missing on purpose stays marked so in the index.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.disk import clear_folder, remove
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.missing import not_deleted
from kiro_swarm.workspace.pointers import Pointer, pointers

_GONE, _NEW = "D", "A"
_LINK = "120000"
_CHUNK = 1024 * 1024
_CONVERSIONS = ("text", "eol", "crlf", "ident", "working-tree-encoding")
_NONE = (b"unspecified", b"unset")


@dataclass(frozen=True)
class Change:
    """One path that differs between the commit and the index."""

    path: bytes
    mode: str
    oid: str
    staged: str
    kind: str


def keep_unchanged(git: Git, agents_own: Git, tree: Path, head: str, base: str) -> None:
    """Give the index of ``git`` back what only seems changed since ``head``.

    ``agents_own`` is git with the index that the agent left.
    """
    changes = list(_changes(git, head))
    if not changes:
        return
    gone = [change for change in changes if change.kind == _GONE]
    new = {change.staged for change in changes if change.kind == _NEW}
    moved = {change.path for change in gone if change.oid in new}
    paths = [change.path for change in gone]
    kept = not_deleted(git, agents_own, paths, moved, (head, base)) if gone else []
    missing = [change for change in gone if change.path in kept]
    there = [
        change
        for change in changes
        if change.kind in ("M", "T") and "160000" not in change.mode
    ]
    same: list[Change] = []
    if there:
        own = _staged_by_the_agent(agents_own, there)
        there = [c for c in there if own.get(c.path, c.oid) == c.oid]
        points = pointers(git, [c.oid for c in there])
        made = _paths(git, base, head)
        same = [
            c
            for c in there
            if (c.path not in made and _is_content(tree, c.path, points.get(c.oid)))
            or (c.mode == _LINK and c.oid == c.staged)
        ]
        staged = _converted(git, tree, there)
        for commit in dict.fromkeys((head, base)):
            left = [c for c in there if c not in same]
            if left:
                same += as_checked_out(git, tree, commit, left, staged)
    _restore(git, [*missing, *same])
    if missing:
        names = b"".join(change.path + b"\0" for change in missing)
        git.run("update-index", "--skip-worktree", "-z", "--stdin", stdin=names)


def _changes(git: Git, head: str) -> Iterator[Change]:
    raw = git.run("diff-index", "--cached", "--raw", "--no-renames", "-z", head).stdout
    fields = raw.split(b"\0")
    for facts, path in zip(fields[0::2], fields[1::2]):
        mode, _, oid, staged, kind = facts.decode("ascii").lstrip(":").split(" ")
        yield Change(path, mode, oid, staged, kind[:1])


def _paths(git: Git, base: str, head: str) -> set[bytes]:
    """What the commits of the agent have changed."""
    if base == head:
        return set()
    raw = git.run("diff-tree", "-r", "--name-only", "--no-renames", "-z", base, head)
    return set(raw.stdout.split(b"\0"))


def _staged_by_the_agent(git: Git, changes: Sequence[Change]) -> dict[bytes, str]:
    """Path -> object id in the agent's index, of those that are there."""
    listed = git.run("ls-files", "--stage", "-z", ok=(0, 128)).stdout
    wanted = {change.path for change in changes}
    found: dict[bytes, str] = {}
    for record in listed.split(b"\0"):
        facts, _, path = record.partition(b"\t")
        if path in wanted:
            found[path] = facts.decode("ascii").split(" ")[1]
    return found


def _is_content(tree: Path, path: bytes, pointer: Optional[Pointer]) -> bool:
    if pointer is None:
        return False
    file = os.path.join(os.fsencode(tree), path)
    try:
        facts = os.lstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != pointer.size:
            return False
        digest = hashlib.sha256()
        with open(file, "rb") as source:
            while part := source.read(_CHUNK):
                digest.update(part)
    except OSError:
        return False
    return digest.hexdigest() == pointer.oid


def as_checked_out(
    git: Git, tree: Path, commit: str, changes: Sequence[Change], staged: set[bytes]
) -> list[Change]:
    """Those that look as a checkout by the attributes of the commit makes them look.

    :param staged: paths whose content may have been converted when it was staged.
    """
    # Beside the worktree, so on the same volume, which may do to names and modes what it
    # did there.
    place = tree.parent / "kiro-compared"
    index = tree.parent / "kiro-compared-index"
    remove(index)
    clear_folder(place)
    try:
        own = git.using({"GIT_INDEX_FILE": str(index)})
        own.run("read-tree", commit)
        converted = staged | _converted(own, tree, changes)
        changes = [c for c in changes if c.path in converted]
        if not changes:
            return []
        _restore(own, changes)
        own.run(
            *("checkout-index", "--force", "--quiet", "-z", "--stdin"),
            f"--prefix={place}/",
            stdin=b"".join(change.path + b"\0" for change in changes),
            ok=(0, 1, 128),
        )
        return [change for change in changes if _alike(place, tree, change.path)]
    finally:
        remove(place)
        remove(index)


def _converted(git: Git, tree: Path, changes: Sequence[Change]) -> set[bytes]:
    """Paths whose content is another in git than in a worktree, by the index of ``git``.

    All others are what they seem; most repositories have no such path.
    """
    if os.path.lexists(tree / ".GIT"):
        return {c.path for c in changes}  # a volume that knows one case of letters
    found = {c.path for c in changes if c.oid == c.staged}
    answer = git.run(
        *("check-attr", "--cached", "-z", "--stdin", *_CONVERSIONS),
        stdin=b"".join(c.path + b"\0" for c in changes),
    ).stdout.split(b"\0")
    said = zip(answer[0::3], answer[2::3])
    return found.union(path for path, value in said if value not in _NONE)


def _alike(place: Path, tree: Path, path: bytes) -> bool:
    one = os.path.join(os.fsencode(place), path)
    other = os.path.join(os.fsencode(tree), path)
    try:
        first, second = os.lstat(one), os.lstat(other)
        if stat.S_IFMT(first.st_mode) != stat.S_IFMT(second.st_mode):
            return False
        if stat.S_ISLNK(first.st_mode):
            return os.readlink(one) == os.readlink(other)
        return (
            first.st_mode & stat.S_IXUSR == second.st_mode & stat.S_IXUSR
            and first.st_size == second.st_size
            and filecmp.cmp(one, other, shallow=False)
        )
    except OSError:
        return False


def _restore(git: Git, changes: Sequence[Change]) -> None:
    if changes:
        lines = (
            f"{c.mode} {c.oid}\t".encode("ascii") + c.path + b"\0" for c in changes
        )
        git.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
