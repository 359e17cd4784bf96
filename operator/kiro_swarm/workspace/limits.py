"""How much one task may bring.

Role: weight.py weighs by it. The runner and the merge train hold a task to the same.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Optional

from kiro_swarm.workspace.errors import ObjectsRefused

_MIB = 1024 * 1024
#: As ``Limits.file_bytes``: any file that the others let through.
ANY_FILE = sys.maxsize


@dataclass(frozen=True)
class Limits:
    """How much one task may bring: on disk, unpacked, in objects, and checked out.

    ``names_bytes`` is of the branch, with all that its tasks have brought (tree_names.py).
    """

    stored_bytes: int = 1024 * _MIB
    unpacked_bytes: int = 256 * _MIB
    objects: int = 100_000
    paths: int = 200_000
    checked_out_bytes: int = 1024 * _MIB
    file_bytes: int = 100 * _MIB
    names_bytes: int = 128 * _MIB


def limits_of(max_file_size: Optional[str]) -> Limits:
    """By ``spec.integration.maxFileSize``; ValueError where that is no size."""
    if max_file_size is None:
        return Limits()
    # Only here, for it brings pydantic: a worktree command starts with each attempt, and never
    # asks.
    from kiro_swarm.api.quantity import bytes_of

    return replace(Limits(), file_bytes=bytes_of(max_file_size) or ANY_FILE)


def in_units(size: int) -> str:
    """Bytes as people read them."""
    if size < 10 * 1024:
        return f"{size} bytes"
    large = size >= _MIB
    text = f"{size / _MIB:.1f} MiB" if large else f"{size / 1024:.1f} KiB"
    return text.replace(".0 ", " ")


def file_too_large(
    name: bytes, size: int, limits: Limits, where: str = ""
) -> ObjectsRefused:
    """The refusal of a file; ``where`` it is, if not in the last commit."""
    remedy = (
        "Take it out of all commits of the branch"
        if where
        else "Leave it out, or keep it with git LFS"
    )
    return ObjectsRefused(
        f"{name.decode('utf-8', 'backslashreplace')} has {in_units(size)}{where};"
        f" {in_units(limits.file_bytes)} are allowed"
        " (spec.integration.maxFileSize), for hosts of git refuse"
        " larger files anywhere in the history, and with one each later push."
        f" {remedy}",
        reason="FileTooLarge",
    )
