"""How often the integrate Jobs of a swarm have failed in a row, and when to try again. Pure.

Role: ``reconcile/swarms/integrate.py`` asks, and the status of the swarm keeps the answer:
finished Jobs are deleted, so what is still there says nothing about how many there were.

Guarantees: each Job is counted once, whoever dies between the Job and the status, and in
whichever order they are seen; what nobody can have written counts as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

FIRST: Final = 15.0
LONGEST: Final = 300.0


class Failing(NamedTuple):
    """What was counted.

    ``counted``: number of the last Job that was. ``failures``: how many up to it failed in a
    row.
    """

    counted: int = 0
    failures: int = 0


def after_jobs(known: Failing, ended: Mapping[int, bool]) -> Failing:
    """What is remembered of these Jobs too.

    :param ended: number of a Job that has ended -> whether it succeeded. Those that were
        counted before may be among them.
    """
    counted, failures = known
    for number in sorted(ended):
        if number > counted:
            counted, failures = number, 0 if ended[number] else failures + 1
    return Failing(counted, failures)


def next_try(failures: int, ended: datetime, now: datetime) -> datetime:
    """When a Job that failed is followed by the next: later each time, up to five minutes.

    :param failures: how many have in a row, with this one; fewer than one is one.
    :param ended: its end; by a clock that is ahead it may be later than now, for as long as the
        clock is: who starts the next Job goes by what passes since it saw the end.
    """
    return min(ended, now) + timedelta(seconds=pause_after(failures))


def pause_after(failures: int) -> float:
    """Seconds between a Job that failed and the next.

    :param failures: how many have in a row, with this one; fewer than one is one.
    """
    doublings = min(max(failures, 1) - 1, 10)
    return min(LONGEST, FIRST * 2.0**doublings)
