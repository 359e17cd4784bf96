"""N instances asked for -> N pods exist, beside a bare loop and a Deployment of N.

The bare loop posts the same KiroInstances and Pods with aiohttp and nothing else, as many
at once as the operator. The Deployment is made by kube-controller-manager with its own
limits. They take turns, each on a fresh API server with simulated nodes (scheduler,
kwok), after a warm-up of one pod. ``run`` takes ``--sizes 10,100,1000`` and ``--rounds 3``.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
from contextlib import AsyncExitStack
from typing import Any, Awaitable, Callable, Dict, List, Sequence, Tuple

from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.cluster.resources import INSTANCES, PODS, SWARMS, AnyResource, Resource
from kiro_swarm.policy import naming
from kiro_swarm.reconcile.engine.context import AT_ONCE
from kiro_swarm.reconcile.objects.manifests import foundations, metadata
from kiro_swarm.reconcile.objects.pods import instance_pod
from kiro_swarm.reconcile.settings import OperatorSettings
from tests.bench.report import Measure
from tests.bench.servers import Bare, count_added, fresh_server, running_operator
from tests.support.cluster import Cluster
from tests.support.operator import IMAGE
from tests.support.swarms import independent, swarm

Object = Any
NAMESPACE = "default"
DEPLOYMENTS: AnyResource = Resource("apps", "v1", "deployments", "Deployment")
VOLUMES: AnyResource = Resource("", "v1", "persistentvolumes", "PersistentVolume")
COMPONENTS = ("controller-manager", "scheduler", "kwok")
LARGEST = 1000
_PODS_A_NODE = 110
Ask = Callable[[], Awaitable[None]]
Side = Callable[[Bare, str, int], Awaitable[Ask]]


def run(arguments: Sequence[str]) -> List[Measure]:
    """Medians over the rounds; the targets are those of the largest size."""
    parser = argparse.ArgumentParser(prog="hack/bench pods")
    parser.add_argument("--sizes", default="10,100,1000")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(list(arguments))
    sizes = [int(size) for size in chosen.sizes.split(",")]
    seconds: Dict[Tuple[str, int], List[float]] = {}
    for _, size, side in itertools.product(range(chosen.rounds), sizes, SIDES):
        taken = asyncio.run(_once(side, size))
        seconds.setdefault((side, size), []).append(taken)
        print(f"{side} {size}: {taken:.2f} s", file=sys.stderr)
    return [measure for size in sizes for measure in _measures(seconds, size)]


def _measures(seconds: Dict[Tuple[str, int], List[float]], size: int) -> List[Measure]:
    largest = size >= LARGEST
    ours, bare, deployment = (seconds[side, size] for side in SIDES)

    def ratio(others: List[float]) -> float:
        return statistics.median(a / b for a, b in zip(ours, others))

    return [
        Measure(
            f"{size}: swarm / bare loop", ratio(bare), "x", 1.15 if largest else None
        ),
        Measure(
            f"{size}: swarm / Deployment",
            ratio(deployment),
            "x",
            0.25 if largest else None,
        ),
        *(
            Measure(f"{size}: {side}", statistics.median(seconds[side, size]), "s")
            for side in SIDES
        ),
    ]


async def _once(side: str, size: int) -> float:
    """Seconds from the first request until so many pods exist."""
    with fresh_server(*COMPONENTS) as server:
        server.add_fake_nodes(-(-2 * size // _PODS_A_NODE) + 1)
        if side == "swarm":
            with running_operator(server):
                return await _measure(server, side, size)
        return await _measure(server, side, size)


async def _measure(server: Cluster, side: str, size: int) -> float:
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(
            Bare.open(server.kubeconfig, "bare-loop")
        )
        # Another client looks on, so that no side shares a connection with the watch.
        eyes = await stack.enter_async_context(Bare.open(server.kubeconfig, "onlooker"))
        for name in ("warm", "many"):
            await bare.post(VOLUMES.path(), _volume(name))
        await _begin(bare, eyes, side, "warm", 1)
        return await _begin(bare, eyes, side, "many", size)


async def _begin(bare: Bare, eyes: Bare, side: str, name: str, size: int) -> float:
    prepared = await SIDES[side](bare, name, size)
    events = eyes.watch(PODS.path(NAMESPACE), whole=False)
    await events.__anext__()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    making = asyncio.ensure_future(prepared())
    end = await asyncio.wait_for(
        count_added(events, f"{name}-", "-prepare-", size), 600
    )
    await making
    await events.aclose()
    return end - begin


# Each side prepares what is not measured and returns what is.


async def _swarm(bare: Bare, name: str, size: int) -> Ask:
    async def ask() -> None:
        body = swarm(name, independent(1), instances=size)
        await bare.post(SWARMS.path(NAMESPACE), body)

    return ask


async def _bare(bare: Bare, name: str, size: int) -> Ask:
    parent = await _parent(bare, name)
    spec = KiroSwarmSpec.model_validate(parent["spec"])
    settings = OperatorSettings(image=IMAGE)
    indices = iter(range(1, size + 1))

    async def worker() -> None:
        for index in indices:
            body = _instance(parent, index)
            made = await bare.post(INSTANCES.path(NAMESPACE), body)
            pod = instance_pod(parent, spec, made, 0, settings)
            await bare.post(PODS.path(NAMESPACE), pod)

    async def post() -> None:
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    return post


async def _deployment(bare: Bare, name: str, size: int) -> Ask:
    parent = await _parent(bare, name)
    spec = KiroSwarmSpec.model_validate(parent["spec"])
    instance: Any = {
        "apiVersion": INSTANCES.api_version,
        "kind": INSTANCES.kind,
        "metadata": {"name": f"{name}-1", "uid": parent["metadata"]["uid"]},
    }
    pod = instance_pod(parent, spec, instance, 0, OperatorSettings(image=IMAGE))
    labels = pod["metadata"]["labels"]
    template = {
        "metadata": {"labels": labels, "annotations": pod["metadata"]["annotations"]},
        "spec": pod["spec"],
    }
    body = {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": size,
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }

    async def ask() -> None:
        await bare.post(DEPLOYMENTS.path(NAMESPACE), body)

    return ask


SIDES: Dict[str, Side] = {
    "swarm": _swarm,
    "bare loop": _bare,
    "deployment": _deployment,
}


async def _parent(bare: Bare, name: str) -> Object:
    """A KiroSwarm of no instances, and the accounts and the volume that its pods need."""
    body = swarm(name, independent(1), instances=0)
    made = await bare.post(SWARMS.path(NAMESPACE), body)
    spec = KiroSwarmSpec.model_validate(made["spec"])
    for resource, item in foundations(made, spec.storage, network_policy=True):
        await bare.post(resource.path(NAMESPACE), item)
    return made


def _instance(parent: Object, index: int) -> Object:
    name = naming.instance_name(parent["metadata"]["name"], index)
    return {
        "apiVersion": INSTANCES.api_version,
        "kind": INSTANCES.kind,
        "metadata": metadata(parent, name),
        "spec": {
            "swarm": parent["metadata"]["name"],
            "index": index,
            "colour": "#007fff",
            "colourName": "Azure Blue",
        },
    }


def _volume(name: str) -> Object:
    """A volume for the claim of a swarm: nobody provisions one here."""
    claim = {"namespace": NAMESPACE, "name": naming.claim_name(name)}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/nowhere"},
            "claimRef": claim,
        },
    }
