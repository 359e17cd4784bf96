"""Commands while the operator is killed again and again: each is carried out once, none is lost.

A thousand commands under fifty kills in hack/soak; fewer, as close together, in hack/test.
"""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import Any, AsyncIterator

import pytest

from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, SWARMS
from kiro_swarm.observe import audit
from tests.cluster.chart import install_crds
from tests.support.cluster import Cluster
from tests.support.operator import OperatorProcess
from tests.support.shapes import Object
from tests.support.sizes import Figures, sized
from tests.support.swarms import command, swarm
from tests.support.world import World

COUNT = sized(120, 1000)
KILLS = sized(10, 50)
#: Commands that are left when the last kill comes.
LEFT = sized(10, 50)
SEED = 20_261_123
#: Differences of each round of three commands; a lost or repeated one moves all after it.
STEPS = (2, -1, -1)


@pytest.fixture
async def killed(
    api_server: Cluster, world: World, tmp_path: Path
) -> AsyncIterator[OperatorProcess]:
    """An operator that the test starts and kills itself."""
    install_crds(api_server)
    # Who is killed writes no coverage: to take it would only make each start slower.
    log = tmp_path / "operator.log"
    process = OperatorProcess(api_server.kubeconfig, log, measured=True)
    yield process
    if process.running():
        await asyncio.to_thread(process.stop)
    print(process.text()[-20_000:])
    assert "Traceback" not in process.text()


def sentence(number: int) -> str:
    step = STEPS[number % len(STEPS)]
    return f"scale {'up' if step > 0 else 'down'} instances {abs(step)}"


class Answers:
    """The commands that have their answer, by name, as the watch tells of them."""

    def __init__(self) -> None:
        self.by_name: dict[str, Any] = {}
        self._more = asyncio.Condition()

    async def follow(self, world: World) -> None:
        """Watch for ever."""
        async for _, item in world.client.watch(COMMANDS, world.namespace):
            if (item.get("status") or {}).get("finishedAt"):
                async with self._more:
                    self.by_name[item["metadata"]["name"]] = item
                    self._more.notify_all()

    async def reach(self, count: int) -> None:
        """Wait until so many are there."""
        async with self._more:
            await self._more.wait_for(lambda: len(self.by_name) >= count)


async def say_all(world: World) -> None:
    """Apply the commands one after another: their order is the order of the answers."""
    for number in range(COUNT):
        name = f"say-{number:04d}"
        await world.create(COMMANDS, command(name, "demo", sentence(number)))


async def kill_again_and_again(answers: Answers, process: OperatorProcess) -> None:
    """Kill after another few answers, again and again, then let it finish."""
    seeded = random.Random(SEED)
    for kill in range(KILLS):
        await asyncio.to_thread(process.start)
        # So many answers are there before the kill that the last one leaves work to do.
        aim = (kill + 1) * (COUNT - LEFT) // KILLS
        await answers.reach(aim)
        await asyncio.sleep(seeded.random() * 0.05)
        await asyncio.to_thread(process.kill)
    await asyncio.to_thread(process.start)
    await answers.reach(COUNT)


@pytest.mark.timeout(1200)
async def test_each_is_carried_out_once_and_none_is_lost(
    world: World, killed: OperatorProcess, figures: Figures
) -> None:
    begin = time.monotonic()
    # Suspended: instances come and go with the numbers, but nothing runs in them.
    await world.create(SWARMS, swarm("demo", instances=0, suspend=True))
    answers = Answers()
    following = asyncio.ensure_future(answers.follow(world))
    await asyncio.gather(say_all(world), kill_again_and_again(answers, killed))
    following.cancel()
    commands, _ = await world.client.list(COMMANDS, world.namespace)
    commands.sort(key=lambda item: item["metadata"]["name"])
    assert len(commands) == COUNT
    count = 0
    for number, item in enumerate(commands):
        status: Object = item["status"]
        target = count + STEPS[number % len(STEPS)]
        fixed = status["action"]["parameters"]
        assert (status["phase"], fixed) == (
            "Succeeded",
            {"from": count, "target": target},
        ), item
        count = target
    assert (await world.swarm("demo"))["spec"]["instances"] == count
    await world.until(SWARMS, "demo", lambda item: anchored(item) == COUNT)
    await the_log_has_them_all(world, commands)
    figures(
        commands=COUNT, kills=KILLS, seed=SEED, seconds=round(time.monotonic() - begin)
    )


def anchored(item: Any) -> int:
    lines: int = ((item.get("status") or {}).get("audit") or {}).get("lines", 0)
    return lines


async def the_log_has_them_all(world: World, commands: list[Any]) -> None:
    """One line for each command, chained, with what it changed."""
    maps, _ = await world.client.list(
        CONFIG_MAPS, world.namespace, labels="swarm.kiro.dev/component=audit"
    )
    records = audit.read(maps)
    assert sorted(record["command"] for record in records) == [
        item["metadata"]["name"] for item in commands
    ]
    assert all(record["changesInAll"] == 1 for record in records)
    anchor = (await world.swarm("demo"))["status"]["audit"]
    assert audit.verify(records, anchor, commands) == []
