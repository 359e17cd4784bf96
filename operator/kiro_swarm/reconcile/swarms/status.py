"""KiroSwarm.status from a view: counts, phase, conditions, speed-up. Pure.

The conditions are made in ``conditions``.
"""

from __future__ import annotations

from collections import Counter
from typing import Mapping, Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.meta import (
    BLOCKED,
    BOUND,
    DONE,
    FAILED,
    GROUP,
    LABEL_SWARM,
    MERGED,
    READY,
    RUNNING,
    SKIPPED,
)
from kiro_swarm.api.swarm_status import (
    InstanceSummary,
    IntegrationStatus,
    KiroSwarmStatus,
    Phase,
    PrepareStatus,
    Speedup,
    TaskCounts,
)
from kiro_swarm.api.task import KiroTask, State
from kiro_swarm.policy.conditions import is_true
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.resizes import Resize
from kiro_swarm.reconcile.instances.decision import WAITS
from kiro_swarm.reconcile.objects.pods import branch_of
from kiro_swarm.reconcile.snapshot.text import listed, short
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.snapshot.waiting import waited
from kiro_swarm.reconcile.swarms.conditions import (
    conditions,
    question_of,
    stuck,
    volume_of,
)
from kiro_swarm.reconcile.swarms.delivery import delivered_at, last_end, undelivered
from kiro_swarm.reconcile.swarms.hindered import Hindered
from kiro_swarm.reconcile.swarms.integrate import (
    Train,
    counts_told,
    failing,
    head_of,
    pushed_of,
)
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.swarms.tidying import tidied
from kiro_swarm.reconcile.tasks.lateness import is_late
from kiro_swarm.reconcile.tasks.standstill import beyond_all, standstill
from kiro_swarm.reconcile.tasks.transitions import first_start

_MOST_INSTANCES = 64
_PHASE_ORDER = {"Busy": 0, "Draining": 1, "Ready": 2, "Paused": 3}


def swarm_status(
    view: View,
    prepared: Prepared,
    train: Train,
    resize: Optional[Resize] = None,
    hindered: Optional[Hindered] = None,
) -> KiroSwarmStatus:
    """The whole status of a KiroSwarm."""
    before = view.status
    counts = Counter(view.states.values())
    ready = [item for item in view.instances if _counts_as_ready(item)]
    wanted = wanted_instances(view)
    phase, message = _phase_and_message(view, prepared, train, len(ready), wanted)
    if hindered is not None:
        message = f"{hindered.message}; {message}"
    started, finished = first_start(view), delivered_at(view, train)
    all_ready = len(ready) >= wanted
    return {
        **before,
        "observedGeneration": view.swarm["metadata"].get("generation", 0),
        "phase": phase,
        "message": message[:1024],
        "replicas": len(view.instances),
        "readyReplicas": len(ready),
        "readiness": f"{len(ready)}/{wanted}",
        "progress": f"{counts[MERGED]}/{len(view.tasks)}",
        "selector": f"{LABEL_SWARM}={view.name},{GROUP}/component=instance",
        "tasks": _tasks(view, counts),
        "instances": _instances(view),
        "prepare": _prepare(view, prepared),
        "integration": _integration(view, prepared, train),
        **_volume(view, train),
        "startedAt": started,
        "finishedAt": finished,
        "speedup": _speedup(view, started, last_end(view)),
        "conditions": conditions(
            view, prepared, train, phase, message, all_ready, resize, hindered
        ),
    }


def _volume(view: View, train: Train) -> KiroSwarmStatus:
    """How full the volume is, where a Job has said so."""
    volume = volume_of(view, train)
    return {"volume": volume} if volume else {}


def _tasks(view: View, counts: Mapping[State, int]) -> TaskCounts:
    """How many tasks there are, and how many in each state."""
    return {
        "total": len(view.tasks),
        "blocked": counts[BLOCKED],
        "ready": counts[READY],
        "bound": counts[BOUND],
        "running": counts[RUNNING],
        "done": counts[DONE],
        "merged": counts[MERGED],
        "failed": counts[FAILED],
        "skipped": counts[SKIPPED],
        "late": sum(is_late(view, task) for task in view.active.values()),
    }


def differs(before: KiroSwarmStatus, after: KiroSwarmStatus) -> bool:
    """Whether a status is worth a write: time passing alone is not."""
    quiet = {"speedup": None, "forecast": None}
    return _stored({**before, **quiet}) != _stored({**after, **quiet})


def _stored(value: object) -> object:
    """What a merge patch leaves behind: None means that there is no such field."""
    if not isinstance(value, dict):
        return value
    return {key: _stored(item) for key, item in value.items() if item is not None}


def wanted_instances(view: View) -> int:
    """How many instances ought to be ready: those that nobody stopped or paused."""
    if view.spec.suspend:
        return 0
    held = [
        item
        for item in view.instances
        if item["spec"]["index"] <= view.spec.instances and _desired(item) != "Running"
    ]
    return view.spec.instances - len(held)


def _desired(instance: KiroInstance) -> str:
    return str(instance["spec"].get("desired") or "Running")


def _counts_as_ready(instance: KiroInstance) -> bool:
    # Who was just paused or stopped may not have said so yet.
    return _phase(instance) in ("Ready", "Busy") and _desired(instance) == "Running"


def _phase(instance: KiroInstance) -> str:
    return str(status_of(instance).get("phase") or "Pending")


def _instances(view: View) -> list[InstanceSummary]:
    items = sorted(
        view.instances,
        key=lambda item: (_PHASE_ORDER.get(_phase(item), 4), item["spec"]["index"]),
    )
    summaries: list[InstanceSummary] = []
    for item in items[:_MOST_INSTANCES]:
        name = item["metadata"]["name"]
        task = view.active.get(name)
        busy = task or view.promised.task_of(name)
        summary: InstanceSummary = {
            "name": name,
            "colour": item["spec"]["colour"],
            "phase": "Busy" if busy and _phase(item) == "Ready" else _phase(item),
        }
        if task:
            summary["task"] = task["spec"]["id"]
            summary["branch"] = task["status"].get("branch", "")
        summaries.append(summary)
    return summaries


def _prepare(view: View, prepared: Prepared) -> PrepareStatus:
    before = view.status.get("prepare") or {}
    report, remarks = prepared.report, prepared.diagnostics
    return {
        "attempt": prepared.attempt,
        "retryAt": stamp(prepared.retry_at) if prepared.retry_at else None,
        "tasksFile": (report and report["tasksFile"]) or before.get("tasksFile") or "",
        "tasks": (report and report["tasks"]) or before.get("tasks") or 0,
        "diagnostics": list(
            before.get("diagnostics") or [] if remarks is None else remarks
        ),
    }


def _integration(view: View, prepared: Prepared, train: Train) -> IntegrationStatus:
    before = view.status.get("integration") or {}
    report = prepared.report
    base = (report and report["base"]) or before.get("base") or ""
    head = head_of(view, train) or (report and report["head"]) or before.get("head")
    return {
        "branch": branch_of(view.swarm, view.spec),
        "base": base,
        "head": head or base,
        "pushed": pushed_of(view, train),
        "batch": train.batch,
        "message": (train.message or before.get("message") or "")[:4096],
        **_failing(view),
        **_tidied(view),
        **_anchor(view, train),
    }


def _failing(view: View) -> IntegrationStatus:
    """How many Jobs have failed in a row; a Job that is not counted here is kept."""
    known = failing(view)
    if not known.counted:
        return {}
    return {"counted": known.counted, "failures": known.failures}


def _tidied(view: View) -> IntegrationStatus:
    """The last Job, as far as the volume is concerned: Jobs are gone after an hour."""
    last = tidied(view)
    if last.at is None:
        return {}
    return {"endedAt": stamp(last.at), "tidyPauseSeconds": last.pause}


def _anchor(view: View, train: Train) -> IntegrationStatus:
    """Where the ledger ends. It is shorter than before only where a Job says so.

    Who cuts it, or writes it anew, would else take the anchor along.
    """
    ledger = view.ledger
    before = (view.status.get("integration") or {}).get("ledger")
    shorter = ledger.lines < int((before or {}).get("entries") or 0)
    if not ledger.lines or (shorter and ledger.lines not in counts_told(view)):
        return {} if before is None else {"ledger": before}
    return {"ledger": {"entries": ledger.lines, "head": ledger.hash}}


def _speedup(view: View, started: Optional[str], finished: Optional[str]) -> Speedup:
    """Measured times: of the wall clock, of all attempts, and their ratio.

    Without the time in which everything waited for a person: that is nobody's speed.
    """
    now = stamp(view.now)
    work = 0.0
    for task in view.tasks:
        status = status_of(task)
        work += float(status.get("runningSeconds") or 0.0)
        if state_of(task) == RUNNING:
            work += seconds_between(status.get("startedAt"), now)
    elapsed = seconds_between(started, finished or now) - waited(view, finished)
    ratio = work / elapsed if elapsed else 0.0
    return {
        "elapsedSeconds": round(elapsed, 3),
        "taskSeconds": round(work, 3),
        "ratio": round(ratio, 2),
    }


def _phase_and_message(
    view: View, prepared: Prepared, train: Train, ready: int, wanted: int
) -> tuple[Phase, str]:
    states = Counter(view.states.values())
    if view.swarm["metadata"].get("deletionTimestamp"):
        return "Deleting", "being deleted"
    if prepared.done is False:
        return "Failed", prepared.message
    if prepared.done is None:
        return "Preparing", prepared.message
    if not train.ok and view.finished:
        return "Failed", f"{train.message}{_kept(view, train)}"[:1024]
    if not train.ok and not train.running:
        return "Running", train.message
    if view.complete:
        count = len(view.tasks)
        whole = "its one task is" if count == 1 else f"all {count} tasks are"
        text = f"{whole} merged or skipped"
        waiting = undelivered(view, train)
        return ("Running", f"{text}; {waiting}") if waiting else ("Succeeded", text)
    if stuck(view):
        failed = view.task_index.by_state[FAILED]
        first = f"`retry task {failed[0]['spec']['id']}` tries it again"
        return "Failed", f"failed: {_why_failed(failed)}; {first}"
    question = f"{asked}; " if (asked := question_of(view)) else ""
    if view.spec.suspend:
        return "Suspended", f"{question}suspended; {len(view.active)} tasks still run"
    merged = f"{question}{states[MERGED]} of {len(view.tasks)} merged"
    still = standstill(view)
    if still is not None:
        return "Running", f"{merged}; {still.line}"
    working = ", ".join(sorted(task["spec"]["id"] for task in view.active.values()))
    waiting = f"; {ready} of {wanted} instances ready" if ready < wanted else ""
    waiting += _trouble(view) if ready < wanted else ""
    paused = sum(_desired(item) == "Paused" for item in view.instances)
    waiting += f"; {paused} paused" if paused else ""
    older = sum(status_of(item).get("message") == WAITS for item in view.instances)
    waiting += f"; {older} wait for a first pod of the new template" if older else ""
    waiting += _nobody_able(view)
    doing = f"; working on {working}" if working else ""
    if not (doing or waiting or question):
        doing = "; nothing is under way"
    return "Running", f"{merged}{doing}{waiting}"


def _trouble(view: View) -> str:
    """What the first instance that is not ready says of itself."""
    for item in sorted(view.instances, key=lambda item: item["spec"]["index"]):
        said = short(status_of(item).get("message") or "")
        if said and _desired(item) == "Running" and not _counts_as_ready(item):
            return f"; {item['metadata']['name']}: {said}"
    return ""


def _why_failed(failed: list[KiroTask]) -> str:
    """Each failed task with its reason, as many as fit, and what the first one says."""
    named = []
    for task in failed:
        reason = status_of(task).get("reason") or ""
        named.append(f"{task['spec']['id']} {reason}".rstrip())
    said = short(status_of(failed[0]).get("message") or "")
    return one_line(listed(named) + (f": {said}" if said else ""))


def _kept(view: View, train: Train) -> str:
    """That its age does not end a swarm whose work is nowhere else."""
    if view.spec.ttl_seconds_after_finished is None or not undelivered(view, train):
        return ""
    return (
        "; the swarm is kept until its work is pushed, whatever"
        " spec.ttlSecondsAfterFinished says"
    )


def _nobody_able(view: View) -> str:
    """What no instance can do, and where to read more."""
    unable = beyond_all(view)
    if not unable:
        return ""
    return f"; no instance can do {listed(unable)}: `explain task {unable[0]}`"


def was_prepared(status: KiroSwarmStatus) -> bool:
    """Whether the status says that the task graph is there."""
    return is_true(status.get("conditions") or [], "Prepared")
