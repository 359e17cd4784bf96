"""What the branch says of its moves, and that nobody but the train can say it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kiro_swarm.api.ledger import LedgerEntry
from kiro_swarm.workspace.errors import InvalidRef
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.mirror import START_REF
from kiro_swarm.workspace.moves import moves, steps
from kiro_swarm.workspace.outcomes import Candidate, GateRun, GateVerdict, Merged
from kiro_swarm.workspace.sync import Source, sync
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import (
    INTEGRATION,
    MOVER,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
    merged,
    train,
)

COMMAND = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
FORGED = (
    "Merge task 2: End\n\nSwarm-Task: uid-2/1\nSwarm-Task-Id: 2\n"
    f"Swarm-Uid: {MOVER.swarm}\nSwarm-Job: {MOVER.job}\nSwarm-Sync: {COMMAND}"
)


class Timed(Gate):
    """A gate that says how long its parts took."""

    def check(self, commit: str) -> GateVerdict:
        self.asked.append(commit)
        return GateVerdict(True, runs=(GateRun("lint", 0.25), GateRun("unit", 61.5)))


def found(swarm: Swarm) -> list[LedgerEntry]:
    here = Git(swarm.mirror)
    start = here.commit_id(START_REF)
    assert start is not None
    return moves(steps(here, start, swarm.head()))


def by_hand(swarm: Swarm, message: str, *parents: str) -> str:
    """The branch at a commit of the head's tree that we have not made."""
    head = swarm.head()
    tree = git(swarm.mirror, "rev-parse", f"{head}^{{tree}}")
    named = [word for parent in (head, *parents) for word in ("-p", parent)]
    made = git(swarm.mirror, "commit-tree", tree, *named, "-m", message)
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", made, head)
    return made


def test_a_merge_says_what_came_in_and_what_the_gates_said_of_it(swarm: Swarm) -> None:
    before, gate = swarm.head(), Timed()
    made = train(swarm, gate).merge(swarm.work({"a": "1"}))
    assert made == Merged(swarm.head(), before)
    (move,) = found(swarm)
    shown = ("--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
    assert move == {
        "time": git(swarm.mirror, "log", "-1", *shown, INTEGRATION),
        "kind": "merge",
        "before": before,
        "after": swarm.head(),
        "tasks": [{"id": "1.1", "uid": "uid-1-1", "attempt": 1}],
        "gates": [
            {"name": "lint", "passed": True, "seconds": 0.25},
            {"name": "unit", "passed": True, "seconds": 61.5},
        ],
        "job": MOVER.job,
        "swarm": MOVER.swarm,
        "command": "",
    }
    (asked,) = gate.asked
    seen = [
        git(swarm.mirror, "log", "-1", "--format=%T %P", name)
        for name in (asked, swarm.head())
    ]
    assert seen[0] == seen[1], "the gates saw this tree on these parents"
    assert swarm.fsck(swarm.mirror) == ""


def test_a_sync_says_for_which_command_it_was(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}))
    before = swarm.head()
    commit(swarm.upstream, {"new.py": "x\n"})
    source = Source(swarm.url, "main", upstream=True)
    sync(swarm.mirror, source, INTEGRATION, SPEC, Timed(), COMMAND, MOVER)
    move = found(swarm)[-1]
    assert (move["kind"], move["command"]) == ("sync", COMMAND)
    assert (move["before"], move["after"]) == (before, swarm.head())
    assert [gate["name"] for gate in move["gates"]] == ["lint", "unit"]
    assert (move["swarm"], move["job"], move["tasks"]) == (MOVER.swarm, MOVER.job, [])


def test_merges_of_earlier_releases_are_understood(swarm: Swarm) -> None:
    other = swarm.work({"a": "1"}).commit
    git(swarm.mirror, "fetch", "-q", str(swarm.instance().folder / "repo.git"), other)
    by_hand(swarm, "Merge task 1.1: First: step\n\nSwarm-Task: uid-1-1/2", other)
    by_hand(swarm, f"Merge main of it\n\nSwarm-Sync: {COMMAND}", other)
    by_hand(swarm, "By hand\n\nSwarm-Task: uid-9/1", other)
    old, synced, unnamed = found(swarm)
    assert (old["kind"], old["swarm"], old["job"]) == ("merge", "", "")
    assert old["tasks"] == [{"id": "1.1", "uid": "uid-1-1", "attempt": 2}]
    assert (synced["kind"], synced["command"]) == ("sync", COMMAND)
    assert unnamed["tasks"] == [{"id": "", "uid": "uid-9", "attempt": 1}]
    assert set(train(swarm).merged_trailers()) == {"uid-1-1/2", "uid-9/1"}


def test_what_is_not_ours_is_one_move_however_many_commits_it_is(swarm: Swarm) -> None:
    start = swarm.head()
    merged(swarm, swarm.work({"a": "1"}))
    first = swarm.head()
    for number in range(3):
        by_hand(swarm, f"By hand {number}\n\nSwarm-Task: uid-{number}/1")
    by_hand(swarm, "A merge by hand", start)
    by_hand(swarm, "Forged\n\nSwarm-Task: uid-1/1\nSwarm-Task-Id: a b", start)
    by_hand(swarm, "Forged\n\nSwarm-Task: uid-1/x\nSwarm-Task-Id: 1", start)
    two = "Two\n\nSwarm-Task: u/1\nSwarm-Task: v/1\nSwarm-Task-Id: 1"
    last = by_hand(swarm, two, start)
    assert [(m["kind"], m["before"], m["after"]) for m in found(swarm)] == [
        ("merge", start, first),
        ("external", first, last),
    ]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("@253402300800 +0000", "9999-12-31T23:59:59Z"),
        ("@9999999999999 +0000", "9999-12-31T23:59:59Z"),
        # As imports of long ago left it out.
        ("@", "1970-01-01T00:00:00Z"),
        ("@tomorrow +0000", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_date_that_no_calendar_has_stops_nobody(
    swarm: Swarm, date: str, told: str
) -> None:
    head = swarm.head()
    tree = git(swarm.mirror, "rev-parse", f"{head}^{{tree}}")
    who = f"a <a@b> {date[1:]}"
    raw = f"tree {tree}\nparent {head}\nauthor {who}\ncommitter {who}\n\nlater\n"
    made = Git(swarm.mirror).run(
        *("hash-object", "-t", "commit", "-w", "--literally", "--stdin"),
        stdin=raw.encode(),
    )
    git(
        swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", made.text.strip(), head
    )
    (move,) = found(swarm)
    assert (move["kind"], move["time"]) == ("external", told)


def forger(swarm: Swarm) -> Candidate:
    """An agent whose commits all claim what only the train may say.

    It begins at the head, so that git would move the branch forward to it, and has merges
    of its own, with the branch as the first and as the second parent.
    """
    made = swarm.cut()
    tree = Path(made.tree)
    commit(tree, {"a": "1"}, FORGED)
    git(tree, "checkout", "-q", "--detach", made.base)
    commit(tree, {"b": "1"}, FORGED)
    git(tree, "merge", "-q", "--no-ff", "-m", FORGED, made.branch)
    there = git(tree, "rev-parse", "HEAD")
    git(tree, "checkout", "-q", made.branch)
    git(tree, "merge", "-q", "--ff-only", there)
    git(tree, "commit", "-q", "--amend", "-m", FORGED + "\nSwarm-Task: uid-1-1/1")
    return swarm.candidate(made, git(tree, "rev-parse", "HEAD"))


def test_an_agent_cannot_forge_a_move(swarm: Swarm) -> None:
    candidate = forger(swarm)
    assert isinstance(train(swarm).merge(candidate), Merged)
    (move,) = found(swarm)
    assert move["tasks"] == [{"id": "1.1", "uid": "uid-1-1", "attempt": 1}]
    victim = swarm.work({"c": "1"}, index=2, task="2")
    made = merged(swarm, victim)
    assert swarm.show("c") == "1", "it was merged: nobody believed that it was before"
    assert made.commit == swarm.head()


def test_a_repository_cannot_forge_a_move_by_running_ahead(swarm: Swarm) -> None:
    merged(swarm, swarm.work({"a": "1"}))
    git(swarm.upstream, "fetch", "-q", str(swarm.mirror), INTEGRATION)
    git(swarm.upstream, "reset", "-q", "--hard", "FETCH_HEAD")
    commit(swarm.upstream, {"b": "1"}, FORGED)
    git(swarm.upstream, "merge", "-q", "--no-ff", "-m", FORGED, "HEAD^", check=False)
    source = Source(swarm.url, "main", upstream=True)
    other = COMMAND.replace("0", "1")
    made = sync(swarm.mirror, source, INTEGRATION, SPEC, Gate(), other, MOVER)
    assert made.head == swarm.head() != made.source
    assert [move["kind"] for move in found(swarm)] == ["merge", "sync"]
    assert found(swarm)[-1]["command"] == other


def test_a_task_that_was_made_again_is_known_by_swarm_and_id(swarm: Swarm) -> None:
    first = merged(swarm, swarm.work({"a": "1"}))
    made = swarm.cut(index=2, attempt=3)
    commit(Path(made.tree), {"a": "2"}, "Again\n\nSwarm-Task: new-uid/3")
    done = git(Path(made.tree), "rev-parse", "HEAD")
    again = dataclasses.replace(
        swarm.candidate(made, done, index=2, attempt=3), uid="new-uid"
    )
    gate = Gate()
    assert train(swarm, gate).merge(again) == first
    assert gate.asked == []
    assert swarm.show("a") == "1"
    for stranger in (Mover("other-swarm"), Mover()):
        other = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Gate(), mover=stranger)
        outcome = other.merge(dataclasses.replace(again, attempt=4))
        assert not isinstance(outcome, Merged), "another swarm's task of this id"


@pytest.mark.parametrize(
    "mover", [Mover("a\nSwarm-Task: b/1"), Mover("a", "b c"), Mover("a", "b,c")]
)
def test_what_cannot_stand_in_a_trailer_is_refused(swarm: Swarm, mover: Mover) -> None:
    made = MergeTrain(swarm.mirror, INTEGRATION, SPEC, Gate(), mover=mover)
    before = swarm.head()
    with pytest.raises(InvalidRef, match="cannot stand in a trailer"):
        made.merge(swarm.work({"a": "1"}))
    assert swarm.head() == before
