"""The tasks that the integration branch has, read on from where it was read last.

Role: the merge train asks before each merge whether it has happened already.

Guarantees: what is answered is what the branch says where it is now. Whoever else moves it is
noticed: only a branch whose line of first parents leads through the commit that was read last
is read on from there, any other one, and one with another start, from its start. A merge costs
what is new since the one before, however many there are.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from kiro_swarm.api.ledger import LedgerEntry, LedgerTask
from kiro_swarm.workspace.errors import GitFailed
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import start_and_head
from kiro_swarm.workspace.moves import Step, move_of, steps


@dataclass(frozen=True)
class Found:
    """A task in a merge on the branch; ``place``: the greater the later it was merged."""

    place: tuple[int, int]
    task: LedgerTask
    move: LedgerEntry


@dataclass
class _Tasks:
    """What was read from ``start``, which is left out, to ``at``.

    ``by_id``: swarm, id of the task and what it asked for. The latest merge is found, in it the
    first task.
    """

    start: str
    at: str
    merges: int = 0
    trailers: dict[str, str] = field(default_factory=dict)
    by_uid: dict[str, Found] = field(default_factory=dict)
    by_id: dict[tuple[str, str, str], Found] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Take the next commit of the line."""
        move = move_of(step)
        if move is not None:
            self.merges += 1
            for number, task in reversed(list(enumerate(move["tasks"]))):
                found = Found((self.merges, -number), task, move)
                trailer = f"{task['uid']}/{task['attempt']}"
                self.trailers.setdefault(trailer, step.commit)
                self.by_uid[task["uid"]] = found
                self.by_id[move["swarm"], task["id"], task.get("asked", "")] = found
        self.at = step.commit


class MergedTasks:
    """The tasks on the integration branch of one mirror."""

    def __init__(self, mirror: Path, integration_branch: str) -> None:
        self._mirror = mirror
        self._branch = integration_branch
        self._tasks = _Tasks("", "")
        #: Where the branch was when it was asked last.
        self.head = ""

    def trailers(self) -> dict[str, str]:
        """``<uid>/<attempt>`` -> the merge commit that brought it in first."""
        return dict(self._now().trailers)

    def find(
        self, uid: str, swarm: str, task_id: str, asked: str = ""
    ) -> Optional[Found]:
        """The latest merge of the KiroTask, or of a task of that id by that swarm.

        A swarm without a uid has merged nothing by id. By id it is the same task only if it
        asked for the same; what a merge of an earlier release was asked for nobody knows.
        """
        tasks = self._now()
        found = [tasks.by_uid.get(uid)]
        if swarm:
            found += [tasks.by_id.get((swarm, task_id, a)) for a in {asked, ""}]
        there = [one for one in found if one is not None]
        return max(there, key=lambda one: one.place, default=None)

    def _now(self) -> _Tasks:
        start, head = start_and_head(self._mirror, self._branch)
        git, start, self.head = Git(self._mirror), start or head, head
        known = self._tasks
        taken = _on_from(git, known, head) if known.start == start else None
        if taken is None:
            # Kept when it is whole: killed before, the next one reads from the start.
            known, taken = _Tasks(start, start), steps(git, start, head)
        for step in taken:
            known.add(step)
        self._tasks = known
        return known


def _on_from(git: Git, known: _Tasks, head: str) -> Optional[list[Step]]:
    """What follows what is known; None when the head does not follow from it."""
    if known.at == head:
        return []
    # Somebody may have thrown the commit away together with the line that it was on.
    with suppress(GitFailed):
        taken = steps(git, known.at, head)
        if taken and taken[0].parents[:1] == (known.at,):
            return taken
    return None
