"""``kubectl swarm`` shows nothing of an earlier swarm of the name, or that looks like ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    EVENTS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from kiro_swarm.policy import chain
from tests.support.fake_api import FakeApi
from tests.unit.cli.kubectl.plugin import (
    NAMESPACE,
    plugin,
    put,
    put_instance,
    put_swarm,
    put_task,
)

LABELS = {
    "swarm.kiro.dev/swarm": "demo",
    "app.kubernetes.io/managed-by": "kiro-swarm",
}
BEFORE = "2000-01-01T00:00:00Z"
FOREIGN = "FOREIGN"


def made(
    api: FakeApi, resource: AnyResource, name: str, owner: str, **fields: Any
) -> Any:
    """An object with the labels of ours, of the owner with this uid."""
    metadata = {"name": name, "labels": LABELS, "ownerReferences": [{"uid": owner}]}
    metadata = {**metadata, **fields.pop("metadata", {})}
    body = {"kind": resource.kind, "metadata": metadata, **fields}
    return api.store.create(resource, NAMESPACE, body)


@pytest.fixture
async def swarm(api: FakeApi) -> FakeApi:
    """A swarm that was made again; of each kind one that is not its own."""
    ours = put_swarm(api)
    uid = ours["metadata"]["uid"]
    put_task(api, "1", "Running", instance="demo-1", attempt=1)
    own = put_instance(api, "demo-1", "demo-1-0")
    mine = made(api, PODS, "demo-1-1", own["metadata"]["uid"], spec={})
    spec = {"swarm": "demo", "id": "9", "title": FOREIGN}
    task = put(api, TASKS, "demo.9", spec, {"state": "Running", "instance": "demo-9"})
    about: Any = {"swarm": "demo", "index": 9, "colour": "#000000"}
    instance = put(
        api, INSTANCES, "demo-9", about, {"phase": "Ready", "pod": "demo-9-0"}
    )
    for resource, item in ((TASKS, task), (INSTANCES, instance)):
        name = item["metadata"]["name"]
        owners = {"metadata": {"ownerReferences": [{"uid": "of-before"}]}}
        api.store.patch(resource, NAMESPACE, name, owners)
    spec = {"swarm": "demo", "command": "status swarm"}
    said = {"phase": "Succeeded", "message": FOREIGN, "finishedAt": BEFORE}
    put(api, COMMANDS, "say-9", spec, {**said, "swarmUid": "of-before"})
    # In the place of ours, and beside it.
    pod = made(api, PODS, "demo-1-0", "of-before", spec={})
    job = made(api, JOBS, "demo-prepare-9", "of-before", spec={})
    record = {"who": FOREIGN, "what": "run task 1", "outcome": "Succeeded"}
    line = {
        "data": {
            chain.key_of(1): chain.write(chain.chained(record, 1, chain.BEGINNING))
        }
    }
    for component in ("audit", "ledger"):
        labels = {**LABELS, "swarm.kiro.dev/component": component}
        marked = {"labels": labels}
        made(
            api,
            CONFIG_MAPS,
            f"demo-{component}-1",
            "of-before",
            metadata=marked,
            **line,
        )
        # Of the swarm, as anybody may write who lacks the label that is kept to us.
        labels.pop("app.kubernetes.io/managed-by")
        made(api, CONFIG_MAPS, f"demo-{component}-2", uid, metadata=marked, **line)
    items = [
        (kind.kind, one) for kind, one in ((TASKS, task), (PODS, pod), (JOBS, job))
    ]
    for number, (kind, item) in enumerate([*items, (INSTANCES.kind, instance)]):
        tell(api, f"event-{number}", kind, item, FOREIGN)
    tell(api, "event-of-ours", PODS.kind, mine, "about ours")
    return api


def tell(api: FakeApi, name: str, kind: str, item: Any, says: str) -> None:
    """An Event about an object."""
    metadata = item["metadata"]
    about = {"kind": kind, "name": metadata["name"], "uid": metadata["uid"]}
    event = {
        "metadata": {"name": name},
        "involvedObject": about,
        **{"type": "Normal", "reason": "Seen", "message": says},
    }
    api.store.create(EVENTS, NAMESPACE, event)


@pytest.mark.parametrize(
    "words",
    [
        *("get tasks", "get tasks -o json", "get instances", "get instances -o wide"),
        *("get commands", "get commands -o yaml", "graph", "graph -o mermaid"),
        *("timeline", "timeline -o svg", "top", "events", "events -o json", "audit"),
        *("audit --verify", "ledger", "ledger -o json", "open demo-9", "logs 9"),
        *("logs demo-9", "open demo-1", "get"),
    ],
)
async def test_nothing_is_shown_that_is_not_of_this_very_swarm(
    swarm: FakeApi, words: str
) -> None:
    said = await plugin(*words.split())
    assert FOREIGN not in said.out + said.err
    assert "demo-9" not in said.out
    assert "of-before" not in said.out
    if words.startswith(("open", "logs")):
        assert "demo-1-0" not in said.out


async def test_events_of_its_own_pods_are_shown(swarm: FakeApi) -> None:
    assert "about ours" in (await plugin("events")).out


async def test_the_log_of_a_pod_that_has_the_place_of_ours_is_not_shown(
    swarm: FakeApi,
) -> None:
    async def answer(request: web.Request) -> Any:
        ours = not request.path.endswith("/log")
        return None if ours else web.Response(body=FOREIGN.encode())

    swarm.intercept = answer
    said = await plugin("logs", "demo-1")
    assert (said.code, said.out) == (1, "")
    assert said.err == "error: pod demo-1-0 is gone, and its log with it\n"


async def test_a_watch_ends_with_its_swarm_though_another_has_its_name(
    swarm: FakeApi,
) -> None:
    watching = asyncio.ensure_future(plugin("watch"))
    await asyncio.sleep(0.5)
    swarm.store.remove(SWARMS, NAMESPACE, "demo")
    put_swarm(swarm)
    said = await asyncio.wait_for(watching, 10)
    assert FOREIGN not in said.out + said.err
    assert "demo-9" not in said.out
    assert said.err.endswith("error: swarm demo was deleted\n")
