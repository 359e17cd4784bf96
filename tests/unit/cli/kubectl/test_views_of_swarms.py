"""``kubectl swarm VIEW`` against a fake API server: what is fetched, and what is said of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import click
import pytest
from aiohttp import web

from kiro_swarm.cli.kubectl.say import sentence
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    EVENTS,
    PODS,
    SWARMS,
    TASKS,
)
from kiro_swarm.policy import chain
from tests.support.fake_api import FakeApi, until
from tests.unit.cli.kubectl.plugin import (
    NAMESPACE,
    call,
    plugin,
    put,
    put_instance,
    put_swarm,
    put_task,
)

POD: Any = {
    "metadata": {"name": "demo-1-0", "labels": {"swarm.kiro.dev/swarm": "demo"}},
    "spec": {"containers": [{"name": "agent", "image": "agents/one:1"}]},
}
EVIL = "\x1b]0;owned\x07\x1b[2J"


@pytest.fixture
async def swarm(api: FakeApi) -> FakeApi:
    """A swarm with two tasks, an instance and a command."""
    put_swarm(api, progress="1/2", message=f"going on{EVIL}")
    put_task(api, "1", "Merged", instance="demo-1", attempt=1)
    put_task(api, "2", "Running", instance="demo-1", attempt=1, branch="swarm/demo/2/1")
    instance = put_instance(api, "demo-1", "demo-1-0")
    owners = [{"uid": instance["metadata"]["uid"]}]
    pod = {**POD, "metadata": {**POD["metadata"], "ownerReferences": owners}}
    api.store.create(PODS, NAMESPACE, pod)
    spec = {"swarm": "demo", "command": "status swarm"}
    put(api, COMMANDS, "say-1", spec, {"phase": "Succeeded", "message": "fine"})
    put(api, TASKS, "other.9", {"swarm": "other", "id": "9"}, {"state": "Ready"})
    return api


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("get", ["demo", "Running", "going on"]),
        ("demo get swarms", ["demo"]),
        ("get tasks", ["Title of 1", "Merged", "Title of 2", "Running"]),
        ("get tasks -o wide", ["swarm/demo/2/1"]),
        ("get instances", ["demo-1", "#007fff"]),
        ("get commands", ["say-1", "status swarm", "fine"]),
        ("graph", ["1", "2"]),
        ("graph -o mermaid", ["flowchart"]),
        ("graph -o dot", ["digraph"]),
        ("graph -o svg", ["<svg", "</svg>"]),
        ("timeline", ["demo"]),
        ("timeline -o svg", ["<svg"]),
        ("top", ["demo-1"]),
        ("open demo-1", ["kubectl exec", "demo-1-0", "/tree"]),
    ],
)
async def test_a_view_shows_what_there_is(
    swarm: FakeApi, words: str, shown: list[str]
) -> None:
    said = await plugin(*words.split())
    assert (said.code, said.err) == (0, "")
    for text in shown:
        assert text in said.out
    assert "\x1b" not in said.out
    assert "other.9" not in said.out
    assert "earlier" not in said.out


@pytest.mark.parametrize("kind", ["swarms", "tasks", "instances", "commands"])
async def test_objects_are_printed_for_programs(swarm: FakeApi, kind: str) -> None:
    said = await plugin("get", kind, "-o", "json")
    whole = json.loads(said.out)
    assert (whole["kind"], whole["apiVersion"]) == ("List", "v1")
    names = (await plugin("get", kind, "-o", "name")).out.split()
    assert [name.partition("/")[2] for name in names] == [
        item["metadata"]["name"] for item in whole["items"]
    ]
    assert all(".swarm.kiro.dev/" in name for name in names)


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("get tasks", "swarm demo has no tasks"),
        ("audit", "nobody has changed swarm demo by a command yet"),
        ("events", "no events of swarm demo in the last hour"),
    ],
)
async def test_where_there_is_nothing_it_says_so(
    api: FakeApi, words: str, note: str
) -> None:
    put_swarm(api)
    said = await plugin(*words.split())
    assert (said.code, said.out, said.err) == (0, "", note + "\n")


async def test_a_swarm_without_tasks_says_why(api: FakeApi) -> None:
    put_swarm(api, phase="Failed", message="the server is not there")
    said = await plugin("get", "tasks")
    assert (
        said.err == "swarm demo has no tasks; it is Failed: the server is not there\n"
    )


async def test_an_empty_namespace_has_no_swarm(api: FakeApi) -> None:
    said = await plugin("get", "-n", "empty")
    assert (said.code, said.err) == (0, "there is no swarm in namespace empty\n")
    assert (await plugin("get", "tasks", "-n", "empty")).code == 1


def log_of(api: FakeApi, text: bytes) -> list[str]:
    """Answer requests for logs; the requests that came."""
    came: list[str] = []

    async def answer(request: web.Request) -> Any:
        if not request.path.endswith("/log"):
            return None
        came.append(request.path_qs)
        return web.Response(body=text)

    api.intercept = answer
    return came


async def test_logs_come_from_the_instance_or_the_holder_of_a_task(
    swarm: FakeApi,
) -> None:
    came = log_of(swarm, f"one{EVIL}\r\ntwo \N{SNOWMAN}\nno end".encode())
    said = await plugin("logs", "demo-1", "-f", "--tail", "5")
    assert (said.code, said.out) == (0, "one\ntwo \N{SNOWMAN}\nno end\n")
    path, _, query = came[0].partition("?")
    assert path.endswith("/pods/demo-1-0/log")
    assert set(query.split("&")) == {"container=agent", "follow=true", "tailLines=5"}
    said = await plugin("logs", "2", "--previous", "-c", "runner")
    assert said.err.startswith("task 2, attempt 1: instance demo-1;")
    assert "previous=true" in came[1]
    assert "container=runner" in came[1]


async def test_a_log_that_is_not_there_is_explained(swarm: FakeApi) -> None:
    put_task(swarm, "3", "Blocked")
    put_task(swarm, "4", "Failed", history=[{"instance": "demo-7", "outcome": "X"}])
    put_instance(swarm, "demo-2")
    for name, reason in (
        ("9", "there is no task and no instance '9'"),
        ("3", "no instance has worked on task 3 yet: it is Blocked"),
        ("4", "task 4 was worked on by demo-7, which is gone"),
        ("demo-2", "instance demo-2 has no pod: Ready"),
    ):
        said = await plugin("logs", name)
        assert said.code == 1
        assert f"error: {reason}" in said.err


async def test_the_log_of_a_pod_that_is_gone_is_gone(swarm: FakeApi) -> None:
    swarm.store.remove(PODS, NAMESPACE, "demo-1-0")
    said = await plugin("logs", "demo-1")
    assert said.code == 1
    assert said.err == "error: pod demo-1-0 is gone, and its log with it\n"


async def test_open_names_the_instances_there_are(swarm: FakeApi) -> None:
    said = await plugin("open", "demo-9")
    assert (said.code, said.err) == (
        1,
        "error: there is no instance 'demo-9'\nthere are: demo-1\n",
    )


async def test_open_and_top_read_the_pod(swarm: FakeApi) -> None:
    usage = {
        "metadata": {"name": "demo-1-0"},
        "containers": [{"name": "agent", "usage": {"cpu": "250m", "memory": "64Mi"}}],
    }

    async def measure(request: web.Request) -> Any:
        if "metrics.k8s.io" not in request.path:
            return None
        return web.json_response({"items": [usage], "metadata": {}})

    swarm.intercept = measure
    assert "250m" in (await plugin("top")).out
    assert "demo-1-0" in (await plugin("open", "demo-1")).out


async def test_events_are_those_of_the_swarm_and_its_parts(swarm: FakeApi) -> None:
    """Not those of an earlier one of its name."""
    uids = {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for resource in (SWARMS, TASKS)
        for item in swarm.store.select(resource, NAMESPACE)
    }
    for number, (kind, name, uid, says) in enumerate(
        [
            ("KiroSwarm", "demo", uids["demo"], "about demo"),
            ("KiroTask", "demo.1", uids["demo.1"], "about demo.1"),
            ("KiroTask", "other.9", "u9", "about other.9"),
            ("KiroSwarm", "demo", "before", "about an earlier one"),
        ]
    ):
        event = {
            "metadata": {"name": f"event-{number}"},
            "involvedObject": {"kind": kind, "name": name, "uid": uid},
            **{"type": "Normal", "reason": "Seen", "message": says},
        }
        swarm.store.create(EVENTS, NAMESPACE, event)
    said = await plugin("events")
    assert "about demo" in said.out
    assert "about demo.1" in said.out
    assert "other.9" not in said.out
    told = json.loads((await plugin("events", "-o", "json")).out)
    assert len(told["items"]) == 2


def put_audit(
    api: FakeApi, swarm: dict[str, Any], lines: list[dict[str, Any]], number: int = 1
) -> None:
    """The audit log of a swarm."""
    labels = {
        "swarm.kiro.dev/swarm": "demo",
        "swarm.kiro.dev/component": "audit",
        "app.kubernetes.io/managed-by": "kiro-swarm",
    }
    owner = {
        "apiVersion": SWARMS.api_version,
        "kind": SWARMS.kind,
        "name": "demo",
        "uid": swarm["metadata"]["uid"],
    }
    body = {
        "metadata": {
            "name": f"demo-audit-{number}",
            "labels": labels,
            "ownerReferences": [owner],
        },
        "data": {chain.key_of(i["sequence"]): chain.write(i) for i in lines},
    }
    api.store.create(CONFIG_MAPS, NAMESPACE, body)


def audit_lines(count: int) -> list[dict[str, Any]]:
    """A log that is whole."""
    lines: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        previous = lines[-1]["hash"] if lines else chain.BEGINNING
        record = {"who": "eve", "what": f"run task {number}", "outcome": "Succeeded"}
        lines.append(chain.chained(record, number, previous))
    return lines


async def test_audit_of_nothing_says_that_nothing_was_recorded(api: FakeApi) -> None:
    put_swarm(api)
    verified = await plugin("audit", "--verify")
    assert verified.code == 0
    assert "nothing has been recorded yet" in verified.out + verified.err
    assert "unbroken" not in verified.out


async def test_audit_shows_and_verifies_the_log(api: FakeApi) -> None:
    lines = audit_lines(3)
    swarm = put_swarm(api, audit={"lines": 3, "head": lines[-1]["hash"]})
    put_audit(api, swarm, lines)
    shown = await plugin("audit")
    assert "eve" in shown.out
    assert "run task 3" in shown.out
    assert len(json.loads((await plugin("audit", "-o", "json")).out)["items"]) == 3
    assert (await plugin("audit", "--verify")).out == "3 lines, unbroken\n"


async def test_an_edited_line_of_the_audit_log_is_found(api: FakeApi) -> None:
    lines = audit_lines(3)
    swarm = put_swarm(api, audit={"lines": 3, "head": lines[-1]["hash"]})
    put_audit(api, swarm, [lines[0], {**lines[1], "who": "adam"}, lines[2]])
    said = await plugin("audit", "--verify")
    assert said.code == 1
    assert said.err.startswith("error: the audit log is not what was written\n")
    assert "line 2 was changed after it was written" in said.err


async def test_an_earlier_swarm_of_the_same_name_is_not_in_the_log(
    api: FakeApi,
) -> None:
    lines = audit_lines(3)
    swarm = put_swarm(api, audit={"lines": 3, "head": lines[-1]["hash"]})
    put_audit(api, swarm, lines)
    put_audit(api, {"metadata": {"uid": "of-before"}}, audit_lines(9), number=2)
    spec = {"swarm": "demo", "command": "scale instances 2"}
    put(api, COMMANDS, "say-1", spec, {"audit": {"sequence": 2, "hash": "f" * 64}})
    long_ago = {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}}
    api.store.patch(COMMANDS, NAMESPACE, "say-1", long_ago)
    assert (await plugin("audit", "--verify")).out == "3 lines, unbroken\n"


async def test_watch_without_a_terminal_tells_each_change_until_the_swarm_is_gone(
    swarm: FakeApi,
) -> None:
    said = asyncio.ensure_future(plugin("watch"))
    await until(lambda: sum("watch=true" in r for r in swarm.requests) == 4)
    status = {"status": {"state": "Done", "message": f"checked{EVIL}"}}
    swarm.store.patch(TASKS, NAMESPACE, "demo.2", status, "status")
    swarm.store.patch(TASKS, NAMESPACE, "demo.2", {"status": {"branch": "b"}}, "status")
    swarm.store.delete(TASKS, NAMESPACE, "demo.1")
    swarm.tell()
    swarm.cut_watches()
    await until(lambda: sum("watch=true" in r for r in swarm.requests) == 8)
    swarm.store.delete(SWARMS, NAMESPACE, "demo")
    swarm.tell()
    ended = await said
    assert (ended.code, ended.err) == (1, "error: swarm demo was deleted\n")
    lines = ended.out.splitlines()
    assert lines.count("KiroTask 2 Done checked") == 1
    assert "KiroTask 1 Merged" in lines
    assert "KiroSwarm demo Running going on" in lines


def test_help_lists_views_and_sentences_and_explains_each() -> None:
    overview = call()
    assert overview.code == 0
    assert overview.out == call("--help").out == call("help", "--help").out
    assert call("demo", "run", "--help").out == call("help", "run").out
    for option in sentence.params:
        assert isinstance(option, click.Argument) or option.opts[0] in overview.out
    assert "  watch      The swarm, live." in overview.out
    assert "run task ID [beast-mode]" in overview.out
    assert "\n        kubectl swarm run task 2.1\n" in call("help", "run").out
    assert call("help", "execute").out == call("help", "run").out
    assert "--verify" in call("help", "audit").out
    assert call("logs", "--help").out == call("help", "logs").out
    unknown = call("help", "dance")
    assert (unknown.code, unknown.out) == (2, "")
    assert call("--version").out.startswith("kubectl-swarm ")
