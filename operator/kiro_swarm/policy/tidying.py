"""When the volume of a swarm is tidied next, where no merge does it on the way. Pure.

Role: ``reconcile/swarms/integrate.py`` asks, and lets an integrate Job run for it. What it
remembers is in the status of the swarm, for finished Jobs are deleted.

Guarantees: Jobs for it never come closer than an hour. As long as they free nothing the pause
doubles, and where no attempt has used the volume since, they end after a day and a half: by
then all is old enough to go that ever can. A swarm whose volume is not filling, and has not
been used since the last Job, has none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple, Optional

#: Seconds after the last Job: of a volume that is filling, of one that is used, and the
#: pause at which nobody tries any more.
SOONEST: Final = 3600
USED: Final = 6 * 3600
LATEST: Final = 24 * 3600


class Tidied(NamedTuple):
    """The last integrate Job, as far as the volume is concerned.

    ``at``: when it ended; None before the first. ``pause``: seconds to the next while the
    volume is filling; 0 while it is not.
    """

    at: Optional[datetime] = None
    pause: int = 0


class Use(NamedTuple):
    """What has become of the volume, by the tasks.

    ``worked``: when an attempt began or ended last. ``failed``: when one failed last for
    git, or the volume, under its runner.
    """

    worked: Optional[datetime] = None
    failed: Optional[datetime] = None


def after_job(known: Tidied, ended: datetime, filling: bool, freed: bool) -> Tidied:
    """What is remembered once another Job has ended.

    :param filling: whether the volume still is.
    :param freed: whether there is more room than the Job before has left.
    """
    if not filling:
        return Tidied(ended, 0)
    if freed or not known.pause or known.at is None:
        return Tidied(ended, SOONEST)
    # One that merged a moment after the last says nothing about a pause.
    waited = ended - known.at >= timedelta(seconds=known.pause)
    return Tidied(ended, min(LATEST, known.pause * 2) if waited else known.pause)


def next_tidy(
    paused: int, use: Use, ended: datetime, now: datetime
) -> Optional[datetime]:
    """The moment of the next Job, if none runs until then; None: not as things are.

    :param paused: seconds of the pause after the last Job; 0: the volume is not filling.
    :param ended: when that Job ended, by a clock that does not jump; before the first, when the
        swarm was made.
    """
    since = min(ended, now)
    used = use.worked is not None and use.worked > since
    failed = use.failed is not None and use.failed > since
    pause = paused or (SOONEST if failed else 0)
    if used:
        pause = min(pause or USED, USED)
    if not pause or pause >= LATEST:
        return None
    return since + timedelta(seconds=pause)
