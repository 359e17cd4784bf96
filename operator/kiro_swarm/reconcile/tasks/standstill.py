"""Why no task of a swarm begins until a person acts. Pure.

Called by the status and the conditions of a swarm. What holds a single task, and the words for
it, are those of ``holds``, so ``explain task`` and the swarm say the same. Guarantees: nothing
is said while a task is under way or one that is ready could begin by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from kiro_swarm.api.meta import BLOCKED, DONE, FAILED, READY
from kiro_swarm.api.task import KiroTask
from kiro_swarm.reconcile.snapshot.text import listed
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.tasks.hand_out import lacking
from kiro_swarm.reconcile.tasks.holds import Reason, assigned, nobody_idle, paused

NOBODY_ABLE = "NobodyAble"
INSTANCES_HELD = "InstancesHeld"
NO_INSTANCES = "NoInstances"
INSTANCE_MISSING = "InstanceMissing"
TASKS_PAUSED = "TasksPaused"
DEPENDENCY_MISSING = "DependencyMissing"

#: Codes of ``assigned`` that only a person changes.
_ASSIGNED = {
    "instance-missing": INSTANCE_MISSING,
    "instance-leaves": INSTANCE_MISSING,
    "instance-held": INSTANCES_HELD,
}


@dataclass(frozen=True)
class Standstill:
    """Why nothing begins: a word for programs, and a line for people."""

    reason: str
    line: str


@dataclass(frozen=True)
class _Hold:
    """What of a person holds one ready task."""

    word: str
    reason: Reason
    task: str


def standstill(view: View) -> Optional[Standstill]:
    """Why nothing begins by itself; None while something may, or nothing is to begin.

    A swarm that is suspended, or goes, is no such thing: it says that itself.
    """
    if view.spec.suspend or view.swarm["metadata"].get("deletionTimestamp"):
        return None
    index = view.task_index
    if index.active or view.promised.given:
        return None
    ready = index.by_state[READY]
    if not ready:
        return _blocked_for_ever(view)
    nobody = _nobody(view)
    holds: list[_Hold] = []
    for task in ready:
        found = _hold(view, task, nobody)
        if found is None:
            return None
        holds.append(found)
    words = [hold.word for hold in holds]
    order = sorted(dict.fromkeys(words), key=lambda word: -words.count(word))
    lines = [_line([hold for hold in holds if hold.word == word]) for word in order]
    return Standstill(order[0], "; ".join(lines))


def held_by_people(view: View) -> Optional[Standstill]:
    """That no instance is to take a task: none is wanted, or people hold all of them."""
    nobody = _nobody(view)
    return nobody and Standstill(nobody[0], nobody[1].line)


def beyond_all(view: View) -> list[str]:
    """Ready tasks that ask for what no instance can do."""
    ready = view.task_index.by_state[READY]
    return [task["spec"]["id"] for task in ready if lacking(view, task)]


def is_held(view: View, task: KiroTask) -> bool:
    """Whether a ready task waits for a person, whatever the other instances do."""
    return _hold(view, task, None) is not None


def _nobody(view: View) -> Optional[tuple[str, Reason]]:
    wanted = view.spec.instances
    mine = [item for item in view.instances if item["spec"]["index"] <= wanted]
    if len(mine) < wanted or any(
        (item["spec"].get("desired") or "Running") == "Running" for item in mine
    ):
        return None
    return (INSTANCES_HELD if wanted else NO_INSTANCES), nobody_idle(view)


def _hold(
    view: View, task: KiroTask, nobody: Optional[tuple[str, Reason]]
) -> Optional[_Hold]:
    """What of a person holds a ready task; None: it may begin."""
    name = task["spec"]["id"]
    for reason in paused(task):
        return _Hold(TASKS_PAUSED, reason, name)
    if task["spec"].get("assignedTo"):
        reasons = assigned(view, task)
        word = _ASSIGNED.get(reasons[0].code) if reasons else None
        return _Hold(word, reasons[0], name) if word else None
    if nobody is not None:
        return _Hold(*nobody, name)
    if lacking(view, task):
        say = (f"explain task {name}",)  # what is lacking, and where it is to be added
        return _Hold(NOBODY_ABLE, Reason("nobody-able", "", say), name)
    return None


def _line(holds: Sequence[_Hold]) -> str:
    """What tasks that are held by the same wait for."""
    reason, names = holds[0].reason, [hold.task for hold in holds]
    word = holds[0].word
    if reason.code in ("no-idle-instance", "no-instances"):
        return reason.line
    if word == NOBODY_ABLE:
        return f"no instance can do {listed(names)}: `{reason.say[0]}`"
    if word == TASKS_PAUSED:
        are = "is" if len(names) == 1 else "are"
        return f"{listed(names)} {are} paused: say `{reason.say[0]}`"
    return f"nobody takes {listed(names)}: {reason.line}"


def _blocked_for_ever(view: View) -> Optional[Standstill]:
    """That all that is left waits for a task that does not exist."""
    index, states = view.task_index, view.states
    if index.by_state[DONE] or index.by_state[FAILED]:
        return None  # a merge moves it on, or a person who looks at the failure
    lost = [
        task["spec"]["id"]
        for task in view.tasks
        if state_of(task) == BLOCKED
        and any(n not in states for n in task["spec"].get("dependencies") or [])
    ]
    if not lost:
        return None
    wait = "waits" if len(lost) == 1 else "wait"
    line = f"{listed(lost)} {wait} for tasks that do not exist"
    return Standstill(DEPENDENCY_MISSING, f"{line}: say `explain task {lost[0]}`")
