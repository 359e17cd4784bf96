"""What the integration ledger says, read line by line. Pure.

Role: the Jobs read theirs so (``jobs/ledger.py``), and the operator what its watch brings
(``reconcile/snapshot/ledger.py``).

Guarantees: a line that was changed, or does not follow from the one before, is not believed,
and nothing after it. What is merged is what was not taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping, Optional

from kiro_swarm.api.ledger import LedgerEntry, entry_of
from kiro_swarm.policy import chain

#: ConfigMaps of a ledger: the Jobs of a swarm have rights on these names and no others.
MOST_SEGMENTS = 256
#: Entries of a ledger. A swarm of ten thousand tasks makes twice as many at most.
MOST_ENTRIES = MOST_SEGMENTS * chain.LINES_PER_SEGMENT
#: The reason why nothing more is merged when it has them.
LEDGER_FULL = "LedgerFull"


@dataclass(frozen=True)
class MergedTask:
    """A task that is on the integration branch, of which KiroTask, and what it asked for."""

    commit: str
    uid: str
    attempt: int
    time: str
    asked: str = ""


@dataclass
class Book:
    """A ledger up to some line.

    ``head``: where the branch is after it; ``pushed``: where its copy in the source
    repository is, since ``pushed_at``. All are empty before the first entry. ``merged``: task
    id -> what this swarm merged for it and did not take back.
    """

    swarm: str
    lines: int = 0
    hash: str = chain.BEGINNING
    head: str = ""
    pushed: str = ""
    pushed_at: str = ""
    merged: dict[str, MergedTask] = field(default_factory=dict)

    def add(self, line: Mapping[str, object]) -> Optional[LedgerEntry]:
        """Take the next line; None when it is not to be believed."""
        entry = entry_of(line)
        if entry is None or not chain.follows(line, self.lines, self.hash):
            return None
        self.lines, self.hash = self.lines + 1, str(line["hash"])
        if entry["kind"] == "push":
            self.pushed, self.pushed_at = entry["after"], entry["time"]
            return entry
        self.head = entry["after"]
        for task in entry["tasks"]:
            known = self.merged.get(task["id"])
            if entry["kind"] in ("rollback", "external"):
                if known is not None and known.uid == task["uid"]:
                    del self.merged[task["id"]]
            elif entry["swarm"] and entry["swarm"] == self.swarm:
                self.merged[task["id"]] = MergedTask(
                    *(entry["after"], task["uid"], task["attempt"], entry["time"]),
                    task.get("asked", ""),
                )
        return entry
