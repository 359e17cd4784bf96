"""What the ledger of a swarm lacks, by what the branch and the note of the last push say.

Role: the Jobs (``jobs/ledger.py``) ask before they begin, and after each move.

Guarantees: git is only read. What is in the ledger and the branch contradicts is not kept;
what the branch has and the ledger lacks is found, in order and once. A ledger that is lost
is the same again, but for what a branch cannot say: moves that were taken back by moving the
ref, and all pushes but the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.api.ledger import LedgerEntry, LedgerTask
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.mirror import START_REF, integration_head
from kiro_swarm.workspace.moves import move_of, moves, steps, steps_of
from kiro_swarm.workspace.push import last_push


@dataclass(frozen=True)
class News:
    """So many of the entries stand, and these follow them."""

    kept: int
    entries: list[LedgerEntry]


def news(
    mirror: Path,
    branch: str,
    entries: Sequence[LedgerEntry],
    proved: int,
    mover: Mover,
    now: str,
) -> News:
    """Compare a ledger with the mirror.

    :param entries: the whole ledger.
    :param proved: so many of them need no second look.
    :param mover: who notes that the branch went back, at ``now``: nothing else tells.

    Raises RefNotFound where there is no branch yet, and GitFailed.
    """
    git = Git(mirror)
    head = integration_head(mirror, branch)
    kept = _proved(git, entries, proved)
    stand = entries[:kept]
    at = place_of(stand) or git.commit_id(START_REF) or head
    found: list[LedgerEntry] = []
    line = _line(git, at, head)
    if line is None:
        back = _back(git, stand, head, mover, now)
        found.append(back)
        at = back["after"]
        line = _line(git, at, head)
    found += line or []
    pushed = last_push(git)
    if pushed is not None and _pushed(stand) != (pushed["after"], pushed["time"]):
        found.append(pushed)
    return News(kept, found)


def place_of(entries: Sequence[LedgerEntry]) -> str:
    """Where the branch is after these moves; empty after none."""
    for entry in reversed(entries):
        if entry["kind"] != "push":
            return entry["after"]
    return ""


def _pushed(entries: Sequence[LedgerEntry]) -> Optional[tuple[str, str]]:
    for entry in reversed(entries):
        if entry["kind"] == "push":
            return entry["after"], entry["time"]
    return None


def _line(git: Git, at: str, head: str) -> Optional[list[LedgerEntry]]:
    """The moves from here to the head; None where here is not on its line."""
    if at == head:
        return []
    if git.commit_id(at) is None:
        return None
    taken = steps(git, at, head)
    if not taken:
        return None
    # From the start of the swarm the line may lead through a second parent of ours.
    begins = taken[0].parents[:1] == (at,) or git.commit_id(START_REF) == at
    return moves(taken) if begins else None


def _proved(git: Git, entries: Sequence[LedgerEntry], proved: int) -> int:
    """How many entries, from the first, say what the commits say that they name."""
    rest = entries[proved:]
    known = steps_of(git, (e["after"] for e in rest if e["kind"] in ("merge", "sync")))
    place = place_of(entries[:proved])
    if not place and _begins_late(git, rest):
        return proved
    for number, entry in enumerate(rest, proved):
        if entry["kind"] == "push":
            continue
        if place and entry["before"] != place:
            return number
        if entry["kind"] in ("merge", "sync"):
            step = known.get(entry["after"])
            if step is None or move_of(step) != entry:
                return number
        place = entry["after"]
    return len(entries)


def _begins_late(git: Git, entries: Sequence[LedgerEntry]) -> bool:
    """Whether there are moves before the first of these."""
    start = git.commit_id(START_REF)
    first = next((e["before"] for e in entries if e["kind"] != "push"), "")
    if start is None or first == start or git.commit_id(first) is None:
        return False
    return git.is_ancestor(start, first)


def _back(
    git: Git, entries: Sequence[LedgerEntry], head: str, mover: Mover, now: str
) -> LedgerEntry:
    """The branch is not ahead of where the ledger has it: how it left that place."""
    on_line = set(git.run("rev-list", "--first-parent", head).text.split())
    undone: list[LedgerTask] = []
    place = place_of(entries)
    for entry in reversed(entries):
        if place in on_line:
            break
        if entry["kind"] in ("push", "rollback") or entry["after"] != place:
            continue  # no move, or one that was taken back before
        undone = [*entry["tasks"], *undone]
        place = entry["before"]
    known = place in on_line
    return {
        "kind": "rollback" if known else "external",
        "before": place_of(entries),
        "after": place if known else head,
        "tasks": undone if known else [],
        "gates": [],
        "time": now,
        "job": mover.job,
        "swarm": mover.swarm,
        "command": "",
    }
