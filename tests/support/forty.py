"""A repository with a spec of forty tasks, and what it is when all of them are merged.

For tests that look at how a swarm works through a graph: roots, chains, diamonds, a fan,
tasks that touch the same files, priorities, an optional task, and estimates that have
little to do with the truth. Always the same; the agent is the scripted one. Every task
writes a file of its own; those in SHARED append their id to a common file instead, and
would conflict if they were worked on at the same time.

``FORTY`` is all of it. ``SOME`` leaves out chains that show nothing that the others do not:
each thing that is judged has its occasion there, too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Dict, Final, Mapping, Sequence, Tuple

SPEC: Final = ".kiro/specs/demo/tasks.md"
#: Id, seconds that it really takes, the estimate, ids that it depends on.
_TABLE: Final = """
    1.1   2.0   20min   -
    1.2   2.0   2h      -
    1.3   1.5   10min   -
    1.4   1.5   -       -
    2.1   2.5   15min   -
    2.2   2.0   15min   -
    2.3   2.5   40min   -
    2.4   2.0   5min    -
    3.1   2.0   20min   1.1
    3.2   1.5   1h      3.1
    3.3   2.0   10min   3.2
    3.4   2.5   20min   3.3
    3.5   1.5   -       3.4
    4.1   2.5   10min   1.2
    4.2   2.0   30min   4.1
    4.3   1.5   20min   4.2
    4.4   2.0   45min   4.3
    5.1   1.5   20min   1.3
    5.2   6.0   10min   5.1
    5.3   2.0   1h      5.1
    5.4   2.0   2h      5.2 5.3
    6.1   2.0   -       1.4
    6.2   2.5   20min   6.1
    6.3   1.5   2h      6.1
    6.4   2.0   10min   6.2 6.3
    7.1   2.0   20min   3.1 4.1
    7.2   1.5   25min   7.1
    7.3   2.5   25min   7.1
    7.4   1.5   20min   7.2 7.3
    8.1   1.5   30min   1.1
    8.2   2.0   20min   8.1
    8.3   2.5   5min    8.1
    8.4   1.5   1h      8.1
    8.5   2.0   20min   8.1
    8.6   2.0   20min   8.2 8.3 8.4 8.5
    9.1   2.5   20min   -
    9.2   2.0   -       -
    9.3   2.5   10min   -
    9.4   1.5   90min   -
    9.5   2.0   20min   9.1
"""
_GROUPS: Final = {
    "1": "Ground",
    "2": "What two want",
    "3": "The long chain",
    "4": "The short chain",
    "5": "A diamond with a slow side",
    "6": "A diamond",
    "7": "A diamond on two chains",
    "8": "A fan",
    "9": "By themselves",
}
#: The tasks of each of these say that they touch the same: a file, a folder with a file.
OVERLAPS: Final = (("2.1", "2.2"), ("2.3", "2.4"))
SHARED: Final = {
    "2.1": "log.txt",
    "2.2": "log.txt",
    "2.3": "table/rows.txt",
    "2.4": "table/rows.txt",
}
_CLAIMS: Final = {**SHARED, "2.3": "table/"}
URGENT: Final = frozenset(SHARED)
_LOW: Final = frozenset({"9.2", "9.3"})
_LEFT_OUT: Final = ("1.2", "1.4", "4.", "6.", "7.")
OPTIONAL: Final = "9.5"
#: In the middle of the graph, and long enough for its instance to be killed under it.
SLOW: Final = "5.2"


@dataclass(frozen=True)
class Leaf:
    """One task: what it takes in truth, what is guessed, what it needs."""

    id: str
    seconds: float
    estimate: str
    needs: Tuple[str, ...]


def _leaf(row: str) -> Leaf:
    name, seconds, estimate, *needs = row.split()
    return Leaf(name, float(seconds), estimate, tuple(n for n in needs if n != "-"))


@dataclass(frozen=True)
class Spec:
    """A task file, the repository around it, and what becomes of them."""

    leaves: Tuple[Leaf, ...]

    @property
    def dependencies(self) -> Dict[str, Tuple[str, ...]]:
        """Task -> what it needs."""
        return {leaf.id: leaf.needs for leaf in self.leaves}

    @property
    def urgency(self) -> Dict[str, int]:
        """What goes first of all that may begin; those that may have to wait for files apart."""
        return {
            leaf.id: 0 if leaf.id in _LOW else 1 if leaf.id == OPTIONAL else 2
            for leaf in self.leaves
            if leaf.id not in SHARED
        }

    def tasks_md(self) -> str:
        """The task file."""
        lines = ["# Implementation Plan: Forty tasks", ""]
        for group, title in _GROUPS.items():
            boxes = [leaf for leaf in self.leaves if leaf.id.startswith(f"{group}.")]
            if boxes:
                lines.append(f"- [ ] {group}. {title}")
            for leaf in boxes:
                lines += _box(leaf)
        return "\n".join([*lines, ""])

    def repository(self) -> Dict[str, str]:
        """Path -> text of everything that the swarm begins with."""
        return {
            SPEC: self.tasks_md(),
            ".kiro/scripted-agent.json": json.dumps(
                {leaf.id: _recipe(leaf) for leaf in self.leaves}
            ),
            **dict.fromkeys(SHARED.values(), "begun\n"),
        }

    def outcome(self, order: Sequence[str]) -> Dict[str, str]:
        """Path -> text of everything when all tasks were merged, in this order."""
        files = self.repository()
        for task in order:
            shared = SHARED.get(task)
            if shared:
                files[shared] += f"{task}\n"
            else:
                files[_own(task)] = task
        return {**files, SPEC: files[SPEC].replace("- [ ]", "- [x]")}


def _box(leaf: Leaf) -> Sequence[str]:
    star = "*" if leaf.id == OPTIONAL else ""
    fields = {
        "Depends": ", ".join(leaf.needs) or "none",
        "Estimate": leaf.estimate.strip("-"),
        "Files": _CLAIMS.get(leaf.id, ""),
        "Priority": ("high" if leaf.id in URGENT else "low" if leaf.id in _LOW else ""),
    }
    written = [f"    - _{name}: {value}_" for name, value in fields.items() if value]
    return [f"  - [ ]{star} {leaf.id} Make part {leaf.id}", *written]


def _recipe(leaf: Leaf) -> Dict[str, object]:
    shared = SHARED.get(leaf.id)
    files: Dict[str, object] = (
        {shared: {"append": f"{leaf.id}\n"}} if shared else {_own(leaf.id): leaf.id}
    )
    return {"seconds": leaf.seconds, "files": files}


def _own(task: str) -> str:
    return f"parts/{task}.txt"


FORTY: Final = Spec(tuple(_leaf(row) for row in _TABLE.strip().splitlines()))
SOME: Final = Spec(
    tuple(leaf for leaf in FORTY.leaves if not leaf.id.startswith(_LEFT_OUT))
)


def blobs(files: Mapping[str, str]) -> Dict[str, str]:
    """Path -> the id that git gives to a file with this text."""
    found = {}
    for path, text in files.items():
        content = text.encode()
        head = b"blob %d\0" % len(content)
        found[path] = hashlib.sha1(head + content, usedforsecurity=False).hexdigest()
    return found
