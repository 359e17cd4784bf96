"""A sentence by ``kubectl swarm``, from the words of a shell to answer and exit status."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

import pytest
import yaml
from aiohttp import web

from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, SWARMS
from tests.support.fake_api import USER, FakeApi, until
from tests.unit.cli.kubectl.plugin import (
    NAMESPACE,
    answering,
    call,
    next_command,
    plugin,
    put_swarm,
    set_status,
    watched,
)


async def test_a_sentence_becomes_a_command_and_its_answer_is_printed(
    api: FakeApi,
) -> None:
    put_swarm(api)
    async with answering(api, message="demo: Running") as came:
        said = await plugin("demo", "status", "swarm", "--correlation-id", "ticket-7")
    assert (said.code, said.out, said.err) == (0, "demo: Running\n", "")
    [command] = came
    assert command["metadata"]["name"].startswith("say-")
    assert command["spec"] == {
        "swarm": "demo",
        "command": "status swarm",
        "requestedBy": USER,
        "timeoutSeconds": 600,
        "correlationId": "ticket-7",
    }


async def test_the_answer_is_watched_for_not_asked_for(api: FakeApi) -> None:
    put_swarm(api)
    said = asyncio.ensure_future(plugin("status", "swarm"))
    command = await next_command(api)
    await watched(api)
    asked = len(api.requests)
    for index in range(20):
        set_status(api, command, phase="Running", message=f"step {index}")
        await asyncio.sleep(0.01)
    set_status(api, command, phase="Succeeded", message="done")
    assert (await said).out == "done\n"
    assert len(api.requests) == asked


async def test_progress_goes_to_standard_error_as_it_changes(api: FakeApi) -> None:
    put_swarm(api)
    said = asyncio.ensure_future(plugin("stop", "all", "tasks", "-o", "json"))
    command = await next_command(api)
    await watched(api)
    part: dict[str, Any] = {"target": "1.1", "done": False, "success": False}
    set_status(api, command, phase="Running", message="stopping", partialResults=[part])
    part = {**part, "done": True, "success": True, "message": "stopped\x1b[2J"}
    other = {"target": "1.2", "done": True, "success": False, "message": "is merged"}
    set_status(api, command, partialResults=[part, other])
    set_status(api, command, phase="Failed", message="1 of 2 stopped")
    ended = await said
    assert ended.code == 1
    assert json.loads(ended.out)["status"]["phase"] == "Failed"
    assert ended.err.splitlines() == [
        "… 1.1:",
        "stopping",
        "✓ 1.1: stopped",
        "✗ 1.2: is merged",
        "error: 1 of 2 stopped",
    ]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"phase": "Succeeded", "message": "yes"}, 0),
        ({"phase": "Failed", "message": "no"}, 1),
        ({"phase": "Cancelled", "message": "no"}, 1),
        ({"phase": "Rejected", "message": "what?"}, 2),
        ({"phase": "Failed", "reason": "DeadlineExceeded", "message": "late"}, 124),
    ],
)
async def test_the_exit_status_says_how_it_ended(
    api: FakeApi, status: dict[str, Any], code: int
) -> None:
    put_swarm(api)
    async with answering(api, **status):
        said = await plugin("status", "swarm")
    assert said.code == code
    text = status["message"] + "\n"
    assert (said.out, said.err) == ((text, "") if code == 0 else ("", f"error: {text}"))


def test_what_is_not_understood_is_not_sent() -> None:
    said = call("--kubeconfig", "/nowhere", "demo", "run", "tsk", "2.1")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error: unknown word 'tsk' at column 5; did you mean 'task'?\n"
        "  run tsk 2.1\n"
        "      ^\n"
        "did you mean: kubectl swarm --kubeconfig /nowhere demo run task 2.1\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["status", "swarm", "--force"], "No such option"),
        (["status", "swarm", "--timeout", "soon"], "no duration such as 90s"),
        (["status", "swarm", "--timeout", "0"], "longer than 0"),
        (["status", "swarm", "--timeout", "25h"], "longer than a day"),
        (["status", "swarm", "-n", "../etc"], "use a-z, 0-9 and '-'"),
        (["--swarm", "a/b", "status", "swarm"], "use a-z, 0-9 and '-'"),
        (["status", "swarm", "--correlation-id", "a b"], "letters, digits"),
        (["status", "swarm", "-o", "xml"], "xml"),
    ],
)
def test_a_bad_option_is_named(words: list[str], message: str) -> None:
    said = call("--kubeconfig", "/nowhere", *words)
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert message in said.err


async def test_a_synonym_is_told_as_what_it_means(api: FakeApi) -> None:
    put_swarm(api)
    async with answering(api, message="fine") as came:
        said = await plugin("show", "me", "the", "swarm", "status")
    assert said.err == "understood as: status swarm\n"
    assert came[0]["spec"]["command"] == "show me the swarm status"


async def test_dry_run_and_timeout_are_handed_on(api: FakeApi) -> None:
    put_swarm(api)
    async with answering(api, message="would scale") as came:
        await plugin("scale", "instances", "3", "--dry-run", "--timeout=1m30s")
    assert came[0]["spec"]["dryRun"] is True
    assert came[0]["spec"]["timeoutSeconds"] == 90


async def test_no_wait_prints_the_name_and_goes(api: FakeApi) -> None:
    put_swarm(api)
    said = await plugin("status", "swarm", "--no-wait")
    [command] = api.store.select(COMMANDS, NAMESPACE)
    assert said.out == f"swarmcommand/{command['metadata']['name']} created\n"
    named = await plugin("status", "swarm", "--no-wait", "-o", "name")
    assert named.out.startswith("swarmcommand.swarm.kiro.dev/say-")


async def test_wide_and_yaml(api: FakeApi) -> None:
    put_swarm(api)
    result = {"executionSeconds": 0.5, "sideEffects": ["kiroswarm/demo: 2 -> 3"]}
    status: dict[str, Any] = {"message": "ok", "requestedBy": "eve", "result": result}
    async with answering(api, **status):
        wide = await plugin("scale", "instances", "3", "-o", "wide")
        text = await plugin("scale", "instances", "3", "-o", "yaml")
    assert "requested by  eve" in wide.out
    assert "changed       kiroswarm/demo: 2 -> 3" in wide.out
    assert yaml.safe_load(text.out)["status"]["message"] == "ok"


async def test_which_swarm_is_asked_only_where_it_is_clear(api: FakeApi) -> None:
    none = await plugin("status", "swarm")
    assert (none.code, none.err.splitlines()[0]) == (
        1,
        "error: there is no swarm in namespace default",
    )
    put_swarm(api)
    put_swarm(api, "run")
    many = await plugin("status", "swarm")
    assert many.code == 1
    assert "there are 2 swarms in namespace default: demo, run" in many.err
    gone = await plugin("statsu", "swarm", "status")
    assert "there is no swarm statsu in namespace default" in gone.err
    assert "or is 'statsu' a slip for 'status'?" in gone.err
    async with answering(api, message="fine") as came:
        await plugin("run", "--", "status", "swarm")
        await plugin("--swarm", "demo", "status", "swarm")
    assert [item["spec"]["swarm"] for item in came] == ["run", "demo"]


async def test_an_answer_that_is_too_long_is_fetched(api: FakeApi) -> None:
    put_swarm(api)
    text = "+added\n-removed \x1b]0;owned\x07\n"
    body = {"metadata": {"name": "c-result"}, "data": {"diff": text}}
    api.store.create(CONFIG_MAPS, NAMESPACE, body)
    reference = {"configMap": "c-result", "key": "diff", "truncated": True}
    async with answering(api, "c-result", message="2 lines", dataRef=reference):
        diff = await plugin("diff", "2.1")
        log = await plugin("log", "task", "2.1")
    assert diff.out == log.out == "+added\n-removed \n"
    assert diff.err == "2 lines\nthe rest was too long and was cut\n"
    gone = {**reference, "configMap": "gone"}
    async with answering(api, message="2 lines", dataRef=gone):
        assert "ConfigMap gone is gone" in (await plugin("diff", "2.1")).err


@pytest.mark.parametrize("owners", [[], [{"uid": "of somebody"}]])
async def test_what_is_in_the_place_of_an_answer_is_not_shown(
    api: FakeApi, owners: list[dict[str, str]]
) -> None:
    put_swarm(api)
    metadata = {"name": "c-result", "ownerReferences": owners}
    body = {"metadata": metadata, "data": {"diff": "not the answer"}}
    api.store.create(CONFIG_MAPS, NAMESPACE, body)
    reference = {"configMap": "c-result", "key": "diff"}
    async with answering(api, message="2 lines", dataRef=reference):
        said = await plugin("diff", "2.1")
    assert said.out == ""
    assert "ConfigMap c-result is in the place of the answer" in said.err


async def test_explain_shows_the_facts(api: FakeApi) -> None:
    put_swarm(api)
    data = {"task": "2.1", "state": "Blocked", "waitsFor": ["1.2"]}
    async with answering(api, message="waits", result={"data": data}) as came:
        said = await plugin("explain", "2.1")
    assert came[0]["spec"]["command"] == "explain task 2.1"
    assert "1.2" in said.out


async def test_a_command_that_is_deleted_meanwhile_is_told(api: FakeApi) -> None:
    put_swarm(api)
    said = asyncio.ensure_future(plugin("status", "swarm"))
    name = (await next_command(api))["metadata"]["name"]
    await watched(api)
    api.store.delete(COMMANDS, NAMESPACE, name)
    api.tell()
    ended = await said
    assert (ended.code, ended.err) == (
        1,
        f"error: {name} was deleted before it was answered\n",
    )


async def test_no_answer_in_time_is_124_and_says_what_to_do(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiro_swarm.cli.kubectl.say._GRACE", 0.0)
    monkeypatch.setattr("kiro_swarm.cli.kubectl.say._SILENCE", 0.05)
    put_swarm(api)
    said = await plugin("status", "swarm", "--timeout", "300ms")
    [command] = api.store.select(COMMANDS, NAMESPACE)
    name = command["metadata"]["name"]
    assert said.code == 124
    assert said.err.splitlines() == [
        "no answer yet: does the operator run?",
        f"error: no answer to {name} after 0.3 s",
        f"the command goes on; its answer: kubectl get swarmcommand {name} -o yaml "
        "-n default",
        f"to cancel it: kubectl swarm -n default cancel command {name}",
    ]


async def test_a_server_that_goes_away_and_comes_back_does_not_end_the_wait(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiro_swarm.cli.kubectl.say._RETRY", 0.01)
    put_swarm(api)
    said = asyncio.ensure_future(plugin("status", "swarm"))
    command = await next_command(api)
    await watched(api)
    refused = 0

    async def refuse(request: web.Request) -> web.Response:
        nonlocal refused
        refused += 1
        return web.Response(status=503)

    api.intercept = refuse
    api.cut_watches()
    await until(lambda: refused > 1)
    api.intercept = None
    set_status(api, command, phase="Succeeded", message="done")
    ended = await said
    assert (ended.code, ended.out) == (0, "done\n")
    assert "lost the cluster; asking again" in ended.err


@pytest.mark.parametrize(
    ("status", "reason", "message", "expected"),
    [
        (403, "Forbidden", "no", (3, "error: no\n")),
        (
            *(403, "Forbidden"),
            'user "vera" cannot create resource "swarmcommands" in API group "x"',
            (3, "the role kiro-swarm-viewer would do for a view"),
        ),
        (401, "Unauthorized", "Unauthorized", (3, "error: Unauthorized\n")),
        (422, "Invalid", "bad", (1, "error: bad\n")),
        (503, "ServiceUnavailable", "later", (3, "no answer from the cluster: later")),
        (
            *(404, "NotFound", "the server could not find the requested resource"),
            (3, "kiro-swarm is not installed in this cluster"),
        ),
    ],
)
async def test_what_the_server_refuses_is_told_in_words(
    api: FakeApi, status: int, reason: str, message: str, expected: tuple[int, str]
) -> None:
    put_swarm(api)

    async def refuse(request: web.Request) -> Any:
        if request.method != "POST" or "swarmcommands" not in request.path:
            return None
        return web.json_response({"reason": reason, "message": message}, status=status)

    api.intercept = refuse
    said = await plugin("status", "swarm")
    assert said.code == expected[0]
    assert expected[1] in said.err


async def test_an_answer_that_may_not_be_read_is_told(api: FakeApi) -> None:
    put_swarm(api)

    async def refuse(request: web.Request) -> Any:
        if request.method == "GET" and "swarmcommands" in request.path:
            return web.json_response({"message": "may not list"}, status=403)
        return None

    api.intercept = refuse
    said = await plugin("status", "swarm")
    assert said.code == 3
    assert "was sent, but its answer may not be read" in said.err


async def test_without_a_cluster_it_says_so(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.stop()
    away = await plugin("status", "swarm")
    assert away.code == 3
    assert "no answer from the cluster: Cannot connect to host 127.0.0.1" in away.err
    unknown = await plugin("--context", "none", "status", "swarm")
    assert unknown.code == 3
    assert "none" in unknown.err


async def test_somebody_else_may_be_impersonated(api: FakeApi) -> None:
    put_swarm(api)
    seen: list[list[str]] = []

    async def look(request: web.Request) -> None:
        seen.append(request.headers.getall("Impersonate-Group", []))

    api.intercept = look
    async with answering(api, message="fine") as came:
        await plugin(
            *("--as", "eve", "--as-group", "a", "--as-group", "b"), "status", "swarm"
        )
    assert came[0]["spec"]["requestedBy"] == "eve"
    assert set(map(tuple, seen)) == {("a", "b")}


async def test_ctrl_c_says_that_the_command_goes_on(api: FakeApi) -> None:
    put_swarm(api)
    code = "from kiro_swarm.cli.kubectl.main import main; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "status", "swarm"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    name = (await next_command(api))["metadata"]["name"]
    await watched(api)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out) == (130, b"")
    assert err.decode().splitlines()[-1] == (
        f"to cancel it: kubectl swarm -n default cancel command {name}"
    )
    assert api.store.read(SWARMS, NAMESPACE, "demo")
