"""What an operator remembers of objects goes with them.

Swarms and commands come and go for months, and a process may be as old. Everything that a process
holds is walked here, whatever it is called: what a later change remembers and forgets to drop is
found as well. Only what is bounded by itself may stay (``BOUNDED``).
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Optional, cast

from aiohttp import web

from kiro_swarm.cluster.resources import (
    COMMANDS,
    INSTANCES,
    SWARMS,
    TASKS,
    WATCHED,
)
from kiro_swarm.reconcile.engine.watches import list_all
from kiro_swarm.reconcile.snapshot.board import Board
from tests.support.fake_store import Refused
from tests.unit.reconcile.stuck import settle
from tests.unit.reconcile.surroundings import NAMESPACE, swarm_spec
from tests.unit.reconcile.world import World

#: Uids of the last ten thousand objects that are gone, so that late news of them are none.
BOUNDED = {"cache._deleted"}
#: Memories that the scene fills, so that it is known that they are looked into.
FILLED = {
    "answered._lines",
    "audit._books",
    "backlog._halts",
    "backlog._lines",
    "backlog._passed_by",
    "cache._by_swarm",
    "cache._followers",
    "cache._objects",
    "elapsed._seen",
    "ensured",
    "heartbeats",
    "step_memory._by_uid",
    "kept",
    "volumes",
    "written",
}


def walk(item: Any, path: str, seen: set[int]) -> Iterator[tuple[str, str]]:
    """Every text that can be reached from an object, and where it is: attributes of objects
    of ours, and what is in containers, as keys and as values."""
    if isinstance(item, str):
        yield path, item
        return
    if id(item) in seen or isinstance(item, (int, float, bytes, type(None), type)):
        return
    seen.add(id(item))
    if isinstance(item, Mapping):
        for key, value in list(item.items()):
            yield from walk(key, path, seen)
            yield from walk(value, path, seen)
    elif isinstance(item, (list, tuple, set, frozenset, deque)):
        for one in list(item):
            yield from walk(one, path, seen)
    elif isinstance(item, partial):
        yield from walk([item.args, item.keywords], path, seen)
    elif type(item).__module__.startswith("kiro_swarm"):
        names = [*getattr(item, "__dict__", ())]
        names += [n for c in type(item).__mro__ for n in getattr(c, "__slots__", ())]
        for name in names:
            deeper = f"{path}.{name}" if path.count(".") < 1 else path
            value = getattr(item, name, None)
            yield from walk(value, deeper.lstrip("."), seen)


def known(world: World, words: set[str]) -> set[str]:
    """Where the operator has one of these names and uids."""
    seen: set[int] = {id(world.client)}
    found = {
        path
        for path, text in walk(world.ctx, "", seen)
        if any(word in text for word in words)
    }
    for name, module in list(sys.modules.items()):
        if name.startswith("kiro_swarm.reconcile"):
            held = {k: v for k, v in vars(module).items() if not k.startswith("__")}
            found |= {
                f"{name}:{path}"
                for path, text in walk(held, "module", seen)
                if any(word in text for word in words)
            }
    return found - BOUNDED


def _uids(world: World) -> set[str]:
    return {
        item["metadata"]["uid"]
        for change in world.api.store.changes
        if change.resource in WATCHED
        for item in (change.after or change.before or {},)
    }


async def _refused(request: web.Request) -> Optional[web.Response]:
    """Of one swarm every task, of one person every answer, and the end of one pod."""
    path = request.path
    tasks = "/kirotasks/gone-d" in path and request.method == "PATCH"
    answers = "-of-eve/status" in path
    if tasks or answers or (request.method == "DELETE" and "/pods/gone-a-2-" in path):
        raise Refused(403, "Forbidden", "is forbidden: exceeded quota: small")
    return None


async def _lives(world: World, seconds: int) -> None:
    for _ in range(seconds):
        await settle(world)
        for instance in world.cluster.names(INSTANCES):
            world.cluster.beat(instance)
        world.cluster.step()
        world.clock.seconds += 1
    await settle(world)


async def _comes_and_goes(world: World, number: int) -> set[str]:
    """Swarms of all kinds are made and deleted, with what is said to them; where the operator
    knew of them while they were there."""
    a, b, c, d = (f"gone-{letter}{number}" for letter in "abcd")
    there = swarm_spec()["repository"]
    rescue = {"onDelete": "Rescue", "rescueSeconds": 60}
    world.apply_swarm(a, storage={"size": "10Gi"})
    world.apply_swarm(b, integration=rescue)
    world.apply_swarm(c, repository={**there, "url": "file:///srv/x.git"})
    world.apply_swarm(d)
    world.api.intercept = _refused
    await _lives(world, 8)
    said = {
        "scale instances 3": a,
        "pause task 2": a,
        f"stop instance {a}-1": a,
        "status swarm detailed": b,
        "scale instances 1": d,
        "explain task 1": "gone-nobody",
        "no sentence": c,
    }
    world.say("scale instances 5", f"gone-{number}-of-eve", swarm=a)
    for n, (sentence, swarm) in enumerate(said.items()):
        world.say(sentence, f"gone-say-{number}-{n}", swarm=swarm)
    await _lives(world, 6)
    world.edit_swarm(a, template={"agent": {"command": ["other"]}})
    world.say("stop all", f"gone-stop-{number}", swarm=a)
    await _lives(world, 45)
    found = known(world, {"gone-", *_uids(world)})
    for item in (*world.cluster.all(TASKS)[:1], *world.cluster.all(COMMANDS)[:3]):
        resource = TASKS if item["kind"] == "KiroTask" else COMMANDS
        world.api.store.delete(resource, NAMESPACE, item["metadata"]["name"])
    for swarm in world.cluster.names(SWARMS):
        world.api.store.delete(SWARMS, NAMESPACE, swarm)
    await _lives(world, 3)
    found |= known(world, {"gone-", *_uids(world)})
    for command in world.cluster.names(COMMANDS):
        world.api.store.delete(COMMANDS, NAMESPACE, command)
    return found


async def test_nothing_is_remembered_of_what_is_gone(world: World) -> None:
    world.tolerant = True
    filled: set[str] = set()
    for number in range(2):
        filled |= await _comes_and_goes(world, number)
        await _lives(world, 30)
    world.api.intercept = None
    await _lives(world, 150)
    assert [n for r in WATCHED for n in world.cluster.names(r)] == []
    assert known(world, {"gone-", *_uids(world)}) == set()
    assert filled >= FILLED


async def test_what_is_noted_of_what_went_meanwhile_goes_with_the_next_list(
    world: World,
) -> None:
    """A reconcile may wait for an answer while its object goes."""
    world.apply_swarm("gone-a")
    await _lives(world, 3)
    ctx, (uid,) = world.ctx, {s["metadata"]["uid"] for s in world.cluster.all(SWARMS)}
    world.api.store.delete(SWARMS, NAMESPACE, "gone-a")
    await _lives(world, 3)
    board = partial(ctx.cache.follower, TASKS, NAMESPACE, "gone-a", uid, Board)
    assert board() is not board()
    for memory in (ctx.volumes, ctx.heard, ctx.heartbeats, ctx.log_failures):
        memory[uid] = cast(Any, ())
    ctx.step_memory.of(uid)
    ctx.elapsed.age(uid, "2026-11-22T10:00:00Z", ctx.now())
    ctx.ensured.add(uid)
    assert len(known(world, {uid})) == 7
    await list_all(ctx)
    assert known(world, {uid}) == set()
