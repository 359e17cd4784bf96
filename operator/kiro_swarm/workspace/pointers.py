"""Git LFS: files of which git has a pointer and another server the content.

Role: unchanged.py and evidence.py. Nothing of LFS runs here: a checkout has the pointers, and
what an agent makes is stored in git as it is.

Guarantees: a text that is not exactly a pointer is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.staging import StagedChange

_LONGEST = 1024
# Added, modified, of another type.
_NEW = ("A", "M", "T")
_LFS = b"lfs"
#: What git says of a path that has no filter.
_NONE = (b"unspecified", b"unset", b"set", b"")
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,15})\n?"
)


@dataclass(frozen=True)
class Pointer:
    """SHA-256 and size of the content."""

    oid: str
    size: int


def pointers(git: Git, blobs: Sequence[str]) -> dict[str, Pointer]:
    """Object id -> what it points to, of those of the blobs that are pointers."""
    small = [oid for oid, size in _sizes(git, blobs) if size <= _LONGEST]
    if not small:
        return {}
    asked = "".join(f"{oid}\n" for oid in small).encode("ascii")
    rest = git.run("cat-file", "--batch", stdin=asked).stdout
    found: dict[str, Pointer] = {}
    for oid in small:
        head, _, rest = rest.partition(b"\n")
        size = int(head.rsplit(b" ", 1)[1])
        pointer = _POINTER.fullmatch(rest[:size])
        if pointer is not None:
            found[oid] = Pointer(pointer[1].decode("ascii"), int(pointer[2]))
        rest = rest[size + 1 :]
    return found


def _sizes(git: Git, blobs: Sequence[str]) -> Iterator[tuple[str, int]]:
    asked = "".join(f"{oid}\n" for oid in dict.fromkeys(blobs)).encode("ascii")
    listed = git.run("cat-file", "--batch-check", stdin=asked).lines
    for line in listed:
        oid, kind, *size = line.split(" ")
        if kind == "blob":
            yield oid, int(size[0])


@dataclass(frozen=True)
class Stored:
    """Of the new files that belong to Git LFS: stored whole, and without content."""

    whole: tuple[bytes, ...] = ()
    lost: tuple[bytes, ...] = ()
    #: Those that belong to another filter, none of which runs here.
    other: tuple[bytes, ...] = ()


def stored(git: Git, base: str, changes: Sequence[StagedChange]) -> Stored:
    """How the index of ``git`` stores what is new since ``base`` and belongs to Git LFS.

    ``changes``: of that index since ``base``. A pointer that the base has somewhere is not
    new: a file may be moved or copied; nor is a file of the same filter that it has.
    """
    new = {change.path: change.oid for change in changes if change.kind in _NEW}
    if not new:
        return Stored()
    points = pointers(git, list(new.values()))
    filters = _filters(git, new)
    known: dict[str, list[bytes]] = {}
    if points or filters:
        listed = git.run("ls-tree", "-r", "-z", "--full-tree", base).stdout
        for record in filter(None, listed.split(b"\0")):
            facts, _, path = record.partition(b"\t")
            known.setdefault(facts.decode("ascii").split(" ")[2], []).append(path)
    # What had the same filter where it comes from is as it was there.
    before = _filters(git, [p for path in filters for p in known.get(new[path], ())])
    fresh = [
        path
        for path, name in filters.items()
        if name not in [before.get(p) for p in known.get(new[path], ())]
    ]
    return Stored(
        other=tuple(path for path in fresh if filters[path] != _LFS),
        whole=tuple(
            path for path in fresh if filters[path] == _LFS and new[path] not in points
        ),
        lost=tuple(
            path for path, oid in new.items() if oid in points and oid not in known
        ),
    )


def _filters(git: Git, paths: Collection[bytes]) -> dict[bytes, bytes]:
    """Path -> its filter as git adds it to the index, of those that have one."""
    if not paths:
        return {}
    answer = git.run(
        *("check-attr", "-z", "--stdin", "filter"),
        stdin=b"".join(path + b"\0" for path in paths),
    ).stdout.split(b"\0")
    return {p: name for p, name in zip(answer[0::3], answer[2::3]) if name not in _NONE}
