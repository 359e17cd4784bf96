"""The volume of a swarm grows, where the real API server's admission lets it."""

from __future__ import annotations

import uuid
from typing import Any, Dict

import pytest

from kiro_swarm.cluster.resources import CLAIMS, SWARMS
from kiro_swarm.policy.conditions import find
from tests.cluster.chart import dump
from tests.support.cluster import Cluster
from tests.support.swarms import chain, swarm
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")
CLAIM = "demo-workspace"
Object = Any


def storage_class(api_server: Cluster, *, grows: bool) -> str:
    name = f"class-{uuid.uuid4().hex[:8]}"
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "example.com/none",
        "allowVolumeExpansion": grows,
    }
    api_server.kubectl("create", "-f", "-", input=dump(body))
    return name


async def bound(api_server: Cluster, world: World, *, grows: bool) -> Dict[str, str]:
    """A swarm whose claim is bound, as the volume controller would have done it."""
    storage = {
        "size": "1Gi",
        "storageClassName": storage_class(api_server, grows=grows),
    }
    await world.create(SWARMS, swarm("demo", chain(1), instances=0, storage=storage))
    await world.until(CLAIMS, CLAIM, bool)
    said = {"phase": "Bound", "capacity": {"storage": "1Gi"}}
    await world.client.patch(
        CLAIMS, world.namespace, CLAIM, {"status": said}, subresource="status"
    )
    return storage


def resized(item: Object) -> Object:
    found = find(item.get("status", {}).get("conditions") or [], "VolumeResized")
    return found or {}


async def test_a_claim_of_a_class_that_grows_follows_the_swarm(
    api_server: Cluster, world: World
) -> None:
    storage = await bound(api_server, world, grows=True)
    await world.change("demo", storage={**storage, "size": "3Gi"})
    asked = await world.until(
        CLAIMS,
        CLAIM,
        lambda item: item["spec"]["resources"]["requests"]["storage"] == "3Gi",
    )
    assert asked["status"]["capacity"] == {"storage": "1Gi"}
    await world.until(
        SWARMS, "demo", lambda item: resized(item).get("reason") == "ResizePending"
    )
    await world.client.patch(
        *(CLAIMS, world.namespace, CLAIM, {"status": {"capacity": {"storage": "3Gi"}}}),
        subresource="status",
    )
    await world.until(
        SWARMS, "demo", lambda item: resized(item).get("status") == "True"
    )


async def test_a_class_that_does_not_grow_is_named_with_the_remedy(
    api_server: Cluster, world: World
) -> None:
    storage = await bound(api_server, world, grows=False)
    await world.change("demo", storage={**storage, "size": "3Gi"})
    told = await world.until(
        SWARMS, "demo", lambda item: resized(item).get("reason") == "ResizeRefused"
    )
    message = resized(told)["message"]
    assert message.startswith("spec.storage.size: claim demo-workspace cannot grow")
    assert "allowVolumeExpansion: true" in message
    claim = await world.client.get(CLAIMS, world.namespace, CLAIM)
    assert (claim.get("spec") or {}).get("resources") == {
        "requests": {"storage": "1Gi"}
    }


async def test_a_quota_that_refuses_is_named_with_the_remedy(
    api_server: Cluster, world: World
) -> None:
    storage = await bound(api_server, world, grows=True)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": world.namespace},
        "spec": {"hard": {"requests.storage": "2Gi"}},
    }
    api_server.kubectl("create", "-f", "-", input=dump(quota))
    # Without its controller nothing counts what is used.
    used = {"hard": {"requests.storage": "2Gi"}, "used": {"requests.storage": "1Gi"}}
    api_server.kubectl(
        *("patch", "resourcequota", "small", "-n", world.namespace),
        *("--subresource=status", "--type=merge", "-p", dump({"status": used})),
    )
    await world.change("demo", storage={**storage, "size": "3Gi"})
    told = await world.until(
        SWARMS, "demo", lambda item: resized(item).get("reason") == "ResizeRefused"
    )
    assert "raise the ResourceQuota" in resized(told)["message"]
