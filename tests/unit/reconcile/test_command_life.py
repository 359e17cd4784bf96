"""The life of a command: its turn, dry runs, deadlines, long answers, being said twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kiro_swarm.api.command import SwarmCommandStatus
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    EVENTS,
    SWARMS,
    TASKS,
)
from kiro_swarm.reconcile.commands.executors import EXECUTORS
from kiro_swarm.reconcile.commands.executors.plan import (
    Effect,
    Executor,
    Outcome,
    Partial,
    Request,
    gathered,
)
from tests.support.shapes import valid
from tests.unit.reconcile.world import World, a_world

WIDE = {"1": [], "2": [], "3": ["1", "2"], "4": ["3"]}


@pytest.fixture
async def at_work(world: World) -> World:
    """Two instances, each with a task of four."""
    world.graph = world.cluster.graph = WIDE
    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    return world


def wanted(world: World) -> int:
    count: int = world.cluster.one(SWARMS, "demo")["spec"]["instances"]
    return count


async def test_a_dry_run_says_what_it_would_change_and_changes_nothing(
    at_work: World,
) -> None:
    before = at_work.everything()
    at_work.say("scale up instances 3", dryRun=True)
    await at_work.live(2)
    answer = at_work.answer()
    assert (answer["phase"], wanted(at_work)) == ("Succeeded", 2)
    assert answer["message"] == (
        "dry run, nothing is changed. It would change kiroswarm/demo: "
        "spec.instances 2 -> 5"
    )
    (change,) = answer["result"]["data"]["wouldChange"]
    assert change["after"] == '{"spec":{"instances":5}}'
    assert "audit" not in answer
    after = at_work.everything()
    assert {**after, "swarmcommands": []} == {**before, "swarmcommands": []}


async def test_a_dry_run_of_nothing_and_of_the_impossible_say_so(
    at_work: World,
) -> None:
    at_work.say("scale instances 2", "same", dryRun=True)
    at_work.say("run task 99", "gone", dryRun=True)
    await at_work.live(2)
    assert at_work.answer("same")["message"].startswith(
        "dry run, nothing would be changed: "
    )
    assert at_work.answer("gone")["phase"] == "Failed"
    assert at_work.answer("gone")["message"].startswith("dry run: task 99 is not")


async def test_commands_begin_in_the_order_in_which_they_were_said(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path, WIDE) as world:
        for k in range(1, 12):
            world.begin_again()
            world.cluster.tasks_run = False
            world.apply_swarm()
            await world.live(9)
            # Names sort against the order, as a list of the API server would have them.
            for name, count in (("c", 5), ("b", 7), ("a", 3)):
                world.say(f"scale instances {count}", name)
            await world.live_killed_after(k, 2)
            await world.live(6)
            begun = {n: world.answer(n)["action"]["parameters"] for n in "cba"}
            assert begun == {
                "c": {"from": 2, "target": 5},
                "b": {"from": 5, "target": 7},
                "a": {"from": 7, "target": 3},
            }, k
            assert wanted(world) == 3


async def test_a_look_does_not_wait_for_its_turn(at_work: World) -> None:
    at_work.say("stop instance demo-1 graceful", "slow")
    at_work.say("status swarm", "look")
    at_work.say("scale instances 3", "next")
    await at_work.live(3)
    assert at_work.answer("slow")["phase"] == "Running"
    assert at_work.answer("look")["phase"] == "Succeeded"
    assert at_work.answer("next")["phase"] == "Succeeded"


def waiting(request: Request) -> Outcome:
    """An executor that is done as soon as the swarm has no instances."""
    parts = [
        Partial(item["metadata"]["name"], False, False, "still there")
        for item in request.view.instances
    ]
    parts.append(Partial("nobody", True, True))
    return gathered(parts, "gone")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXECUTORS, "cleanup swarm", Executor(waiting))


@pytest.mark.usefixtures("patient")
async def test_a_command_waits_for_its_outcome_and_says_how_far_it_is(
    at_work: World,
) -> None:
    at_work.say("cleanup swarm")
    await at_work.live(2)
    answer = at_work.answer()
    valid(SwarmCommandStatus, answer)
    assert (answer["phase"], answer["message"]) == ("Running", "1 of 3 gone")
    targets = [part["target"] for part in answer["partialResults"]]
    assert targets == ["demo-1", "demo-2", "nobody"]
    writes = len(at_work.api.writes)
    await at_work.live(3)
    assert len(at_work.api.writes) == writes
    at_work.edit_swarm(instances=0)
    at_work.cluster.tasks_run = True
    await at_work.live(9)
    assert at_work.answer()["phase"] == "Succeeded"
    assert at_work.answer()["message"] == "1 of 1 gone"


@pytest.mark.usefixtures("patient")
async def test_a_command_that_takes_too_long_fails_with_what_was_reached(
    at_work: World,
) -> None:
    at_work.say("cleanup swarm", timeoutSeconds=5)
    await at_work.live(3)
    assert at_work.answer()["phase"] == "Running"
    at_work.clock.seconds += 5
    await at_work.live(1)
    answer = at_work.answer()
    assert (answer["phase"], answer["reason"]) == ("Failed", "DeadlineExceeded")
    assert answer["message"] == "not finished after 5 s: 1 of 3 gone"
    assert len(answer["partialResults"]) == 3


async def test_a_correlation_id_is_used_for_one_text_and_done_once(
    at_work: World,
) -> None:
    at_work.say("scale up instances 1", "a", correlationId="id-1")
    await at_work.live(2)
    at_work.say("scale up instances 1", "b", correlationId="id-1")
    at_work.say("scale up instances 4", "c", correlationId="id-1")
    at_work.say("scale up instances 1", "d", correlationId="id-2")
    await at_work.live(3)
    assert wanted(at_work) == 4
    assert at_work.answer("b")["phase"] == "Succeeded"
    assert at_work.answer("b")["message"].startswith("carried out once, as a: scaled")
    refused = at_work.answer("c")
    assert (refused["phase"], refused["reason"]) == ("Rejected", "CorrelationIdUsed")
    assert refused["message"] == (
        "correlation id id-1 was already used with other text by a; result of the "
        "first: scaled demo from 2 to 3 instances"
    )


async def test_what_is_said_again_while_the_first_is_at_work_waits(
    at_work: World,
) -> None:
    for name in ("a", "b"):
        at_work.say("stop instance demo-1 graceful", name, correlationId="id-1")
    await at_work.live(2)
    assert at_work.answer("a")["phase"] == "Running"
    assert not at_work.answer("b").get("phase")
    at_work.cluster.tasks_run = True
    await at_work.live(9)
    assert at_work.answer("b")["message"].startswith("carried out once, as a: ")


@pytest.mark.parametrize("size", [10, 2_000_000])
async def test_an_answer_too_long_for_a_status_is_in_a_config_map(
    at_work: World, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    text = "é" * size
    speaker = Executor(lambda _: Outcome(True, "here it is", document=text))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    at_work.say("status swarm")
    await at_work.live(1)
    reference = at_work.answer()["dataRef"]
    config_map = at_work.cluster.one(CONFIG_MAPS, "word-result")
    stored = config_map["data"][reference["key"]]
    assert len(stored.encode()) == reference["sizeBytes"] < 1_000_000
    assert reference["truncated"] == (size > 1000)
    assert text.startswith(stored.rstrip("…"))
    (owner,) = config_map["metadata"]["ownerReferences"]
    assert owner["kind"] == "SwarmCommand"


async def test_large_data_is_put_aside_and_long_messages_are_cut(
    at_work: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"lines": ["x" * 100] * 1000}
    speaker = Executor(lambda _: Outcome(True, "é" * 10_000, data))
    monkeypatch.setitem(EXECUTORS, "status swarm", speaker)
    at_work.say("status swarm")
    await at_work.live(1)
    answer = at_work.answer()
    assert len(answer["message"].encode()) <= 4096
    assert answer["result"]["data"] == {}
    text = at_work.cluster.one(CONFIG_MAPS, "word-result")["data"]["data.json"]
    assert json.loads(text) == data


def told(world: World) -> set[tuple[str, str, str]]:
    return {
        (item["involvedObject"]["kind"], item["type"], item["message"])
        for item in world.cluster.all(EVENTS)
    }


async def test_a_change_is_told_on_the_command_and_on_the_swarm(
    at_work: World,
) -> None:
    at_work.say("scale up instances 1", requestedBy="ann")
    at_work.say("sclae up", "typo")
    at_work.say("status swarm", "look")
    before = told(at_work)
    await at_work.live(1)
    message = "scaled demo from 2 to 3 instances"
    news = told(at_work) - before
    assert ("SwarmCommand", "Normal", message) in news
    assert ("KiroSwarm", "Normal", f"scale up instances 1 (ann): {message}") in news
    assert [kind for kind, warning, _ in news if warning == "Warning"] == [
        "SwarmCommand"
    ]
    assert len(news) == 3


async def test_an_event_that_cannot_be_posted_costs_no_answer(at_work: World) -> None:
    async def refuse(request: web.Request) -> Any:
        if not request.path.endswith("/events"):
            return None
        return web.json_response({"message": "no events today"}, status=422)

    at_work.api.intercept = refuse
    before = len(told(at_work))
    at_work.say("scale up instances 1")
    await at_work.live(1)
    assert at_work.answer()["phase"] == "Succeeded"
    assert len(told(at_work)) == before


async def test_a_dry_run_pins_nothing(at_work: World) -> None:
    at_work.say("scale up instances 1", "dry", dryRun=True)
    at_work.say("scale up instances 1", "wet")
    await at_work.live(1)
    assert "target" not in at_work.answer("dry")["action"]["parameters"]
    assert at_work.answer("wet")["action"]["parameters"]["target"] == 3


async def test_a_command_that_only_looks_is_one_write(at_work: World) -> None:
    before = len(at_work.api.writes)
    at_work.say("status swarm")
    await at_work.live(1)
    assert at_work.api.writes[before:] == ["PATCH swarmcommands/word/status"]


async def test_a_command_that_changes_is_five_writes_and_two_events(
    at_work: World,
) -> None:
    at_work.say("run task 3")
    before = len(at_work.api.writes)
    await at_work.settle()
    writes = at_work.api.writes[before:]
    assert [item for item in writes if "events" not in item] == [
        "PATCH swarmcommands/word/status",  # what it is going to change
        "PATCH kirotasks/demo.3",
        "POST configmaps/demo-audit-1",  # the audit log
        "PATCH swarmcommands/word/status",  # the answer
        "PATCH kiroswarms/demo/status",  # the anchor of the log
    ]


async def test_the_requester_is_recorded(at_work: World) -> None:
    at_work.say("status swarm", requestedBy="ann")
    await at_work.live(1)
    assert at_work.answer()["requestedBy"] == "ann"


async def test_a_pipeline_that_applies_the_same_manifest_again_does_nothing(
    at_work: World,
) -> None:
    at_work.say("scale up instances 1")
    await at_work.live(2)
    item = at_work.cluster.one(COMMANDS, "word")
    at_work.ctx.wake(COMMANDS, item)
    await at_work.restart()
    await at_work.live(2)
    assert wanted(at_work) == 3


async def test_a_defect_is_an_answer_and_holds_nobody_up(
    at_work: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Request) -> Outcome:
        raise KeyError("commit")

    monkeypatch.setitem(EXECUTORS, "cleanup swarm", Executor(broken))
    at_work.say("cleanup swarm", "a")
    at_work.say("scale instances 3", "b")
    await at_work.live(2)
    answer = at_work.answer("a")
    assert (answer["phase"], answer["reason"]) == ("Failed", "InternalError")
    assert "log has the details" in answer["message"]
    assert "KeyError: 'commit'" in caplog.text
    assert at_work.answer("b")["phase"] == "Succeeded"


async def test_a_write_that_the_life_of_a_task_forbids_is_an_answer_too(
    at_work: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Request) -> Outcome:
        task = request.view.tasks[0]
        effect = Effect("patch_status", TASKS, task, "x", {"state": "Merged"})
        return Outcome(None, "", effects=(effect,))

    monkeypatch.setitem(EXECUTORS, "cleanup swarm", Executor(broken))
    before = at_work.cluster.all(TASKS)
    at_work.say("cleanup swarm", "a")
    at_work.say("scale instances 3", "b")
    await at_work.live(4)
    answer = at_work.answer("a")
    assert (answer["phase"], answer["reason"]) == ("Failed", "InternalError")
    assert "IllegalEdgeError" in caplog.text
    assert at_work.answer("b")["phase"] == "Succeeded"
    assert at_work.cluster.all(TASKS) == before


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize("texts", [(1, 1), (1, 4)])
async def test_of_those_said_in_one_second_the_first_is_done_whatever_it_is_called(
    at_work: World, names: str, texts: tuple[int, int]
) -> None:
    for name, count in zip(names, texts):
        sentence = f"scale up instances {count}"
        at_work.say(sentence, name, correlationId="id-1")
    await at_work.live(3)
    first, second = (at_work.answer(name) for name in names)
    assert (first["phase"], wanted(at_work)) == ("Succeeded", 3)
    assert second["reason"] == (
        "Succeeded" if texts[0] == texts[1] else "CorrelationIdUsed"
    )
    assert names[0] in second["message"]


async def test_an_answer_once_given_is_that_of_the_id_for_ever(at_work: World) -> None:
    at_work.say("scale up instances 1", "z", correlationId="id-1")
    at_work.say("scale up instances 9", "y", correlationId="id-1")
    await at_work.live(3)
    at_work.say("scale up instances 1", "a", correlationId="id-1")
    await at_work.live(2)
    assert at_work.answer("y")["reason"] == "CorrelationIdUsed"
    assert at_work.answer("a")["message"].startswith("carried out once, as z: ")
    assert wanted(at_work) == 3
