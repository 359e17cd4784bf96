"""One object that no write succeeds at: the sentence ends with a reason, and blocks nobody.

The API server answers everything else all the time, so it is not away. What it answers here it
answers for ever: a quota, a policy, an object of somebody else, a webhook that is down.
"""

from __future__ import annotations

from typing import Optional

import pytest
from aiohttp import web

from kiro_swarm.cluster.resources import COMMANDS, JOBS, SWARMS
from tests.unit.reconcile.test_stuck import WIDE, lines, put_in_the_way, uid_of, wait
from tests.unit.reconcile.world import World

#: Longest time of a sentence; whoever waits for another one waits much shorter.
DEADLINE, PATIENCE = 3600, 40
#: HTTP status and reason of an answer.
ANSWERS = {
    "forbidden": (403, "Forbidden"),
    "changed": (409, "Conflict"),
    "gone": (404, "NotFound"),
    "invalid": (422, "Invalid"),
    "too many requests": (429, "TooManyRequests"),
    "internal error": (500, "InternalError"),
    "unavailable": (503, "ServiceUnavailable"),
}
#: Sentences that change an object: how and which.
CHANGING = {
    "scale instances 5": ("PATCH", "/kiroswarms/demo"),
    "run task 4": ("PATCH", "/kirotasks/demo.4"),
    "assign task 4 to instance demo-2": ("PATCH", "/kirotasks/demo.4"),
    "pause instance demo-1": ("PATCH", "/kiroinstances/demo-1"),
}
ENDING = ("stop all tasks", "pause swarm", "cancel command stuck")


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances, each with a task of four."""
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    return world


def answer_for_ever(world: World, method: str, path: str, what: str) -> None:
    status, reason = ANSWERS[what]

    async def intercept(request: web.Request) -> Optional[web.Response]:
        if request.method != method or not request.path.endswith(path):
            return None
        said = {"kind": "Status", "message": f"{what}, always", "reason": reason}
        return web.json_response(said, status=status)

    world.api.intercept = intercept


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("sentence", CHANGING)
async def test_what_changes_an_object_gives_way_whatever_the_server_answers(
    at_work: World, sentence: str, what: str
) -> None:
    answer_for_ever(at_work, *CHANGING[sentence], what)
    at_work.say(sentence, "stuck", timeoutSeconds=DEADLINE)
    at_work.say("unassign task 3", "queued")
    await wait(at_work, PATIENCE)
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
        answer_for_ever(at_work, "POST", "/jobs", what)
    else:
        name = f"demo-sync-{uid_of(at_work, 'stuck')[:8]}"
        put_in_the_way(at_work, JOBS, name)
    at_work.say("scale instances 3", "queued")
    await wait(at_work, PATIENCE)
    assert at_work.answer("queued").get("phase") == "Succeeded"
    await wait(at_work, 30)
    assert at_work.answer("stuck")["phase"] == "Failed"
    assert what in at_work.answer("stuck")["message"]


@pytest.mark.parametrize("what", ["forbidden", "changed", "internal error"])
@pytest.mark.parametrize("ending", ENDING)
async def test_what_ends_work_does_not_wait_whatever_the_server_answers(
    at_work: World, ending: str, what: str
) -> None:
    answer_for_ever(at_work, "PATCH", "/kirotasks/demo.4", what)
    at_work.say("run task 4", "stuck", timeoutSeconds=DEADLINE)
    await wait(at_work, 1)
    at_work.say(ending, "hurried")
    await wait(at_work, 3)
    assert at_work.answer("hurried").get("changes")
    ended = {"Failed", "Cancelled"}
    assert at_work.answer("stuck").get("phase") in ended


@pytest.mark.parametrize("what", ["forbidden", "internal error"])
async def test_an_audit_log_that_nobody_can_write_keeps_no_answer_back(
    at_work: World, what: str
) -> None:
    answer_for_ever(at_work, "POST", "/configmaps", what)
    at_work.say("scale instances 3", "first")
    at_work.say("scale instances 4", "queued")
    await wait(at_work, 3)
    assert at_work.answer("first")["phase"] == "Succeeded"
    assert at_work.answer("queued")["phase"] == "Succeeded"
    at_work.api.intercept = None
    await wait(at_work, PATIENCE)
    assert [line["command"] for line in lines(at_work)] == ["first", "queued"]


async def test_a_server_that_is_away_for_all_is_no_refusal(at_work: World) -> None:
    """For longer than a refusal is waited for; it is done when the server is back."""
    at_work.say("scale instances 5", "first", timeoutSeconds=DEADLINE)
    answer_for_ever(at_work, "PATCH", "/kiroswarms/demo", "unavailable")
    await wait(at_work, 5)
    assert at_work.answer("first")["phase"] == "Running"
    at_work.api.intercept = None
    await wait(at_work, 5)
    assert at_work.answer("first")["phase"] == "Succeeded"
    at_work.say("scale instances 4", "second", timeoutSeconds=DEADLINE)
    answer_for_ever(at_work, "PATCH", "", "unavailable")
    await wait(at_work, 10 * PATIENCE)
    assert at_work.cluster.one(COMMANDS, "second").get("status") is None
    at_work.api.intercept = None
    await wait(at_work, PATIENCE)
    assert at_work.answer("second")["phase"] == "Succeeded"
    assert at_work.cluster.one(SWARMS, "demo")["spec"]["instances"] == 4
