"""Every condition that we set, with the reasons that may stand beside each of its statuses.

The one table of them: the pages in docs and the tests are compared with it, and ``said_by_job``
keeps what a Job reports out of the words that are ours. No behaviour else.

A Job gives reasons of its own (``MergeConflict``, ``RemoteUnavailable``, ...): rows that may have
one say so by ``of_jobs``. What such a report calls by a word of this table would contradict the
status beside it, whoever wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Reasons:
    """The reasons of one status of a condition; ``of_jobs``: and whatever a Job reported."""

    words: frozenset[str]
    of_jobs: bool = False


def _row(*words: str, of_jobs: bool = False) -> Reasons:
    return Reasons(frozenset(words), of_jobs)


_STANDSTILL: Final = (
    *("NobodyAble", "InstancesHeld", "NoInstances", "TasksPaused", "InstanceMissing"),
    "DependencyMissing",
)
#: What a step of the operator was refused, or not answered, and why pods do not run.
HINDERED: Final = (
    *("CreateRefused", "ChangeRefused", "NameTaken", "NoAnswer"),
    *("ImageUnavailable", "ContainerConfigInvalid", "Unschedulable", "PodStuck"),
    *("VolumeNotMounted", "AgentNotRunnable"),
)

#: Kind -> type -> status -> reasons.
REASONS: Final[Mapping[str, Mapping[str, Mapping[str, Reasons]]]] = {
    "KiroSwarm": {
        "Ready": {
            "True": _row("InstancesReady"),
            "False": _row(
                *("Preparing", "PrepareFailed", "InstancesNotReady", "Suspended"),
                *("InstancesHeld", "NoInstances", *HINDERED),
            ),
        },
        "Reconciling": {
            "True": _row(
                *("Preparing", "Running", "Suspended", "Deleting"),
                *("JobRunning", "InstancesNotReady"),
            ),
            "False": _row("Idle"),
        },
        "Stalled": {
            "True": _row(
                "TasksFailed",
                "PrepareFailed",
                "IntegrateFailed",
                *HINDERED,
                *_STANDSTILL,
                of_jobs=True,
            ),
            "False": _row("Progressing"),
        },
        "Prepared": {
            "True": _row("Prepared"),
            "False": _row("PrepareFailed", of_jobs=True),
            "Unknown": _row("Preparing"),
        },
        "Complete": {
            "True": _row("AllMerged"),
            "False": _row(
                *("InProgress", "TasksFailed", "PushPending", "IntegrateFailed"),
                of_jobs=True,
            ),
        },
        "Integrated": {
            "True": _row("Integrated"),
            "False": _row(
                *(
                    "MergePending",
                    "WaitingForApproval",
                    "PushPending",
                    "IntegrateFailed",
                ),
                of_jobs=True,
            ),
        },
        "Hindered": {"True": _row(*HINDERED), "False": _row("NothingRefused")},
        "ApprovalNeeded": {
            "True": _row("ApprovalPending"),
            "False": _row("NothingToApprove"),
        },
        "VolumeFilling": {"True": _row("VolumeAlmostFull"), "False": _row("RoomLeft")},
        "VolumeResized": {
            "True": _row("Resized"),
            "False": _row("ResizePending", "ResizeRefused"),
        },
    },
    "KiroInstance": {
        "Ready": {
            "True": _row("Ready", "Busy"),
            "False": _row("Pending", "Paused", "Draining", "Restarting", "Stopped"),
        },
    },
    "KiroTask": {
        "ConflictPredicted": {
            "True": _row("OverlapsMergedWork"),
            "False": _row("MergesCleanly"),
        },
        "Late": {"True": _row("SlowerThanExpected"), "False": _row("InTime")},
    },
}

_OURS: Final = frozenset(
    word
    for types in REASONS.values()
    for statuses in types.values()
    for row in statuses.values()
    for word in row.words
)


def said_by_job(reason: str, instead: str) -> str:
    """The reason that a Job reported, or ``instead`` where it took a word of ours."""
    return instead if reason in _OURS else reason


def fits(kind: str, name: str, status: str, reason: str) -> bool:
    """Whether a condition may have this reason beside this status."""
    row = REASONS.get(kind, {}).get(name, {}).get(status)
    if row is None:
        return False
    return reason in row.words or (row.of_jobs and reason not in _OURS)
