"""The life of a task, searched: no state that can be reached is wrong, every fault is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from tests.support.sizes import sized
from tests.unit.lifecycle.model import SwarmModel
from tests.unit.lifecycle.patches import Status
from tests.unit.lifecycle.search import search
from tests.unit.lifecycle.store import NEEDS, Needs, Rules

DECISION = "docs/decisions/*-lifecycle.md"
ROOT = Path(__file__).resolve().parents[3]
TWO: Needs = ((), (0,))
ONE: Needs = ((),)


def count(number: int) -> str:
    """A number as it stands in the documentation."""
    return f"{number:,}"


@pytest.mark.parametrize(
    ("needs", "mishaps"),
    [(NEEDS, 0), (NEEDS, 1), (TWO, 2), *sized([], [(NEEDS, 2)])],
)
def test_nothing_wrong_can_be_reached_and_the_end_always_can(
    needs: Needs, mishaps: int
) -> None:
    found = search(SwarmModel(mishaps, needs=needs))
    assert (found.fault, found.way) == ("", ())
    # What is said of the size of the search is what it is.
    (decision,) = ROOT.glob(DECISION)
    row = f"| {len(needs)} | {mishaps} | {count(found.states)} | {count(found.steps)} |"
    assert row in decision.read_text(), f"docs/decisions: not there: {row}"


def keeps_the_work(edge: str, status: Status, patch: Status) -> Status:
    """The reset of the work is forgotten when the next attempt begins."""
    if edge not in ("bind", "move"):
        return patch
    return {k: v for k, v in patch.items() if k not in ("commit", "baseCommit")}


def keeps_the_pod(edge: str, status: Status, patch: Status) -> Status:
    """The reset of the instance is forgotten when an attempt ends."""
    return {k: v for k, v in patch.items() if edge != "lose" or k != "podUid"}


def same_attempt(edge: str, status: Status, patch: Status) -> Status:
    """The attempt is not counted when it begins."""
    return {**patch, "attempt": status.get("attempt") or 1} if edge == "bind" else patch


def forgets(edge: str, status: Status, patch: Status) -> Status:
    """An attempt that is over is not recorded."""
    return {k: v for k, v in patch.items() if k != "history"}


def merges_what_runs(edge: str, status: Status, patch: Status) -> Status:
    """The report of an agent is a merge."""
    return {**patch, "state": "Merged"} if edge == "finish" else patch


FAULTS: Dict[str, Dict[str, Any]] = {
    "a write does not name what it has read": {"compare_and_swap": False},
    "a report is not fenced": {"fenced": False},
    "a runner does not look at the pod": {"knows_its_pod": False},
    "a runner that restarts begins again": {"restart_ends": False},
    "a merge is not known by its trailer": {"knows_merged": False},
    "what it needs is not waited for": {"waits_for_needs": False},
    "a lost instance is not found": {"finds_lost": False},
    "a task is cancelled while it may be merged": {"cancel_waits_for_job": False},
    "a word that came while it was merged stands": {"merges_after_all": False},
    "a merge of an older attempt counts": {"merges_older": True},
    "what an attempt made stays for the next": {"change": keeps_the_work},
    "the pod stays when the attempt is over": {"change": keeps_the_pod},
    "an attempt is not counted": {"change": same_attempt},
    "an attempt is not recorded": {"change": forgets},
    "done is called merged": {"change": merges_what_runs},
}


@pytest.mark.parametrize("guard", [True, False], ids=["guarded", "unguarded"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, guard: bool) -> None:
    rules = Rules(asks_guard=guard, **FAULTS[fault])
    found = next(
        (
            found
            for needs, mishaps in ((ONE, 1), (TWO, 1), (ONE, 2))
            for found in [search(SwarmModel(mishaps, rules, needs))]
            if found.fault
        ),
        None,
    )
    assert found is not None, fault
    assert found.way, "and the way to it is told"
