"""For how long a swarm that is being deleted has been kept for its work.

Role: the rescue gives up by it. Guarantees: only time counts in which an operator was there and
could have made a Job. No clock of a wall is asked: neither one that is moved, nor one that differs
from the API server's, nor the days in which nobody reconciled are taken for time that was given.
The status carries it over to the next process.
"""

from __future__ import annotations

from typing import Final

from kiro_swarm.api.access import status_of
from kiro_swarm.api.swarm_status import KiroSwarm, RescueStatus
from kiro_swarm.reconcile.engine.context import Context

#: It is looked at every few seconds: a process that does not for longer was not there.
_LONGEST_GAP: Final = 60.0
#: Seconds after which the status says a new figure, in a swarm that is kept for an hour.
_STEP: Final = 60


def kept_seconds(ctx: Context, swarm: KiroSwarm) -> float:
    """For how long it has been kept. To be asked in every reconcile of its end."""
    uid, now = swarm["metadata"]["uid"], ctx.monotonic()
    told = float((status_of(swarm).get("rescue") or {}).get("waitedSeconds") or 0)
    before, seen = ctx.kept.get(uid, (told, now))
    seconds = before + min(max(now - seen, 0.0), _LONGEST_GAP)
    ctx.kept[uid] = (seconds, now)
    return seconds


def said(seconds: float, wanted: int) -> RescueStatus:
    """What the status says of it: a new figure now and then, not at every look.

    :param wanted: for how long it is kept at most.
    """
    step = max(_STEP, wanted // _STEP)
    return {"waitedSeconds": int(seconds) // step * step}
