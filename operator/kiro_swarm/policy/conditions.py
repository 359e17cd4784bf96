"""Kubernetes conditions: the one place that sets them.

The transition time moves only when the status does; that is what makes comparing an old
and a new status meaningful and keeps an idle object unwritten. A message is one printable line,
whoever's words are in it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Optional, Sequence

from typing_extensions import Literal

from kiro_swarm.api.common import Condition
from kiro_swarm.policy.times import stamp
from kiro_swarm.policy.words import one_line

_LONGEST_MESSAGE = 4096


def condition(
    previous: Sequence[Condition],
    kind: str,
    status: Optional[bool],
    reason: str,
    message: str,
    *,
    generation: int,
    now: datetime,
) -> Condition:
    """The condition ``kind`` with its transition time carried over where it applies.

    :param status: None means Unknown.
    """
    word: Literal["True", "False", "Unknown"] = "True" if status else "False"
    if status is None:
        word = "Unknown"
    before = find(previous, kind)
    since = stamp(now)
    if before is not None and before.get("status") == word:
        since = before.get("lastTransitionTime", since)
    return {
        "type": kind,
        "status": word,
        "reason": reason,
        "message": one_line(message, _LONGEST_MESSAGE),
        "lastTransitionTime": since,
        "observedGeneration": generation,
    }


def find(conditions: Sequence[Condition], kind: str) -> Optional[Condition]:
    """The condition of this type, or None."""
    for item in conditions:
        if item.get("type") == kind:
            return item
    return None


def is_true(conditions: Sequence[Condition], kind: str) -> bool:
    """Whether the condition is there and True."""
    found = find(conditions, kind)
    return found is not None and found.get("status") == "True"
