"""After how long a step is tried again, by what kept it from being taken; what is told of it."""

from __future__ import annotations

import asyncio

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.reconcile.engine.steps import StepMemory, Steps


@pytest.mark.parametrize(
    ("error", "longest"),
    [
        (errors.Forbidden("quota", 403), 30.0),
        (errors.Unavailable("breaks down", 500), 30.0),
        (errors.Unavailable("away"), 5.0),
        # Somebody has written it meanwhile, which the next look sees.
        (errors.Conflict("modified", 409), 5.0),
    ],
    ids=["forbidden", "internal error", "away", "conflict"],
)
async def test_the_longest_pause_is_that_of_what_helps(
    error: errors.ClusterError, longest: float
) -> None:
    now = 0.0

    async def refused() -> None:
        raise error

    step_memory, pauses = StepMemory(lambda: now), []
    for _ in range(20):
        steps = Steps(step_memory, "uid", 1, lambda: None)
        await steps.take("write it", refused, None)
        trouble = step_memory.of("uid").troubles["write it"]
        pauses.append(round(trouble.again - now, 6))
        now = trouble.again
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert max(pauses) == pytest.approx(longest)


async def test_nobody_is_told_of_an_answer_that_comes_when_its_step_is_not_wanted() -> (
    None
):
    refusal: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def late() -> None:
        await refusal

    step_memory = StepMemory(lambda: 0.0, patience=0.001)

    def begin() -> Steps:
        return Steps(step_memory, "uid", 1, lambda: None)

    steps = begin()
    await steps.take("write it", late, None)
    steps.told()
    steps.close()
    refusal.set_exception(errors.Forbidden("quota", 403))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    steps = begin()  # which does not ask for it
    assert steps.told() == []


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_step_is_remembered_while_it_is_wanted_and_not_for_a_question(
    wanted: bool,
) -> None:
    async def refused() -> None:
        raise errors.Forbidden("quota", 403)

    step_memory = StepMemory(lambda: 0.0)
    first = Steps(step_memory, "uid", 1, lambda: None)
    await first.take("write it", refused, None)
    steps = Steps(step_memory, "uid", 1, lambda: None)
    if wanted:
        steps.want("write it")
    assert not steps.may("write it"), "its pause is not over"
    assert len(steps.told()) == wanted
    assert (steps.close() < float("inf")) == wanted
