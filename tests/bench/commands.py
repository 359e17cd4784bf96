"""Command applied -> Succeeded, 50 a second, beside a bare watch-and-patch loop.

Open loop: a command is sent when its time has come, whether the ones before are answered
or not; its clock runs from then. The bare loop watches SwarmCommands, decodes them and
patches an answer of the same size, and does nothing else. Both take turns, each on a
fresh API server. ``run`` takes ``--seconds 20``, ``--rounds 3`` and ``--rate 50``.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
from contextlib import AsyncExitStack
from typing import Any, AsyncGenerator, Dict, List, Sequence, Set

from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from tests.bench.report import Measure
from tests.bench.servers import Bare, fresh_server, running_operator
from tests.support.cluster import Cluster
from tests.support.swarms import command, independent, swarm

Object = Any
NAMESPACE = "default"
SENTENCE = "status swarm"
SIDES = ("operator", "bare loop")
TARGETS_MS = {("operator", 50): 15.0, ("operator", 99): 50.0}


def run(arguments: Sequence[str]) -> List[Measure]:
    """Percentiles over all rounds; ratios of the rounds' percentiles."""
    parser = argparse.ArgumentParser(prog="hack/bench commands")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=50)
    chosen = parser.parse_args(list(arguments))
    times: Dict[str, List[List[float]]] = {side: [] for side in SIDES}
    for _ in range(chosen.rounds):
        for side in SIDES:
            taken = asyncio.run(_once(side, chosen.rate, chosen.seconds))
            times[side].append(taken)
            half = _percentile(taken, 50) * 1e3
            print(f"{side}: p50 {half:.1f} ms of {len(taken)}", file=sys.stderr)
    measures = []
    for percent in (50, 99):
        ratios = [
            _percentile(ours, percent) / _percentile(bare, percent)
            for ours, bare in zip(*times.values())
        ]
        name = f"operator / bare loop, p{percent}"
        measures.append(Measure(name, statistics.median(ratios), "x", 1.5))
    for side in SIDES:
        together = [value for round_ in times[side] for value in round_]
        for percent in (50, 99):
            target = TARGETS_MS.get((side, percent))
            value = _percentile(together, percent) * 1e3
            measures.append(Measure(f"{side}, p{percent}", value, "ms", target))
    return measures


async def _once(side: str, rate: float, seconds: float) -> List[float]:
    """Seconds from sending to seeing the answer, of every command."""
    with fresh_server() as server:
        if side == "operator":
            with running_operator(server):
                return await _measure(server, rate, seconds)
        return await _measure(server, rate, seconds, bare=True)


async def _measure(
    server: Cluster, rate: float, seconds: float, *, bare: bool = False
) -> List[float]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Bare.open(server.kubeconfig, "client"))
        eyes = await stack.enter_async_context(Bare.open(server.kubeconfig, "onlooker"))
        await client.post(
            SWARMS.path(NAMESPACE), swarm("demo", independent(1), instances=0)
        )
        if bare:
            worker = await stack.enter_async_context(
                Bare.open(server.kubeconfig, "bare-loop")
            )
            answering = asyncio.ensure_future(_answer(worker))
            stack.callback(answering.cancel)
        await _send(client, eyes, "warm", rate, 3.0)
        return await _send(client, eyes, "timed", rate, seconds)


async def _send(
    client: Bare, eyes: Bare, prefix: str, rate: float, seconds: float
) -> List[float]:
    """Send commands at a steady rate and see each of them answered."""
    loop = asyncio.get_running_loop()
    events = eyes.watch(COMMANDS.path(NAMESPACE), whole=True)
    await events.__anext__()
    names = [f"{prefix}-{number}" for number in range(int(rate * seconds))]
    begin = loop.time() + 0.1
    due = {name: begin + place / rate for place, name in enumerate(names)}

    async def send() -> None:
        posts = []
        for name in names:
            await asyncio.sleep(due[name] - loop.time())
            body = command(name, "demo", SENTENCE)
            posts.append(
                asyncio.ensure_future(client.post(COMMANDS.path(NAMESPACE), body))
            )
        await asyncio.gather(*posts)

    sending = asyncio.ensure_future(send())
    answered = await asyncio.wait_for(_answers(events, set(names)), seconds + 60)
    await sending
    await events.aclose()
    return [answered[name] - due[name] for name in names]


async def _answers(
    events: AsyncGenerator[Object, None], names: Set[str]
) -> Dict[str, float]:
    """When the answer to each command was seen."""
    loop = asyncio.get_running_loop()
    seen: Dict[str, float] = {}
    async for event in events:
        item = event["object"]
        name = item["metadata"]["name"]
        if name in names and (item.get("status") or {}).get("phase") == "Succeeded":
            seen.setdefault(name, loop.time())
            if len(seen) == len(names):
                break
    return seen


async def _answer(worker: Bare) -> None:
    """The bare loop: watch, patch, nothing else."""
    status = {
        "phase": "Succeeded",
        "message": "demo: Preparing, 0/0 instances ready, 0/0 tasks merged",
        "startedAt": "2026-01-01T00:00:00.000000Z",
        "finishedAt": "2026-01-01T00:00:00.000000Z",
        "result": {"success": True, "data": {"phase": "Preparing", "tasks": {}}},
    }
    patches = set()
    events = worker.watch(COMMANDS.path(NAMESPACE), whole=True)
    await events.__anext__()
    async for event in events:
        if event["type"] == "ADDED":
            name = event["object"]["metadata"]["name"]
            path = COMMANDS.path(NAMESPACE, name, "status")
            patch = asyncio.ensure_future(worker.patch(path, {"status": status}))
            patches.add(patch)
            patch.add_done_callback(patches.discard)


def _percentile(values: List[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
