"""KiroSwarm.status: what is. Written by the operator alone, one write a change.

Conditions (truth tables; kstatus reads Ready, Reconciling and Stalled):

==============  =======================================  ==============================
type            True when                                False / reasons
==============  =======================================  ==============================
Ready           prepared, and every wanted instance is   Preparing, PrepareFailed,
                ready (but for those that a person       InstancesNotReady, Suspended,
                stopped or paused: not all of them), or  InstancesHeld, NoInstances,
                all the work is finished                 those of Hindered
Reconciling     something still moves towards the spec   Idle
Stalled         nothing can move without a person        Progressing; True reasons: the
                                                         reason of the failed prepare,
                                                         TasksFailed, PushRejected, or
                                                         why nothing begins: NobodyAble,
                                                         InstancesHeld, TasksPaused, ...
Prepared        mirror and task graph are there          Preparing, or why it failed:
                                                         RemoteUnavailable, SpecNotFound,
                                                         TaskFileInvalid, ...
Complete        every task is Merged or Skipped and,     InProgress, TasksFailed,
                where a push is wanted, the repository   PushPending, or why the push failed:
                has all of it and the Job has ended      PushRejected, ...
Integrated      no Done task waits, what is to be        MergePending, PushPending,
                pushed by now is pushed, and the last    WaitingForApproval,
                integrate Job had no error               IntegrateFailed
Hindered        the API server refuses a write for it,   NothingRefused; True reasons:
                or does not answer; the rest goes on     CreateRefused, ChangeRefused,
                                                         NameTaken, NoAnswer
ApprovalNeeded  a Done task waits for a person. Only     NothingToApprove
                with spec.integration.approval Required
==============  =======================================  ==============================
"""

from __future__ import annotations

from typing import Optional

from pydantic import Field, with_config
from typing_extensions import Annotated, Literal, Required, TypedDict, final

from kiro_swarm.api.common import STRICT, Conditions, Sha, Timestamp
from kiro_swarm.api.kubernetes import KubernetesObject

Phase = Literal[
    "Pending", "Preparing", "Running", "Suspended", "Succeeded", "Failed", "Deleting"
]


@with_config(STRICT)
class TaskCounts(TypedDict, total=False):
    """Number of tasks in each state."""

    total: Annotated[int, Field(description="All tasks of the spec.")]
    blocked: Annotated[int, Field(description="A dependency is not merged yet.")]
    ready: Annotated[int, Field(description="May start now.")]
    bound: Annotated[int, Field(description="Bound to an instance.")]
    running: Annotated[int, Field(description="The agent works.")]
    done: Annotated[int, Field(description="Checked, waits for its merge.")]
    merged: Annotated[int, Field(description="On the integration branch.")]
    failed: Annotated[int, Field(description="All attempts used up.")]
    skipped: Annotated[int, Field(description="Left out by a person or a mark.")]
    late: Annotated[
        int, Field(description="Under way for longer than nine of ten would be.")
    ]


@with_config(STRICT)
class InstanceSummary(TypedDict, total=False):
    """One instance at a glance."""

    name: Required[
        Annotated[str, Field(max_length=63, description="Name of the KiroInstance.")]
    ]
    colour: Required[
        Annotated[str, Field(max_length=32, description="Peacock colour, as #rrggbb.")]
    ]
    phase: Required[
        Annotated[str, Field(max_length=32, description="Phase of the instance.")]
    ]
    task: Annotated[
        Optional[str], Field(max_length=128, description="Id of its current task.")
    ]
    branch: Annotated[
        Optional[str], Field(max_length=255, description="Branch of its current task.")
    ]


@with_config(STRICT)
class LedgerStatus(TypedDict, total=False):
    """The integration ledger: one entry for each move of the branch and each push."""

    entries: Annotated[int, Field(ge=0, description="How many entries it has.")]
    head: Annotated[str, Field(max_length=64, description="Hash of the last entry.")]


@with_config(STRICT)
class IntegrationStatus(TypedDict, total=False):
    """State of the merge train."""

    branch: Annotated[str, Field(max_length=255, description="Where work is merged.")]
    base: Annotated[Sha, Field(description="Commit that the swarm started from.")]
    head: Annotated[Sha, Field(description="Commit that the branch points to now.")]
    pushed: Annotated[Sha, Field(description="Commit that was pushed last.")]
    batch: Annotated[int, Field(description="Number of the last integrate Job.")]
    message: Annotated[
        str, Field(max_length=4096, description="Message of the last Job.")
    ]
    ledger: Annotated[
        LedgerStatus, Field(description="Anchor of the integration ledger.")
    ]
    counted: Annotated[
        int, Field(ge=0, description="Number of the last Job that failures counts.")
    ]
    failures: Annotated[
        int, Field(ge=0, description="How many Jobs have failed in a row.")
    ]
    endedAt: Annotated[Timestamp, Field(description="End of the last Job.")]
    tidyPauseSeconds: Annotated[
        int,
        Field(
            ge=0,
            description="Pause until the volume is tidied again; 0: it is not filling.",
        ),
    ]


@with_config(STRICT)
class VolumeStatus(TypedDict, total=False):
    """How full the swarm's volume was when the last integrate Job ended."""

    usedBytes: Annotated[int, Field(ge=0, description="Bytes in use, in whole MiB.")]
    sizeBytes: Annotated[int, Field(ge=0, description="Bytes that there are.")]


@with_config(STRICT)
class RescueStatus(TypedDict, total=False):
    """How long a swarm that is being deleted has been kept for its work."""

    waitedSeconds: Annotated[
        int,
        Field(
            ge=0,
            description="For how long an operator was there to rescue its work.",
        ),
    ]


@with_config(STRICT)
class Speedup(TypedDict, total=False):
    """How much time the swarm saves. Every number is measured."""

    elapsedSeconds: Annotated[
        float,
        Field(
            description="First task started -> last change, wall clock, without the time "
            "in which nobody worked and finished work waited for a person."
        ),
    ]
    taskSeconds: Annotated[
        float, Field(description="Sum of the times of all attempts.")
    ]
    ratio: Annotated[
        float, Field(description="taskSeconds / elapsedSeconds: 1 is one by one.")
    ]


@with_config(STRICT)
class Forecast(TypedDict, total=False):
    """What is to be expected of the rest, from what this swarm measured so far.

    Written along with other news, so that time passing writes nothing.
    """

    message: Annotated[
        str, Field(max_length=1024, description="The forecast in one line.")
    ]
    criticalPath: Annotated[
        list[Annotated[str, Field(max_length=128)]],
        Field(
            max_length=50,
            description="Ids of the longest chain of what is left, in order; the first 50.",
        ),
    ]
    criticalSeconds: Annotated[
        Optional[float],
        Field(
            description="How long this chain takes; nothing finishes it sooner. Absent "
            "before the first task was measured."
        ),
    ]
    usableNow: Annotated[
        int,
        Field(description="Instances that have or could have a task at this moment."),
    ]
    useful: Annotated[
        int,
        Field(
            description="With more instances than this the rest is not finished sooner."
        ),
    ]
    moreInstancesHelp: Annotated[
        bool, Field(description="Whether one more would finish the rest sooner.")
    ]
    finishAt: Annotated[
        Optional[Timestamp],
        Field(
            description="When the rest is finished, as likely later as sooner. Absent while "
            "it cannot be said: no task was measured yet, nobody works, or everything "
            "waits for a person."
        ),
    ]
    finishLow: Annotated[
        Optional[Timestamp],
        Field(description="One of ten such swarms finishes before this."),
    ]
    finishHigh: Annotated[
        Optional[Timestamp],
        Field(description="One of ten such swarms finishes after this."),
    ]
    late: Annotated[
        list[Annotated[str, Field(max_length=128)]],
        Field(
            max_length=50,
            description="Running tasks of the critical path that take longer than nine of "
            "ten would; the first 50.",
        ),
    ]
    stuck: Annotated[
        list[Annotated[str, Field(max_length=128)]],
        Field(
            max_length=50,
            description="Tasks that cannot go on before a person acts; the first 50. They "
            "are in none of the other numbers.",
        ),
    ]


@with_config(STRICT)
class AuditStatus(TypedDict, total=False):
    """The audit log of the commands that change something."""

    lines: Annotated[int, Field(ge=0, description="How many lines it has.")]
    head: Annotated[str, Field(max_length=64, description="Hash of the last line.")]


@with_config(STRICT)
class PrepareStatus(TypedDict, total=False):
    """State of the prepare Job."""

    attempt: Annotated[int, Field(description="Number of the last prepare Job.")]
    retryAt: Annotated[
        Optional[Timestamp], Field(description="When a failed prepare is tried again.")
    ]
    tasksFile: Annotated[
        str, Field(max_length=1024, description="Path of the tasks.md that was read.")
    ]
    tasks: Annotated[
        int, Field(description="How many KiroTasks were made of the tasks.md.")
    ]
    diagnostics: Annotated[
        list[Annotated[str, Field(max_length=4096)]],
        Field(
            max_length=50, description="Problems of the task file, each with its line."
        ),
    ]


@with_config(STRICT)
class KiroSwarmStatus(TypedDict, total=False):
    """What is, in the words of kubectl get kiro."""

    observedGeneration: Annotated[
        int, Field(description="Generation of the spec that this status is about.")
    ]
    phase: Annotated[Phase, Field(description="One word for people.")]
    message: Annotated[
        str, Field(max_length=1024, description="What is going on, in one line.")
    ]
    replicas: Annotated[int, Field(description="Instances that exist.")]
    readyReplicas: Annotated[int, Field(description="Instances that can work.")]
    readiness: Annotated[
        str, Field(max_length=32, description="Ready instances / wanted.")
    ]
    progress: Annotated[
        str, Field(max_length=32, description="Merged tasks / all tasks.")
    ]
    selector: Annotated[
        str, Field(max_length=256, description="Label selector of the instance pods.")
    ]
    tasks: Annotated[TaskCounts, Field(description="Tasks by state.")]
    instances: Annotated[
        list[InstanceSummary],
        Field(max_length=64, description="Instances, the busy ones first; at most 64."),
    ]
    prepare: Annotated[PrepareStatus, Field(description="State of the prepare Job.")]
    integration: Annotated[
        IntegrationStatus, Field(description="State of the merge train.")
    ]
    volume: Annotated[
        VolumeStatus,
        Field(description="Use of the volume, as the last integrate Job saw it."),
    ]
    rescue: Annotated[
        RescueStatus,
        Field(description="Of a swarm that is being deleted: how long it was kept."),
    ]
    speedup: Annotated[
        Speedup, Field(description="Time saved by working side by side.")
    ]
    forecast: Annotated[
        Optional[Forecast], Field(description="What is to be expected of the rest.")
    ]
    audit: Annotated[
        Optional[AuditStatus], Field(description="Anchor of the audit log.")
    ]
    startedAt: Annotated[
        Optional[Timestamp], Field(description="When the first task started.")
    ]
    finishedAt: Annotated[
        Optional[Timestamp],
        Field(
            description="When the last task was merged, failed or skipped and, where a "
            "push is wanted, its work was pushed."
        ),
    ]
    conditions: Annotated[
        Conditions, Field(description="See the truth tables in the documentation.")
    ]


class KiroSwarmSpecPatch(TypedDict, total=False):
    """What of a KiroSwarm's spec this program changes."""

    instances: int
    suspend: bool


@final
class UnreadSpec:
    """A KiroSwarm's spec as it came over the wire: to be read through ``spec_of``.

    It is a person's and may be of another release; ``spec_of`` validates it and knows the
    defaults. There is none of this class: it is the name, for the type checker, of a dict
    that nobody reads by its keys.
    """


class KiroSwarm(KubernetesObject, total=False):
    """A KiroSwarm as it is read and written."""

    spec: Required[UnreadSpec]
    status: KiroSwarmStatus
