"""Two operators at once: an old leader that was held up at any write, and the one after it.

A leader whose process stands still (a suspended machine, a node that swaps) goes on where it was
when its Lease has another holder for long. What it knows is old, and it may be in the middle of a
command. Each command is carried out once all the same, in the order in which they were said.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Callable, Final, Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import CONFIG_MAPS, INSTANCES, PODS, SWARMS, TASKS
from kiro_swarm.observe import audit
from tests.unit.reconcile.world import World, a_world

#: Writes of the old one, at each of which it is held up.
_WRITES: Final = 10


class Held:
    """Holds up whoever makes a write, once, before the server sees it."""

    def __init__(self, write: int) -> None:
        self._left = write
        self.is_held, self._go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: web.Request) -> Optional[web.StreamResponse]:
        if request.method != "GET" and not self.is_held.is_set():
            self._left -= 1
            if self._left < 0:
                self.is_held.set()
                await self._go_on.wait()
        return None

    def go_on(self) -> None:
        self._go_on.set()


async def handed_over(old: World, write: int) -> bool:
    """Whether the old one came to a write, was held up there and found another in charge."""
    held = old.api.intercept = Held(write)
    working = asyncio.ensure_future(old.settle())
    stopped = asyncio.ensure_future(held.is_held.wait())
    await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
    was_held = held.is_held.is_set()
    new = old.another()
    await new.restart()
    await new.live(8)
    held.go_on()
    await working
    stopped.cancel()
    for _ in range(8):
        await old.live(1)
        await new.live(1)
    return was_held


def scaled_once(world: World) -> None:
    assert world.cluster.one(SWARMS, "demo")["spec"]["instances"] == 4
    assert world.answer("a")["action"]["parameters"] == {"from": 1, "target": 3}
    assert world.answer("b")["action"]["parameters"] == {"from": 3, "target": 4}


def restarted_once(world: World) -> None:
    assert world.cluster.status(INSTANCES, "demo-1")["restarts"] == 1
    pods = [name for name in world.cluster.names(PODS) if name.startswith("demo-1-")]
    assert pods == ["demo-1-1"]


def paused_at_last(world: World) -> None:
    assert world.cluster.one(SWARMS, "demo")["spec"]["suspend"] is True


def given_up_once(world: World) -> None:
    status = world.cluster.status(TASKS, "demo.1")
    assert status["attempt"] == 2, "one attempt is given up, and one comes after it"


CASES: Final[list[tuple[list[str], Callable[[World], None]]]] = [
    (["scale up instances 2", "scale up instances 1"], scaled_once),
    (["restart instance demo-1"], restarted_once),
    (["pause swarm", "resume swarm", "pause swarm"], paused_at_last),
    (["stop task 1", "run task 1"], given_up_once),
]


@pytest.mark.parametrize(
    ("sentences", "judge"), CASES, ids=["scale", "restart", "pause", "stop"]
)
async def test_what_is_said_is_done_once_whoever_is_held_up_where(
    tmp_path: Path, sentences: list[str], judge: Callable[[World], None]
) -> None:
    async with a_world(tmp_path, {"1": []}) as world:
        held_at = []
        for write in range(_WRITES):
            world.begin_again()
            world.cluster.tasks_run = False
            world.apply_swarm(instances=1)
            await world.live(9)
            for name, sentence in zip("abc", sentences):
                world.say(sentence, name, requestedBy="ann")
            if await handed_over(world, write):
                held_at.append(write)
            answers = [world.answer(name) for name in "abc"[: len(sentences)]]
            assert {item["phase"] for item in answers} == {"Succeeded"}, (
                write,
                answers,
            )
            judge(world)
            said = audit.read(
                [
                    item
                    for item in world.cluster.all(CONFIG_MAPS)
                    if "-audit-" in item["metadata"]["name"]
                ]
            )
            assert [line["what"] for line in said] == sentences, write
            assert audit.verify(said) == []
        assert held_at == list(range(len(held_at)))
        assert len(held_at) > 2 * len(sentences)
