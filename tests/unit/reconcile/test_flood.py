"""Many commands of one person: how much work they are, and who waits for it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from typing import Hashable

import pytest

from kiro_swarm.cluster.cache import LOCAL
from kiro_swarm.cluster.resources import COMMANDS, JOBS, SWARMS
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Executor, Outcome
from kiro_swarm.reconcile.engine.command_facts import LOOKED_UP
from kiro_swarm.reconcile.engine.context import Key
from kiro_swarm.reconcile.engine.places import MOST_LOOKED_UP, MOST_UNANSWERED
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.worker import Workers
from tests.support.fake_api import until
from tests.unit.reconcile.test_backlog import command, context
from tests.unit.reconcile.world import World

#: What took longest to be understood.
HOSTILE = "stpo " + '"" ' * 1360


@pytest.fixture
async def settled(world: World) -> World:
    """A swarm with two tasks done and two to do."""
    world.apply_swarm()
    await world.live(9)
    return world


class Turns:
    """How often the event loop turns, and its longest turn in processor time."""

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self._task = asyncio.ensure_future(self._beat())

    async def _beat(self) -> None:
        before = time.thread_time()
        while True:
            self.count += 1
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, before = max(self.longest, now - before), now

    def stop(self) -> None:
        self._task.cancel()


@pytest.mark.parametrize("text", [HOSTILE, "scale instances 3", "status swarm"])
async def test_the_event_loop_turns_while_a_thousand_commands_are_listed(
    world: World, text: str
) -> None:
    """Ten at a time: of the dearest text that is some 20 ms."""
    world.apply_swarm()
    for number in range(1000):
        world.say(text, f"w{number}", requestedBy=f"user-{number % 3}")
    gc.disable()  # of all that pytest holds; the operator freezes what it began with
    try:
        turns = Turns()
        await world.restart()
        turns.stop()
    finally:
        gc.enable()
    assert turns.count >= 100
    assert turns.longest < 0.1


async def test_a_thousand_commands_begin_one_by_one(settled: World) -> None:
    for number in range(200):
        settled.say(HOSTILE, f"w{number}", requestedBy="eve")
    await settled.restart()
    turns = Turns()
    workers = Workers(settled.ctx)
    running = asyncio.ensure_future(workers.run(lambda: None))
    await until(
        lambda: all(
            settled.answer(f"w{number}").get("phase") == "Rejected"
            for number in range(200)
        )
    )
    turns.stop()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert turns.count >= 200


async def test_flows_take_turns_and_own_work_gets_every_second() -> None:
    queue = WorkQueue(time.monotonic)

    def add(name: str, flow: str) -> None:
        resource = COMMANDS if flow else SWARMS
        queue.add(Key(LOCAL, resource, "team", name, flow))

    for number in range(50):
        add(f"eve-{number}", "eve")
    for number in range(2):
        add(f"ann-{number}", "ann")
        add(f"swarm-{number}", "")
    add("eve-0", "ann")  # there already, whoever adds it
    assert len(queue) == 54
    taken: list[Hashable] = [await queue.take() for _ in range(8)]
    names = [key.name for key in taken if isinstance(key, Key)]
    assert names == [
        *("swarm-0", "eve-0", "swarm-1", "ann-0"),
        *("eve-1", "ann-1", "eve-2", "eve-3"),
    ]
    for key in taken:
        queue.done(key)
    assert len(queue) == 46


async def test_a_key_is_never_worked_on_twice_at_a_time_whatever_its_flow() -> None:
    queue = WorkQueue(time.monotonic)
    queue.add(Key(LOCAL, COMMANDS, "team", "a", "eve"))
    key = await queue.take()
    queue.add(Key(LOCAL, COMMANDS, "team", "a", "ann"))
    assert len(queue) == 1
    queue.done(key)
    assert await queue.take() == key


async def test_who_has_too_many_without_an_answer_is_refused_and_nobody_else() -> None:
    ctx = context(object())
    for number in range(MOST_UNANSWERED + 2):
        item = command(f"c{number}", f"u{number}", number + 1)
        item["spec"]["requestedBy"] = "eve"
        ctx.remember(COMMANDS, item)
    other = command("other", "other", 5000)
    ctx.remember(COMMANDS, other)
    excess = Counter(ctx.backlog.excess(item) for item in ctx.cache.all(COMMANDS))
    assert excess == {True: 2, False: MOST_UNANSWERED + 1}
    assert not ctx.backlog.excess(other)
    assert ctx.backlog.next("n", "s") == "c0"


async def test_what_one_person_looks_up_leaves_room_for_others(
    settled: World,
) -> None:
    settled.cluster.tasks_run = False
    for number in range(9):
        settled.say("diff task 1", f"eve-{number}", requestedBy="eve")
    await settled.settle()
    settled.say("diff task 1", "ann", requestedBy="ann")
    await settled.settle()
    made = [name for name in settled.cluster.names(JOBS) if "-inspect-" in name]
    assert len(made) == 3
    uid = settled.cluster.one(COMMANDS, "ann")["metadata"]["uid"]
    assert f"demo-inspect-{uid[:8]}" in made
    waits = [settled.answer(f"eve-{number}")["message"] for number in range(9)]
    assert sum(text.startswith("waits: 2 things that the same") for text in waits) == 7


async def test_what_waits_to_be_looked_up_is_bounded_beside_all_that_is_answered(
    settled: World,
) -> None:
    """900 that waited cost 6.7 s of a core every 5 s, beside 6,000 answered ones."""
    settled.cluster.tasks_run = False
    for number in range(60):
        settled.say("diff task 1", f"eve-{number}", requestedBy="eve")
    await settled.settle()
    settled.say("log task 1", "ann", requestedBy="ann")
    settled.say("status swarm", "other", requestedBy="eve")
    await settled.settle()
    answers = [settled.answer(f"eve-{number}") for number in range(60)]
    reasons = Counter(answer["reason"] for answer in answers)
    assert reasons == {"Waiting": MOST_LOOKED_UP, "TooManyCommands": 40}
    assert "20 diffs and logs" in answers[-1]["message"]
    assert settled.answer("ann")["message"] == "reading the log of task 1"
    assert settled.answer("other")["phase"] == "Succeeded"


def test_a_job_is_made_for_what_is_said_to_be_looked_up_and_for_no_other_look() -> None:
    made = {name for name, executor in EXECUTORS.items() if executor.makes}
    assert made == LOOKED_UP


async def test_who_waited_for_room_is_served_when_there_is_some(
    settled: World,
) -> None:
    for number in range(5):
        settled.say("log task 1", f"eve-{number}", requestedBy="eve")
    await settled.live(60)
    phases = Counter(settled.answer(f"eve-{number}")["phase"] for number in range(5))
    assert "Running" not in phases


async def test_long_answers_to_who_only_looks_go_by_themselves(
    settled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    speaker = Executor(lambda _: Outcome(True, "here", document="long"))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    for number in range(25):
        settled.say("status swarm", f"eve-{number:02}", requestedBy="eve")
        await settled.settle()
        settled.clock.seconds += 1
    settled.say("status swarm", "ann", requestedBy="ann")
    settled.say(
        "status swarm", "kept", requestedBy="ann", ttlSecondsAfterFinished=10**6
    )
    settled.say("scale instances 3", "change", requestedBy="eve")
    await settled.live(3)
    names = settled.cluster.names(COMMANDS)
    assert [name for name in names if name.startswith("eve")] == [
        f"eve-{number:02}" for number in range(5, 25)
    ]
    settled.clock.seconds += 86400
    await settled.live(3)
    assert set(settled.cluster.names(COMMANDS)) == {"kept", "change"}
