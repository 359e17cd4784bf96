"""Pods that the real API server refuses: told on the KiroSwarm within ten seconds."""

from __future__ import annotations

import json
import time
from typing import Any, Dict

import pytest

from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.policy.conditions import find
from tests.cluster.chart import dump
from tests.support.cluster import Cluster
from tests.support.swarms import chain, swarm
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")
Object = Any
AGENT = {"agent": {"command": ["true"]}}
QUOTA: Object = {"kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}}
LIMITS: Object = {
    "kind": "LimitRange",
    "spec": {"limits": [{"type": "Container", "max": {"cpu": "100m"}}]},
}
#: Template of the swarm, what stands in its namespace, and what a person reads.
REFUSED: Dict[str, Any] = {
    "quota": (AGENT, QUOTA, "quota"),
    "limits": (
        {**AGENT, "resources": {"limits": {"cpu": "2"}}},
        LIMITS,
        "spec.template.resources, or a LimitRange",
    ),
    "runtime class": (
        {**AGENT, "runtimeClassName": "kata"},
        None,
        "spec.template.runtimeClassName",
    ),
    "priority class": (
        {**AGENT, "podOverrides": {"priorityClassName": "highest"}},
        None,
        "spec.template.podOverrides.priorityClassName",
    ),
}


def hindered(item: Object) -> Object:
    found = find(item.get("status", {}).get("conditions") or [], "Hindered")
    return found if found and "its pod is refused" in found["message"] else None


@pytest.mark.parametrize("case", REFUSED)
async def test_a_pod_that_is_refused_is_told_with_its_cause(
    api_server: Cluster, world: World, case: str
) -> None:
    template, beside, words = REFUSED[case]
    if beside is not None:
        body = {"apiVersion": "v1", "metadata": {"name": "small"}, **beside}
        api_server.kubectl(
            *("create", "-n", world.namespace, "-f", "-"), input=dump(body)
        )
    if beside is QUOTA:  # as its controller would have counted
        counted = {"hard": {"pods": "0"}, "used": {"pods": "0"}}
        api_server.kubectl(
            *("patch", "-n", world.namespace, "resourcequota", "small", "--type=merge"),
            *("--subresource=status", "-p", json.dumps({"status": counted})),
        )
    begun = time.monotonic()
    await world.create(SWARMS, swarm("demo", chain(1), instances=1, template=template))
    item = await world.until(SWARMS, "demo", hindered)
    assert time.monotonic() - begun < 10
    said = hindered(item)
    assert said["reason"] == "CreateRefused"
    assert "demo-1: its pod is refused: " in said["message"]
    assert words in said["message"]
    assert said["message"] in item["status"]["message"]
