"""What kopf tells goes into the cache, and a list of kopf's makes one of ours at most."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

from kiro_swarm.cluster.resources import COMMANDS
from kiro_swarm.handlers.events import take
from kiro_swarm.handlers.session import SUPPORTED
from kiro_swarm.reconcile.engine.context import Alive
from kiro_swarm.reconcile.engine.remembered import Remembered
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World


def listed(name: str) -> Any:
    item = body(COMMANDS, name, {"swarm": "s", "command": "status swarm"})
    item["metadata"].update({"uid": name, "resourceVersion": "7"})
    return {"type": None, "object": item}


async def test_an_object_of_a_list_is_no_doubt_where_the_session_saw_the_list(
    world: World,
) -> None:
    take(world.ctx, COMMANDS, listed("a"))
    assert world.ctx.cache.get(COMMANDS, NAMESPACE, "a") is not None
    doubted = await asyncio.wait_for(world.ctx.unheard.take(0), 30)
    assert doubted == (() if SUPPORTED else (COMMANDS,))


def test_doubts_are_about_the_kinds_of_one_cluster() -> None:
    """Several clusters may share what is alive, not what is doubted."""
    assert "unheard" in {field.name for field in fields(Remembered)}
    assert "unheard" not in {field.name for field in fields(Alive)}
