"""Leases: heartbeats, and one leader at a time, judged by our own clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster import errors, leases
from kiro_swarm.cluster.bound import BoundTasks
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.leases import Leader
from kiro_swarm.cluster.resources import LEASES, TASKS
from tests.support.fake_api import FakeApi, until

NS = "team"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SOON = 30.0  # seconds of patience, never a measure


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def candidate(client: Client, name: str, clock: Clock) -> Leader:
    return Leader(client, NS, "leader", name, seconds=1, clock=clock)


def holder(api: FakeApi) -> str:
    return str(api.store.read(LEASES, NS, "leader")["spec"]["holderIdentity"])


async def until_asked(api: FakeApi, times: int = 1) -> None:
    """Until a candidate has looked at the Lease again, so often."""
    seen = len(api.requests)
    await until(lambda: len(api.requests) >= seen + times)


async def test_the_first_candidate_leads_and_a_second_waits(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    await candidate(client, "one", clock).acquire()
    waiting = asyncio.ensure_future(candidate(client, "two", clock).acquire())
    await until_asked(api, 3)
    assert holder(api) == "one"
    assert not waiting.done()
    clock.seconds = 1.5
    await asyncio.wait_for(waiting, SOON)
    lease = api.store.read(LEASES, NS, "leader")["spec"]
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("two", 1)


async def test_a_lease_that_is_renewed_does_not_expire_whatever_its_times_say(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    await candidate(client, "one", clock).acquire()
    waiting = asyncio.ensure_future(candidate(client, "two", clock).acquire())
    await until_asked(api, 2)
    for number in range(3):
        clock.seconds += 0.9
        renewed = {"renewTime": f"1999-01-01T00:00:0{number}.000000Z"}
        api.store.patch(LEASES, NS, "leader", {"spec": renewed})
        await until_asked(api, 2)
        assert not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_leader_that_gives_up_makes_way_at_once(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    one = candidate(client, "one", clock)
    await one.acquire()
    await one.release()
    assert holder(api) == ""
    await asyncio.wait_for(candidate(client, "two", clock).acquire(), SOON)
    await one.release()
    assert holder(api) == "two", "nobody gives up what another has"


async def test_the_leader_renews_and_stops_when_another_has_the_lease(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    one = candidate(client, "one", clock)
    await one.acquire()
    holding = asyncio.ensure_future(one.hold())
    before = api.store.read(LEASES, NS, "leader")["spec"]["renewTime"]
    await until_asked(api, 4)
    assert api.store.read(LEASES, NS, "leader")["spec"]["renewTime"] > before
    stolen = {"holderIdentity": "two", "renewTime": "2026-01-01T00:00:00.000000Z"}
    api.store.patch(LEASES, NS, "leader", {"spec": stolen})
    await asyncio.wait_for(holding, SOON)


async def test_two_that_take_an_expired_lease_at_once_are_not_both_leaders(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    await candidate(client, "dead", clock).acquire()
    racers = [candidate(client, name, clock) for name in ("one", "two")]
    waiting = [asyncio.ensure_future(racer.acquire()) for racer in racers]
    await until_asked(api, 4)
    clock.seconds = 2.0
    done, pending = await asyncio.wait(
        waiting, timeout=SOON, return_when=asyncio.FIRST_COMPLETED
    )
    assert (len(done), len(pending)) == (1, 1)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def test_two_that_make_the_lease_at_once_are_not_both_leaders(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()

    async def somebody_was_faster(request: web.Request) -> None:
        if request.method == "POST":
            api.intercept = None
            body = {"metadata": {"name": "leader"}, "spec": {"holderIdentity": "two"}}
            api.store.create(LEASES, NS, body)

    api.intercept = somebody_was_faster
    waiting = asyncio.ensure_future(candidate(client, "one", clock).acquire())
    await until_asked(api, 4)
    assert not waiting.done()
    assert holder(api) == "two"
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_conflict_while_renewing_is_not_leadership(
    api: FakeApi, client: Client
) -> None:
    clock = Clock()
    one = candidate(client, "one", clock)
    await one.acquire()

    async def conflict(request: web.Request) -> Optional[web.StreamResponse]:
        if request.method != "PUT":
            return None
        return web.json_response({"reason": "Conflict"}, status=409)

    api.intercept = conflict
    await asyncio.wait_for(one.hold(), SOON)


async def test_a_server_that_is_away_makes_nobody_a_leader(
    api: FakeApi, client: Client
) -> None:
    away = [True]

    async def gone(_: web.Request) -> Optional[web.StreamResponse]:
        return web.Response(status=503) if away[0] else None

    api.intercept = gone
    waiting = asyncio.ensure_future(candidate(client, "one", Clock()).acquire())
    await until_asked(api, 3)
    assert not waiting.done(), "it keeps asking"
    away[0] = False
    await asyncio.wait_for(waiting, SOON)
    assert holder(api) == "one"


async def test_a_server_that_says_no_is_an_error_and_not_a_leadership(
    api: FakeApi, client: Client
) -> None:
    async def forbidden(_: web.Request) -> web.Response:
        return web.Response(status=403)

    api.intercept = forbidden
    with pytest.raises(errors.Forbidden):
        await candidate(client, "one", Clock()).acquire()


@pytest.mark.parametrize("answers", [True, False])
async def test_the_leadership_ends_before_its_term_when_it_cannot_be_renewed(
    api: FakeApi, client: Client, answers: bool
) -> None:
    loop = asyncio.get_running_loop()
    one = Leader(client, NS, "leader", "one", seconds=1, clock=loop.time)
    await one.acquire()
    started = loop.time()
    never = asyncio.Event()

    async def away(_: web.Request) -> web.Response:
        if not answers:
            await never.wait()  # a server that hangs is worse than one that refuses
        return web.Response(status=503)

    api.intercept = away
    await asyncio.wait_for(one.hold(), SOON)
    assert loop.time() - started < 1.0, "the next leader begins when the term is over"
    never.set()


async def test_a_heartbeat_makes_its_lease_and_then_renews_it(
    api: FakeApi, client: Client
) -> None:
    belongs: leases.Belongs = {"labels": {"a": "b"}, "ownerReferences": []}
    for seconds in (4, 5):
        await leases.renew(
            client,
            NS,
            "demo-1",
            holder="demo-1",
            seconds=seconds,
            now=NOW,
            belongs=belongs,
        )
    lease = api.store.read(LEASES, NS, "demo-1")
    assert lease["metadata"]["labels"] == {"a": "b"}
    assert lease["spec"] == {
        "holderIdentity": "demo-1",
        "leaseDurationSeconds": 5,
        "renewTime": "2026-11-22T10:00:00.000000Z",
        "acquireTime": "2026-11-22T10:00:00.000000Z",
    }


def bound(client: Client) -> BoundTasks:
    return BoundTasks(
        client,
        namespace=NS,
        swarm="demo",
        instance="demo-1",
        instance_uid="uid-1",
        heartbeat_seconds=10,
    )


async def test_a_runner_sees_its_own_tasks_and_no_others(
    api: FakeApi, client: Client
) -> None:
    tasks = bound(client)
    for name, instance in (("a", "demo-1"), ("b", "demo-2")):
        api.store.create(TASKS, NS, {"metadata": {"name": name}, "spec": {}})
        api.store.patch(TASKS, NS, name, {"status": {"instance": instance}}, "status")
    kind, seen = await asyncio.wait_for(tasks.watch_mine().__anext__(), SOON)
    assert (kind, seen["metadata"]["name"]) == ("SET", "a")
    again = await tasks.read("a")
    assert again is not None
    assert again["status"] == seen["status"] == {"instance": "demo-1"}
    assert await tasks.read("nothing") is None
    version = seen["metadata"]["resourceVersion"]
    await tasks.patch_status("a", {"state": "Running"}, version)
    with pytest.raises(errors.Conflict):
        await tasks.patch_status("a", {"state": "Done"}, version)


@pytest.mark.parametrize(("busy", "said"), [(True, "demo-1"), (False, "demo-1/idle")])
async def test_the_heartbeat_of_an_instance_belongs_to_it(
    api: FakeApi, client: Client, busy: bool, said: str
) -> None:
    await bound(client).renew_lease(busy)
    lease = api.store.read(LEASES, NS, "demo-1")
    assert lease["spec"]["holderIdentity"] == said
    assert lease["spec"]["leaseDurationSeconds"] == 40
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "uid-1"
    assert lease["metadata"]["labels"]["swarm.kiro.dev/instance"] == "demo-1"
