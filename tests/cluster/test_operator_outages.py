"""The operator killed at any moment, and the API server gone in the middle of a run."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from typing import AsyncIterator, Optional

import pytest

from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.runner.attempt import Failed
from tests.cluster.chart import install_crds
from tests.support.audit import created_twice
from tests.support.cluster import Cluster
from tests.support.operator import OperatorProcess
from tests.support.played import PlayedNode
from tests.support.shapes import Object
from tests.support.swarms import command, swarm
from tests.support.work import HeldWork
from tests.support.world import World

KILLS = 20
SEED = 20_261_122
#: Twelve tasks: three chains of three side by side, then three that need all of them.
PLAN = "".join(
    [
        *(
            f"- [ ] {chain}. Chain {chain}\n"
            f"  - [ ] {chain}.1 First\n    - _Depends: none_\n"
            f"  - [ ] {chain}.2 Second\n    - _Depends: {chain}.1_\n"
            f"  - [ ] {chain}.3 Third\n    - _Depends: {chain}.2_\n"
            for chain in (1, 2, 3)
        ),
        "- [ ] 4. Ends\n",
        *(f"  - [ ] 4.{end} End\n    - _Depends: 1, 2, 3_\n" for end in (1, 2, 3)),
    ]
)


@pytest.fixture
async def killed(
    api_server: Cluster, world: World, tmp_path: Path
) -> AsyncIterator[OperatorProcess]:
    """An operator that the test starts and kills itself."""
    install_crds(api_server)
    process = OperatorProcess(api_server.kubeconfig, tmp_path / "operator.log")
    yield process
    if process.running():
        await asyncio.to_thread(process.stop)
    print(process.text())
    assert "Traceback" not in process.text()


class PacedWork:
    """Ends the n-th attempt not before as much of the killing is done.

    So the kills meet every part of a run, however quick the machine is.
    """

    def __init__(self, attempts: int) -> None:
        self._attempts = attempts
        self._begun = 0
        self._kills = 0
        self._more = asyncio.Condition()

    async def __call__(self, task: Object) -> Optional[Failed]:
        """Work until as many kills were done as this attempt has to see."""
        self._begun += 1
        wanted = min(KILLS, self._begun * KILLS // self._attempts)
        async with self._more:
            await self._more.wait_for(lambda: self._kills >= wanted)
        return None

    async def killed(self) -> None:
        """One more kill was done."""
        async with self._more:
            self._kills += 1
            self._more.notify_all()


async def started_so_far(operator: OperatorProcess) -> None:
    """Start it, and wait for its first word: a busy machine needs long to load a program."""
    said = len(operator.text())
    operator.start()
    deadline = time.monotonic() + 60
    while len(operator.text()) == said:
        assert time.monotonic() < deadline, "the operator does not say a word"
        await asyncio.sleep(0.02)


async def test_operator_killed_twenty_times_does_everything_once(
    world: World, node: PlayedNode, killed: OperatorProcess
) -> None:
    draw = random.Random(SEED)
    work = PacedWork(attempts=12)
    node.script.work = work
    await world.create(SWARMS, swarm("demo", PLAN, instances=3))
    for kill in range(KILLS):
        if kill == KILLS // 3:
            await world.create(
                COMMANDS, command("more", "demo", "scale up instances 1")
            )
        await started_so_far(killed)
        # From in the middle of its start to well after it took over.
        await asyncio.sleep(draw.uniform(0.0, 1.6))
        killed.kill()
        await work.killed()
    phase = (await world.swarm("demo")).get("status", {}).get("phase")
    assert phase in ("Preparing", "Running"), "the kills came too late to matter"
    killed.start()
    finished = await world.until_phase("demo", "Succeeded")

    assert sorted(node.merged) == sorted(
        (f"{group}.{leaf}", 1) for group in (1, 2, 3, 4) for leaf in (1, 2, 3)
    ), "a task was merged twice, or an attempt was lost"
    assert finished["status"]["progress"] == "12/12"
    answered = await world.until(
        COMMANDS, "more", lambda item: item.get("status", {}).get("finishedAt")
    )
    assert answered["status"]["phase"] == "Succeeded"
    assert finished["spec"]["instances"] == 4, "scale up was not done exactly once"
    writes = world.audit.writes()
    assert created_twice(w for w in writes if w.namespace == world.namespace) == {}


async def test_operator_outlives_the_api_server(
    api_server: Cluster, world: World, node: PlayedNode, killed: OperatorProcess
) -> None:
    work = HeldWork()
    node.script.work = work
    killed.start()
    process = killed.process
    assert process is not None
    await world.create(SWARMS, swarm("demo", PLAN, instances=3))
    for chain in ("1", "2", "3"):
        await work.begun(f"{chain}.1")
        work.finish(f"{chain}.1")
    await work.begun("1.2")
    await asyncio.to_thread(api_server.kill, "kube-apiserver")
    for task in ("1.2", "2.2", "3.2", "1.3", "2.3", "3.3", "4.1", "4.2", "4.3"):
        work.finish(task)
    await node.until_merged(12)
    finished = await world.until_phase("demo", "Succeeded")
    assert finished["status"]["progress"] == "12/12"
    assert len(set(node.merged)) == 12
    assert process.poll() is None, "the operator had to be started again"


async def test_api_server_that_is_away_for_a_while(
    api_server: Cluster, world: World, node: PlayedNode, killed: OperatorProcess
) -> None:
    work = HeldWork()
    node.script.work = work
    killed.start()
    await world.create(SWARMS, swarm("demo", PLAN, instances=3))
    await work.begun("1.1")
    await asyncio.to_thread(api_server.stop, "kube-apiserver")
    await asyncio.sleep(3)
    await asyncio.to_thread(api_server.start, "kube-apiserver")
    for group in (1, 2, 3, 4):
        for leaf in (1, 2, 3):
            work.finish(f"{group}.{leaf}")
    await node.until_merged(12)
    await world.until_phase("demo", "Succeeded")
    assert killed.running()


async def test_operator_ends_in_time_on_sigterm(
    world: World, node: PlayedNode, killed: OperatorProcess
) -> None:
    node.script.work = HeldWork()
    killed.start()
    await world.create(SWARMS, swarm("demo", PLAN, instances=3))
    await world.until(
        SWARMS,
        "demo",
        lambda item: item.get("status", {}).get("tasks", {}).get("running") == 3,
    )
    loop = asyncio.get_running_loop()
    begin = loop.time()
    assert await asyncio.to_thread(killed.stop) == 0
    assert loop.time() - begin < 3
