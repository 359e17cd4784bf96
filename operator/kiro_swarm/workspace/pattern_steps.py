"""How many steps git may need to try the lines of ``.gitattributes`` and ``.gitignore`` on paths.

Role: patterns.py asks it about trees and worktrees. Pure.

git before 2.41 goes back from where a pattern does not fit on to the star before, and to the one
before that: a line with ``*a`` eight times and one file of a hundred letters ``a`` take it hours,
as ``**/a/`` many times and folders so deep do. What begins behind a star is tried wherever its
first letters are in the path, so the ways to lay k stars are no more than the product of how
often those letters are there.

Guarantees: what is counted is the most that git does, in characters looked at, by arithmetic: no
clock, so the same files are judged the same on every machine, and git is not asked. The work is
bounded by the lines and the paths together, not by their product.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.workspace.globs import STEPS, Glob, globs_in

#: A line without a star, or with one at its beginning and letters after it, is one comparison.
_PLAIN = 10
#: So many times paths are searched for letters before it is judged by their lengths alone.
_SEARCHES = 10_000_000
#: So many texts are searched; those over it are judged by their lengths.
_KEPT = 1_000_000

#: Path of a pattern file -> what it says; None: too much to read.
Rules = Mapping[bytes, Optional[bytes]]


def steps(rules: Rules, paths: Iterable[bytes], most: int = STEPS) -> int:
    """The most that git needs for these paths, or some number over ``most``.

    :param paths: of files; that the folders above them are tried as well is counted.
    """
    if None in rules.values():
        return most + 1
    found = {name: said for name, said in rules.items() if said and said.strip()}
    if not found:
        return 0
    ordered = sorted(paths)
    begun = list(_begun(ordered))
    total, searches = 0, _Searches()
    for name, said in sorted(found.items()):
        folder = name.rpartition(b"/")[0]
        begin, end = 0, len(ordered)
        if folder:
            begin = bisect_left(ordered, folder + b"/")
            end = bisect_left(ordered, folder + b"0")
        if begin < end:
            below = _Below(ordered[begin:end], begun[begin:end], len(folder))
            total += _file_steps(name, said, below, most - total, searches)
        if total > most:
            return total
    return total


def _begun(ordered: Sequence[bytes]) -> Iterable[int]:
    """Of each path how many folders of it are none of those of the path before.

    They are never held as paths: all folders of a deep one are its length times its depth.
    """
    last: list[bytes] = []
    for path in ordered:
        folders = path.split(b"/")[:-1]
        same = 0
        for one, other in zip(folders, last):
            if one != other:
                break
            same += 1
        yield len(folders) - same
        last = folders


@dataclass(frozen=True)
class _Below:
    """The paths below a folder, as many characters of which are not counted."""

    paths: Sequence[bytes]
    begun: Sequence[int]
    above: int

    @property
    def count(self) -> int:
        return len(self.paths) + sum(self.begun)

    def whole(self) -> Iterable[tuple[bytes, int]]:
        """Each with how many are laid on no more than it: itself, and folders of it."""
        above = self.above + bool(self.above)
        return ((p[above:], 1 + new) for p, new in zip(self.paths, self.begun))

    def names(self) -> Iterable[tuple[bytes, int]]:
        above = self.above + bool(self.above)
        for path, new in zip(self.paths, self.begun):
            for name in path[above:].rsplit(b"/", new + 1)[-1 - new :]:
                yield name, 1


def _file_steps(
    name: bytes,
    said: bytes,
    below: _Below,
    most: int,
    searches: _Searches,
) -> int:
    counted = Counter(globs_in(name, said))
    total = counted.pop(None, 0) * _PLAIN * below.count
    texts = {False: _Texts((), searches), True: _Texts((), searches)}
    if any(not one.whole for one in counted if one):
        texts[False] = _Texts(below.names(), searches)
    if any(one.whole for one in counted if one):
        texts[True] = _Texts(below.whole(), searches)
    rough: list[tuple[int, Glob, int]] = []
    shapes: dict[tuple[object, ...], int] = {}
    for one, many in counted.items():
        if one is None:
            continue
        shape = (
            *(one.whole, one.weight),
            *((len(star.letters), *star[1:]) for star in one.stars),
        )
        if shape not in shapes:
            shapes[shape] = texts[one.whole].steps(one, exact=False)
        rough.append((shapes[shape] * many, one, many))
        total += shapes[shape] * many
    for cost, one, many in sorted(rough, key=lambda item: -item[0]):
        if total <= most or not (one.stars or one.first):
            continue
        total += texts[one.whole].steps(one, exact=True) * many - cost
    return total


@dataclass
class _Searches:
    """How many there were for all files of a tree together."""

    count: int = 0


class _Texts:
    """What patterns are laid on, in groups of nearly the same length."""

    def __init__(self, texts: Iterable[tuple[bytes, int]], searches: _Searches) -> None:
        self._groups: dict[int, set[bytes]] = {}
        self._many: Counter[int] = Counter()
        self._known: dict[bytes, dict[int, int]] = {}
        self._searches = searches
        # Groups of which not each text is kept.
        self._over: set[int] = set()
        kept = 0
        for text, many in texts:
            group = _group(len(text))
            found = self._groups.setdefault(group, set())
            self._many[group] += many
            if text not in found and kept < _KEPT:
                found.add(text)
                kept += 1
            elif text not in found:
                self._over.add(group)

    def steps(self, one: Glob, exact: bool) -> int:
        return sum(
            many * self._most(one, group, exact) for group, many in self._many.items()
        )

    def _most(self, one: Glob, group: int, exact: bool) -> int:
        """For one text of the group."""
        length = group + 2
        if exact and not self._begins(one.first, group):
            return one.weight
        ways, total = 1, one.weight + length
        for star in one.stars:
            # The way to each place, and what is compared in vain: each letter once more.
            total += ways * 2 * length
            ways *= self._places(star.letters, group, exact)
            total += ways * (star.weight + star.jumps * length)
        return total

    def _begins(self, first: bytes, group: int) -> bool:
        """Whether a text of the group does so."""
        if not first or group in self._over or self._searches.count > _SEARCHES:
            return True
        known = self._known.setdefault(b"\0" + first, {})
        if group not in known:
            self._searches.count += len(self._groups[group])
            known[group] = any(text.startswith(first) for text in self._groups[group])
        return bool(known[group])

    def _places(self, letters: bytes, group: int, exact: bool) -> int:
        length, texts = group + 2, self._groups[group]
        if not letters:
            return length
        if not exact or group in self._over or self._searches.count > _SEARCHES:
            return length // len(letters) + 1
        known = self._known.setdefault(letters, {})
        if group not in known:
            self._searches.count += len(texts)
            # A path begins like a folder of it.
            known[group] = max((b"/" + text).count(letters) for text in texts)
        return known[group]


def _group(length: int) -> int:
    """The longest of those that are taken together: an eighth more at most."""
    step = 1 << max(length.bit_length() - 4, 3)
    return -(-length // step) * step
