"""``kubectl swarm`` run in a thread against a fake API server, and who answers it there."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from kiro_swarm.cli.kubectl.main import main
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    INSTANCES,
    SWARMS,
    TASKS,
    AnyResource,
)
from tests.support.fake_api import FakeApi, until

NAMESPACE = "default"
Object = Any


@dataclass(frozen=True)
class Said:
    """What the plugin wrote, and its exit status."""

    code: int
    out: str
    err: str


def call(*arguments: str) -> Said:
    """Run it in this thread."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


async def plugin(*arguments: str) -> Said:
    """Run it in a thread, for it makes an event loop of its own.

    Nobody waits for the thread at the end: one that hangs fails its test, no other.
    """
    loop = asyncio.get_running_loop()
    said: asyncio.Future[Said] = loop.create_future()

    def work() -> None:
        answer = call(*arguments)
        with contextlib.suppress(RuntimeError):  # the test has ended
            loop.call_soon_threadsafe(said.set_result, answer)

    threading.Thread(target=work, daemon=True).start()
    return await said


def put(
    api: FakeApi, resource: AnyResource, name: str, spec: Any, status: Any
) -> Object:
    """An object with a status."""
    body = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "ownerReferences": owners_of(api, spec)},
        "spec": spec,
    }
    api.store.create(resource, NAMESPACE, body)
    made = api.store.patch(resource, NAMESPACE, name, {"status": status}, "status")
    api.tell()
    return made


def owners_of(api: FakeApi, spec: Any) -> list[Any]:
    """The reference to the swarm that a spec names, where that is there."""
    swarm = api.store.find(SWARMS, NAMESPACE, str(spec.get("swarm")))
    return [{"uid": swarm["metadata"]["uid"]}] if swarm else []


def put_swarm(api: FakeApi, name: str = "demo", **status: Any) -> Object:
    """A swarm."""
    return put(api, SWARMS, name, {"instances": 2}, {"phase": "Running", **status})


def put_task(api: FakeApi, task: str, state: str = "Blocked", **status: Any) -> Object:
    """A task of the swarm demo."""
    spec = {"swarm": "demo", "id": task, "title": f"Title of {task}"}
    return put(api, TASKS, f"demo.{task}", spec, {"state": state, **status})


def put_instance(api: FakeApi, name: str, pod: str = "") -> Object:
    """An instance of the swarm demo."""
    spec = {"swarm": "demo", "index": 1, "colour": "#007fff"}
    return put(api, INSTANCES, name, spec, {"phase": "Ready", "pod": pod})


async def next_command(api: FakeApi) -> Object:
    """The first command that has no status yet."""
    for _ in range(4000):
        for item in api.store.select(COMMANDS, NAMESPACE):
            if not item.get("status"):
                return item
        await asyncio.sleep(0.005)
    raise AssertionError("no command came")


async def watched(api: FakeApi) -> None:
    """Wait until somebody watches commands."""
    await until(
        lambda: any("swarmcommands?" in r and "watch=true" in r for r in api.requests)
    )


def set_status(api: FakeApi, command: Object, **status: Any) -> None:
    """Write a part of a command's status."""
    name = command["metadata"]["name"]
    api.store.patch(COMMANDS, NAMESPACE, name, {"status": status}, "status")
    api.tell()


@contextlib.asynccontextmanager
async def answering(
    api: FakeApi, owns: str = "", **status: Any
) -> AsyncIterator[list[Object]]:
    """An operator that gives every command this answer; the commands that came.

    :param owns: name of the ConfigMap that becomes that of each command.
    """
    came: list[Object] = []

    async def answer() -> None:
        while True:
            command = await next_command(api)
            came.append(command)
            if owns:
                owner = {"ownerReferences": [{"uid": command["metadata"]["uid"]}]}
                api.store.patch(CONFIG_MAPS, NAMESPACE, owns, {"metadata": owner})
            set_status(api, command, **{"phase": "Succeeded", **status})

    task = asyncio.ensure_future(answer())
    try:
        yield came
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
