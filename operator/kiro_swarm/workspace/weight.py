"""How much a commit brings: weighed before git is let near it.

Role: intake.py asks before it lets git walk what an instance offers.

Guarantees: what it takes is bounded by ``Limits``, whatever is in the repository. The
headers of all objects come first, so no object is read that is larger than it may be; then
commits and trees are read here, each once. Paths (of files and of folders) and bytes are counted
as a checkout makes them, a tree that is named ten times ten times, by multiplying, and only where
the commit differs from what it began from. Raises ObjectsRefused
with reason TooLarge, FileTooLarge, CommitMissing or BadObjects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, NoReturn, Optional

from kiro_swarm.workspace.errors import ObjectsRefused
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.limits import Limits, file_too_large, in_units
from kiro_swarm.workspace.objects import (
    BLOB,
    COMMIT,
    TREE,
    Entry,
    Stored,
    commit_links,
    contents,
    entries,
    known,
    sizes_of,
)

_MIB = 1024 * 1024
# No message is longer; 100,000 names of 60 letters in one folder.
_BOUNDS = {COMMIT: 1 * _MIB, TREE: 8 * _MIB}
# Commits and trees together: they are in memory while they are weighed.
_READ_BYTES = 64 * _MIB
# Of all paths that are new: git lists them, and they are held in memory to be compared.
_NAMED_BYTES = 32 * _MIB
_DEPTH = 200
_BASES = 8
_SHOWN = 200


@dataclass
class _Sum:
    """Paths and bytes of a checkout, how deep its folders go, and how long its paths are."""

    paths: int = 0
    size: int = 0
    height: int = 0
    #: Bytes of all paths together, from the folder on that is counted.
    named: int = 0

    def add(self, other: _Sum, above: int) -> None:
        """:param above: how long the path is at which the other one is found."""
        self.paths += other.paths
        self.size += other.size
        self.height = max(self.height, other.height)
        self.named += other.named + other.paths * above


class _Place(NamedTuple):
    """A path: the end of it that is shown, how long it is, in how many folders."""

    shown: bytes = b""
    length: int = -1
    depth: int = -1

    def of(self, name: bytes) -> _Place:
        """What has this name in this folder."""
        shown = self.shown + b"/" + name if self.shown else name
        length = self.length + 1 + len(name)
        return _Place(shown[-_SHOWN:], length, self.depth + 1)


def check_weight(
    offered: Git, mirror: Git, table: dict[str, Stored], commit: str, limits: Limits
) -> None:
    """Refuse ``commit`` if it brings more than the limits.

    ``table``: what ``offered`` has and ``mirror`` has not. Whatever the mirror has is read
    there: an instance may offer something else under the same id.
    """
    _Scales(offered, mirror, table, limits).weigh(commit)


class _Scales:
    def __init__(
        self, offered: Git, mirror: Git, table: dict[str, Stored], limits: Limits
    ) -> None:
        self._offered = offered
        self._mirror = mirror
        self._table = table
        self._limits = limits
        self._texts: dict[str, memoryview] = {}
        self._listed: dict[str, list[Entry]] = {}
        self._sums: dict[str, _Sum] = {}
        self._sizes: dict[str, int] = {}
        self._large: list[Entry] = []
        self._heaviest: Optional[Entry] = None
        self._digits = 40

    def weigh(self, commit: str) -> None:
        self._digits = len(commit)
        if not known(self._table, commit, COMMIT):
            raise ObjectsRefused(
                f"{commit} is a {self._table[commit].kind}, not a commit",
                reason="CommitMissing",
            )
        self._read_own()
        roots, bases, commits = self._commits(commit)
        self._count_objects(roots, commits)
        new, _ = commit_links(self._texts[commit])
        self._count_checkout(new, self._root_trees(bases))
        self._refuse_large_of_earlier_commits()

    def _read_own(self) -> None:
        """The instance's commits and trees, as far as they are as small as such are."""
        wanted = [
            oid
            for oid, (kind, size) in self._table.items()
            if size <= _BOUNDS.get(kind, -1)
        ]
        total = sum(self._table[oid].size for oid in wanted)
        if total > _READ_BYTES:
            _too_large(f"commits and folder listings of {total} bytes", _READ_BYTES)
        self._texts = contents(self._offered, wanted)

    def _text(self, oid: str) -> memoryview:
        found = self._texts.get(oid)
        if found is None:
            kind, size = self._table[oid]
            if kind in (COMMIT, TREE):
                _too_large(f"a {kind} of {size} bytes", _BOUNDS[kind])
            raise ObjectsRefused(
                f"{oid} is a {kind}, where a commit or a folder belongs",
                reason="BadObjects",
            )
        return found

    def _commits(self, commit: str) -> tuple[set[str], list[str], set[str]]:
        """Root trees of the new commits, the commits they begin from, and themselves."""
        roots: set[str] = set()
        bases: dict[str, None] = {}
        seen = {commit}
        queue = [commit]
        while queue:
            tree, parents = commit_links(self._text(queue.pop()))
            roots.add(tree)
            for parent in parents:
                if parent not in self._table:
                    bases[parent] = None
                elif parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return roots, list(bases)[:_BASES], seen

    def _count_objects(self, roots: set[str], commits: set[str]) -> None:
        """What is new, each object once."""
        seen = set(commits)
        queue = [root for root in roots if root in self._table]
        while queue:
            oid = queue.pop()
            if oid in seen:
                continue
            seen.add(oid)
            if self._table[oid].kind == BLOB:
                continue
            own = [entry for entry in self._entries(oid) if self._is_own(entry)]
            queue += [entry.oid for entry in own]
            known = [] if self._heaviest is None else [self._heaviest]
            files = (entry for entry in own if not entry.is_tree)
            self._heaviest = max(chain(known, files), key=self._size_of, default=None)
            self._large += [
                entry
                for entry in own
                if not entry.is_tree
                and self._table[entry.oid].size > self._limits.file_bytes
            ]
        total = sum(self._table[oid].size for oid in seen)
        limits = self._limits
        if len(seen) > limits.objects or total > limits.unpacked_bytes:
            raise ObjectsRefused(
                f"the task brings {len(seen)} objects with {in_units(total)}"
                f"{self._largest()}; at most {limits.objects} objects and"
                f" {in_units(limits.unpacked_bytes)} are allowed. Leave build results and"
                " large files out (.gitignore)",
                reason="TooLarge",
            )

    def _size_of(self, entry: Entry) -> int:
        return self._table[entry.oid].size

    def _largest(self) -> str:
        """The largest file that is new, in words."""
        if self._heaviest is None:
            return ""
        name = self._heaviest.name[:_SHOWN].decode("utf-8", "backslashreplace")
        return f", the largest is {name} with {in_units(self._size_of(self._heaviest))}"

    def _refuse_large_of_earlier_commits(self) -> None:
        """A file that was taken out again is in the history, and is pushed with it."""
        for entry in self._large[:1]:
            size = self._table[entry.oid].size
            where = " in a commit before the last one"
            raise file_too_large(entry.name, size, self._limits, where)

    def _is_own(self, entry: Entry) -> bool:
        return not entry.is_link and entry.oid in self._table

    def _entries(self, oid: str) -> list[Entry]:
        found = self._listed.get(oid)
        if found is None:
            found = self._listed[oid] = list(entries(self._text(oid), self._digits))
        return found

    # ------------------------------------------------------------- a checkout

    def _root_trees(self, commits: list[str]) -> tuple[str, ...]:
        """Of commits of the mirror, which git has proved."""
        found = contents(self._mirror, commits)
        return tuple(commit_links(text)[0] for text in found.values())

    def _count_checkout(self, root: str, bases: tuple[str, ...]) -> None:
        placed = self._changed(root, bases)
        self._learn_below(entry for entry, _ in placed)
        total = _Sum()
        for entry, place in placed:
            found = self._sum_of(entry, place.shown)
            total.add(found, place.length)
            self._check(total)
            if place.depth + found.height > _DEPTH:
                _too_deep()

    def _changed(self, root: str, bases: tuple[str, ...]) -> list[tuple[Entry, _Place]]:
        """What is not where it was, with its path: level by level beside the bases.

        A folder that is in several places and changed in each is looked into at the first
        of them and counts as new, and whole, at the others.
        """
        placed: list[tuple[Entry, _Place]] = []
        level = {(root, bases): _Place()} if root in self._table else {}
        seen = set(level)
        for _ in range(_DEPTH):
            if not level:
                return placed
            self._learn(base for _, beside in level for base in beside)
            below: dict[tuple[str, tuple[str, ...]], _Place] = {}
            for (tree, beside), folder in level.items():
                there: dict[bytes, list[Entry]] = {}
                for old in (old for base in beside for old in self._entries(base)):
                    there.setdefault(old.name, []).append(old)
                for entry in self._entries(tree):
                    olds = there.get(entry.name, [])
                    if entry in olds:
                        continue
                    key = entry.oid, tuple(old.oid for old in olds if old.is_tree)
                    place = folder.of(entry.name)
                    beside_it = entry.is_tree and key[1] and self._is_own(entry)
                    if beside_it and key not in seen:
                        seen.add(key)
                        below[key] = place
                    else:
                        placed.append((entry, place))
            if len(placed) + len(seen) > self._limits.paths:
                self._check(_Sum(len(placed) + len(seen)))
            level = below
        return _too_deep()

    def _learn(self, trees: Iterable[str]) -> None:
        """Read trees of the mirror, which are as large as they were let in."""
        missing = {oid for oid in trees if oid not in self._table}
        missing -= self._listed.keys()
        for oid, text in contents(self._mirror, missing).items():
            self._listed[oid] = list(entries(text, self._digits))
        for oid in missing:
            self._listed.setdefault(oid, [])  # fetching it says what is wrong

    def _learn_below(self, placed: Iterable[Entry]) -> None:
        """Read all trees below these, and the sizes of what the mirror has of them."""
        seen: set[str] = set()
        files: set[str] = set()
        level = list(placed)
        while level:
            trees = {entry.oid for entry in level if entry.is_tree} - seen
            files |= {e.oid for e in level if not (e.is_tree or e.is_link)}
            seen |= trees
            if len(seen) + len(files) > self._limits.paths:
                self._check(_Sum(len(seen) + len(files)))
            self._learn(trees)
            level = [entry for tree in trees for entry in self._entries(tree)]
        foreign = (oid for oid in files if oid not in self._table)
        self._sizes = {
            oid: found.size for oid, found in sizes_of(self._mirror, foreign).items()
        }

    def _sum_of(self, entry: Entry, path: bytes) -> _Sum:
        """What one entry is when it is checked out."""
        if entry.is_link:
            return _Sum(1)
        if entry.is_tree:
            return self._sum_of_tree(entry.oid, path)
        if entry.oid not in self._table:
            return _Sum(1, self._sizes.get(entry.oid, 0))
        size = self._table[entry.oid].size
        if size > self._limits.file_bytes:
            raise file_too_large(path, size, self._limits)
        return _Sum(1, size)

    def _sum_of_tree(self, root: str, path: bytes) -> _Sum:
        """Of a folder at a new place: each tree once, after what is in it."""
        above: set[str] = set()
        stack = [(root, path, False)]
        while stack:
            oid, path, is_left = stack.pop()
            if oid in self._sums:
                continue
            inner = self._entries(oid)
            if is_left:
                # The folder itself: a checkout makes it, and git walks through empty ones.
                total = _Sum(1)
                for entry in inner:
                    inside = (
                        self._sums[entry.oid]
                        if entry.is_tree
                        else self._sum_of(entry, path + b"/" + entry.name)
                    )
                    total.add(inside, 1 + len(entry.name))
                self._check(total)
                total.height += 1
                self._sums[oid] = total
                above.discard(oid)
                continue
            if oid in above:
                raise ObjectsRefused(
                    f"folder {oid} contains itself", reason="BadObjects"
                )
            above.add(oid)
            if len(above) > _DEPTH:
                _too_deep()
            stack.append((oid, path, True))
            trees = {entry.oid: entry.name for entry in inner if entry.is_tree}
            for tree, name in trees.items():
                stack.append((tree, (path + b"/" + name)[-_SHOWN:], False))
        return self._sums[root]

    def _check(self, total: _Sum) -> None:
        limits = self._limits
        if total.named > _NAMED_BYTES:
            raise ObjectsRefused(
                f"the paths that the task brings have {in_units(total.named)} together; at"
                f" most {in_units(_NAMED_BYTES)}: shorten the names of the folders, or"
                " leave some out (.gitignore)",
                reason="TooLarge",
            )
        if total.paths > limits.paths or total.size > limits.checked_out_bytes:
            raise ObjectsRefused(
                f"checked out, the task brings {total.paths} files and folders with"
                f" {in_units(total.size)} or more{self._largest()}; at most {limits.paths}"
                f" files and folders and {in_units(limits.checked_out_bytes)} are allowed",
                reason="TooLarge",
            )


def _too_deep() -> NoReturn:
    _too_large("folders in each other", _DEPTH)


def _too_large(what: str, allowed: int) -> NoReturn:
    raise ObjectsRefused(
        f"the task brings {what}; at most {allowed}", reason="TooLarge"
    )
