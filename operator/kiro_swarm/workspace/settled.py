"""An index that tells at once what nobody has changed, whenever it is asked.

Role: checkout.py and instance.py, when git has written a worktree.

git goes by the times of a file unless it was written as late as the index or later, by the
second with most builds: of such a file it reads the content again. What does not survive
being staged (line ends, keywords, encodings: unchanged.py has them all) is then a change that
nobody has made, in one worktree and not in the next. So all files get one time, a minute
before the index, and the index gets to know it. git has no command for that which does not
read the contents.

Guarantees: what is changed afterwards has a later time and is seen, in the same second as
well. Only files that the index describes as they are now are touched. Where no file has
attributes nothing is done: there every content survives, and on a volume of a network each
file costs a question.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.errors import GitFailed

_EARLIER = 60
_ATTRIBUTES = b".gitattributes\0"
_HEADER = struct.Struct(">4sII")
# Times of the inode and of the content in seconds and nanoseconds; device, inode, mode, user,
# group, size; object id and flags.
_ENTRY = struct.Struct(">4I6I20sH")
_TIMES = struct.Struct(">4I")
_EXTENDED = 0x4000
_DIGEST = 20
_WORD = 2**32


def settle(tree: Path, index: Path) -> None:
    """Let no file in ``tree`` seem changed by the time at which it was written.

    Nobody else works in the tree. Raises GitFailed where ``index`` is of a format that git
    does not write by itself.
    """
    content = bytearray(index.read_bytes())
    if _ATTRIBUTES not in content:
        return
    # By the clock of the volume, which may be a server's.
    time = int(index.stat().st_mtime) - _EARLIER
    signature, version, count = _HEADER.unpack_from(content)
    if signature != b"DIRC" or version not in (2, 3):
        raise GitFailed(f"{index} is of a version that is not known: {version}")
    place = _HEADER.size
    for _ in range(count):
        *_, size, _, flags = entry = _ENTRY.unpack_from(content, place)
        name = place + _ENTRY.size + (2 if flags & _EXTENDED else 0)
        end = content.index(b"\0", name)
        path = os.path.join(os.fsencode(tree), bytes(content[name:end]))
        changed = _moved_back(path, entry[2], size, time)
        if changed is not None:
            # What git stages by is the time of the inode as well.
            inode = divmod(changed, 10**9)
            _TIMES.pack_into(content, place, inode[0] % _WORD, inode[1], time, 0)
        place += (end - place) // 8 * 8 + 8
    content[-_DIGEST:] = hashlib.sha1(
        content[:-_DIGEST], usedforsecurity=False
    ).digest()
    # In place: after a kill the worktree is made anew, its index as well.
    index.write_bytes(content)


def _moved_back(path: bytes, second: int, size: int, time: int) -> Optional[int]:
    """Give a file the time; when its inode changed by that, or None where it is another."""
    try:
        found = os.lstat(path)
        told = (int(found.st_mtime) % _WORD, found.st_size % _WORD)
        if stat.S_ISDIR(found.st_mode) or told != (second, size):
            return None
        os.utime(path, (time, time), follow_symlinks=False)
        return os.lstat(path).st_ctime_ns
    except OSError:  # such as a name that this volume cannot have
        return None
