"""What the integration branch says of its own moves.

Role: merged.py and sync.py find here what is merged already, ledger.py what has to be in the
ledger of the swarm.

Guarantees: only the line of first parents is read, and only merges on it are taken for ours:
commits that an agent wrote are second parents, whatever their messages say, for every merge
of ours is a commit of its own, also where git would have moved the branch forward. A trailer
that is not of the form in which we write it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

from kiro_swarm.api.ledger import (
    MOST_GATES,
    MOST_TASKS,
    LedgerEntry,
    LedgerGate,
    LedgerTask,
)
from kiro_swarm.workspace import messages
from kiro_swarm.workspace.git import Git

_FORMAT = "%H%n%P%n%ct%n%s%n%(trailers:only=true,unfold=true)"
_TASK = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]{0,63})/([1-9][0-9]{0,5})")
_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ASKED = re.compile(r"[0-9a-f]{16}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_GATE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,252}) passed ([0-9]{1,9}\.[0-9]{3})")
_SUBJECT = re.compile(r"Merge task ([A-Za-z0-9][A-Za-z0-9._-]{0,127}): ")


@dataclass(frozen=True)
class Step:
    """One commit on the line of first parents; ``said``: its trailers."""

    commit: str
    parents: tuple[str, ...]
    time: str
    subject: str
    said: tuple[tuple[str, str], ...]

    def values(self, key: str) -> list[str]:
        """The values of one trailer, in order."""
        return [value for name, value in self.said if name == key]

    def word(self, key: str) -> str:
        """The value of a trailer that is there once; empty for any other."""
        found = [value for value in self.values(key) if _WORD.fullmatch(value)]
        return found[0] if len(found) == 1 else ""


def steps(git: Git, start: str, head: str) -> list[Step]:
    """The first parents from ``start``, which is left out, to ``head``, oldest first."""
    logged = git.run(
        *("log", "-z", "--first-parent", "--reverse", f"--format={_FORMAT}"),
        *(head, f"^{start}"),
    )
    return list(_read(logged.stdout))


def steps_of(git: Git, commits: Iterable[str]) -> dict[str, Step]:
    """Each of these commits that there is, by its id."""
    wanted = "".join(f"{commit}\n" for commit in commits)
    if not wanted:
        return {}
    logged = git.run(
        *("log", "-z", "--no-walk=unsorted", "--ignore-missing", "--stdin"),
        f"--format={_FORMAT}",
        stdin=wanted.encode("ascii"),
    )
    return {step.commit: step for step in _read(logged.stdout)}


def _read(logged: bytes) -> Iterator[Step]:
    for record in logged.decode("utf-8", "replace").split("\0"):
        if not record.strip():
            continue
        commit, parents, seconds, subject, *lines = record.split("\n")
        pairs = (line.partition(": ") for line in lines)
        said = tuple((key, value.strip()) for key, sign, value in pairs if sign)
        yield Step(commit, tuple(parents.split()), _time(seconds), subject, said)


_LATEST = 253_402_300_799  # the end of the year 9999


_NUMBER = re.compile(r"-?[0-9]{1,20}")


def _time(seconds: str) -> str:
    # Whoever wrote a commit chose its date, or left it out, as old imports did; years past
    # 9999 are no dates of ours.
    number = int(seconds) if _NUMBER.fullmatch(seconds) else 0
    moment = datetime.fromtimestamp(min(max(number, 0), _LATEST), timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def moves(taken: Iterable[Step]) -> list[LedgerEntry]:
    """The moves that these steps were, oldest first.

    What is not ours is one move, however many commits in a row it is.
    """
    made: list[LedgerEntry] = []
    for step in taken:
        move = move_of(step)
        if move is None:
            move = _external(step)
            if made and made[-1]["kind"] == "external":
                move["before"] = made.pop()["before"]
        made.append(move)
    return made


def move_of(step: Step) -> Optional[LedgerEntry]:
    """The move that this merge of ours was; None when it is none of ours."""
    if len(step.parents) != 2:
        return None
    tasks, command = _tasks(step), step.word(messages.SYNC_KEY)
    if not tasks and not command:
        return None
    return {
        "kind": "merge" if tasks else "sync",
        "before": step.parents[0],
        "after": step.commit,
        "tasks": tasks,
        "gates": list(_gates(step))[:MOST_GATES],
        "time": step.time,
        "job": step.word(messages.JOB_KEY),
        "swarm": step.word(messages.SWARM_KEY),
        "command": "" if tasks else command,
    }


def _tasks(step: Step) -> list[LedgerTask]:
    found = [_TASK.fullmatch(value) for value in step.values(messages.TRAILER_KEY)]
    ids = step.values(messages.TASK_ID_KEY)
    if not ids and len(found) == 1:
        # An earlier release named the task in the subject alone.
        named = _SUBJECT.match(step.subject)
        ids = [named[1]] if named else [""]
    elif not all(_TASK_ID.fullmatch(task_id) for task_id in ids):
        return []
    if None in found or len(found) != len(ids) or len(ids) > MOST_TASKS:
        return []
    asked = step.values(messages.ASKED_KEY)
    if len(asked) != len(ids) or not all(map(_ASKED.fullmatch, asked)):
        asked = []  # an earlier release did not write it
    tasks: list[LedgerTask] = [
        {"id": task_id, "uid": task[1], "attempt": int(task[2])}
        for task, task_id in zip(found, ids)
        if task is not None
    ]
    for task, what in zip(tasks, asked):
        task["asked"] = what
    return tasks


def _gates(step: Step) -> Iterator[LedgerGate]:
    for value in step.values(messages.GATE_KEY):
        run = _GATE.fullmatch(value)
        if run:
            yield {"name": run[1], "passed": True, "seconds": float(run[2])}


def _external(step: Step) -> LedgerEntry:
    return {
        "kind": "external",
        "before": step.parents[0] if step.parents else "",
        "after": step.commit,
        "tasks": [],
        "gates": [],
        "time": step.time,
        "job": "",
        "swarm": "",
        "command": "",
    }
