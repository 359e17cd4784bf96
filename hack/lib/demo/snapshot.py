"""The swarm as it was at one moment, and what happened between two moments. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

Object = Dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One KiroTask. `setbacks` are the messages of its failed attempts."""

    id: str
    title: str
    state: str
    attempt: int
    instance: str
    message: str
    commit: str
    setbacks: Tuple[str, ...]


@dataclass(frozen=True)
class Instance:
    """One KiroInstance; `task` is empty while it waits."""

    name: str
    colour: str
    colour_name: str
    phase: str
    task: str


@dataclass(frozen=True)
class Snapshot:
    """All of it; times are as the swarm's status says them."""

    phase: str
    message: str
    tasks: Tuple[Task, ...]
    instances: Tuple[Instance, ...]
    branch: str
    head: str
    pushed: str
    problems: Tuple[str, ...]
    started_at: str
    elapsed: float
    worked: float
    ratio: float

    def count(self, *states: str) -> int:
        """How many tasks are in one of the states."""
        return sum(task.state in states for task in self.tasks)

    @property
    def complete(self) -> bool:
        """Everything is merged, and what was merged is pushed."""
        pushed = bool(self.head) and self.pushed == self.head
        return self.phase == "Succeeded" and pushed

    def seconds(self, now: datetime) -> float:
        """Time since the first task started: as measured when all is over, else by `now`."""
        if not self.started_at:
            return 0.0
        if self.phase == "Succeeded":
            return self.elapsed
        began = datetime.fromisoformat(self.started_at.replace("Z", "+00:00"))
        # Clocks of a cluster and of this machine may differ.
        return max(0.0, (now - began).total_seconds())


EMPTY = Snapshot("Pending", "", (), (), "", "", "", (), "", 0.0, 0.0, 0.0)


def read(objects: Iterable[Object], swarm: str) -> Snapshot:
    """The snapshot of a swarm from its objects of all kinds."""
    kinds: Dict[str, List[Object]] = {}
    for item in objects:
        name = item["spec"].get("swarm", item["metadata"]["name"])
        if name == swarm:
            kinds.setdefault(item["kind"], []).append(item)
    status: Object = {}
    for item in kinds.get("KiroSwarm", []):
        status = item.get("status") or {}
    tasks = sorted(
        kinds.get("KiroTask", []), key=lambda item: item["spec"].get("order", 0)
    )
    instances = sorted(
        kinds.get("KiroInstance", []), key=lambda item: item["spec"]["index"]
    )
    busy = {
        item["status"].get("instance"): item["spec"]["id"]
        for item in tasks
        if (item.get("status") or {}).get("state") in ("Bound", "Running")
    }
    integration = status.get("integration") or {}
    speedup = status.get("speedup") or {}
    return Snapshot(
        phase=status.get("phase") or "Pending",
        message=status.get("message") or "",
        tasks=tuple(_task(item) for item in tasks),
        instances=tuple(_instance(item, busy) for item in instances),
        branch=integration.get("branch") or "",
        head=integration.get("head") or "",
        pushed=integration.get("pushed") or "",
        problems=tuple((status.get("prepare") or {}).get("diagnostics") or ()),
        started_at=status.get("startedAt") or "",
        elapsed=float(speedup.get("elapsedSeconds") or 0.0),
        worked=float(speedup.get("taskSeconds") or 0.0),
        ratio=float(speedup.get("ratio") or 0.0),
    )


def _task(item: Object) -> Task:
    spec, status = item["spec"], item.get("status") or {}
    progress = (status.get("progress") or {}).get("message")
    history = status.get("history") or []
    running = status.get("state") == "Running"
    return Task(
        id=spec["id"],
        title=spec.get("title") or "",
        state=status.get("state") or "Blocked",
        attempt=int(status.get("attempt") or 0),
        instance=status.get("instance") or "",
        message=(progress if running and progress else status.get("message")) or "",
        commit=(status.get("mergeCommit") or "")[:9],
        setbacks=tuple(record.get("message") or "" for record in history),
    )


def _instance(item: Object, busy: Dict[str, str]) -> Instance:
    spec, status = item["spec"], item.get("status") or {}
    return Instance(
        name=item["metadata"]["name"],
        colour=spec["colour"],
        colour_name=spec.get("colourName") or "",
        phase=status.get("phase") or "Pending",
        task=busy.get(item["metadata"]["name"], ""),
    )


@dataclass(frozen=True)
class Event:
    """Something that happened; `instance` is who did it, where somebody did."""

    what: str
    text: str
    instance: Optional[str] = None


def events(before: Snapshot, after: Snapshot) -> Iterator[Event]:
    """What happened between two snapshots, in the words of a log."""
    for problem in after.problems:
        if problem not in before.problems:
            yield Event("Remark", problem)
    phases = {instance.name: instance.phase for instance in before.instances}
    for instance in after.instances:
        was = phases.get(instance.name, "")
        if instance.phase != was and instance.phase not in ("Busy", "Ready"):
            yield Event(instance.phase, f"instance {instance.name}", instance.name)
        elif instance.phase == "Ready" and was not in ("Busy", "Ready"):
            yield Event("Ready", f"instance {instance.name}", instance.name)
    known = {task.id: task for task in before.tasks}
    for task in after.tasks:
        yield from _task_events(known.get(task.id), task)
    if after.pushed and after.pushed != before.pushed:
        yield Event("Pushed", f"{after.branch} at {after.pushed[:9]}")
    if before.phase != after.phase:
        yield Event(after.phase, after.message)


def _task_events(before: Optional[Task], after: Task) -> Iterator[Event]:
    seen = len(before.setbacks) if before else 0
    for message in after.setbacks[seen:]:
        yield Event("Back", f"{after.id} {after.title}: {message}")
    state, attempt = (before.state, before.attempt) if before else ("Blocked", 0)
    if (state, attempt) == (after.state, after.attempt):
        return
    name = f"{after.id} {after.title}"
    if after.state == "Running":
        again = f", attempt {after.attempt}" if after.attempt > 1 else ""
        yield Event("Running", f"{name} on {after.instance}{again}", after.instance)
    elif after.state in ("Done", "Failed"):
        yield Event(after.state, f"{name}: {after.message}", after.instance or None)
    elif after.state == "Merged":
        yield Event("Merged", f"{name} as {after.commit}", after.instance or None)
    elif after.state == "Skipped":
        yield Event("Skipped", name)
