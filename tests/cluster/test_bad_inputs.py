"""Bad sentences on a real API server: each has its clear answer, and nothing is done.

A swarm is at work while they are said. Afterwards every object of it is what it was, and
the operator has written nothing but answers.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Dict, List, NamedTuple, Tuple

import pytest

from kiro_swarm.api.meta import LABEL_COMPONENT
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import (
    COMMANDS,
    CONFIG_MAPS,
    INSTANCES,
    JOBS,
    PODS,
    SWARMS,
    TASKS,
    AnyResource,
)
from tests.cluster.people import crowd, town
from tests.support.cluster import Cluster
from tests.support.shapes import Object
from tests.support.swarms import command
from tests.support.work import HeldWork
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("operator")

#: An answer, and its line in the audit log with the log's head in the swarm's status.
ANSWERS = {"patch swarmcommands/status", "create events"}
AUDIT = {"create configmaps", "patch configmaps", "patch kiroswarms/status"}


class Bad(NamedTuple):
    """A sentence, its answer, and the column where it goes wrong."""

    sentence: str
    message: str
    column: int


REJECTED = [
    Bad(
        "sclae swarm demo to 3",
        "unknown command 'sclae' at column 1; did you mean 'scale'?",
        1,
    ),
    Bad(
        "scale swarm demo to -1",
        "count must be an integer from 0 to 1000 (the limits of spec.instances), "
        "got '-1' (column 21)",
        21,
    ),
    Bad(
        "scale swarm demo to 1e9",
        "count must be an integer from 0 to 1000 (the limits of spec.instances), "
        "got '1e9' (column 21)",
        21,
    ),
    Bad(
        "scale swarm demo to 1001",
        "count must be an integer from 0 to 1000 (the limits of spec.instances), "
        "got '1001' (column 21)",
        21,
    ),
    Bad(
        "scale swarm Demo_1 to 3",
        "'Demo_1' is not a valid name: use a-z, 0-9 and '-', with a letter or digit at "
        "both ends (max 63) (column 13)",
        13,
    ),
    Bad(
        "merge branch ../../etc/passwd into main",
        "branch '../../etc/passwd' is not allowed: '..' in a ref (column 14)",
        14,
    ),
    Bad(
        "merge branch a$(id) into main",
        "branch contains '$' at position 2; allowed: A-Z a-z 0-9 . _ - / (column 14)",
        14,
    ),
    Bad(
        "merge branch refs/heads/main into main",
        "give the short branch name, not 'refs/heads/main' (column 14)",
        14,
    ),
    Bad(
        "merge branch t1 into refs/heads/main",
        "give the short branch name, not 'refs/heads/main' (column 22)",
        22,
    ),
    Bad(
        'send "unterminated to all',
        "missing closing quote for the one opened at column 6",
        6,
    ),
    Bad(
        'stop instance "demo-1',
        "missing closing quote for the one opened at column 15",
        15,
    ),
    Bad("   ", "empty command", 1),
    Bad(
        "rollbac\u212a integration batch-5",
        "unknown command 'rollbac\u212a' at column 1",
        1,
    ),
]


async def wanted(world: World) -> Dict[Tuple[str, str], Any]:
    """What every object is and shall be; statuses are measured and not looked at."""
    found: Dict[Tuple[str, str], Any] = {}
    kinds: Tuple[AnyResource, ...] = (SWARMS, INSTANCES, TASKS, JOBS, PODS, CONFIG_MAPS)
    for resource in kinds:
        items, _ = await world.client.list(resource, world.namespace)
        for item in items:
            metadata = item["metadata"]
            if (metadata.get("labels") or {}).get(LABEL_COMPONENT) == "audit":
                continue
            found[resource.plural, metadata["name"]] = (
                metadata["uid"],
                metadata.get("deletionTimestamp"),
                item.get("spec"),
                item.get("data"),
            )
    return found


@asynccontextmanager
async def nothing_is_done(world: World) -> AsyncIterator[None]:
    """Fails when the operator does anything but answer, or an object is changed."""
    before, mark = await wanted(world), world.audit.mark()
    assert before
    yield
    assert await wanted(world) == before
    written = {item.what for item in world.audit.of_operator(world.namespace, mark)}
    assert written <= ANSWERS | AUDIT


def error_of(status: Object) -> Tuple[str, str, int]:
    """Phase, message and column of an answer."""
    data = status["result"].get("data") or {}
    return status["phase"], status["message"], data.get("position", 0)


async def test_a_sentence_that_is_wrong_is_rejected_and_taught(
    world: World, work: HeldWork
) -> None:
    async with nothing_is_done(world):
        said = await asyncio.gather(
            *(
                world.say(f"bad-{number}", "demo", bad.sentence)
                for number, bad in enumerate(REJECTED)
            )
        )
    answers: List[Tuple[str, str, int]] = []
    for bad, status in zip(REJECTED, said):
        phase, message, column = error_of(status)
        assert status["reason"] == "Rejected"
        assert status["result"]["success"] is False
        assert "action" not in status
        # What follows is a nearest sentence or what was expected.
        answers.append((phase, message[: len(bad.message)], column))
    assert answers == [("Rejected", bad.message, bad.column) for bad in REJECTED]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("", "spec.command: Invalid value"),
        ("stop\u0000all tasks", "must not contain control characters"),
        ("stop all\u202e tasks", "direction overrides"),
        ("stop all tasks " + "x" * 2097152, "may not be more than 4096"),
    ],
    ids=["empty", "NUL", "direction override", "2 MiB"],
)
async def test_what_is_no_text_for_people_is_not_even_stored(
    api_server: Cluster, world: World, work: HeldWork, sentence: str, words: str
) -> None:
    async with nothing_is_done(world):
        body = json.dumps(command("bad", "demo", sentence))
        refused = await asyncio.to_thread(
            api_server.kubectl,
            *("create", "--validate=false", "-n", world.namespace, "-f", "-"),
            input=body,
            check=False,
        )
        assert "spec.command" in refused.stderr
        assert words in refused.stderr
        assert len(refused.stderr) < 8192
        assert await world.names(COMMANDS) == []


async def test_who_may_not_merge_is_told_so(api_server: Cluster) -> None:
    with town(api_server, "bad") as here:
        async with crowd(api_server, ["operator"]) as persons:
            refused = await persons["operator"].refusal(
                here.home, "demo", "merge branch t1 into main"
            )
    assert isinstance(refused, errors.Forbidden)
    assert refused.status == 403
    assert f'user "operator" may not "merge" kiroswarm {here.home}/demo' in str(refused)


async def test_a_finished_command_cannot_be_cancelled(
    world: World, work: HeldWork
) -> None:
    done = await world.say("cmd-7", "demo", "status swarm")
    async with nothing_is_done(world):
        status = await world.say("bad", "demo", "cancel command cmd-7")
    at = done["finishedAt"][11:19]
    assert status["phase"] == "Failed"
    assert status["message"] == (
        f"command cmd-7 already finished (Succeeded, {at}Z): nothing to cancel"
    )
    assert (await world.client.get(COMMANDS, world.namespace, "cmd-7"))[
        "status"
    ] == done


async def test_an_unknown_task_is_given_to_nobody(world: World, work: HeldWork) -> None:
    async with nothing_is_done(world):
        status = await world.say("bad", "demo", "assign task T99 to instance demo-1")
        near = await world.say("near", "demo", "assign task 1.5 to instance demo-1")
    assert (status["phase"], status["message"]) == (
        "Failed",
        "task T99 is not in swarm demo (4 tasks: 1.1, 1.2, 1.3, 1.4)",
    )
    assert near["message"] == "task 1.5 is not in swarm demo (4 tasks; nearest: 1.4)"


async def test_an_id_stands_for_one_sentence(world: World, work: HeldWork) -> None:
    first = await world.say(
        "first", "demo", "scale swarm demo to 1", correlationId="3f2"
    )
    async with nothing_is_done(world):
        status = await world.say("bad", "demo", "stop all tasks", correlationId="3f2")
    assert (status["phase"], status["reason"]) == ("Rejected", "CorrelationIdUsed")
    assert status["message"] == (
        "correlation id 3f2 was already used with other text by first; "
        f"result of the first: {first['message']}"
    )


async def test_the_sentence_is_for_the_swarm_that_it_is_said_to(
    world: World, work: HeldWork
) -> None:
    """The right to speak was checked for spec.swarm, so another name is no way around."""
    async with nothing_is_done(world):
        status = await world.say("bad", "demo", "scale swarm other to 0")
    assert status["phase"] == "Failed"
    assert "nothing is scaled" in status["message"]
