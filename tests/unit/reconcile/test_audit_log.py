"""The audit log's writer: every command once, whoever dies or writes at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS, SWARMS
from kiro_swarm.observe import audit
from kiro_swarm.policy import chain
from kiro_swarm.reconcile.engine.audit import AuditLog
from tests.unit.reconcile.world import World, a_world


def an_entry(number: int) -> audit.Record:
    return {"uid": f"uid-{number}", "what": f"scale instances {number}"}


@pytest.fixture
async def settled(world: World) -> World:
    world.apply_swarm()
    await world.live(3)
    return world


def the_swarm(world: World) -> Any:
    return world.cluster.one(SWARMS, "demo")


def lines(world: World) -> list[audit.Record]:
    maps = [
        item
        for item in world.cluster.all(CONFIG_MAPS)
        if "-audit-" in item["metadata"]["name"]
    ]
    return audit.read(maps)


async def test_lines_that_come_together_go_into_one_write(settled: World) -> None:
    swarm, log = the_swarm(settled), AuditLog(settled.client)
    before = len(settled.api.writes)
    places = await asyncio.gather(*(log.append(swarm, an_entry(n)) for n in range(20)))
    assert [place.sequence for place in places] == list(range(1, 21))
    assert len(settled.api.writes) - before <= 2
    assert audit.verify(lines(settled), log.anchor(swarm)) == []


async def test_a_command_has_one_line_however_often_it_is_logged(
    settled: World,
) -> None:
    swarm = the_swarm(settled)
    first = await AuditLog(settled.client).append(swarm, an_entry(1))
    again = AuditLog(settled.client)  # the next process
    assert await again.append(swarm, an_entry(1)) == first
    assert (await again.append(swarm, an_entry(2))).sequence == 2
    assert len(lines(settled)) == 2


async def test_a_full_config_map_is_followed_by_another(settled: World) -> None:
    swarm, log = the_swarm(settled), AuditLog(settled.client)
    many = chain.LINES_PER_SEGMENT + 5
    await asyncio.gather(*(log.append(swarm, an_entry(n)) for n in range(many)))
    await AuditLog(settled.client).append(swarm, an_entry(many))
    names = {
        item["metadata"]["name"]: len(item["data"])
        for item in settled.cluster.all(CONFIG_MAPS)
        if "-audit-" in item["metadata"]["name"]
    }
    assert names == {"demo-audit-1": chain.LINES_PER_SEGMENT, "demo-audit-2": 6}
    assert audit.verify(lines(settled)) == []


async def test_two_operators_do_not_overwrite_each_other(settled: World) -> None:
    swarm = the_swarm(settled)
    old, new = AuditLog(settled.client), AuditLog(settled.client)
    await old.append(swarm, an_entry(1))
    await new.append(swarm, an_entry(2))
    with pytest.raises(errors.Conflict, match="has moved on"):
        await old.append(swarm, an_entry(3))
    assert (await old.append(swarm, an_entry(3))).sequence == 3
    assert audit.verify(lines(settled)) == []


async def test_everybody_who_waits_learns_of_a_failure(settled: World) -> None:
    swarm, log = the_swarm(settled), AuditLog(settled.client)
    settled.api.crash_after(0)
    tries = [log.append(swarm, an_entry(n)) for n in range(3)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(item, errors.Unavailable) for item in found), found
    assert log.anchor(swarm) is None
    settled.api.revive()
    assert (await log.append(swarm, an_entry(0))).sequence == 1


async def test_the_log_of_a_namesake_is_not_this_swarms(settled: World) -> None:
    swarm = the_swarm(settled)
    await AuditLog(settled.client).append(swarm, an_entry(1))
    other: Any = {**swarm, "metadata": {**swarm["metadata"], "uid": "another"}}
    with pytest.raises(errors.Conflict):
        await AuditLog(settled.client).append(other, an_entry(2))


async def test_every_command_that_changes_is_logged_once_wherever_it_dies(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path, {"1": []}) as world:
        for k in range(0, 14):
            world.begin_again()
            world.cluster.tasks_run = False
            world.apply_swarm(instances=1)
            await world.live(9)
            world.say("scale up instances 2", "first", requestedBy="ann")
            world.say("run task 1", "second")
            world.say("status swarm", "third")
            await world.live_killed_after(k, 4)
            await world.live(6)
            records = lines(world)
            logged = {record["what"]: record for record in records}
            assert (len(records), set(logged)) == (
                2,
                {"scale up instances 2", "run task 1"},
            ), k
            scaled = logged["scale up instances 2"]
            assert (scaled["who"], scaled["outcome"]) == ("ann", "Succeeded")
            assert scaled["changes"] == [
                {
                    "object": "kiroswarm/demo",
                    "before": '{"spec":{"instances":1}}',
                    "after": '{"spec":{"instances":3}}',
                }
            ], k
            commands = world.cluster.all(COMMANDS)
            anchor = world.status()["audit"]
            assert anchor["lines"] == 2, k
            assert audit.verify(records, anchor, commands) == [], k
