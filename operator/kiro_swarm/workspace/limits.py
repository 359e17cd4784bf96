"""How much one task may bring.

Role: weight.py weighs by it. The runner and the merge train hold a task to the same.
"""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much one task may bring: on disk, unpacked, in objects, and checked out."""

    stored_bytes: int = 1024 * _MIB
    unpacked_bytes: int = 256 * _MIB
    objects: int = 100_000
    paths: int = 200_000
    checked_out_bytes: int = 1024 * _MIB
    file_bytes: int = 100 * _MIB
