"""Signals end the operator in whatever it is doing, also before kopf runs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import LEASES
from kiro_swarm.host.operator import ProcessOptions, run_operator
from kiro_swarm.host.signals import signals_set
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.support.fake_api import fake_api, until

SETTINGS = OperatorSettings(image="x", workers=4)
STANDBY = ProcessOptions(port=0, leader_namespace="system")
ALONE = ProcessOptions(port=0)


def unheard(*_: object) -> None:
    """What a signal does when nobody takes it: nothing, as to process 1."""


@pytest.fixture
def process_one() -> Iterator[None]:
    """No signal ends this process."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, unheard) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("process_one")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("doing", ["standing by", "listing", "API server away"])
async def test_a_signal_before_kopf_runs_ends_the_operator(
    doing: str,
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(request: web.Request) -> Optional[web.StreamResponse]:
        if doing == "listing":
            await asyncio.sleep(30)
        return web.Response(status=503) if doing == "API server away" else None

    async with fake_api() as api:
        api.intercept = away
        spec = {"holderIdentity": "one", "leaseDurationSeconds": 600, "renewTime": "t"}
        held = {"metadata": {"name": "kiro-swarm-operator"}, "spec": spec}
        api.store.create(LEASES, "system", held)
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
        options = ALONE if doing == "listing" else STANDBY
        running = asyncio.ensure_future(run_operator(SETTINGS, options))
        await until(lambda: bool(api.requests) or running.done())
        os.kill(os.getpid(), number)
        await asyncio.wait_for(running, 30)
    assert signal.getsignal(number) is unheard, "it is as it was before"


@pytest.mark.usefixtures("process_one")
async def test_an_operator_in_another_thread_leaves_signals_alone() -> None:
    async def taken() -> object:
        with signals_set(asyncio.Event()):
            return signal.getsignal(signal.SIGTERM)

    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, lambda: asyncio.run(taken())) is unheard
