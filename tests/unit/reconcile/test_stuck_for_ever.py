"""One object that no write succeeds at: the sentence ends with a reason, and blocks nobody.

The API server answers everything else all the time, so it is not away. What it answers here it
answers for ever: a quota, a policy, an object of somebody else, a webhook that is down or hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from typing import Any, Optional, cast

import pytest
from aiohttp import web

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, JOBS, SWARMS
from kiro_swarm.reconcile.commands.effects import carry_out
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import Effect, Executor, Outcome
from kiro_swarm.reconcile.engine.context import AT_ONCE, Context
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.worker import Workers
from tests.support.fake_api import until
from tests.support.sizes import every
from tests.unit.reconcile.stuck import (
    ANSWERS,
    REQUEST_SECONDS,
    WIDE,
    answer_for_ever,
    answer_of_command,
    at,
    config_map,
    heal,
    lines,
    put_in_the_way,
    status_of_command,
    uid_of,
    wait,
    warnings,
)
from tests.unit.reconcile.surroundings import NAMESPACE, body
from tests.unit.reconcile.world import World

#: Longest time of a sentence; whoever waits for another one waits much shorter: half a minute and
#: two tries.
DEADLINE, PATIENCE = 3600, 40
#: Sentences that change an object: how and which.
CHANGING = {
    "scale instances 5": at("PATCH", "/kiroswarms/demo"),
    "run task 4": at("PATCH", "/kirotasks/demo.4"),
    "assign task 4 to instance demo-2": at("PATCH", "/kirotasks/demo.4"),
    "pause instance demo-1": at("PATCH", "/kiroinstances/demo-1"),
}
ENDING = ("stop all tasks", "pause swarm", "cancel command stuck")
#: What belongs to the command `stuck` itself: which write, and the longest that others wait.
OWN = {
    "all of its status": status_of_command("stuck"),
    "its answer": answer_of_command("stuck"),
    "its line in the audit log": config_map("demo-audit-1"),
}


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances, each with a task of four."""
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    return world


def patience(what: str) -> int:
    """A request that hangs is waited for, twice."""
    return PATIENCE + 2 * REQUEST_SECONDS if what == "hangs" else PATIENCE


def scaled(world: World) -> list[int]:
    """To how many instances the swarm was scaled, one after another."""
    found = [2]
    for change in world.api.store.changes:
        if change.resource is SWARMS and change.after:
            wanted = change.after["spec"]["instances"]
            if wanted != found[-1]:
                found.append(wanted)
    return found[1:]


@pytest.mark.parametrize(
    ("sentence", "what"), every(3, itertools.product(CHANGING, ANSWERS))
)
async def test_what_changes_an_object_gives_way_whatever_the_server_answers(
    at_work: World, sentence: str, what: str
) -> None:
    answer_for_ever(at_work, CHANGING[sentence], what)
    at_work.say(sentence, "stuck", timeoutSeconds=DEADLINE)
    at_work.say("unassign task 3", "queued")
    await wait(at_work, patience(what))
    assert at_work.answer("queued").get("phase") in ("Succeeded", "Failed")
    answer = at_work.answer("stuck")
    assert answer["phase"] == "Failed"
    assert f"{what}, always" in answer["message"]
    expected = "Failed" if what == "invalid" else "Refused"
    assert answer["reason"] == expected


@pytest.mark.parametrize("what", [*ANSWERS, "somebody else's"])
async def test_what_makes_an_object_holds_nobody_up_and_ends_at_its_deadline(
    at_work: World, what: str
) -> None:
    at_work.say("sync upstream", "stuck", timeoutSeconds=60)
    if what in ANSWERS:
        answer_for_ever(at_work, at("POST", "/jobs"), what)
    else:
        name = f"demo-sync-{uid_of(at_work, 'stuck')[:8]}"
        put_in_the_way(at_work, JOBS, name)
    at_work.say("scale instances 3", "queued")
    await wait(at_work, 2)
    assert at_work.answer("queued").get("phase") == "Succeeded"
    if what not in ("invalid", "hangs"):  # never asked again; its time is over
        assert at_work.answer("stuck")["phase"] == "Running"
    await wait(at_work, 100)
    answer = at_work.answer("stuck")
    assert answer["phase"] == "Failed"
    assert answer["reason"] in ("Refused", "DeadlineExceeded", "Failed")
    assert what in answer["message"]


@pytest.mark.parametrize("what", ["forbidden", "changed", "internal error"])
@pytest.mark.parametrize("ending", ENDING)
async def test_what_ends_work_does_not_wait_whatever_the_server_answers(
    at_work: World, ending: str, what: str
) -> None:
    answer_for_ever(at_work, at("PATCH", "/kirotasks/demo.4"), what)
    at_work.say("run task 4", "stuck", timeoutSeconds=DEADLINE)
    await wait(at_work, 1)
    at_work.say(ending, "hurried")
    await wait(at_work, 3)
    assert at_work.answer("hurried").get("changes")
    ended = {"Failed", "Cancelled"}
    assert at_work.answer("stuck").get("phase") in ended


# ------------------------------------------------------- what is the command's own


@pytest.mark.parametrize(
    ("own", "what", "restarted"),
    every(
        3,
        (
            (own, what, restarted)
            for own in OWN
            for restarted in (False, True)
            for what in (("invalid", "hangs") if restarted else ANSWERS)
        ),
    ),
)
async def test_what_is_its_own_holds_nobody_up_and_nothing_is_done_twice(
    at_work: World, own: str, what: str, restarted: bool
) -> None:
    answer_for_ever(at_work, OWN[own], what)
    at_work.say("scale instances 5", "stuck", timeoutSeconds=300)
    at_work.say("scale instances 4", "queued")
    await wait(at_work, patience(what))
    assert at_work.answer("queued").get("phase") == "Succeeded"
    assert at_work.cluster.one(SWARMS, "demo")["spec"]["instances"] == 4
    if restarted:
        await at_work.restart()
    await wait(at_work, 400 if what != "hangs" else 1200)
    told = warnings(at_work, "stuck")
    if own == "its line in the audit log":
        assert told == []
        assert at_work.answer("stuck")["phase"] == "Succeeded"
    else:
        assert len(told) == len(set(told))
        assert any(f"{what}, always" in text for text in told)
        assert "finishedAt" not in at_work.answer("stuck")
    heal(at_work)
    await wait(at_work, 70)
    answer = at_work.answer("stuck")
    assert answer["phase"] in ("Succeeded", "Failed")
    done_once = [5, 4] if answer.get("changes") else [4]
    assert scaled(at_work) == done_once
    if answer["phase"] == "Failed":
        assert answer["reason"] in ("Refused", "Overtaken")
    logged = sorted(line["command"] for line in lines(at_work))
    assert logged == ["queued", "stuck"]


@pytest.mark.parametrize("what", ANSWERS)
async def test_a_long_answer_that_nobody_stores_is_lost_in_time(
    at_work: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    speaker = Executor(lambda _: Outcome(True, "here it is", document="long"))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    monkeypatch.setitem(EXECUTORS, "unassign task", speaker)
    answer_for_ever(at_work, config_map("stuck-result", "looks-result"), what)
    at_work.say("status swarm", "looks")
    at_work.say("unassign task 3", "stuck")
    at_work.say("scale instances 4", "queued")
    await wait(at_work, patience(what) + 2 * REQUEST_SECONDS)
    assert at_work.answer("queued").get("phase") == "Succeeded"
    assert at_work.answer("looks")["reason"] == "ResultNotStored"
    answer = at_work.answer("stuck")
    assert (answer["phase"], answer["reason"]) == ("Succeeded", "ResultNotStored")
    assert "the rest of the answer is lost" in answer["message"]


async def test_many_whose_status_nobody_can_write_are_passed_together(
    at_work: World,
) -> None:
    """A webhook that is down for one requester: not half a minute for each command."""
    which = at("PATCH", "-of-eve/status")
    answer_for_ever(at_work, which, "internal error")
    for number in range(30):
        at_work.say(f"scale instances {5 + number}", f"c{number}-of-eve")
    at_work.say("scale instances 4", "queued")
    await wait(at_work, PATIENCE)
    assert at_work.answer("queued").get("phase") == "Succeeded"
    heal(at_work)
    await wait(at_work, 100)
    assert scaled(at_work) == [4]
    answers = [at_work.answer(f"c{number}-of-eve") for number in range(30)]
    assert {answer["reason"] for answer in answers} == {"Overtaken"}


@pytest.mark.parametrize("ending", [*ENDING, "stop instance demo-1"])
async def test_what_ends_work_does_not_wait_for_a_request_that_hangs(
    at_work: World, ending: str
) -> None:
    """In real time, for what waits here is a lock: the request hangs until the end."""
    over, hanging = asyncio.Event(), asyncio.Event()

    async def intercept(request: web.Request) -> Optional[web.Response]:
        if request.method == "PATCH" and request.path.endswith("/kirotasks/demo.4"):
            hanging.set()
            await over.wait()
            return web.json_response({"message": "hung"}, status=504)
        return None

    at_work.api.intercept = intercept
    ctx = at_work.ctx
    ctx.monotonic, ctx.queue = time.monotonic, WorkQueue(time.monotonic)

    def has_done(name: str) -> bool:
        """What it does; it may wait for the runners to follow."""
        at_work.listen()
        answer = at_work.answer(name)
        return "Succeeded" in answer.values() or "Waiting" in answer.values()

    running = asyncio.ensure_future(Workers(ctx).run(lambda: None))
    at_work.say("assign task 4 to instance demo-2", "stuck")
    at_work.listen()
    await hanging.wait()
    began = time.monotonic()
    at_work.say(ending, "hurried")
    await until(lambda: has_done("hurried"))
    assert time.monotonic() - began < 10  # two, on a quiet machine
    assert at_work.answer("hurried")["changes"]
    over.set()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


# ----------------------------------------------------------------- for all of them


@pytest.mark.parametrize("what", ["forbidden", "internal error", "gone", "changed"])
async def test_an_audit_log_that_nobody_can_write_keeps_no_answer_back(
    at_work: World, what: str
) -> None:
    answer_for_ever(at_work, at("POST", "/configmaps"), what)
    at_work.say("scale instances 3", "first")
    at_work.say("scale instances 4", "queued")
    await wait(at_work, 3)
    assert at_work.answer("first")["phase"] == "Succeeded"
    assert at_work.answer("queued")["phase"] == "Succeeded"
    heal(at_work)
    await wait(at_work, PATIENCE)
    assert [line["command"] for line in lines(at_work)] == ["first", "queued"]


async def test_a_log_that_hangs_costs_half_a_minute_once_and_not_for_each(
    at_work: World,
) -> None:
    answer_for_ever(at_work, config_map("demo-audit-1"), "hangs")
    for number in range(6):
        at_work.say(f"scale instances {3 + number}", f"c{number}")
    began = at_work.clock.seconds
    await wait(at_work, 1)
    answers = [at_work.answer(f"c{number}").get("phase") for number in range(6)]
    assert answers == ["Succeeded"] * 6
    assert at_work.clock.seconds - began < 2 * REQUEST_SECONDS


async def test_a_server_that_is_away_for_all_is_no_refusal(at_work: World) -> None:
    """For longer than a refusal is waited for; it is done when the server is back."""
    at_work.say("scale instances 5", "first", timeoutSeconds=DEADLINE)
    answer_for_ever(at_work, at("PATCH", "/kiroswarms/demo"), "unavailable")
    await wait(at_work, 5)
    assert at_work.answer("first")["phase"] == "Running"
    heal(at_work)
    await wait(at_work, 5)
    assert at_work.answer("first")["phase"] == "Succeeded"
    answer_for_ever(at_work, at("PATCH", ""), "unavailable")
    for number in range(4, 9):
        at_work.say(f"scale instances {number}", f"c{number}", timeoutSeconds=DEADLINE)
    await wait(at_work, 10 * PATIENCE)
    assert at_work.cluster.one(COMMANDS, "c4").get("status") is None
    heal(at_work)
    await wait(at_work, PATIENCE)
    phases = [at_work.answer(f"c{number}").get("phase") for number in range(4, 9)]
    assert phases == ["Succeeded"] * 5
    assert scaled(at_work) == [5, 4, 5, 6, 7, 8]


class Hanging:
    """A context in which each write hangs for half a minute."""

    def __init__(self) -> None:
        self.clock, self.begun = 0.0, 0

    def monotonic(self) -> float:
        return self.clock

    async def patch(self, *_: Any) -> None:
        self.begun += 1
        await asyncio.sleep(0)
        self.clock += REQUEST_SECONDS
        raise errors.Unavailable("hangs, always")


async def test_of_a_thousand_writes_that_hang_one_round_is_begun() -> None:
    hanging = Hanging()
    effects = [
        Effect("patch", SWARMS, body(SWARMS, f"s{number}", {}), "says")
        for number in range(1000)
    ]
    with pytest.raises(errors.Unavailable):
        await carry_out(cast(Context, hanging), NAMESPACE, effects)
    assert hanging.begun == AT_ONCE
