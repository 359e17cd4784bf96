"""How many more names one task may bring onto the integration branch. Pure.

Role: proof.py asks it. Who looks at a tree, which is everybody who works with the branch, has
all its names in memory; weight.py bounds those of one task, and this the sum of all tasks.

Guarantees: a task may bring a quarter of what is left of what a branch may have, or a 128th of that
where it is more, so no few tasks use up what the others need. However many there are, they bring
no branch above five quarters: near them a task may bring a quarter of what is left to there. A
branch that has more by itself, from its source, has room up to twice as much.
"""

from __future__ import annotations

from collections.abc import Iterable

from kiro_swarm.workspace.limits import in_units

#: Of what is left, and of all that a branch may have: for each task, as long as there is room.
_PART, _FREE = 4, 128
#: What a name takes beside its letters where it is held.
_EACH = 100


def too_many(
    old: Iterable[bytes], new: Iterable[bytes], added: Iterable[bytes], most: int
) -> str:
    """Why the files ``new``, with these that ``old`` has not, may not come; mostly nothing.

    :param most: what the names of a branch may take, as ``counted`` counts.
    """
    free = most // _FREE
    there = list(old)
    if counted(sorted(added)) <= free and _at_most(there) <= most:
        return ""
    before = counted(sorted(there))
    brought = counted(sorted(new)) - before
    allowed = room(before, most)
    # What only moves or removes files brings nothing, also where there is no room.
    if brought <= max(0, allowed):
        return ""
    if allowed < _EACH:
        return (
            f"the names of the files and folders of the integration branch take {in_units(before)},"
            f" with {_EACH} bytes for each: there is no room for more. Remove or move files in"
            " the same task, or ask a person to (build results, downloads)"
        )
    return (
        f"the names of the files and folders that the task brings take {in_units(brought)}, with"
        f" {_EACH} bytes for each; those of the integration branch take {in_units(before)}, and"
        f" as they are bounded, a task may bring {in_units(allowed)} now. Leave some out"
        " (.gitignore)"
    )


def room(before: int, most: int) -> int:
    """What the next task may bring to a branch whose names take so much."""
    end = most * 5 // 4
    if before >= end:
        end = most * 2
    return max((most - before) // _PART, min(most // _FREE, (end - before) // _PART))


def _at_most(paths: Iterable[bytes]) -> int:
    """More than these can take, without their order, which takes time."""
    return sum((len(path) + _EACH) * (path.count(b"/") + 1) for path in paths)


def counted(ordered: Iterable[bytes]) -> int:
    """What the names of these files, in order, and of the folders above them take."""
    total, last = 0, b""
    for path in ordered:
        total += len(path) + _EACH
        folder = path.rpartition(b"/")[0]
        if folder != last:
            total += _new_folders(folder, last)
            last = folder
    return total


def _new_folders(folder: bytes, last: bytes) -> int:
    """The same of those of a folder and all above it that are not above ``last``."""
    total = length = 0
    beside = iter(last.split(b"/"))
    shared = True
    for name in folder.split(b"/") if folder else ():
        length += len(name)
        shared = shared and name == next(beside, None)
        if not shared:
            total += length + _EACH
        length += 1
    return total
