"""The objects in a repository as a table, and the text of some of them. Nothing is trusted.

Role: weight.py reads with it what an instance offers, before any command of git's parses it.

Guarantees: what is read is bounded by what the caller asks for; a size is known before the
object is. Ids are the names of files: that an object has its id is proved later, by fetching
it. git runs with bounds on memory and time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kiro_swarm.workspace.git import Git

_INDEX_V2 = b"\xfftOc"
_FANOUT = struct.Struct(">256I")
COMMIT, TREE, BLOB = "commit", "tree", "blob"
_TREE_MODE, _LINK_MODE = b"40000", b"160000"


class Stored(NamedTuple):
    """Kind and size, unpacked, of an object, as its header has them."""

    kind: str
    size: int


@dataclass(frozen=True)
class Entry:
    """One entry of a tree; ``is_link``: a commit of another repository."""

    name: bytes
    oid: str
    is_tree: bool
    is_link: bool


def packed_objects(pack_folder: Path) -> int:
    """How many objects the indexes of the packs in a folder name, without git."""
    count = 0
    for path in pack_folder.glob("*.idx"):
        with open(path, "rb") as index:
            start = index.read(8)
            index.seek(8 if start.startswith(_INDEX_V2) else 0)
            fanout = index.read(_FANOUT.size)
        if len(fanout) == _FANOUT.size:
            count += _FANOUT.unpack(fanout)[-1]
    return count


def stored_objects(git: Git) -> dict[str, Stored]:
    """Every object of a repository that borrows none: id -> kind and size."""
    listed = git.run("cat-file", "--batch-all-objects", "--batch-check", "--unordered")
    return _table(listed.lines)


def sizes_of(git: Git, oids: Iterable[str]) -> dict[str, Stored]:
    """Those of these objects that there are."""
    wanted = "".join(f"{oid}\n" for oid in oids)
    if not wanted:
        return {}
    return _table(
        git.run("cat-file", "--batch-check", stdin=wanted.encode("ascii")).lines
    )


def _table(listed: list[str]) -> dict[str, Stored]:
    table: dict[str, Stored] = {}
    for line in listed:
        oid, _, facts = line.partition(" ")
        kind, _, size = facts.partition(" ")
        if size.isdigit():
            table[oid] = Stored(kind, int(size))
    return table


def contents(git: Git, oids: Iterable[str]) -> dict[str, memoryview]:
    """The text of those of these objects that there are; the caller knows their sizes."""
    wanted = "".join(f"{oid}\n" for oid in oids)
    if not wanted:
        return {}
    answer = git.run("cat-file", "--batch", stdin=wanted.encode("ascii")).stdout
    whole, found, place = memoryview(answer), {}, 0
    while place < len(answer):
        end = answer.index(b"\n", place)
        facts = answer[place:end].decode("ascii", "replace").split(" ")
        place = end + 1
        if len(facts) == 3 and facts[2].isdigit():
            size = int(facts[2])
            found[facts[0]] = whole[place : place + size]
            place += size + 1
    return found


def commit_links(text: memoryview) -> tuple[str, list[str]]:
    """The tree and the parents that a commit names; an empty tree where it names none."""
    tree, parents = "", []
    for line in bytes(text).split(b"\n"):
        key, _, value = line.partition(b" ")
        if key == b"tree" and not tree:
            tree = value.decode("ascii", "replace")
        elif key == b"parent":
            parents.append(value.decode("ascii", "replace"))
        else:
            break
    return tree, parents


def entries(text: memoryview, digits: int) -> Iterator[Entry]:
    """The entries of a tree, as far as it is one; ``digits``: of an object id."""
    raw, place, size = bytes(text), 0, digits // 2
    while place < len(raw):
        space = raw.find(b" ", place)
        end = raw.find(b"\0", space)
        if space < 0 or end < 0:
            return
        mode, name = raw[place:space], raw[space + 1 : end]
        place = end + 1 + size
        oid = raw[end + 1 : place].hex()
        yield Entry(name, oid, mode.lstrip(b"0") == _TREE_MODE, mode == _LINK_MODE)


def known(table: Mapping[str, Stored], oid: str, kind: str) -> bool:
    """Whether the table has this object as one of that kind."""
    return oid in table and table[oid].kind == kind
