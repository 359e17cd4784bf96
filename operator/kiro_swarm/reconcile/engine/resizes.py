"""What is remembered of the claim of a swarm between two looks at it.

Written by ``reconcile/swarms/volume.py``, kept in the context, told by the conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Optional

#: Seconds until a claim is read again for the first time.
SOONEST: Final = 5.0


@dataclass(frozen=True)
class Resize:
    """What is known of a claim. ``reason``: empty where it never had to grow.

    ``again``: when it is to be read again (monotonic); None for not before an edit.
    """

    size: str
    reason: str = ""
    message: str = ""
    pause: float = SOONEST
    again: Optional[float] = None
