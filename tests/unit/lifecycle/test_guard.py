"""Every write of a KiroTask's status is an edge, and nothing else is one."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, List, Tuple

import pytest

from kiro_swarm.api.meta import TASK_STATES
from kiro_swarm.api.task import Cycle, KiroTaskStatus
from kiro_swarm.lifecycle import attempts, notes, steps
from kiro_swarm.lifecycle.edges import (
    EDGES,
    INTEGRATE,
    OPERATOR,
    PERSON,
    RUNNER,
    WRITERS,
)
from kiro_swarm.lifecycle.fields import PER_ATTEMPT, after
from kiro_swarm.lifecycle.guard import IllegalEdgeError, checked, edge_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
PLACE = steps.Place("demo-2", "pod-2", "branch-2")
Status = Any
SPEC: Any = {"maxAttempts": 3}
SHA = "a" * 40


def full(state: str, **changes: Any) -> Status:
    """A status in which every field of the attempt says something."""
    status = {
        "state": state,
        "attempt": 1,
        "instance": "demo-1",
        "podUid": "pod-1",
        "branch": "branch-1",
        "baseCommit": SHA,
        "commit": SHA,
        "readyAt": "2026-11-22T09:00:00.000000Z",
        "boundAt": "2026-11-22T09:00:01.000000Z",
        "startedAt": "2026-11-22T09:00:02.000000Z",
        "finishedAt": "2026-11-22T09:00:03.000000Z",
        "progress": {"message": "half"},
        "conditions": [
            {"type": "ConflictPredicted", "status": "True"},
            {"type": "Late", "status": "True"},
        ],
    }
    return {**status, **changes}


def failed(status: Status, reason: str) -> Any:
    return attempts.after_failure(
        status, SPEC, reason=reason, message="it failed", brief="why", now=NOW
    )


def made(state: str) -> List[Tuple[str, str, Any]]:
    """Writer, edge and patch of everything that can be made of a status in a state."""
    s = full(state)
    record: Cycle = {"attempt": 1, "cycle": 1, "outcome": "Red"}
    return [
        (OPERATOR, "ready", steps.ready(NOW)),
        (OPERATOR, "ticked", steps.ticked(NOW)),
        (OPERATOR, "recognise", steps.recognised(SHA, "2026-11-22T10:00:00.000000Z")),
        (OPERATOR, "skip", steps.skipped(NOW, deferred=True)),
        (OPERATOR, "skip", steps.skipped(NOW, deferred=False)),
        (OPERATOR, "ask again", steps.asked_again(s, NOW, "uid", satisfied=True)),
        (OPERATOR, "ask again", steps.asked_again(s, NOW, "uid", satisfied=False)),
        (OPERATOR, "bind", steps.bound(s, NOW, PLACE, "")),
        (RUNNER, "start", steps.started(NOW, branch="b", base=SHA)),
        (
            RUNNER,
            "finish",
            steps.done(s, NOW, branch="b", base=SHA, commit=SHA, message="m"),
        ),
        (INTEGRATE, "merge", steps.merged(s, NOW, SHA)),
        (INTEGRATE, "merge after all", steps.merged_after_all(s, NOW, SHA)),
        (OPERATOR, "recognise its own", steps.merged_after_all(s, NOW, SHA)),
        (RUNNER, "fail", failed(s, "NoChanges")),
        (OPERATOR, "lose", failed(s, "InstanceLost")),
        (OPERATOR, "move", attempts.moved(s, NOW, PLACE, "", "slow")),
        (INTEGRATE, "send back", failed(s, "MergeConflict")),
        (PERSON, "take back", attempts.taken_back(s, NOW, "Stopped", "stopped")),
        (PERSON, "reject", attempts.rejected(s, NOW, "no tests")),
        (PERSON, "cancel", attempts.cancelled(s, SPEC, NOW, "me")),
        (PERSON, "give up", attempts.cancelled(s, SPEC, NOW, "me")),
        (RUNNER, "progress", notes.progress("half", NOW)),
        (RUNNER, "cycle", notes.cycle(s, record, "cycle 1", NOW)),
        (RUNNER, "look ahead", notes.observed([])),
        (INTEGRATE, "look again", notes.observed([])),
        (OPERATOR, "late", notes.observed([])),
    ]


@pytest.mark.parametrize("state", TASK_STATES)
@pytest.mark.parametrize("by", WRITERS)
def test_a_patch_is_legal_for_its_writer_in_its_states_and_nowhere_else(
    state: str, by: str
) -> None:
    names = {edge.name: edge for edge in EDGES}
    for writer, name, patch in made(state):
        allowed = [
            edge.name
            for edge in EDGES
            if edge.by == by
            and state in edge.sources
            and set(patch) <= edge.fields
            and patch.get("state", "") in (edge.targets or {""})
            and (edge.reasons is None or patch.get("reason", "") in edge.reasons)
        ]
        if by == writer and state in names[name].sources:
            assert edge_of(full(state), patch, by).name == name
            is_a_status(after(full(state), patch))
        elif not allowed:
            with pytest.raises(IllegalEdgeError):
                edge_of(full(state), patch, by)


def is_a_status(status: Any) -> None:
    """What the API server stores of it is a status."""
    assert status.keys() <= KiroTaskStatus.__annotations__.keys()


def test_every_edge_is_made_by_something() -> None:
    assert {name for _, name, _ in made("Done")} == {edge.name for edge in EDGES}


def test_nothing_of_an_attempt_is_in_the_next_one() -> None:
    for patch in (
        steps.bound(full("Ready"), NOW, PLACE, ""),
        attempts.moved(full("Running"), NOW, PLACE, "", "slow"),
    ):
        status: Dict[str, Any] = dict(after(full("Ready"), patch))
        own = {"instance": "demo-2", "podUid": "pod-2", "branch": "branch-2"}
        assert {name: status[name] for name in own} == own
        rest = [n for n in PER_ATTEMPT if n not in own and n != "boundAt"]
        assert [status.get(name) or None for name in rest] == [None] * len(rest)


@pytest.mark.parametrize(
    ("case", "state", "by", "change", "why"),
    [
        ("a field of somebody else", "Bound", RUNNER, {"attempt": 2}, "does not write"),
        ("a reason of nobody", "Bound", RUNNER, {"reason": "Done"}, "the reason"),
        ("another writer", "Bound", PERSON, {}, "no such edge"),
        ("another state", "Done", RUNNER, {}, "no such edge"),
        ("a state that is none", "Bound", RUNNER, {"state": "Gone"}, "no such edge"),
        ("a reset that is left out", "Bound", RUNNER, {"progress": 1}, "leaves"),
    ],
)
def test_what_is_no_edge_is_refused_and_says_why(
    case: str, state: str, by: str, change: Any, why: str
) -> None:
    patch: Any = {**steps.started(NOW, branch="b", base=SHA), **change}
    task: Any = {"status": full(state)}
    with pytest.raises(IllegalEdgeError, match=why):
        checked(task, patch, by)


@pytest.mark.parametrize(
    ("case", "change", "why"),
    [
        ("the number stays", {"attempt": 1}, "goes from attempt 1 to 1"),
        ("two at once", {"attempt": 3}, "goes from attempt 1 to 3"),
        ("no pod", {"podUid": ""}, "does not say all"),
        ("its commit stays", {"commit": SHA}, "leaves"),
    ],
)
def test_an_attempt_begins_with_everything_and_nothing_old(
    case: str, change: Any, why: str
) -> None:
    patch: Any = {**steps.bound(full("Ready"), NOW, PLACE, ""), **change}
    with pytest.raises(IllegalEdgeError, match=why):
        edge_of(full("Ready"), patch, OPERATOR)


@pytest.mark.parametrize(
    ("case", "change", "why"),
    [
        ("no record", {"history": []}, "does not record attempt 1"),
        ("its pod stays", {"podUid": "pod-1"}, "leaves"),
        (
            "the prediction stays",
            {"conditions": [{"type": "ConflictPredicted", "status": "True"}]},
            "keeps a prediction",
        ),
    ],
)
def test_an_attempt_ends_with_its_record_and_no_instance(
    case: str, change: Any, why: str
) -> None:
    patch: Any = {**failed(full("Running"), "NoChanges"), **change}
    with pytest.raises(IllegalEdgeError, match=why):
        edge_of(full("Running"), patch, RUNNER)


def test_a_record_that_is_not_the_oldest_is_never_lost() -> None:
    old = {"attempt": 1, "outcome": "NoChanges"}
    running = full("Running", attempt=2, history=[old])
    patch = failed(running, "NoChanges")
    lost: Any = {**patch, "history": patch["history"][1:]}
    with pytest.raises(IllegalEdgeError, match="loses a record"):
        edge_of(running, lost, RUNNER)
    ten = [{"attempt": n, "outcome": "NoChanges"} for n in range(1, 11)]
    many = full("Running", attempt=11, history=ten)
    assert edge_of(many, failed(many, "NoChanges"), RUNNER).name == "fail"
