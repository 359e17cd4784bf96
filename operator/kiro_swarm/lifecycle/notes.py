"""The status patches of what happens within a state: words, cycles, conditions. Pure.

Called by the runner while it works, by the integrate Job and by the operator. They change
nothing about where the task is; each is an edge of ``edges`` without a target.
"""

from __future__ import annotations

from datetime import datetime
from typing import Sequence

from kiro_swarm.api.common import Condition
from kiro_swarm.api.task import Cycle
from kiro_swarm.lifecycle.fields import Patch, Status
from kiro_swarm.policy.times import stamp
from kiro_swarm.policy.words import one_line

_MESSAGE = 1024
_CYCLES = 20


def progress(message: str, now: datetime) -> Patch:
    """What the agent said last."""
    return {
        "progress": {"message": one_line(message, _MESSAGE), "updatedAt": stamp(now)}
    }


def cycle(status: Status, record: Cycle, message: str, now: datetime) -> Patch:
    """A cycle of beast mode is over: its record, and a line about it.

    Made again of a status that has it already, it changes nothing but the time.
    """
    key = (record["attempt"], record["cycle"])
    others = [
        item
        for item in status.get("cycles") or []
        if (item["attempt"], item["cycle"]) != key
    ]
    return {"cycles": [*others, record][-_CYCLES:], **progress(message, now)}


def observed(conditions: Sequence[Condition]) -> Patch:
    """All conditions of the task, as they are to be."""
    return {"conditions": list(conditions)}
