"""The order of commands is theirs for good: a new process of the operator has the same.

Times have seconds and every write changes the version of an object, so who was first within a
second is in its status. A small model of an API server says what is right.
"""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path
from typing import Any, Optional, cast

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.cluster.resources import COMMANDS, SWARMS
from kiro_swarm.reconcile.engine.backlog import Backlog
from kiro_swarm.reconcile.engine.command_facts import (
    creation_version,
    is_waiting,
    phase_of,
)
from kiro_swarm.reconcile.engine.kept_parts import kept_parts
from tests.unit.reconcile.test_backlog import command
from tests.unit.reconcile.world import World, a_world

#: What it is about: kind and name; nothing where it is all of the swarm.
STARTING = {
    "resume swarm": "",
    "retry all tasks": "",
    "run task 1": "task 1",
    "retry task 2": "task 2",
    "resume task 1": "task 1",
    "restart instance a": "instance a",
    "resume instance b": "instance b",
    "resume instance 1": "instance 1",
}
HALTING = {
    "pause swarm": "",
    "stop all tasks": "",
    "stop task 1": "task 1",
    "pause task 2": "task 2",
    "pause instance a": "instance a",
    "stop instance b graceful": "instance b",
}
SENTENCES = (*STARTING, *HALTING, "scale instances 3", "status swarm")
ACTIONS = (
    "say",
    "say",
    "second",
    "back",
    "work",
    "work",
    "wait",
    "answer",
    "touch",
    "restart",
)


def concerns(halting: str, starting: str) -> bool:
    """Whether one ends work that the other would start."""
    if halting not in HALTING:
        return False
    ended, begun = HALTING[halting], STARTING[starting]
    return not ended or not begun or ended == begun


class Model:
    """API servers, an operator, and what was said first and what was done.

    One server's clock is behind the other's, who knows how far.
    """

    def __init__(self) -> None:
        self.version, self.second = 1, 0
        self.there: list[SwarmCommand] = []
        self.backlog = Backlog()

    def say(self, text: str) -> None:
        """Names say nothing about the order."""
        self.version += 1
        name = f"c{(len(self.there) * 7) % 10}{len(self.there)}"
        item = command(name, name, self.version, text)
        item["metadata"][
            "creationTimestamp"
        ] = f"2026-01-01T00:00:{self.second % 60:02}Z"
        self.there.append(item)
        self.backlog.note(item)

    def write(self, which: int, **status: Any) -> None:
        """As the operator writes, or a person who sets a label of what has a status."""
        open_ones = [n for n, one in enumerate(self.there) if _may(one, status)]
        if not open_ones:
            return
        number = open_ones[which % len(open_ones)]
        item: Any = self.there[number]
        created = self.backlog.created_at(item)
        if status:
            permission = item["spec"]["command"].split()[0]
            status["action"] = {"permission": permission}
            status["changes"] = [{"says": "x", "object": "x"}]
            status["creationVersion"] = str(created)
        self.version += 1
        metadata = {**item["metadata"], "resourceVersion": str(self.version)}
        status = {**item.get("status", {}), **status}
        item = {**item, "metadata": metadata, "status": status}
        self.there[number] = item
        self.backlog.note(item)

    def restart(self, order: int) -> None:
        """A new process lists what is there, in whatever order."""
        self.backlog = Backlog()
        listed = list(self.there)
        random.Random(order).shuffle(listed)
        for item in listed:
            self.backlog.note(item)

    def overtaken_by(self, number: int) -> Optional[str]:
        item = self.there[number]
        if item["spec"]["command"] not in STARTING or is_waiting(item):
            return None
        done = [
            one["metadata"]["name"]
            for one in self.there[number + 1 :]
            if one.get("status")
            and concerns(one["spec"]["command"], item["spec"]["command"])
        ]
        return done[-1] if done else None

    def judge(self) -> None:
        """The backlog says what is right by the order in which everything was said."""
        ours = [
            (n, one)
            for n, one in enumerate(self.there)
            if phase_of(one) in ("Pending", "Running")
        ]
        for number, item in ours:
            assert self.backlog.overtaken_by(item) == self.overtaken_by(number)
        blocking = [
            (phase_of(one) != "Running", n, one["metadata"]["name"])
            for n, one in ours
            if one["spec"]["command"] != "status swarm" and not is_waiting(one)
        ]
        first = min(blocking)[-1] if blocking else None
        assert self.backlog.next("n", "s") == first
        overtaken = {
            item["metadata"]["name"] for n, item in ours if self.overtaken_by(n)
        }
        assert set(self.backlog.overtaken("n", "s")) == overtaken


def _may(item: SwarmCommand, status: dict[str, Any]) -> bool:
    """Nothing is written into an answered one; who has no status yet is left alone by people."""
    if not status:
        return bool(item.get("status"))
    return phase_of(item) in ("Pending", "Running")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(ACTIONS), st.integers(0, 9), st.sampled_from(SENTENCES)
        ),
        max_size=40,
    )
)
def test_a_new_process_has_the_same_order_and_says_the_same_of_what_is_overtaken(
    script: list[tuple[str, int, str]],
) -> None:
    model = Model()
    for action, which, text in script:
        if action == "say":
            model.say(text)
        elif action == "second":
            model.second += 1
        elif action == "back":
            model.second -= which
        elif action == "work":
            model.write(which, phase="Running", reason="Working")
        elif action == "wait":
            model.write(which, phase="Running", reason="Waiting")
        elif action == "answer":
            model.write(which, phase="Succeeded", reason="Succeeded")
        elif action == "touch":
            model.write(which)
        else:
            model.restart(which)
        model.judge()


@pytest.mark.parametrize("halting", HALTING)
@pytest.mark.parametrize("starting", STARTING)
def test_what_ends_work_overtakes_what_would_start_the_same(
    starting: str, halting: str
) -> None:
    model = Model()
    model.say(starting)
    model.say(halting)
    model.write(1, phase="Running", reason="Working")
    model.judge()
    first, second = model.there
    expected = second["metadata"]["name"] if concerns(halting, starting) else None
    assert model.backlog.overtaken_by(first) == expected


def test_of_what_an_older_release_wrote_nobody_is_said_to_be_overtaken_within_its_second() -> (
    None
):
    """Its status has no version, and that of the object is of a later write."""
    done: Any = command("a", "a", 1, "pause swarm")
    then: Any = command("b", "b", 2, "resume swarm")
    earlier: Any = command("e", "e", 1, "resume swarm")
    earlier["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    then["metadata"]["creationTimestamp"] = done["metadata"]["creationTimestamp"]
    done["metadata"]["resourceVersion"] = "9"
    done["status"] = {
        "phase": "Succeeded",
        "action": {"permission": "pause"},
        "changes": [{"says": "x"}],
    }
    backlog = Backlog()
    for item in (done, then, earlier):
        backlog.note(item)
    assert backlog.overtaken_by(then) is None
    assert backlog.overtaken_by(earlier) == "a"
    assert backlog.created_at(done) is None
    assert backlog.created_at(then) == 2


async def test_killed_at_any_write_what_was_said_last_within_a_second_is_done_last(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path, {"1": [], "2": []}) as world:
        for k in range(1, 9):
            world.begin_again()
            world.cluster.tasks_run = False
            world.apply_swarm()
            await world.live(9)
            world.say("pause swarm", "z")
            world.say("resume swarm", "a")
            await world.live_killed_after(k, 4)
            assert world.answer("z")["phase"] == "Succeeded", k
            assert world.answer("a")["phase"] == "Succeeded", (k, world.answer("a"))
            created = [int(world.answer(one)["creationVersion"]) for one in "za"]
            assert created == sorted(created), k


async def test_what_overtakes_stays_until_that_is_said(world: World) -> None:
    """Its time is over at once, and a new process would not know of it."""
    closed = {"/kiroswarms/demo": 403}

    async def refuse(request: web.Request) -> Optional[web.Response]:
        for path, status in closed.items():
            if request.method == "PATCH" and request.path.endswith(path):
                return web.json_response({"kind": "Status"}, status=status)
        return None

    world.cluster.tasks_run = False
    world.apply_swarm()
    await world.live(9)
    world.say("pause swarm", "first")
    await world.live(3)
    world.api.intercept = refuse
    world.say("resume swarm", "earlier")
    await world.live(1)
    assert world.answer("earlier")["reason"] == "Working"
    closed["/swarmcommands/earlier/status"] = 503
    world.say("stop all tasks", "later", ttlSecondsAfterFinished=0)
    for _ in range(8):
        await world.settle()
        world.cluster.step()
        world.clock.seconds += 1
    assert world.answer("later")["phase"] == "Succeeded"
    closed.clear()
    await world.restart()
    await world.live(9)
    assert world.answer("earlier")["reason"] == "Overtaken"
    assert "later" not in world.cluster.names(COMMANDS)
    assert world.cluster.one(SWARMS, "demo")["spec"]["suspend"] is True


def said_at(
    name: str, text: str, version: int, minute: int, *written: int, **status: Any
) -> Any:
    """A command of a minute of this day, as it is after writes of other minutes."""
    item: Any = command(name, name, version, text)
    times = [f"2026-11-30T16:{one:02}:00Z" for one in (minute, *written)]
    item["metadata"].update(
        creationTimestamp=times[0], managedFields=[{"time": time} for time in times]
    )
    if status:
        item["status"] = status
    return kept_parts(COMMANDS, cast(SwarmCommand, item))


DONE: Any = {
    "phase": "Succeeded",
    "action": {"permission": "pause"},
    "changes": [{"says": "paused", "object": "kiroswarm/s"}],
}


@pytest.mark.parametrize("touched", ["pause", "resume", "both", "between"])
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_a_tool_has_labelled_keeps_its_place(
    touched: str, order: tuple[int, ...]
) -> None:
    """Its version is that of the label: it came after all that was said before the label."""
    pause = said_at("p", "pause swarm", 110, 0)
    resume = said_at("r", "resume swarm", 120, 10)
    if touched in ("pause", "both"):
        pause = said_at("p", "pause swarm", 140, 0, 20)
    if touched in ("resume", "both"):
        resume = said_at("r", "resume swarm", 150, 10, 21)
    if touched == "between":
        pause = said_at("p", "pause swarm", 115, 0, 5)
    others = [
        said_at("a", "scale instances 3", 105, 0),
        said_at("z", "scale instances 3", 130, 15),
    ]
    backlog, items = Backlog(), [pause, resume, *others]
    for number in order:
        backlog.note(items[number])
    found = []
    while (name := backlog.next("n", "s")) is not None:
        found.append(name)
        backlog.forget(next(one for one in items if one["metadata"]["name"] == name))
    assert found.index("p") < found.index("r") < found.index("z"), found
    assert found.index("a") < found.index("r")
    assert backlog.created_at(pause) == (110 if touched == "resume" else None)


def test_one_writer_who_writes_again_is_seen_by_the_time() -> None:
    item = said_at("p", "pause swarm", 140, 0)
    assert creation_version(item) == 140
    again: Any = command("p", "p", 140, "pause swarm")
    again["metadata"].update(
        creationTimestamp="2026-11-30T16:00:00Z",
        managedFields=[{"time": "2026-11-30T16:11:00Z", "fieldsV1": {"f:x": {}}}],
    )
    kept = kept_parts(COMMANDS, again)
    assert creation_version(kept) is None
    assert "f:x" not in str(kept)


def test_a_labelled_pause_that_was_done_overtakes_what_was_said_before_it() -> None:
    backlog = Backlog()
    backlog.note(said_at("p", "pause swarm", 110, 0, **DONE, creationVersion="100"))
    backlog.note(said_at("q", "pause swarm", 190, 20, 30, **DONE))
    resume = said_at("r", "resume swarm", 150, 10)
    later = said_at("t", "resume swarm", 200, 25)
    for item in (resume, later):
        backlog.note(item)
    assert backlog.overtaken_by(resume) == "q"
    assert backlog.overtaken_by(later) is None


def test_a_pause_of_a_restored_backup_overtakes_nothing_that_is_said_now() -> None:
    """Its status has the version that another store gave it."""
    restored = said_at("p", "pause swarm", 1100, 0, **DONE, creationVersion="9000000")
    assert creation_version(restored) is None
    now = said_at("r", "resume swarm", 1200, 30)
    backlog = Backlog()
    backlog.note(restored)
    backlog.note(now)
    assert backlog.overtaken_by(now) is None
