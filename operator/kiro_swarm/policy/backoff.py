"""How long to wait before a pod that fails again and again is made anew. Pure.

Called by the decision of an instance. Guarantees: the pause grows with the failures in a row and
has an end; what was well for long enough afterwards leaves nothing behind. Times are durations, by
a clock that does not jump: whoever asks has measured them.
"""

from __future__ import annotations

from typing import Final

#: So many replacements in a row cost no pause.
FREE: Final = 3
LONGEST: Final = 300.0
#: Whoever was well for so long begins anew: twice the longest pause, as the kubelet does it with
#: containers. A trouble that comes as seldom as that costs no more without a pause.
WELL: Final = 600.0


def in_a_row(before: int, well_for: float) -> int:
    """How many of the failures of before still count.

    :param well_for: seconds for which it has been well, until now; 0: it is not.
    """
    return 0 if well_for >= WELL else before


def pause(failures: int) -> float:
    """Seconds from the last failure to the next try, after so many in a row."""
    if failures <= FREE:
        return 0.0
    return min(LONGEST, 5.0 * 2.0 ** min(failures - FREE, 10))
