"""Finished means delivered: nothing is said to be done, or goes, before the repository has it."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from kiro_swarm.api.condition_reasons import fits
from kiro_swarm.cluster.resources import EVENTS, JOBS, SWARMS
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.delivery import delivered_at, expires_at, kept_for
from kiro_swarm.reconcile.swarms.integrate import Train, has_work, is_pushed, observe
from kiro_swarm.reconcile.swarms.status import swarm_status
from tests.unit.reconcile.executors.jobs_of import job
from tests.unit.reconcile.surroundings import Object, an_entry
from tests.unit.reconcile.test_head import (
    LATER,
    MERGE,
    MERGED,
    SYNCED,
    UID,
    book,
    scene,
)
from tests.unit.reconcile.test_head import view as view_of
from tests.unit.reconcile.views import BUSY, DONE, PREPARING, PUSH, REFUSED, WELL, view
from tests.unit.reconcile.world import World

PUSHED = an_entry("push", MERGE, UID)
REJECTED = {"reason": "PushRejected", "message": "the branch is protected"}


async def merge_and_hang(world: World) -> None:
    """All is merged, and the Job that is to push is still at it."""
    world.cluster.frozen.add("demo-integrate-1")
    await world.live(10)
    for name in ("demo.1", "demo.2"):
        world.cluster.merge(name)
    await world.live(5)


@pytest.mark.parametrize("push", ["OnComplete", "Always"])
async def test_a_swarm_is_kept_while_its_work_is_being_pushed(
    world: World, push: str
) -> None:
    world.cluster.graph = {"1": [], "2": []}
    world.apply_swarm(integration={"push": push}, ttlSecondsAfterFinished=50)
    await merge_and_hang(world)
    for _ in range(20):
        world.clock.seconds += 10
        await world.live(1)
        status = world.status()
        assert status["phase"] == "Running"
        assert "finishedAt" not in status
    assert world.conditions()["Complete"] == ("False", "PushPending")
    assert world.conditions()["Integrated"] == ("False", "PushPending")
    head = status["integration"]["head"]
    world.cluster.note("demo", "push", head)
    for _ in range(10):
        await world.live(1)
        assert world.cluster.names(SWARMS) == ["demo"], "its Job has not ended"
        assert world.status()["phase"] == "Running"
    report = {"head": head, "pushed": head, "ledger": len(world.cluster.ledger())}
    world.cluster.end_job("demo-integrate-1", report)
    await world.live(2)
    assert world.status()["phase"] == "Succeeded"
    assert world.conditions()["Complete"] == ("True", "AllMerged")
    world.clock.seconds += 50
    await world.settle()
    assert world.cluster.names(SWARMS) == []


async def test_a_swarm_whose_push_is_refused_is_kept_and_says_so_once(
    world: World,
) -> None:
    world.cluster.graph = {"1": []}
    world.cluster.failing = {f"demo-integrate-{n}": REJECTED for n in range(2, 90)}
    world.apply_swarm(integration={"push": "OnComplete"}, ttlSecondsAfterFinished=60)
    world.cluster.frozen.add("demo-integrate-1")
    await world.live(10)
    world.cluster.merge("demo.1")
    world.cluster.end_job("demo-integrate-1", REJECTED, failed=True)
    seen: list[Object] = []
    for _ in range(60):
        world.clock.seconds += 20
        await world.live(2)
        assert world.cluster.names(SWARMS) == ["demo"]
        seen.append((world.status()["phase"], world.conditions()))
    jobs = [name for name in world.cluster.names(JOBS) if "integrate" in name]
    assert int(jobs[-1].rsplit("-", 1)[1]) > 4, "the push was tried again and again"
    assert all(one == seen[0] for one in seen), "and nothing flaps meanwhile"
    phase, found = seen[0]
    assert phase == "Failed"
    for kind, status in (("Stalled", "True"), ("Integrated", "False")):
        assert found[kind] == (status, "PushRejected")
    assert found["Complete"] == ("False", "PushRejected")
    message = world.status()["message"]
    assert REJECTED["message"] in message
    assert "ttlSecondsAfterFinished" in message
    told = [e for e in world.cluster.all(EVENTS) if e["reason"] == "PushRejected"]
    assert len(told) == 1


async def test_a_push_that_is_let_through_after_all_ends_the_swarm(
    world: World,
) -> None:
    world.cluster.graph = {"1": []}
    world.cluster.failing = {f"demo-integrate-{n}": REJECTED for n in range(1, 4)}
    world.apply_swarm(integration={"push": "OnComplete"}, ttlSecondsAfterFinished=60)
    for _ in range(150):
        await world.live(1)
        if world.status()["phase"] == "Succeeded":
            break
    assert world.conditions()["Stalled"] == ("False", "Progressing")
    assert parse_ends(world) == world.status()["finishedAt"]
    world.clock.seconds += 70
    await world.settle()
    assert world.cluster.names(SWARMS) == []


def parse_ends(world: World) -> str:
    """The later of the last merge and the last push."""
    pushed = [e["time"] for e in world.cluster.ledger() if e["kind"] == "push"]
    return max(str(world.cluster.task("1")["mergedAt"]), str(pushed[-1]))


@pytest.mark.parametrize(
    ("case", "entries", "delivered"),
    [
        ("no ledger yet, so nobody knows", (), False),
        ("merged, never pushed", (MERGED,), False),
        ("pushed", (MERGED, PUSHED), True),
        ("moved on since", (MERGED, PUSHED, SYNCED), False),
        (
            "pushed again",
            (MERGED, PUSHED, SYNCED, an_entry("push", SYNCED["after"], UID)),
            True,
        ),
        ("a push of something else", (MERGED, an_entry("push", LATER, UID)), False),
        ("went back since", (MERGED, PUSHED, an_entry("rollback", LATER, UID)), False),
    ],
)
def test_the_ledger_alone_says_what_was_pushed(
    case: str, entries: tuple[Object, ...], delivered: bool
) -> None:
    """Whatever a person writes into the status, and whatever a Job of before reported."""
    for forged in ({}, {"head": LATER, "pushed": LATER}, {"pushed": MERGE}):
        made = scene(**forged)
        seen = view_of(made, *entries)
        train = observe(seen)
        assert is_pushed(seen) is delivered, case
        assert has_work(seen, train) is not delivered, case
        assert bool(kept_for(seen, train)) is not delivered, case
        assert (delivered_at(seen, train) is not None) is delivered, case


def test_a_swarm_goes_when_no_job_of_it_runs() -> None:
    made = scene()
    seen = view_of(made, MERGED, PUSHED)
    assert kept_for(seen, observe(seen)) == ""
    for name in ("demo-prepare-2", "demo-integrate-7", "demo-sync-0b5e7f1a"):
        made = scene()
        job(made, name)
        seen = view_of(made, MERGED, PUSHED)
        assert kept_for(seen, observe(seen)), name


def test_no_swarm_is_deleted_for_its_age_while_it_is_kept() -> None:
    """It was finished, and said so; since then a person had something brought in."""
    said: Any = {"phase": "Succeeded", "finishedAt": "2026-11-23T09:00:00Z"}

    def when(*entries: Object, running: str = "") -> bool:
        made = scene()
        if running:
            job(made, running)
        seen = view_of(made, *entries)
        aged = seen.spec.model_copy(update={"ttl_seconds_after_finished": 60})
        object.__setattr__(seen, "spec", aged)
        return expires_at(seen, observe(seen), said) is not None

    assert when(MERGED, PUSHED)
    assert not when(MERGED)
    assert not when(MERGED, PUSHED, SYNCED), "what came in is not pushed"
    assert not when(MERGED, PUSHED, running="demo-sync-0b5e7f1a")


def test_while_a_job_runs_the_train_is_as_the_one_before_it_ended() -> None:
    made = scene()
    job(made, "demo-integrate-1", False, REJECTED)
    before = observe(view_of(made, MERGED))
    job(made, "demo-integrate-2")
    now = observe(view_of(made, MERGED))
    assert (now.running, now.ok, now.reason) == (True, False, "PushRejected")
    assert (now.batch, now.message, now.retry_at) == (2, before.message, None)


_BOOKS = ((), (MERGED,), (MERGED, PUSHED))
_STATES = (
    *(("Merged",), ("Merged", "Skipped"), ("Merged", "Failed"), ("Failed", "Blocked")),
    *(("Done", "Merged"), ("Merged", "Running"), ("Ready",), ("Skipped",)),
)


def _with(seen: View, entries: tuple[Object, ...]) -> View:
    object.__setattr__(seen, "ledger", book(*entries))
    return seen


@pytest.mark.parametrize("states", _STATES)
def test_no_condition_has_a_reason_that_contradicts_its_status(
    states: tuple[str, ...],
) -> None:
    trains = (WELL, BUSY, PUSH, Train(2, True, False, "refused", "PushRefused"))
    asked: tuple[Object, Object] = ({}, {"approval": "Required"})
    for push, entries, train, prepared, ready, more, suspend in product(
        ("Never", "OnComplete", "Always"),
        *(_BOOKS, trains, (DONE, PREPARING, REFUSED), (0, 2), asked, (False, True)),
    ):
        seen: Any = view(
            *states,
            ready=ready,
            integration={"push": push, **more},
            suspend=suspend,
        )
        _with(seen, entries)
        status = swarm_status(seen, prepared, train)
        found = {item["type"]: item for item in status["conditions"]}
        for kind, item in found.items():
            assert fits("KiroSwarm", kind, item["status"], item["reason"]), item
        complete = found["Complete"]["status"] == "True"
        if prepared is DONE:
            assert not (complete and found["Stalled"]["status"] == "True")
        if status["phase"] == "Succeeded":
            assert complete
        if complete and push != "Never":
            assert seen.ledger.head == seen.ledger.pushed
            assert not train.running
            assert found["Integrated"]["status"] == "True"


def test_a_full_ledger_is_for_a_person_whatever_else_goes_on() -> None:
    full = Train(2, False, False, "the ledger is full", "LedgerFull")
    found = {
        item["type"]: (item["status"], item["reason"])
        for item in swarm_status(view("Done", "Running"), DONE, full)["conditions"]
    }
    assert found["Stalled"] == ("True", "LedgerFull")
    assert found["Integrated"] == ("False", "LedgerFull")
    other = Train(2, False, False, "try again", "IntegrationBusy")
    conditions = swarm_status(view("Done", "Running"), DONE, other)["conditions"]
    assert not any(c["type"] == "Stalled" and c["status"] == "True" for c in conditions)
