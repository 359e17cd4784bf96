"""``cancel rescue``: the sentence that lets a deleted swarm go with what is nowhere else."""

from __future__ import annotations

import pytest

from kiro_swarm.api.meta import ANNOTATION_DELETE_ANYWAY
from kiro_swarm.cluster.resources import SWARMS
from tests.unit.reconcile.rescuing import at_work, delete, events, jobs
from tests.unit.reconcile.world import World

#: Writes from the sentence to its answer, and those of the swarm's end beside it.
_LONGEST = 9


async def kept_for_its_work(world: World) -> None:
    """A swarm that is being deleted while a Job that hangs is to rescue its work."""
    world.begin_again()
    await at_work(world)
    world.cluster.frozen.add("demo-integrate-2")
    delete(world)
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]


async def test_it_lets_a_swarm_go_at_once(world: World) -> None:
    await kept_for_its_work(world)
    assert "demo-integrate-2" in jobs(world)
    assert "the sentence `cancel rescue`" in world.status()["message"]
    world.say("cancel rescue")
    await world.live(6)
    assert world.cluster.names(SWARMS) == []
    assert events(world) == ["RescueSkipped"]
    answer = world.answer()
    assert (answer["phase"], answer["message"]) == (
        "Succeeded",
        "demo is let go at once, with all work that is nowhere else",
    )
    assert answer["result"]["sideEffects"] == [
        "kiroswarm/demo: let go at once, with all work that is nowhere else"
    ]


@pytest.mark.parametrize("writes", range(1, _LONGEST))
async def test_it_is_answered_wherever_the_operator_dies(
    world: World, writes: int
) -> None:
    await kept_for_its_work(world)
    world.say("cancel rescue")
    await world.live_killed_after(writes, 9)
    world.api.revive()
    await world.live(3)
    assert world.cluster.names(SWARMS) == []
    assert world.answer()["phase"] == "Succeeded", world.answer()


async def test_a_dry_run_lets_nothing_go(world: World) -> None:
    await kept_for_its_work(world)
    world.say("cancel rescue", dryRun=True)
    await world.live(3)
    assert world.cluster.names(SWARMS) == ["demo"]
    assert "It would change kiroswarm/demo: let go" in world.answer()["message"]


async def test_a_swarm_that_stays_is_not_marked_for_its_end(world: World) -> None:
    await at_work(world)
    world.say("cancel rescue")
    await world.live(3)
    assert world.answer()["phase"] == "Failed"
    assert "demo is not being deleted" in world.answer()["message"]
    metadata = world.cluster.one(SWARMS, "demo")["metadata"]
    assert ANNOTATION_DELETE_ANYWAY not in (metadata.get("annotations") or {})


async def test_any_other_sentence_is_told_that_the_swarm_goes(world: World) -> None:
    await kept_for_its_work(world)
    world.say("scale instances 3")
    for _ in range(3):
        world.clock.seconds += 10
        await world.live(3)
    answer = world.answer()
    assert (answer["phase"], answer["reason"]) == ("Failed", "SwarmNotFound")
    assert answer["message"] == (
        "KiroSwarm demo in namespace team is being deleted: nothing but `cancel rescue` "
        "changes anything in it now"
    )


@pytest.mark.parametrize("sentence", ["status swarm", "explain task 1"])
async def test_who_only_looks_is_answered(world: World, sentence: str) -> None:
    await kept_for_its_work(world)
    world.say(sentence)
    await world.live(2)
    assert world.answer()["phase"] == "Succeeded"
