"""What the ledger of a swarm lacks, by what the branch and the note of the last push say.

Role: the Jobs (``jobs/ledger.py``) ask before they begin, and after each move.

Guarantees: git is only read. What is in the ledger and the branch contradicts is not kept;
what the branch has and the ledger lacks is found, in order and once. A ledger that is lost
is the same again, but for what a branch cannot say: moves that were taken back by moving the
ref, and all pushes but the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from kiro_swarm.api.ledger import MOST_TASKS, LedgerEntry, LedgerKind, LedgerTask
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.messages import Mover
from kiro_swarm.workspace.mirror import start_and_head
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
    start, head = start_and_head(mirror, branch)
    noted = last_push(git)
    kept = _proved(git, entries, proved, (start, head), noted)
    stand = entries[:kept]
    at = place_of(stand) or start or head
    found: list[LedgerEntry] = []
    line = _line(git, start, at, head)
    if line is None:
        found += _back(git, stand, head, mover, now)
        at = found[-1]["after"]
        line = _line(git, start, at, head)
    found += line or []
    if noted is not None and _pushed(stand) != noted:
        found.append(noted)
    return News(kept, found)


def place_of(entries: Sequence[LedgerEntry]) -> str:
    """Where the branch is after these moves; empty after none."""
    for entry in reversed(entries):
        if entry["kind"] != "push":
            return entry["after"]
    return ""


def _pushed(entries: Sequence[LedgerEntry]) -> Optional[LedgerEntry]:
    return next((e for e in reversed(entries) if e["kind"] == "push"), None)


def _line(
    git: Git, start: Optional[str], at: str, head: str
) -> Optional[list[LedgerEntry]]:
    """The moves from here to the head; None where here is not on its line."""
    if at == head:
        return []
    if git.commit_id(at) is None:
        return None
    taken = steps(git, at, head)
    if not taken:
        return None
    # From the start of the swarm the line may lead through a second parent of ours.
    begins = taken[0].parents[:1] == (at,) or start == at
    return moves(taken) if begins else None


def _proved(
    git: Git,
    entries: Sequence[LedgerEntry],
    proved: int,
    ends: tuple[Optional[str], str],
    noted: Optional[LedgerEntry],
) -> int:
    """How many entries, from the first, say what git says of the moves that they name.

    ``ends``: where the swarm began, and where the branch is.
    """
    start = ends[0]
    rest = entries[proved:]
    known = steps_of(git, (e["after"] for e in rest if e["kind"] in ("merge", "sync")))
    place = place_of(entries[:proved])
    if not place and _begins_late(git, start, rest):
        return proved
    # The noted push is the last one. Where none is noted, none is believed: to push again
    # does no harm, and never to push does.
    over = noted is None or noted in entries[:proved]
    for number, entry in enumerate(rest, proved):
        before = entries[:number]
        if entry["kind"] == "push":
            if over or not (
                entry == noted or _was_there(git, start, before, entry["after"])
            ):
                return number
            over = entry == noted
            continue
        if place and entry["before"] != place:
            return number
        if entry["kind"] in ("merge", "sync"):
            step = known.get(entry["after"])
            stands = step is not None and move_of(step) == entry
        elif entry["kind"] == "rollback":
            stands = _takes_back(before, entry)
        else:
            stands = _is_external(git, ends, before, entry)
        if not stands:
            return number
        place = entry["after"]
    return len(entries)


def _was_there(
    git: Git, start: Optional[str], entries: Sequence[LedgerEntry], commit: str
) -> bool:
    """Whether the branch has been at a commit, by these entries."""
    if any(commit in (e["before"], e["after"]) for e in entries if e["kind"] != "push"):
        return True
    place = place_of(entries) or start
    if not place or None in git.commit_ids(commit, place):
        return False
    return git.is_ancestor(commit, place)


def _takes_back(entries: Sequence[LedgerEntry], entry: LedgerEntry) -> bool:
    """Whether a rollback is what we write of going back to where it goes."""
    undone: list[LedgerTask] = []
    for place, tasks in _places_before(entries):
        undone = [*tasks, *undone]
        if place == entry["after"]:
            return entry["before"] != place and entry["tasks"] == undone
    return False


def _is_external(
    git: Git,
    ends: tuple[Optional[str], str],
    entries: Sequence[LedgerEntry],
    entry: LedgerEntry,
) -> bool:
    """Whether a move without us was one: nothing of ours is hidden or lost in it."""
    start, head = ends
    before, after = entry["before"], entry["after"]
    if git.commit_id(after) is None:
        return False
    if before and before != after:
        line = _line(git, start, before, after)
        if line is not None:
            return line == [entry]
    lost = _lost(git, entries, after)[:MOST_TASKS]
    if entry["tasks"] != lost or (before == after and not lost):
        return False
    return after in _first_parents(git, head)


def _first_parents(git: Git, head: str) -> set[str]:
    return set(git.run("rev-list", "--first-parent", head).text.split())


def _begins_late(
    git: Git, start: Optional[str], entries: Sequence[LedgerEntry]
) -> bool:
    """Whether there are moves before the first of these."""
    first = next((e["before"] for e in entries if e["kind"] != "push"), "")
    if start is None or first in ("", start) or git.commit_id(first) is None:
        return False
    return git.is_ancestor(start, first)


def _places_before(
    entries: Sequence[LedgerEntry],
) -> Iterator[tuple[str, list[LedgerTask]]]:
    """Where the branch was, latest first, and the tasks that came in after that."""
    place = place_of(entries)
    for entry in reversed(entries):
        if entry["kind"] in ("push", "rollback") or entry["after"] != place:
            continue  # no move, or one that was taken back before
        place = entry["before"]
        yield place, [] if entry["kind"] == "external" else entry["tasks"]


def _lost(git: Git, entries: Sequence[LedgerEntry], head: str) -> list[LedgerTask]:
    """The merged tasks that this head does not have."""
    merged: dict[tuple[str, str], tuple[LedgerTask, str]] = {}
    for entry in entries:
        for task in entry["tasks"]:
            key = (task["id"], task["uid"])
            if entry["kind"] in ("rollback", "external"):
                merged.pop(key, None)
            else:
                merged[key] = (task, entry["after"])
    if not merged:
        return []
    there = set(git.run("rev-list", head).text.split())
    return [task for task, commit in merged.values() if commit not in there]


def _back(
    git: Git, entries: Sequence[LedgerEntry], head: str, mover: Mover, now: str
) -> list[LedgerEntry]:
    """The branch is not ahead of where the ledger has it: how it left that place.

    Several entries where there are more tasks than one may name.
    """

    def entry(
        kind: LedgerKind, before: str, after: str, tasks: list[LedgerTask]
    ) -> LedgerEntry:
        return {
            "kind": kind,
            "before": before,
            "after": after,
            "tasks": tasks,
            "gates": [],
            "time": now,
            "job": mover.job,
            "swarm": mover.swarm,
            "command": "",
        }

    at, on_line = place_of(entries), _first_parents(git, head)
    parts: list[LedgerEntry] = []
    for place, tasks in _places_before(entries):
        if parts and len(parts[-1]["tasks"]) + len(tasks) <= MOST_TASKS:
            last = parts.pop()
            parts.append(
                entry("rollback", last["before"], place, [*tasks, *last["tasks"]])
            )
        else:
            before = parts[-1]["after"] if parts else at
            parts.append(entry("rollback", before, place, tasks))
        if place in on_line:
            return parts
    lost = _lost(git, entries, head)
    parts = [entry("external", at, head, lost[:MOST_TASKS])]
    for first in range(MOST_TASKS, len(lost), MOST_TASKS):
        more = lost[first : first + MOST_TASKS]
        parts.append(entry("external", head, head, more))
    return parts
