"""What is learned from measured times: quickly, by class, and not from nonsense."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.tasks.plan.estimates import (
    Estimate,
    Estimates,
    Observation,
    speeds,
)
from kiro_swarm.tasks.plan.graph import DEFAULT_ESTIMATE_SECONDS


def test_with_nothing_measured_the_guess_stands_with_a_wide_margin() -> None:
    declared = Estimates().of(600)
    assert declared.seconds == 600
    assert declared.low < 600 / 3 < 600 * 3 < declared.high
    assert Estimates().of().seconds == DEFAULT_ESTIMATE_SECONDS
    assert Estimates().of(0) == Estimates().of(None)


def test_a_spec_whose_tasks_take_a_tenth_is_soon_known_for_it() -> None:
    ratios = []
    for number in (0, 1, 3, 10, 30):
        seen = [Observation(60.0, 600.0) for _ in range(number)]
        ratios.append(Estimates(seen).of(600).seconds / 600)
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[0] == 1
    assert ratios[1] < 0.6
    assert 0.1 <= ratios[4] < 0.11


def test_the_margin_narrows_with_what_is_measured() -> None:
    margins = []
    for number in (0, 2, 8, 32):
        one = Estimates(Observation(600.0 + n, 600.0) for n in range(number)).of(600)
        margins.append(one.high / one.low)
    assert margins == sorted(margins, reverse=True)
    assert margins[-1] < 2.5


def test_a_class_has_a_measure_of_its_own_and_lends_it_to_the_others() -> None:
    hard = [Observation(4000.0, 1000.0, "High") for _ in range(20)]
    easy = [Observation(500.0, 1000.0, "Low") for _ in range(20)]
    learned = Estimates(hard + easy)
    assert 3400 < learned.of(1000, "High").seconds <= 4000
    assert 500 <= learned.of(1000, "Low").seconds < 600
    # Of a class that was never seen only what is true of all is known.
    new = learned.of(1000, "Medium")
    assert 600 < new.seconds < 3400
    assert new.doubt > learned.of(1000, "Low").doubt


def test_tasks_without_a_declared_estimate_are_learned_apart() -> None:
    learned = Estimates([Observation(60.0) for _ in range(30)])
    assert learned.of().seconds < 70
    assert learned.of(600).seconds == 600


@pytest.mark.parametrize("seconds", [0.0, -5.0, math.inf, math.nan])
def test_a_time_that_cannot_be_is_not_learned_from(seconds: float) -> None:
    assert Estimates([Observation(seconds, 600.0)]).of(600) == Estimates().of(600)


def test_one_wild_measurement_does_not_drown_the_rest() -> None:
    usual = [Observation(600.0, 600.0) for _ in range(20)]
    wild = Estimates([*usual, Observation(1e12, 600.0)]).of(600)
    assert 600 < wild.seconds < 1000
    assert math.isfinite(wild.high)


def test_four_of_five_tasks_fall_between_low_and_high() -> None:
    draw = random.Random(7)
    inside = 0
    for _ in range(400):
        times = [draw.lognormvariate(math.log(300), 0.8) for _ in range(16)]
        one = Estimates(Observation(seconds, 600.0) for seconds in times[1:]).of(600)
        inside += one.low <= times[0] <= one.high
    assert 0.72 < inside / 400 < 0.90


observations = st.lists(
    st.builds(
        Observation,
        st.floats(1e-3, 1e9),
        st.one_of(st.none(), st.floats(0, 1e7)),
        st.sampled_from(["", "Low", "High"]),
    ),
    max_size=12,
)


@given(observations, st.randoms(), st.floats(1, 1e6), st.sampled_from(["", "High"]))
def test_the_order_of_observations_is_nothing_and_the_answer_is_a_time(
    seen: list[Observation], order: random.Random, declared: float, complexity: str
) -> None:
    one = Estimates(seen).of(declared, complexity)
    order.shuffle(seen)
    assert Estimates(seen).of(declared, complexity) == one
    assert 0 < one.low <= one.seconds <= one.high < math.inf
    assert one == Estimate(one.seconds, one.spread, one.doubt)


def test_an_instance_is_known_to_be_fast_when_it_was_so_often() -> None:
    usual = [("usual", 100.0, 100.0)] * 40
    once = speeds([*usual, ("fast", 100.0, 50.0)])
    often = speeds([*usual, *[("fast", 100.0, 50.0)] * 40])
    assert 1 < once["fast"] < 1.2
    assert often["fast"] / often["usual"] > 1.8
    assert often["usual"] < 1 < often["fast"]


def test_when_all_take_twice_as_long_nobody_is_slow() -> None:
    found = speeds([("a", 100.0, 200.0), ("b", 50.0, 100.0), ("b", 5.0, 10.0)])
    assert found == {"a": pytest.approx(1), "b": pytest.approx(1)}


@pytest.mark.parametrize(
    "record", [("a", 0.0, 5.0), ("a", 5.0, 0.0), ("a", 5.0, math.inf)]
)
def test_a_time_that_cannot_be_says_nothing_of_an_instance(
    record: tuple[str, float, float],
) -> None:
    assert speeds([record]) == {"a": 1.0}
    assert speeds([]) == {}
