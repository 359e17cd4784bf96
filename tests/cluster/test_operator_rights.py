"""The operator itself, with the account of the chart: its role is enough for all it does."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from kiro_swarm.host.operator import ProcessOptions, run_operator
from kiro_swarm.reconcile.settings import OperatorSettings
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import publish
from tests.cluster.chart import (
    dump,
    install_crds,
    kubeconfig_of,
    namespace,
    template,
)
from tests.cluster.kinds import changed, command, swarm
from tests.support.cluster import Cluster

TASKS = "# Implementation Plan\n\n- [ ] 1. a\n- [ ] 2. b\n  - _Depends: 1_\n"


class Team:
    """A namespace and what a person and a kubelet do in it, off the event loop."""

    def __init__(self, api_server: Cluster, name: str) -> None:
        self.api_server = api_server
        self.name = name

    async def kubectl(self, *arguments: str, input: str = "") -> str:  # noqa: A002
        done = await asyncio.to_thread(
            self.api_server.kubectl, *arguments, "-n", self.name, input=input
        )
        return done.stdout

    async def names(self, kind: str) -> set[str]:
        return set((await self.kubectl("get", kind, "-o", "name")).split())

    async def until(self, kind: str, wanted: Callable[[set[str]], bool]) -> None:
        """Wait until the objects of a kind are as wanted."""
        for _ in range(100):
            names = await self.names(kind)
            if wanted(names):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{kind}: {names}")

    async def say(self, name: str, sentence: str) -> None:
        """Give a command and wait until it has succeeded."""
        body = dump(command(sentence, name))
        await self.kubectl("create", "-f", "-", input=body)
        await self.kubectl(
            "wait",
            f"swarmcommand/{name}",
            "--for=jsonpath={.status.phase}=Succeeded",
            "--timeout=20s",
        )

    async def patch(self, what: str, body: Dict[str, Any], *options: str) -> None:
        await self.kubectl(
            "patch", what, "--type=merge", "-p", json.dumps(body), *options
        )

    async def finish_preparation(self) -> None:
        """What the prepare Job does: publish the graph, then be complete."""
        graph = publish(parse(TASKS), "spec.tasks.inline").to_json().encode()
        packed = base64.b64encode(gzip.compress(graph)).decode()
        await self.patch(
            "configmap/demo-graph", {"binaryData": {"graph.json.gz": packed}}
        )
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": now}
            for kind in ("SuccessCriteriaMet", "Complete")
        ]
        status = {
            "startTime": now,
            "completionTime": now,
            "succeeded": 1,
            "conditions": conditions,
        }
        await self.patch(
            "job/demo-prepare-1", {"status": status}, "--subresource=status"
        )


async def live(team: Team) -> None:
    """A life of a swarm that makes the operator use what it has."""
    await team.kubectl("create", "-f", "-", input=dump(swarm(instances=3)))
    await team.until("pods", lambda names: len(names) == 3)
    await team.until("jobs", lambda names: len(names) == 1)
    await team.finish_preparation()
    await team.until("kirotasks", lambda names: len(names) == 2)
    await team.say("first", "run task 2")
    await team.say("fewer", "scale instances 2")
    await team.until("kiroinstances", lambda names: len(names) == 2)
    await team.say("stop", "stop instance demo-1")
    await team.until("pods", lambda names: "pod/demo-1-0" not in names)
    brief = changed(command("status swarm", "brief"), "spec.ttlSecondsAfterFinished", 0)
    await team.kubectl("create", "-f", "-", input=dump(brief))
    await team.until(
        "swarmcommands",
        lambda names: not any(name.endswith("/brief") for name in names),
    )
    await team.patch("kiroswarm/demo", {"spec": {"ttlSecondsAfterFinished": 0}})


async def test_nothing_that_the_operator_asks_for_is_forbidden(
    api_server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_crds(api_server)
    with namespace(api_server, "home") as home, namespace(api_server, "work") as work:
        name = f"run-{home}"
        objects = template(
            "run", home, "--set=replicas=2", f"--set=fullnameOverride={name}"
        )
        api_server.kubectl("apply", "-f", "-", input=dump(*objects))
        path = kubeconfig_of(api_server, home, name, tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(path))
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.ensure_future(
            run_operator(
                OperatorSettings(image="kiro-swarm:test", status_interval_seconds=0),
                ProcessOptions(port=0, identity="one", leader_namespace=home),
                stop=stop,
                ready=ready,
            )
        )
        try:
            await asyncio.wait_for(ready.wait(), 30)
            await live(Team(api_server, work))
        finally:
            stop.set()
            await asyncio.wait_for(running, 30)
        api_server.kubectl("delete", "-f", "-", "--wait=false", input=dump(*objects))
    asked = [
        (event["verb"], event["objectRef"]["resource"], event["responseStatus"]["code"])
        for event in api_server.audit_events()
        if event["user"]["username"] == f"system:serviceaccount:{home}:{name}"
        and event.get("responseStatus")
        and event.get("objectRef")
        # Other tests may leave swarms behind that cannot be deleted here.
        and event["objectRef"].get("namespace") in (home, work, None)
    ]
    assert [item for item in asked if item[2] in (401, 403)] == []
    used = {item[:2] for item in asked}
    assert {
        ("get", "leases"),
        ("create", "leases"),
        ("watch", "kirotasks"),
        ("create", "roles"),
        ("create", "networkpolicies"),
        ("create", "pods"),
        ("delete", "pods"),
        ("get", "configmaps"),
        ("create", "kirotasks"),
        ("patch", "kirotasks"),
        ("patch", "kiroswarms"),
        ("delete", "kiroinstances"),
        ("delete", "swarmcommands"),
    } <= used
