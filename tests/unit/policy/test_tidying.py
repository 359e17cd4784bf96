"""When the volume is tidied next: the whole truth table, and no storm of Jobs ever."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.policy.tidying import (
    LATEST,
    SOONEST,
    USED,
    Tidied,
    Use,
    after_job,
    next_tidy,
)

BEGAN = datetime(2026, 11, 1, tzinfo=timezone.utc)
H = 3600


def at(hours: Optional[float]) -> Optional[datetime]:
    return None if hours is None else BEGAN + timedelta(hours=hours)


#: End of the last Job and its pause; last use, last failure; the next Job. All but the pause
#: in hours after the swarm was made; it is hour 20 now.
TABLE = [
    ("nothing was ever done", None, 0, None, None, None),
    ("an attempt began, and never a Job", None, 0, 0.5, None, 6),
    ("one failed for its volume, and never a Job", None, 0, 0.5, 0.5, 1),
    ("a Job was after all use", 10, 0, 9, None, None),
    ("used since", 10, 0, 11, None, 16),
    ("failed for its volume since", 10, 0, 11, 11, 11),
    ("failed for its volume before", 10, 0, 9, 9, None),
    ("failed before, used since", 10, 0, 11, 9, 16),
    ("filling, idle", 10, SOONEST, 9, None, 11),
    ("filling, idle, nothing came free for long", 10, 8 * H, 9, None, 18),
    ("filling, idle, nothing can come free any more", 10, LATEST, 9, None, None),
    ("filling, used since", 10, SOONEST, 11, None, 11),
    ("filling, used since, nothing came free for long", 10, 8 * H, 11, None, 16),
    ("filling, used since, after the last try", 10, LATEST, 11, None, 16),
    ("just finished, filling", 20, SOONEST, 19, None, 21),
    ("ended by a clock that is ahead", 30, SOONEST, 9, None, 21),
    ("used by a clock that is ahead", 20, 0, 20.1, None, 26),
]


@pytest.mark.parametrize(
    ("ended", "pause", "worked", "failed", "then"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_the_truth_table(
    ended: Optional[float],
    pause: int,
    worked: Optional[float],
    failed: Optional[float],
    then: Optional[float],
) -> None:
    since, use = at(ended) or BEGAN, Use(at(worked), at(failed))
    assert next_tidy(pause, use, since, BEGAN + timedelta(hours=20)) == at(then)


#: What was remembered; the end of the next Job, whether the volume is filling then, whether
#: more of it is free; the pause afterwards.
PAUSES = [
    ("not filling", 10, 4 * H, 20, False, False, 0),
    ("filling for the first time", 10, 0, 20, True, False, SOONEST),
    ("the first Job of all", None, 0, 20, True, False, SOONEST),
    ("of a release before", None, SOONEST, 20, True, False, SOONEST),
    ("nothing came free", 10, SOONEST, 11, True, False, 2 * H),
    ("something came free", 10, 4 * H, 14, True, True, SOONEST),
    ("a merge in between", 10, 2 * H, 10.5, True, False, 2 * H),
    ("never above", 10, 16 * H, 30, True, False, LATEST),
]


@pytest.mark.parametrize(
    ("before", "pause", "ended", "filling", "freed", "then"),
    [row[1:] for row in PAUSES],
    ids=[row[0] for row in PAUSES],
)
def test_the_pause(
    before: Optional[float],
    pause: int,
    ended: float,
    filling: bool,
    freed: bool,
    then: int,
) -> None:
    end = BEGAN + timedelta(hours=ended)
    made = after_job(Tidied(at(before), pause), end, filling, freed)
    assert made == Tidied(end, then)


def test_an_idle_volume_that_stays_full_is_left_alone_after_a_day_and_a_half() -> None:
    last, jobs = Tidied(BEGAN, SOONEST), []
    for _ in range(9):
        since = last.at or BEGAN
        when = next_tidy(last.pause, Use(BEGAN), since, since)
        if when is not None:
            jobs.append((when - BEGAN) // timedelta(hours=1))
            last = after_job(last, when, filling=True, freed=False)
    assert jobs == [1, 3, 7, 15, 31]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 60, 1800, 7200, 30000]),
            *(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
        ),
        max_size=40,
    )
)
def test_jobs_for_it_never_come_closer_than_an_hour(
    story: list[tuple[int, bool, bool, bool, bool]],
) -> None:
    """Whatever happens between, and how often one asks."""
    now, last, use = BEGAN, Tidied(), Use()
    for seconds, works, fails, filling, freed in story:
        now += timedelta(seconds=seconds)
        if works:
            use = Use(now, now if fails else use.failed)
        since = last.at or BEGAN
        when = next_tidy(last.pause, use, since, now)
        assert when == next_tidy(last.pause, use, since, now)
        if when is None:
            continue
        pause = when - since
        assert timedelta(seconds=SOONEST) <= pause < timedelta(seconds=LATEST)
        if use.worked is not None and use.worked > since:
            assert pause <= timedelta(seconds=USED)
        if when <= now:
            last = after_job(last, now, filling, freed)
