"""The ledger's writer: each move once and in order, whoever dies, deletes or is faster."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import CONFIG_MAPS, SWARMS, TASKS
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.ledger import Ledger
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.jobs.sync import sync
from kiro_swarm.policy import chain
from kiro_swarm.policy.asked import asked_of
from kiro_swarm.workspace.outcomes import Candidate, Merged
from kiro_swarm.workspace.train import MergeTrain
from tests.support.fake_api import client_of, fake_api
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
)

COMMAND = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
#: Ledger and status of two merges, and the ledger again after the push.
WRITES = 5


@pytest.fixture(scope="module")
def two_done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Candidate]]:
    """A volume with two finished tasks, made once for all tests here."""
    top = tmp_path_factory.mktemp("volume") / "made"
    top.mkdir()
    swarm = Swarm(top)
    swarm.prepare()
    work = [
        swarm.work({f"{task}.txt": "x"}, number, task)
        for number, task in enumerate(("1.1", "1.2"), 1)
    ]
    return top, work


@pytest.fixture
async def ready(tmp_path: Path, two_done: tuple[Path, list[Candidate]]) -> Any:
    """A Job with two tasks to merge, and a push when they are."""
    made, work = two_done
    top = tmp_path / "volume"
    shutil.copytree(made, top, symlinks=True)
    async with fake_api() as api, client_of(api, tmp_path) as client:
        job = Job(api, client, Swarm(top), tmp_path)
        job.apply(
            integration={"push": "OnComplete"},
            tasks={"inline": "- [ ] 1.1. a\n- [ ] 1.2. b\n"},
        )
        for candidate in work:
            folder = top / candidate.instance_dir.relative_to(made)
            job.done(replace(candidate, instance_dir=folder))
        yield job


def kinds(job: Job) -> list[Any]:
    return [line["kind"] for line in job.ledger()]


def whole(job: Job) -> None:
    """Everything is merged and pushed, and each move is in the ledger once, in order."""
    head = job.repositories.head()
    lines = job.ledger()
    assert [line["kind"] for line in lines] == ["merge", "merge", "push"]
    for number, task in enumerate(("1.1", "1.2")):
        line, status = lines[number], job.status(task)
        assert (status["state"], status["mergeCommit"]) == ("Merged", line["after"])
        uid = f"uid-{task.replace('.', '-')}"
        asked = asked_of(job.api.store.read(TASKS, NAMESPACE, f"demo-{task}")["spec"])
        told = {"id": task, "uid": uid, "attempt": 1, "asked": asked}
        assert line["tasks"] == [told]
        assert (line["swarm"], line["job"]) == (job.env.uid, "demo-job-1")
    assert lines[0]["after"] == lines[1]["before"]
    assert lines[1]["after"] == lines[2]["after"] == head
    theirs = git(job.repositories.upstream, "rev-parse", INTEGRATION)
    assert theirs == head
    assert job.words()["ledger"] == 3


@pytest.mark.parametrize("write", range(WRITES + 2))
async def test_killed_at_any_write_the_next_job_has_each_move_once(
    ready: Job, write: int
) -> None:
    ready.api.crash_after(write)
    if write <= WRITES:
        with pytest.raises(errors.ClusterError):
            await integrate(ready.client, ready.env)
    else:
        assert await integrate(ready.client, ready.env) == 0
    ready.api.revive()
    assert await integrate(ready.client, ready.env) == 0
    whole(ready)
    version = ready.api.store.version
    assert await integrate(ready.client, ready.env) == 0
    assert ready.api.store.version == version, "nothing was left to be written"


async def test_killed_between_the_push_and_its_note(ready: Job) -> None:
    ready.api.crash_after(WRITES - 1)
    with pytest.raises(errors.ClusterError):
        await integrate(ready.client, ready.env)
    git(ready.repositories.mirror, "update-ref", "-d", "refs/kiro/pushed")
    ready.api.revive()
    assert await integrate(ready.client, ready.env) == 0
    whole(ready)


@pytest.mark.parametrize("write", range(4))
async def test_a_sync_that_was_killed_is_there_once(ready: Job, write: int) -> None:
    assert await integrate(ready.client, ready.env) == 0
    commit(ready.repositories.upstream, {"new.py": "x\n"})
    ready.api.crash_after(write)
    for _ in range(2):
        try:
            args = {"branch": None, "command_uid": COMMAND}
            await sync(ready.client, ready.env, **args)  # type: ignore[arg-type]
        except errors.ClusterError:
            assert write <= 2
        ready.api.revive()
    assert kinds(ready) == ["merge", "merge", "push", "sync", "push"]
    assert ready.ledger()[3]["command"] == COMMAND


async def test_a_ledger_that_was_deleted_is_the_same_again(ready: Job) -> None:
    assert await integrate(ready.client, ready.env) == 0
    before = ready.ledger()
    ready.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-ledger-1")
    assert await integrate(ready.client, ready.env) == 0
    assert ready.ledger() == before, "to the last hash"
    ready.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-ledger-1")
    assert await prepare(ready.client, ready.env) == 0
    assert ready.ledger() == before
    assert ready.words()["ledger"] == 3


def texts(job: Job) -> dict[str, str]:
    read = job.api.store.read(CONFIG_MAPS, NAMESPACE, "demo-ledger-1")["data"]
    return dict(read)


def forged(name: str, value: object) -> Callable[[Job], dict[str, str]]:
    """The whole chain, written anew with a first merge that never was."""

    def made(job: Job) -> dict[str, str]:
        lines: list[chain.Line] = []
        for number, line in enumerate(job.ledger(), 1):
            bare = {k: v for k, v in line.items() if k not in ("hash", "previous")}
            if number == 1:
                bare[name] = value
            previous = str(lines[-1]["hash"]) if lines else chain.BEGINNING
            lines.append(chain.chained(bare, number, previous))
        return {chain.key_of(n): chain.write(line) for n, line in enumerate(lines, 1)}

    return made


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "tamper",
    [
        lambda job: {"00000002": None},
        lambda job: {"00000003": None},
        lambda job: {"00000001": "no line"},
        lambda job: {"00000002": "[" * 100_000},
        lambda job: {"00000002": texts(job)["00000001"]},
        lambda job: {"00000001": texts(job)["00000001"].replace("1.1", "2")},
        lambda job: {"00000004": texts(job)["00000003"]},
        forged("tasks", [{"id": "7", "uid": "u", "attempt": 1}]),
        forged("tasks", [{"id": "\ud800", "uid": "u", "attempt": 1}]),
        *(
            forged(name, value)
            for name in ("before", "after", "job", "time")
            for value in ("-x", "--all", "", "\ud800", "\0", f"{'f' * 40}\n")
        ),
        forged("time", "2026-02-31T00:00:00Z"),
        forged("more", nested(400)),
    ],
)
async def test_what_somebody_changed_is_mended(
    ready: Job, tamper: Callable[[Job], dict[str, Any]]
) -> None:
    assert await integrate(ready.client, ready.env) == 0
    before = texts(ready)
    patch = {"data": tamper(ready)}
    ready.api.store.patch(CONFIG_MAPS, NAMESPACE, "demo-ledger-1", patch)
    assert await integrate(ready.client, ready.env) == 0
    assert texts(ready) == before


async def test_a_swarm_of_an_earlier_release_gets_its_ledger_from_the_branch(
    ready: Job, two_done: tuple[Path, list[Candidate]]
) -> None:
    job, (made, (first, _)) = ready, two_done
    folder = job.repositories.top / first.instance_dir.relative_to(made)
    outcome = MergeTrain(job.repositories.mirror, INTEGRATION, SPEC, Gate()).merge(
        replace(first, instance_dir=folder)
    )
    assert isinstance(outcome, Merged)
    message = "Merge task 1.1: First\n\nSwarm-Task: uid-1-1/1"
    tree = f"{outcome.commit}^{{tree}}"
    parents = ("-p", outcome.before, "-p", first.commit)
    mirror = job.repositories.mirror
    old = git(mirror, "commit-tree", tree, *parents, "-m", message)
    git(mirror, "update-ref", f"refs/heads/{INTEGRATION}", old)
    assert await integrate(job.client, job.env) == 0
    lines = job.ledger()
    assert [line["kind"] for line in lines] == ["merge", "merge", "push"]
    assert lines[0]["tasks"] == [{"id": "1.1", "uid": "uid-1-1", "attempt": 1}]
    assert (lines[0]["swarm"], lines[1]["swarm"]) == ("", job.env.uid)
    assert job.status("1.1")["mergeCommit"] == old == lines[0]["after"]


async def test_a_train_and_a_sync_at_once_leave_one_ledger(ready: Job) -> None:
    commit(ready.repositories.upstream, {"new.py": "x\n"})
    done = await asyncio.gather(
        integrate(ready.client, ready.env),
        sync(
            ready.client,
            replace(ready.env, termination_message=ready.folder / "other"),
            branch=None,
            command_uid=COMMAND,
        ),
    )
    assert set(done) == {0}
    assert await integrate(ready.client, ready.env) == 0
    moves = [line for line in ready.ledger() if line["kind"] != "push"]
    assert sorted(str(line["kind"]) for line in moves) == ["merge", "merge", "sync"]
    assert ready.ledger()[-1]["after"] == ready.repositories.head()


async def test_a_full_config_map_is_followed_by_another_and_a_gap_is_mended(
    ready: Job,
) -> None:
    ready.limit(ledger_lines=1)
    assert await integrate(ready.client, ready.env) == 0
    before = ready.ledger()
    names = {
        item["metadata"]["name"]: list(item["data"])
        for item in ready.api.store.select(CONFIG_MAPS, NAMESPACE)
        if "ledger" in item["metadata"]["name"]
    }
    assert names == {f"demo-ledger-{n}": [chain.key_of(n)] for n in (1, 2, 3)}
    ready.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-ledger-2")
    assert await integrate(ready.client, ready.env) == 0
    assert ready.ledger() == before
    ready.api.store.remove(CONFIG_MAPS, NAMESPACE, "demo-ledger-1")
    assert await integrate(ready.client, ready.env) == 0
    assert ready.ledger() == before


async def test_a_job_of_an_earlier_swarm_of_this_name_writes_nothing(
    ready: Job,
) -> None:
    env = replace(ready.env, uid="earlier")
    version = ready.api.store.version
    assert await integrate(ready.client, env) == 1
    assert ready.words()["reason"] == "SwarmReplaced"
    assert await prepare(ready.client, env) == 1
    assert ready.words()["reason"] == "SwarmReplaced"
    assert ready.api.store.version == version


async def test_config_maps_of_somebody_else_are_left_alone(ready: Job) -> None:
    foreign = {"metadata": {"name": "demo-ledger-1"}, "data": {"00000001": "mine"}}
    ready.api.store.create(CONFIG_MAPS, NAMESPACE, foreign)
    assert await integrate(ready.client, ready.env) == 1
    assert ready.words()["reason"] == "LedgerNameTaken"
    assert texts(ready) == {"00000001": "mine"}


@pytest.mark.parametrize(
    ("room", "made"),
    [(0, []), (1, []), (2, ["merge"]), (3, ["merge", "merge"])],
)
async def test_a_full_ledger_is_found_before_the_branch_is_moved(
    ready: Job, room: int, made: list[str]
) -> None:
    """One entry is kept for the push."""
    ready.limit(ledger_entries=room)
    full = room < 3
    assert await integrate(ready.client, ready.env) == full
    if full:
        assert ready.words()["reason"] == "LedgerFull"
        # What was merged is in the ledger, and what is in the ledger was merged.
        assert kinds(ready) == made
        head = ready.repositories.head()
        assert [line["after"] for line in ready.ledger()][-1:] == [head][: len(made)]
        states = [ready.status(task)["state"] for task in ("1.1", "1.2")]
        assert states.count("Merged") == len(made)
        assert states.count("Done") == 2 - len(made), "no attempt is charged"
        before = ready.repositories.head()
        commit(ready.repositories.upstream, {"new.py": "x\n"})
        assert (
            await sync(ready.client, ready.env, branch=None, command_uid=COMMAND) == 1
        )
        assert ready.words()["reason"] == "LedgerFull"
        assert ready.repositories.head() == before
    else:
        assert kinds(ready) == [*made, "push"]


async def test_a_volume_that_is_new_keeps_the_ledger(ready: Job) -> None:
    assert await integrate(ready.client, ready.env) == 0
    before = ready.ledger()
    shutil.rmtree(ready.repositories.mirror)
    assert await prepare(ready.client, ready.env) == 0
    assert ready.ledger() == before[:2], "the push was noted on the volume"
    assert ready.api.store.read(SWARMS, NAMESPACE, "demo")["metadata"]["uid"]
    ledger = Ledger(ready.client, ready.env, INTEGRATION)
    await ledger.catch_up()
    assert ledger.lines == 2
    assert await integrate(ready.client, ready.env) == 0
    assert kinds(ready) == ["merge", "merge", "push"], "it is pushed, and noted again"
