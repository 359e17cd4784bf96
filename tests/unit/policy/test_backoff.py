"""When a failure is forgotten, and how long the next try waits."""

from __future__ import annotations

import pytest

from kiro_swarm.policy.backoff import LONGEST, WELL, in_a_row, pause


@pytest.mark.parametrize(
    ("case", "before", "well_for", "counted"),
    [
        ("never failed, not well", 0, 0.0, 0),
        ("never failed, long well", 0, 10 * WELL, 0),
        ("failed, and not well since", 7, 0.0, 7),
        ("well for a moment", 7, 1.0, 7),
        ("well for almost long enough", 7, WELL - 1, 7),
        ("well for long enough", 7, WELL, 0),
        ("well for a month", 60, 30 * 86400.0, 0),
    ],
)
def test_what_was_well_for_ten_minutes_begins_anew(
    case: str, before: int, well_for: float, counted: int
) -> None:
    assert in_a_row(before, well_for) == counted, case


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (3, 0), (4, 10), (5, 20), (8, 160), (9, LONGEST), (10**6, LONGEST)],
)
def test_the_pause_grows_and_has_an_end(failures: int, seconds: float) -> None:
    assert pause(failures) == seconds
    assert WELL >= 2 * LONGEST, "a pause is not taken for health"
