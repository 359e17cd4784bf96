"""When a volume is filling: the operator tells a person, the integrate Job tidies it. Pure."""

from __future__ import annotations

from typing import Final

#: Reason of a Job that found no room.
FULL: Final = "VolumeFull"
#: The part of a volume above which it is: a few tasks still find room.
FILLING: Final = 0.8


def is_filling(used: int, size: int) -> bool:
    """Whether so much of a volume of this size, in bytes, is above it."""
    return used > FILLING * size
