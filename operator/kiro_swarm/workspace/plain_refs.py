"""Refs of a repository of ours read from its files, where git may not be able to read any.

Role: the rescue finds by it what is to be pushed. Guarantees: one file that a lost write has left
empty, full of zeros or half written hides no other ref; git, which reads its configuration and
HEAD first, and all packed refs or none, is not asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from kiro_swarm.workspace.disk import read_plain, walk
from kiro_swarm.workspace.refs import is_object_id

#: What the program writes below ``refs``.
_OURS: Final = ("heads", "kiro")


class Refs(NamedTuple):
    """``found``: full name -> object id. ``broken``: those whose own file says none.

    One may be in both: then what is packed may be older than what the file said.
    """

    found: dict[str, str]
    broken: list[str]


def read_refs(repository: Path) -> Refs:
    """The branches and our own refs of a repository."""
    found: dict[str, str] = {}
    broken: list[str] = []
    for line in read_plain(repository / "packed-refs").split("\n"):
        oid, _, name = line.partition(" ")
        if is_object_id(oid) and name.split("/")[:1] == ["refs"]:
            found[name] = oid
    for entry in (one for part in _OURS for one in walk(repository / "refs" / part)):
        if entry.is_dir(follow_symlinks=False):
            continue
        path = Path(entry.path)
        ref = path.relative_to(repository).as_posix()
        said = read_plain(path).strip()
        if is_object_id(said):
            found[ref] = said
        elif not entry.name.endswith(".lock") and not said.startswith("ref: "):
            broken.append(ref)
    return Refs(found, sorted(broken))
