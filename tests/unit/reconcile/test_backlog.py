"""Who stands in line, when a command was made anew under the name of another."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any, cast

import pytest

from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import COMMANDS
from kiro_swarm.reconcile.engine.backlog import Backlog
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.events import on_event
from kiro_swarm.reconcile.engine.queue import WorkQueue
from kiro_swarm.reconcile.engine.watches import list_kind
from kiro_swarm.reconcile.settings import OperatorSettings

CHANGE, NONSENSE = "pause swarm", "this is no sentence"


def command(
    name: str,
    uid: str,
    version: int,
    text: str = CHANGE,
    phase: str = "",
    swarm: str = "s",
) -> SwarmCommand:
    return cast(
        SwarmCommand,
        {
            "metadata": {
                "name": name,
                "namespace": "n",
                "uid": uid,
                "resourceVersion": str(version),
                "creationTimestamp": f"2026-01-01T00:00:{version:02}Z",
            },
            "spec": {"swarm": swarm, "command": text},
            **({"status": {"phase": phase}} if phase else {}),
        },
    )


class Listed:
    """An API server that has these commands."""

    def __init__(self, *items: SwarmCommand, version: int) -> None:
        self._items, self._version = items, version

    async def list(self, *_: Any, **__: Any) -> tuple[list[SwarmCommand], str]:
        return list(self._items), str(self._version)


def context(api: object) -> Context:
    return Context(
        client=cast(Client, api),
        cache=Cache(),
        queue=WorkQueue(time.monotonic),
        settings=OperatorSettings(image="x"),
        now=lambda: datetime.now(timezone.utc),
        monotonic=time.monotonic,
    )


@pytest.mark.parametrize("way", ["listed", "the new one first", "never told"])
@pytest.mark.parametrize("swarm", ["s", "other"])
async def test_a_command_made_anew_under_its_name_leaves_no_place_behind(
    way: str, swarm: str
) -> None:
    new = command("c", "new", 5, NONSENSE, swarm=swarm)
    ctx = context(Listed(new, version=6))
    ctx.remember(COMMANDS, command("c", "old", 1))
    assert ctx.backlog.next("n", "s") == "c"
    if way == "listed":
        await list_kind(ctx, COMMANDS)
    else:
        on_event(ctx, COMMANDS, new, gone=False)
    if way == "the new one first":
        on_event(ctx, COMMANDS, command("c", "old", 4), gone=True)
    answered = command("c", "new", 7, NONSENSE, "Rejected", swarm=swarm)
    ctx.remember(COMMANDS, answered)
    after = command("d", "d", 9)
    ctx.remember(COMMANDS, after)
    assert ctx.backlog.next("n", "s") == "d"
    assert ctx.backlog.turn(after)


@pytest.mark.parametrize("way", ["listed", "the new one first"])
async def test_a_command_made_anew_keeps_its_own_place(way: str) -> None:
    new = command("c", "new", 5)
    ctx = context(Listed(new, version=6))
    ctx.remember(COMMANDS, command("c", "old", 1))
    if way == "listed":
        await list_kind(ctx, COMMANDS)
    else:
        on_event(ctx, COMMANDS, new, gone=False)
        on_event(ctx, COMMANDS, command("c", "old", 4), gone=True)
    after = command("d", "d", 9)
    ctx.remember(COMMANDS, after)
    assert not ctx.backlog.turn(after)
    assert ctx.backlog.turn(new)


def test_an_answer_ends_the_place_of_its_name_whoever_had_it() -> None:
    backlog = Backlog()
    backlog.note(command("c", "old", 1))
    backlog.note(command("c", "new", 5, phase="Rejected"))
    assert backlog.next("n", "s") is None


def test_late_news_of_the_one_before_changes_no_place() -> None:
    backlog = Backlog()
    backlog.note(command("c", "new", 5))
    backlog.note(command("c", "old", 3, phase="Cancelled"))
    backlog.forget(command("c", "old", 4))
    assert backlog.next("n", "s") == "c"


@pytest.mark.parametrize("kept", [False, True])
def test_what_commands_ended_goes_with_them_once_nobody_waits(kept: bool) -> None:
    """It goes by its answer here, as commands mostly do."""
    backlog = Backlog()
    backlog.note(command("waits", "u-0", 1, "run task 9"))
    halted: Any = {"startedAt": "2026-01-01T00:00:00Z", "changes": [{"object": "x"}]}
    for number in range(2, 9):
        stop = command(f"stop-{number}", f"u-{number}", number, f"stop task {number}")
        done = {"phase": "Succeeded", "action": {"permission": "stop"}, **halted}
        stop = cast(SwarmCommand, {**stop, "status": done})
        backlog.note(stop)
        if not (kept and number == 8):
            backlog.forget(stop)
    assert len(backlog._halts["n", "s"]) == 7, "one that waits may be concerned"
    backlog.note(command("waits", "u-0", 10, "run task 9", phase="Succeeded"))
    assert len(backlog._halts["n", "s"]) == int(
        kept
    ), "a command that is there is heard"
    assert not backlog._gone
