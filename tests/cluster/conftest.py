"""The operator against a real API server, with the node played: see tests/support."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import AsyncIterator, Iterator

import pytest

from kiro_swarm.cluster.resources import SWARMS
from tests.cluster.chart import install_crds
from tests.support.cluster import Cluster
from tests.support.operator import OperatorProcess
from tests.support.played import PlayedNode
from tests.support.swarms import DIAMOND, swarm
from tests.support.work import HeldWork
from tests.support.world import World


@pytest.fixture(autouse=True, scope="session")
def _built(programs: None) -> None:
    """Before the first test, whatever it uses of it."""


@pytest.fixture(scope="module")
def operator(
    api_server: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator of a test module. It watches every namespace."""
    install_crds(api_server)
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    process = OperatorProcess(api_server.kubeconfig, log)
    process.start()
    yield process
    if process.running():
        assert process.stop() == 0, process.text()
    print(process.text())
    assert "Traceback" not in process.text()


@pytest.fixture
async def world(api_server: Cluster) -> AsyncIterator[World]:
    """A namespace of its own."""
    audit_log = api_server.audit_log
    assert isinstance(audit_log, Path)
    name = f"world-{uuid.uuid4().hex[:8]}"
    made = await World.make(api_server.kubeconfig, audit_log, name)
    yield made
    await made.end()


@pytest.fixture
async def node(world: World) -> AsyncIterator[PlayedNode]:
    """Everything beside the operator, in that namespace."""
    async with await PlayedNode.open(str(world.kubeconfig), world.namespace) as played:
        yield played


@pytest.fixture
async def work(world: World, node: PlayedNode) -> HeldWork:
    """A swarm of two instances on the diamond, with 1.1 under way."""
    held = HeldWork()
    node.script.work = held
    await world.create(SWARMS, swarm("demo", DIAMOND, instances=2))
    await held.begun("1.1")
    await world.until(
        SWARMS,
        "demo",
        lambda item: item["status"].get("readiness") == "2/2"
        and item["status"]["tasks"]["running"] == 1,
    )
    return held
