"""Every version of the KiroTasks of a namespace, in the order in which they were written.

``recorded`` keeps a watch open while a swarm works. From its events ``attempts`` reads who
worked on what from when to when; ``tests.support.judging`` says what is wrong with that.

A moment is known twice: by the clock of whoever wrote it down, to a microsecond, and as a
write to the store, of which there is one order whatever the clocks say. What is said to
come first must come first by both.
"""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from kiro_swarm.policy.times import parse
from tests.support.cluster import program
from tests.support.swarm import Place

Object = Any
MERGED = "Merged"


@dataclass(frozen=True)
class Moment:
    """When something was written down: the time, and the version that the write made."""

    at: datetime
    version: int

    def is_before(self, other: Moment) -> bool:
        """Before the other by the order of writes, and not after it by the clock."""
        return self.version < other.version and self.at <= other.at


@dataclass(frozen=True)
class Attempt:
    """One attempt at a task: from its binding to its merge, or to how else it ended.

    ``ready``: since when it could have been bound. ``left``: when the instance had done its
    part and could be given another task.
    """

    task: str
    number: int
    instance: str
    ready: Moment
    bound: Moment
    left: Moment
    ended: Moment
    outcome: str

    def __str__(self) -> str:
        return f"{self.task}/{self.number}"


class Journal:
    """A file to which a watch writes its events."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self) -> List[Object]:
        """What has been written so far, without an event that is only half there."""
        text, at = self._path.read_text(encoding="utf-8"), 0
        found: List[Object] = []
        while True:
            start = text.find("{", at)
            try:
                event, at = json.JSONDecoder().raw_decode(text, start)
            except ValueError:
                return found
            found.append(event)

    def latest(self) -> Dict[str, Object]:
        """Task id -> the KiroTask as it was seen last."""
        return {e["object"]["spec"]["id"]: e["object"] for e in self.events()}

    def states(self) -> Dict[str, str]:
        """Task id -> its state as it was seen last; empty before it has one."""
        return {
            name: str((task.get("status") or {}).get("state") or "")
            for name, task in self.latest().items()
        }


@contextmanager
def recorded(place: Place, path: Path) -> Iterator[Journal]:
    """Watch the KiroTasks of a place, of which there should be none yet."""
    command = [
        *(program("kubectl"), f"--kubeconfig={place.cluster.kubeconfig}"),
        *("--namespace", place.name, "get", "kirotasks"),
        *("--watch", "--output-watch-events", "--output=json"),
    ]
    with path.open("wb") as out, subprocess.Popen(command, stdout=out) as watch:
        try:
            yield Journal(path)
            assert watch.poll() is None, "the watch ended before the work"
        finally:
            watch.terminate()


def attempts(events: Iterable[Object]) -> List[Attempt]:
    """The attempts, in the order of their bindings.

    Raises ValueError for one that began and did not end, or ended and did not begin: then
    the journal has a gap, or the work was not over.
    """
    begun: Dict[Tuple[str, int], Tuple[str, Moment]] = {}
    ready: Dict[Tuple[str, int], Moment] = {}
    left: Dict[Tuple[str, int], Moment] = {}
    ended: Dict[Tuple[str, int], Tuple[str, Moment]] = {}
    for event in events:
        task = event["object"]
        version = int(task["metadata"]["resourceVersion"])
        status = task.get("status") or {}
        name, number = task["spec"]["id"], int(status.get("attempt") or 0)
        if status.get("state") == "Ready":
            moment = _moment(status["readyAt"], version)
            ready.setdefault((name, number + 1), moment)
        if status.get("state") == "Bound":
            moment = _moment(status["boundAt"], version)
            begun.setdefault((name, number), (status["instance"], moment))
        if status.get("state") == "Done":
            left.setdefault((name, number), _moment(status["finishedAt"], version))
        for record in status.get("history") or []:
            moment = _moment(record["finishedAt"], version)
            ended.setdefault((name, record["attempt"]), (record["outcome"], moment))
        if status.get("state") == MERGED:
            moment = _moment(status["mergedAt"], version)
            ended.setdefault((name, number), (MERGED, moment))
    torn = begun.keys() ^ ended.keys()
    if torn:
        raise ValueError(f"begun and not ended, or ended and not begun: {sorted(torn)}")
    found = []
    for key, (instance, bound) in begun.items():
        outcome, end = ended[key]
        times = (ready[key], bound, left.get(key, end), end)
        found.append(Attempt(*key, instance, *times, outcome))
    return sorted(found, key=lambda attempt: attempt.bound.version)


def _moment(text: str, version: int) -> Moment:
    at = parse(text)
    if at is None:
        raise ValueError(f"version {version} of a task has the time {text!r}")
    return Moment(at, version)
