"""The name that was probably meant by one that is not there. Pure.

Called by whoever answers that there is no such task, instance, command or swarm. Guarantees:
however many names there are and however long a repository makes them, it takes some tens of
milliseconds: the event loop that all swarms share turns for nobody meanwhile. Most names are
only looked at from both ends, which finds whatever has one slip in it.
"""

from __future__ import annotations

from difflib import get_close_matches
from heapq import nlargest
from typing import Collection, Final

#: Of a name no more is compared than this.
_COMPARED: Final = 64
#: The names that are compared letter by letter: those that begin and end most alike.
_MOST: Final = 40
_CUTOFF: Final = 0.3


def nearest(wanted: str, names: Collection[str], most: int = 1) -> list[str]:
    """At most ``most`` of the names, nearest first; none where none is near."""
    asked = _cut(wanted)
    known = {_cut(name): name for name in names}
    alike = nlargest(_MOST, known, key=lambda name: _alike(asked, name))
    return [known[cut] for cut in get_close_matches(asked, alike, most, _CUTOFF)]


def _cut(name: str) -> str:
    """A name, or both ends of a long one: names that are counted differ at either."""
    half = _COMPARED // 2
    return name if len(name) <= _COMPARED else name[:half] + name[-half:]


def _alike(one: str, other: str) -> float:
    """How much of two names is the same at their beginnings and ends, of the longer one."""
    longer = max(len(one), len(other), 1)
    same = _same_length(one, other) + _same_length(one[::-1], other[::-1])
    return min(same, longer) / longer


def _same_length(one: str, other: str) -> int:
    """Length of the beginning that two texts share, by halves: no step for each letter."""
    if one[:1] != other[:1]:
        return 0
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
