"""Names that are two here and one on a volume that knows no case, or no Unicode forms.

Role: proof.py, of what a task brings and of what a merge makes of it. Pure.

Guarantees: only a name that is new can be in the way: whoever has such names already lives with
them, and may add more. One pass over the names.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Optional

Pair = tuple[bytes, bytes]


def collision(
    new: Iterable[bytes], old: Iterable[bytes], paths: Sequence[bytes]
) -> Optional[Pair]:
    """One of ``paths``, which ``new`` has and ``old`` has not, and what it collides with."""
    added = {_folded(path): path for path in paths}
    if not added:
        return None
    found = next(_collisions(sorted(new), added), None)
    if found is None:
        return None
    there = {_folded(path): path for path in old}
    lived_with = next(_collisions(sorted(old), there), None)
    return None if lived_with else found


def words(pair: Pair) -> str:
    """Both names, for people: what is not plain ASCII is written out, for it may look alike."""
    return " and ".join(ascii(path.decode("utf-8", "surrogateescape")) for path in pair)


def _collisions(paths: Iterable[bytes], names: dict[str, bytes]) -> Iterator[Pair]:
    """Those of ``names`` that another of the paths is the same as, or lies below."""
    # To hold the folders of all names would take their bytes times their depth, and so
    # would it to make those of all paths: only where one of the names could end.
    order, lengths = sorted(names), set(map(len, names))
    last = b""
    for path in paths:
        folded = _folded(path)
        same = names.get(folded)
        if same is not None and same != path:
            yield same, path
        # A file in the way of a folder of one of them, of another case.
        at = bisect_left(order, f"{folded}/")
        if at < len(order) and order[at].startswith(f"{folded}/"):
            yield names[order[at]], path
        folder = path.rpartition(b"/")[0]
        if folder != last:
            last = folder
            for part in _folders(folded, lengths):
                if part in names:
                    yield names[part], path


def _folders(folded: str, lengths: Container[int]) -> Iterator[str]:
    """Those above a path that are of one of these lengths."""
    end = folded.find("/")
    while end >= 0:
        if end in lengths:
            yield folded[:end]
        end = folded.find("/", end + 1)


def _folded(path: bytes) -> str:
    """As the volumes of Windows and macOS compare names, and a little more widely."""
    if path.isascii():
        return path.decode("ascii").lower()
    text = unicodedata.normalize("NFC", path.decode("utf-8", "surrogateescape"))
    return unicodedata.normalize("NFC", text.casefold())
