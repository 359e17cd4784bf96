"""Refs of the mirror, written by the thousand.

Role: tags.py. git makes a file of its own, and waits for the disk, for each ref that it writes;
of five thousand that takes minutes, in which nobody else has the mirror.

Guarantees: git's own lock and format. The file is replaced as a whole, durably, or not at all; a
line about a ref that is not to be changed stays as it is, and where one cannot be read nothing is
written. The caller is sole owner of the mirror.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.disk import remove, sync_folder
from kiro_swarm.workspace.errors import BrokenRepository

HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
_NAME = "packed-refs"
#: What a ref holds, and what it leads to if that is a tag object.
Entry = tuple[bytes, Optional[bytes]]


def text_of(refs: Mapping[bytes, Entry]) -> bytes:
    """Refs as such a file has them."""
    lines = [HEADER]
    # As git sorts them: by the bytes of their names.
    for name in sorted(refs):
        oid, peeled = refs[name]
        lines.append(oid + b" " + name + b"\n")
        if peeled is not None:
            lines.append(b"^" + peeled + b"\n")
    return b"".join(lines)


def replace_below(
    git_dir: Path, prefix: str, refs: Mapping[bytes, Entry], more: Mapping[bytes, Entry]
) -> None:
    """Let these be the refs below ``prefix``, and add ``more`` that are elsewhere.

    Raises BrokenRepository, OSError.
    """
    place, below = git_dir / _NAME, os.fsencode(prefix)
    text = place.read_bytes() if place.exists() else HEADER
    kept = {
        name: entry for name, entry in _read(text).items() if not name.startswith(below)
    }
    lock = place.with_name(f"{_NAME}.lock")
    with open(lock, "xb") as target:
        target.write(text_of({**kept, **more, **refs}))
        target.flush()
        os.fsync(target.fileno())
    os.replace(lock, place)
    sync_folder(git_dir)
    # One that has a file of its own is what that says.
    remove(git_dir / prefix.rstrip("/"))


def _read(text: bytes) -> dict[bytes, Entry]:
    found: dict[bytes, Entry] = {}
    header, *lines = text.split(b"\n")
    if b" fully-peeled " not in header + b" " or lines[-1:] != [b""]:
        raise BrokenRepository("packed-refs of the mirror cannot be read")
    last = b""
    for line in lines[:-1]:
        if line.startswith(b"^") and last:
            found[last] = (found[last][0], line[1:])
            last = b""
        else:
            oid, _, last = line.partition(b" ")
            if len(oid) != 40 or not last.startswith(b"refs/"):
                raise BrokenRepository("packed-refs of the mirror cannot be read")
            found[last] = (oid, None)
    return found
