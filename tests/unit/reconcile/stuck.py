"""What an API server may answer to one write for ever, while it answers all others.

Used by the tests of stuck commands. A hang is told by the clock: the answer comes when the time of
a request is over.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Optional

from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, EVENTS
from kiro_swarm.observe import audit
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.reconcile.world import World

WIDE = {"1": [], "2": [], "3": ["1", "2"], "4": ["3"]}
#: HTTP status and reason of an answer.
ANSWERS = {
    "forbidden": (403, "Forbidden"),
    "changed": (409, "Conflict"),
    "gone": (404, "NotFound"),
    "invalid": (422, "Invalid"),
    "too many requests": (429, "TooManyRequests"),
    "internal error": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
    "hangs": (504, "Timeout"),
}
#: Seconds until the client gives up a request.
REQUEST_SECONDS = 30
#: Which write: by the request and what is in it.
Which = Callable[[web.Request, Any], bool]


def at(method: str, path: str) -> Which:
    """The writes to an object or to a kind."""
    return lambda request, _: request.method == method and request.path.endswith(path)


def status_of_command(name: str) -> Which:
    """All writes into the status of a command."""
    return at("PATCH", f"/swarmcommands/{name}/status")


def answer_of_command(name: str) -> Which:
    """Its answer, and nothing before it."""
    status = status_of_command(name)

    def which(request: web.Request, body: Any) -> bool:
        return status(request, body) and "finishedAt" in (body.get("status") or {})

    return which


def config_map(*names: str) -> Which:
    """A ConfigMap of these names, however it is written."""

    def which(request: web.Request, body: Any) -> bool:
        if "/configmaps" not in request.path or request.method == "GET":
            return False
        name = (body.get("metadata") or {}).get("name")
        return name in names or request.path.rsplit("/", 1)[-1] in names

    return which


def answer_for_ever(world: World, which: Which, what: str) -> None:
    """Answer so to these writes until the world is healed."""
    status, reason = ANSWERS[what]

    async def intercept(request: web.Request) -> Optional[web.Response]:
        body = await request.json() if request.method != "GET" else {}
        if not which(request, body):
            return None
        if what == "hangs":
            world.clock.seconds += REQUEST_SECONDS
        said = {"kind": "Status", "message": f"{what}, always", "reason": reason}
        return web.json_response(said, status=status)

    world.api.intercept = intercept


def heal(world: World) -> None:
    """Answer as always."""
    world.api.intercept = None


def put_in_the_way(world: World, resource: Any, name: str, **more: Any) -> None:
    """Somebody makes an object with a name that is ours."""
    item = {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": NAMESPACE, **more.pop("metadata", {})},
        **more,
    }
    world.api.store.create(resource, NAMESPACE, item)


async def settle(world: World) -> None:
    """Settle; a refusal of a command's own status goes through to the worker, which logs it."""
    for _ in range(50):
        with contextlib.suppress(errors.Forbidden, errors.Invalid, errors.NameTaken):
            await world.settle()
            return
    raise AssertionError("refused again and again within a second")


async def wait(world: World, seconds: int) -> None:
    """Let time pass, though nothing moves."""
    end = world.clock.seconds + seconds
    while world.clock.seconds < end:
        await settle(world)
        world.clock.seconds += 1
    await settle(world)


def uid_of(world: World, name: str) -> str:
    return str(world.cluster.one(COMMANDS, name)["metadata"]["uid"])


def lines(world: World) -> list[dict[str, Any]]:
    """The audit log."""
    return audit.read(
        item
        for item in world.cluster.all(CONFIG_MAPS)
        if "-audit-" in item["metadata"]["name"]
    )


def warnings(world: World, name: str) -> list[str]:
    """What Events warn of about a command."""
    return [
        item["message"]
        for item in world.cluster.all(EVENTS)
        if item["involvedObject"]["name"] == name and item["type"] == "Warning"
    ]
