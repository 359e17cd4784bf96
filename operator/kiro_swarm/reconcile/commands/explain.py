"""Why a task is where it is, in words: what holds it, since when, what a person can do.

Called by the sentence ``explain task``. Pure: reads the view, writes nothing. Every state
has an answer, and every answer names the sentence to say where a person can do something.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Callable

from kiro_swarm.api.meta import (
    BLOCKED,
    BOUND,
    DONE,
    FAILED,
    MERGED,
    READY,
    RUNNING,
    SKIPPED,
)
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.policy.approval import asks_person
from kiro_swarm.policy.conflicts import predicted
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.snapshot.text import listed, short, spoken
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.swarms.integrate import observe
from kiro_swarm.reconcile.tasks.hand_out import idle_instances
from kiro_swarm.reconcile.tasks.holds import (
    Reason,
    assigned,
    handed_out,
    nobody_able,
    nobody_idle,
    overlapping,
    paused,
    place_in_line,
    suspended,
)
from kiro_swarm.reconcile.tasks.lateness import is_late, limit
from kiro_swarm.reconcile.tasks.transitions import waiting_for

_MOST_ROOTS = 10
_MOST_CHAIN = 100


@dataclass(frozen=True)
class Explanation:
    """``text``: lines for people. ``data``, JSON: ``task``, ``state``, ``reasons`` (code,
    message, say), ``waitsFor`` (task, state, waitsFor: every task before it that is not
    merged, the nearest first) and ``causes`` (a reason with its task and state): those
    among them that wait for no other task."""

    text: str
    data: dict[str, object]


def explain(view: View, task: KiroTask) -> Explanation:
    """Why a task of the view is not running, or what it is at."""
    state, name = state_of(task), task["spec"]["id"]
    reasons = _REASONS[state](view, task)
    chain = _chain(view, task) if state == BLOCKED else []
    roots = [item for item in chain if _is_root(view, item)]
    causes = [(item, _cause(view, item)) for item in roots[:_MOST_ROOTS]]
    lines = [f"task {name} is {state}: {reasons[0].line}"]
    lines += [f"  also: {reason.line}" for reason in reasons[1:]]
    lines += [
        f"  {item['spec']['id']} is {state_of(item)}: {cause.line}"
        for item, cause in causes
    ]
    if len(roots) > _MOST_ROOTS:
        lines.append(f"  and {len(roots) - _MOST_ROOTS} more")
    data: dict[str, object] = {
        "task": name,
        "state": state,
        "reasons": [reason.to_wire() for reason in reasons],
        "waitsFor": [
            {**_named(item), "waitsFor": waiting_for(view, item)}
            for item in chain[:_MOST_CHAIN]
        ],
        "causes": [{**_named(item), **cause.to_wire()} for item, cause in causes],
    }
    return Explanation("\n".join(lines), data)


def _named(task: KiroTask) -> dict[str, object]:
    return {"task": task["spec"]["id"], "state": state_of(task)}


def _cause(view: View, task: KiroTask) -> Reason:
    return _REASONS[state_of(task)](view, task)[0]


def _is_root(view: View, task: KiroTask) -> bool:
    """Whether a task before another waits for no task itself."""
    return state_of(task) != BLOCKED or not any(
        needed in view.states for needed in waiting_for(view, task)
    )


def _chain(view: View, task: KiroTask) -> list[KiroTask]:
    """What has to be merged before a task, as far as it is not; the nearest first."""
    by_id = {item["spec"]["id"]: item for item in view.tasks}
    seen = {task["spec"]["id"]}
    found, queue = [], deque([task])
    while queue:
        for needed in waiting_for(view, queue.popleft()):
            if needed in by_id and needed not in seen:
                seen.add(needed)
                found.append(by_id[needed])
                if view.states[needed] == BLOCKED:
                    queue.append(by_id[needed])
    return found


# ------------------------------------------------------------------ the states


def _blocked(view: View, task: KiroTask) -> list[Reason]:
    waits = waiting_for(view, task)
    unknown = [needed for needed in waits if needed not in view.states]
    known = [f"{n} ({view.states[n]})" for n in waits if n in view.states]
    reasons = []
    if known:
        reasons.append(Reason("waits-for-tasks", f"waits for {listed(known)}"))
    if unknown:
        message = f"waits for {listed(unknown)}, and there is no such task"
        reasons.append(Reason("unknown-dependency", message))
    if not waits:
        reasons.append(Reason("soon", "nothing holds it: it is ready in a moment"))
    return [*reasons, *paused(task)]


def _ready(view: View, task: KiroTask) -> list[Reason]:
    given = handed_out(view, task)
    if given:
        return [*given, *_failed_before(task)]
    reasons = [*suspended(view), *paused(task)]
    if task["spec"].get("assignedTo"):
        reasons += assigned(view, task)
    elif not view.spec.suspend and not idle_instances(view):
        reasons.append(nobody_idle(view))
    reasons += nobody_able(view, task)
    reasons += overlapping(view, task)
    reasons += place_in_line(view, task, alone=not reasons)
    return [*reasons, *_failed_before(task)]


def _active(view: View, task: KiroTask) -> list[Reason]:
    status, now = task["status"], stamp(view.now)
    where = f"attempt {status.get('attempt', 0)} with {status.get('instance', '')}"
    if state_of(task) == BOUND:
        waited = spoken(seconds_between(status.get("boundAt"), now))
        reasons = [Reason("bound", f"{where} for {waited}; its runner begins")]
    else:
        worked = spoken(seconds_between(status.get("startedAt"), now))
        reasons = [Reason("running", f"{where} for {worked}; {_said(view, status)}")]
    again = f"reassign tasks from {status.get('instance', '')}"
    in_the_way = _conflict(
        task,
        "; its merge would send it back, to begin anew with the conflict in its brief; "
        "to begin anew at once",
        again,
    )
    late = _late(view, task, again)
    return [*reasons, *late, *in_the_way, *_failed_before(task), *paused(task)]


def _late(view: View, task: KiroTask, again: str) -> list[Reason]:
    """That it takes longer than it should."""
    if not is_late(view, task):
        return []
    usual = spoken(limit(view, task))
    message = f"it is late: nine of ten such tasks take less than {usual}"
    return [Reason("late", f"{message}; to begin anew elsewhere", (again,))]


def _conflict(task: KiroTask, so: str, say: str) -> list[Reason]:
    """That the work would not merge as it is, and what follows."""
    message = predicted(task["status"])
    if not message:
        return []
    return [Reason("conflict-predicted", f"{short(message)}{so}", (say,))]


def _failed_before(task: KiroTask) -> list[Reason]:
    status, allowed = task["status"], task["spec"].get("maxAttempts", 1)
    failures, history = int(status.get("failures") or 0), status.get("history") or []
    if not failures or not history:
        return []
    message = f"{failures} of {allowed} attempts failed; the last ended with"
    outcome = str(history[-1]["outcome"])
    # What the status says is of that end while its reason is.
    said = short(status.get("message") or "") if status.get("reason") == outcome else ""
    return [
        Reason("failed-before", f"{message} {outcome}" + (f", {said}" if said else ""))
    ]


def _said(view: View, status: KiroTaskStatus) -> str:
    progress = status.get("progress")
    if not progress or not progress.get("message"):
        return "its agent has said nothing yet"
    quiet = seconds_between(progress.get("updatedAt"), stamp(view.now))
    return f"its agent said {spoken(quiet)} ago: {short(progress['message'])}"


def _done(view: View, task: KiroTask) -> list[Reason]:
    name = task["spec"]["id"]
    if asks_person(task, view.spec.integration.approval):
        say = (f"approve task {name}", f"reject task {name}")
        message = "its work is checked and waits for a person"
        so = "; approved, it would be sent back by its merge; to send it back at once"
        return [
            Reason("needs-approval", message, say),
            *_conflict(task, so, f"reject task {name}"),
        ]
    train = observe(view)
    gates = ", ".join(gate.name for gate in view.spec.integration.gates)
    after = f", after the gates {gates} on the merged result" if gates else ""
    if train.running:
        job = f"integrate Job {train.batch}"
        return [Reason("merging", f"its work is checked; {job} merges it{after}")]
    if not train.ok:
        again = f"; next try at {stamp(train.retry_at)}" if train.retry_at else ""
        message = (
            f"the last integrate Job failed: {train.reason}, {train.message}{again}"
        )
        return [Reason("merge-failed", short(message))]
    return [
        Reason("merge-soon", f"its work is checked; it is merged in a moment{after}")
    ]


def _merged(view: View, task: KiroTask) -> list[Reason]:
    status = task["status"]
    if not status.get("mergeCommit"):
        return [Reason("merged", status.get("message") or "it counts as merged")]
    commit, when = status["mergeCommit"][:12], status.get("mergedAt") or ""
    return [Reason("merged", f"as {commit} at {when}")]


def _failed(view: View, task: KiroTask) -> list[Reason]:
    status, name = task["status"], task["spec"]["id"]
    reason, message = status.get("reason") or "", status.get("message") or ""
    reasons = [Reason("failed", f"{reason}, {short(message)}", (f"retry task {name}",))]
    brief = (status.get("brief") or "").strip().splitlines()
    if brief and brief[0] not in message:
        reasons.append(Reason("brief", f"its brief begins: {short(brief[0])}"))
    return [*reasons, *paused(task)]


def _skipped(view: View, task: KiroTask) -> list[Reason]:
    message = task["status"].get("message") or "it is left out"
    return [Reason("skipped", message, (f"run task {task['spec']['id']}",))]


_REASONS: dict[str, Callable[[View, KiroTask], list[Reason]]] = {
    BLOCKED: _blocked,
    READY: _ready,
    BOUND: _active,
    RUNNING: _active,
    DONE: _done,
    MERGED: _merged,
    FAILED: _failed,
    SKIPPED: _skipped,
}
