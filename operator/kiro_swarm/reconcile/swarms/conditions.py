"""The conditions of a KiroSwarm: what is well, what waits, and for whom. Pure.

Role: ``status`` asks for them. The truth table stands beside their type, in
``api/swarm_status.py``, their reasons in ``api/condition_reasons.py``. Guarantees: no reason
contradicts the status beside it, whatever a Job reported; Complete is said of nothing that is
to be delivered and is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional

from kiro_swarm.api.common import Condition
from kiro_swarm.api.condition_reasons import said_by_job
from kiro_swarm.api.meta import BLOCKED, DONE, FAILED, MERGED, SKIPPED
from kiro_swarm.api.reports import MOST_REMARKS
from kiro_swarm.api.swarm_status import VolumeStatus
from kiro_swarm.policy.approval import may_merge
from kiro_swarm.policy.conditions import condition, find
from kiro_swarm.policy.growth import RESIZED
from kiro_swarm.policy.ledger import LEDGER_FULL
from kiro_swarm.policy.volume import is_filling
from kiro_swarm.reconcile.engine.resizes import Resize
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.delivery import PUSH_PENDING, undelivered
from kiro_swarm.reconcile.swarms.hindered import NOTHING_REFUSED, Hindered
from kiro_swarm.reconcile.swarms.integrate import Train, approvals
from kiro_swarm.reconcile.swarms.prepare import Prepared
from kiro_swarm.reconcile.tasks.standstill import held_by_people, standstill

_MOST_NAMED = 5
_MIB = 1024 * 1024


def stuck(view: View) -> bool:
    """A task has failed and nothing else can move without a person."""
    states = set(view.states.values())
    return FAILED in states and states <= {FAILED, BLOCKED, MERGED, SKIPPED}


def question_of(view: View) -> str:
    """What a person is asked, with the sentences to answer it; empty for nothing."""
    waiting = [task["spec"]["id"] for task in approvals(view)]
    if not waiting:
        return ""
    named = ", ".join(waiting[:_MOST_NAMED])
    more = len(waiting) - _MOST_NAMED
    others = f" and {more} more" if more > 0 else ""
    return (
        f"approve or reject {named}{others}: "
        f"`approve task {waiting[0]}` or `reject task {waiting[0]}`"
    )


def remarks_of(view: View, prepared: Prepared) -> str:
    """How much was said about task file and tags, and where; empty for nothing."""
    before = (view.status.get("prepare") or {}).get("diagnostics") or ()
    said = before if prepared.diagnostics is None else prepared.diagnostics
    if not said:
        return ""
    many = f"{len(said)} or more" if len(said) >= MOST_REMARKS else str(len(said))
    remarks = "remark" if len(said) == 1 else "remarks"
    return f"; {many} {remarks}: see status.prepare.diagnostics"


def volume_of(view: View, train: Train) -> Optional[VolumeStatus]:
    """How full the volume is, by the last integrate Job that said it."""
    if train.report is None or not train.report.get("volumeSize"):
        return view.status.get("volume")
    used, size = train.report.get("volumeUsed", 0), train.report["volumeSize"]
    return {"usedBytes": used // _MIB * _MIB, "sizeBytes": size}


def conditions(
    view: View,
    prepared: Prepared,
    train: Train,
    phase: str,
    message: str,
    all_ready: bool,
    resize: Optional[Resize] = None,
    hindered: Optional[Hindered] = None,
) -> list[Condition]:
    """All conditions, each with its transition time carried over where it applies."""
    train = replace(train, reason=said_by_job(train.reason, "IntegrateFailed"))
    if prepared.done is False:
        reason = said_by_job(prepared.reason, "PrepareFailed")
        prepared = replace(prepared, reason=reason)
    generation = view.swarm["metadata"].get("generation", 0)
    before = view.status.get("conditions") or []

    def make(kind: str, status: Optional[bool], reason: str, text: str) -> Condition:
        return condition(
            before, kind, status, reason, text, generation=generation, now=view.now
        )

    stalled = _stall_reason(view, prepared, train)
    if hindered is not None and hindered.lasting:
        stalled = stalled or hindered.reason
    waiting = undelivered(view, train)
    complete = view.complete and train.ok and not waiting
    moving = not stalled and not (complete and all_ready and not train.running)
    waits = DONE in view.states.values()
    ready = _ready(view, prepared, hindered, message, all_ready)
    failed = FAILED in view.states.values()
    return [
        *_on_occasion(view, train, resize, hindered, make),
        make("Ready", *ready),
        make(
            "Reconciling", moving, _moving(phase, train) if moving else "Idle", message
        ),
        make(
            "Stalled",
            bool(stalled),
            stalled or "Progressing",
            message if stalled else "",
        ),
        make(
            "Prepared",
            prepared.done,
            prepared.reason if prepared.done is not None else "Preparing",
            prepared.message or "the task graph is there" + remarks_of(view, prepared),
        ),
        make(
            "Complete",
            complete,
            (
                "AllMerged"
                if complete
                else "TasksFailed" if failed else _undelivered_reason(view, train)
            ),
            message,
        ),
        make(
            "Integrated",
            train.ok and not waits and not waiting,
            train.reason or _open_reason(view, waiting),
            (train.message if train.reason else "")
            or question_of(view)
            or waiting
            or train.message,
        ),
    ]


def _ready(
    view: View,
    prepared: Prepared,
    hindered: Optional[Hindered],
    message: str,
    all_ready: bool,
) -> tuple[bool, str, str]:
    """Whether it is ready, and why, in one word and in a line."""
    held = held_by_people(view)
    if hindered is not None and hindered.vital and prepared.done is not False:
        return False, hindered.reason, hindered.message
    if prepared.done is not True:
        reason = "PrepareFailed" if prepared.done is False else "Preparing"
        return False, reason, message
    if view.spec.suspend:
        return False, "Suspended", message
    if held is not None and not view.complete:
        return False, held.reason, held.line
    if all_ready or view.complete:
        return True, "InstancesReady", "prepared; all instances ready"
    return False, "InstancesNotReady", "instances are starting"


def _on_occasion(
    view: View,
    train: Train,
    resize: Optional[Resize],
    hindered: Optional[Hindered],
    make: Callable[[str, Optional[bool], str, str], Condition],
) -> list[Condition]:
    """The conditions that not every swarm has."""
    before = view.status.get("conditions") or []
    asked = []
    if hindered is not None:
        asked.append(make("Hindered", True, hindered.reason, hindered.message))
    elif find(before, "Hindered") is not None:
        asked.append(make("Hindered", False, NOTHING_REFUSED, ""))
    volume = volume_of(view, train)
    if volume:
        filling = is_filling(volume["usedBytes"], volume["sizeBytes"])
        reason = "VolumeAlmostFull" if filling else "RoomLeft"
        text = (
            f"{volume['usedBytes'] // _MIB} of {volume['sizeBytes'] // _MIB} MiB of the"
            " volume are in use"
        )
        asked.append(make("VolumeFilling", filling, reason, text))
    said = find(before, "VolumeResized")
    if resize is not None and resize.reason:
        grown = resize.reason == RESIZED
        asked.append(make("VolumeResized", grown, resize.reason, resize.message))
    elif said is not None and resize is not None and said["status"] != "True":
        # A process that was not there when it was asked for finds it done.
        asked.append(
            make("VolumeResized", True, RESIZED, f"the volume has {resize.size}")
        )
    elif said is not None:
        asked.append(said)
    if view.spec.integration.approval == "Required":
        asking = question_of(view)
        reason = "ApprovalPending" if asking else "NothingToApprove"
        asked.append(make("ApprovalNeeded", bool(asking), reason, asking))
    return asked


def _open_reason(view: View, waiting: str) -> str:
    """What integration waits for, where the last Job had no error."""
    done = view.task_index.by_state[DONE]
    if not done:
        return PUSH_PENDING if waiting else "Integrated"
    approval = view.spec.integration.approval
    merging = any(may_merge(task, approval) for task in done)
    return "MergePending" if merging else "WaitingForApproval"


def _moving(phase: str, train: Train) -> str:
    """What still moves; where the work is finished it is not the phase that says so."""
    if phase != "Succeeded":
        return phase
    return "JobRunning" if train.running else "InstancesNotReady"


def _undelivered_reason(view: View, train: Train) -> str:
    """Why the work is not Complete, where no task has failed."""
    return (train.reason or PUSH_PENDING) if view.complete else "InProgress"


def _stall_reason(view: View, prepared: Prepared, train: Train) -> str:
    if prepared.done is False:
        return prepared.reason
    if stuck(view):
        return "TasksFailed"
    still = standstill(view)
    if still is not None and DONE not in view.states.values():
        return still.reason
    if not train.ok and (view.finished or train.reason == LEDGER_FULL):
        return train.reason
    return ""
