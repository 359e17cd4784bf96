"""KiroTask: one unit of work, bound to an instance as a Pod is to a Node.

The spec comes from the task file and is written once, by the operator. The status is
written by whoever owns the step: the operator binds, the runner reports, the integrate
Job merges; each write names the resourceVersion it is based on, and ``attempt`` is the
fencing token: a report of an older attempt changes nothing.

Conditions, all about the present attempt:

=================  =====================================  ==============================
type               True when                              False / reasons
=================  =====================================  ==============================
ConflictPredicted  as it is now, files not committed yet  absent: nothing was in the way
                   included, the work would not merge     in this attempt; MergesCleanly:
                   into the integration branch:           it was, and is not any more
                   OverlapsMergedWork. Written by the
                   runner, and by the integrate Job
                   where a person is asked first; goes
                   with the attempt
Late               the operator expected it to be over:   absent: in time so far; InTime:
                   SlowerThanExpected                     that attempt is over
=================  =====================================  ==============================
"""

from __future__ import annotations

from typing import Final, Optional

from pydantic import Field, with_config
from typing_extensions import Annotated, Literal, Required, TypedDict

from kiro_swarm.api.common import (
    STRICT,
    Conditions,
    Name,
    Sha,
    Timestamp,
    rules,
)
from kiro_swarm.api.kubernetes import KubernetesObject

TaskId = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
State = Literal[
    "Blocked", "Ready", "Bound", "Running", "Done", "Merged", "Failed", "Skipped"
]
Complexity = Literal["Low", "Medium", "High"]
Mode = Literal["Normal", "BeastMode"]


Paused = Annotated[
    bool,
    Field(
        default=False,
        description="Not started until a person resumes it; an attempt under way ends.",
    ),
]
#: Bounds of what a task file may say of a task.
MAX_TITLE: Final = 1024
MAX_DESCRIPTION: Final = 65536
MAX_ITEMS: Final = 256
MAX_REQUIREMENT: Final = 256
MAX_DEPENDENCIES: Final = 2000
MAX_PATH: Final = 1024
MAX_CAPABILITIES: Final = 32
MAX_CAPABILITY: Final = 63
MAX_CRITERIA: Final = 64
MAX_CRITERION: Final = 1024


class TaskIdentity(TypedDict):
    """What a KiroTask is for ever."""

    swarm: Annotated[
        Name,
        Field(
            description="Name of the KiroSwarm.",
            json_schema_extra=rules(("self == oldSelf", _FIXED)),
        ),
    ]
    id: Annotated[
        TaskId,
        Field(
            description="Id of the task in the task file.",
            json_schema_extra=rules(("self == oldSelf", _FIXED)),
        ),
    ]


class TaskFromFile(TypedDict, total=False):
    """What the task file says of a task: as it is published, and as it is in the spec."""

    title: Annotated[
        str, Field(default="", max_length=MAX_TITLE, description="First line.")
    ]
    description: Annotated[
        str,
        Field(
            default="",
            max_length=MAX_DESCRIPTION,
            description="What follows the first line.",
        ),
    ]
    requirements: Annotated[
        list[Annotated[str, Field(max_length=MAX_REQUIREMENT)]],
        Field(max_length=MAX_ITEMS, description="Ids of requirements."),
    ]
    dependencies: Annotated[
        list[TaskId],
        Field(
            max_length=MAX_DEPENDENCIES,
            description="Ids of tasks that must be merged before this one starts.",
        ),
    ]
    optional: Annotated[
        bool, Field(default=False, description="Carries the optional mark `*`.")
    ]
    ticked: Annotated[
        bool, Field(default=False, description="Was ticked in the task file.")
    ]
    deferred: Annotated[bool, Field(default=False, description="Was marked `[~]`.")]
    checkpoint: Annotated[
        bool,
        Field(
            default=False,
            description="A check of everything before it: done without a change, too.",
        ),
    ]
    order: Annotated[
        int, Field(default=0, ge=0, description="Position in the task file.")
    ]
    line: Annotated[
        int, Field(default=0, ge=0, description="Line in the task file, from 1.")
    ]
    priority: Annotated[
        int, Field(default=0, ge=-1000, le=1000, description="Higher starts earlier.")
    ]
    estimateSeconds: Annotated[
        Optional[int], Field(ge=0, description="Estimated time.")
    ]
    files: Annotated[
        list[Annotated[str, Field(max_length=MAX_PATH)]],
        Field(
            max_length=MAX_ITEMS,
            description="Files or parts that the task says it touches.",
        ),
    ]
    parent: Annotated[
        Optional[TaskId],
        Field(description="Id of the group of the task file that it belongs to."),
    ]
    complexity: Annotated[
        Optional[Complexity],
        Field(description="Complexity, as the task file says."),
    ]
    capabilities: Annotated[
        list[Annotated[str, Field(max_length=MAX_CAPABILITY)]],
        Field(
            max_length=MAX_CAPABILITIES,
            description="What an instance must be able to do to have this task.",
        ),
    ]
    acceptanceCriteria: Annotated[
        list[Annotated[str, Field(max_length=MAX_CRITERION)]],
        Field(max_length=MAX_CRITERIA, description="What must hold when it is done."),
    ]


class KiroTaskSpecPatch(TaskFromFile, total=False):
    """What of the spec may be changed, and so is the type of such a change."""

    maxAttempts: Annotated[
        int,
        Field(
            default=3,
            ge=1,
            le=100,
            description="Attempts before the task is Failed; follows that of the swarm.",
        ),
    ]
    runRequest: Annotated[
        str,
        Field(
            default="",
            max_length=64,
            description="Uid of the command that asked to run this task again.",
        ),
    ]
    mode: Annotated[
        Mode,
        Field(
            default="Normal",
            description="BeastMode: plan, do, check and act in bounded cycles until the "
            "checks pass.",
        ),
    ]
    assignedTo: Annotated[
        str,
        Field(
            default="",
            max_length=63,
            description="KiroInstance that a person chose for this task. Default: any.",
        ),
    ]
    paused: Paused
    approvedAttempt: Annotated[
        int,
        Field(
            default=0,
            ge=0,
            description="Attempt that a person approved, where the swarm asks for approval.",
        ),
    ]


_FIXED: Final = "is immutable: delete this KiroTask, and it is made again"


@with_config(STRICT)
class KiroTaskSpec(TaskIdentity, KiroTaskSpecPatch):
    """What is to be done, as the task file says it."""


@with_config(STRICT)
class Progress(TypedDict, total=False):
    """What the agent said last."""

    message: Annotated[str, Field(max_length=1024, description="Last line of output.")]
    updatedAt: Annotated[Optional[Timestamp], Field(description="When.")]


@with_config(STRICT)
class Attempt(TypedDict, total=False):
    """An attempt that ended without a merge."""

    attempt: Required[
        Annotated[int, Field(description="Number of the attempt, from 1.")]
    ]
    instance: Annotated[str, Field(max_length=63, description="Who worked on it.")]
    podUid: Annotated[
        str, Field(max_length=64, description="Uid of the pod that worked on it.")
    ]
    outcome: Required[
        Annotated[
            str, Field(max_length=64, description="Reason, as one CamelCase word.")
        ]
    ]
    message: Annotated[str, Field(max_length=1024, description="What happened.")]
    startedAt: Annotated[Optional[Timestamp], Field(description="Start.")]
    finishedAt: Annotated[Optional[Timestamp], Field(description="End.")]
    commit: Annotated[Sha, Field(description="What it had committed, if anything.")]


@with_config(STRICT)
class Cycle(TypedDict, total=False):
    """One plan-do-check-act cycle of an attempt in beast mode."""

    attempt: Required[Annotated[int, Field(ge=1, description="Number of the attempt.")]]
    cycle: Required[
        Annotated[int, Field(ge=1, description="Number of the cycle in it, from 1.")]
    ]
    outcome: Required[
        Annotated[
            str, Field(max_length=64, description="Reason, as one CamelCase word.")
        ]
    ]
    message: Annotated[str, Field(max_length=256, description="What the check said.")]
    commit: Annotated[Sha, Field(description="What was committed by then.")]
    startedAt: Annotated[Optional[Timestamp], Field(description="Start.")]
    finishedAt: Annotated[Optional[Timestamp], Field(description="End.")]


@with_config(STRICT)
class KiroTaskStatus(TypedDict, total=False):
    """Where the task is on its way."""

    state: Annotated[State, Field(description="State of the task.")]
    attempt: Annotated[
        int, Field(ge=0, description="Number of the last attempt: the fencing token.")
    ]
    instance: Annotated[
        str, Field(max_length=63, description="KiroInstance that has the task.")
    ]
    podUid: Annotated[
        str, Field(max_length=64, description="Pod that the task was bound to.")
    ]
    branch: Annotated[str, Field(max_length=255, description="Branch of the work.")]
    baseCommit: Annotated[Sha, Field(description="Where the branch was cut.")]
    commit: Annotated[Sha, Field(description="The finished, checked commit.")]
    mergeCommit: Annotated[
        Sha, Field(description="The merge commit on the integration branch.")
    ]
    readyAt: Annotated[Optional[Timestamp], Field(description="Became Ready.")]
    boundAt: Annotated[Optional[Timestamp], Field(description="Was bound.")]
    startedAt: Annotated[Optional[Timestamp], Field(description="Agent started.")]
    finishedAt: Annotated[Optional[Timestamp], Field(description="Became Done.")]
    mergedAt: Annotated[Optional[Timestamp], Field(description="Was merged.")]
    reason: Annotated[
        str, Field(max_length=64, description="Why it is in this state, one word.")
    ]
    message: Annotated[
        str, Field(max_length=1024, description="Why it is in this state.")
    ]
    brief: Annotated[
        str,
        Field(
            max_length=16384,
            description="What went wrong before: the next attempt reads it.",
        ),
    ]
    progress: Annotated[Optional[Progress], Field(description="While it runs.")]
    history: Annotated[
        list[Attempt], Field(max_length=10, description="Attempts that failed.")
    ]
    observedRunRequest: Annotated[
        str, Field(max_length=64, description="The last runRequest that was answered.")
    ]
    failures: Annotated[
        int, Field(ge=0, description="Failed attempts since the last run request.")
    ]
    forgiven: Annotated[
        int,
        Field(
            ge=0,
            description="Attempts that count against no limit: a person ended them, or asked "
            "for another try after them, the instance was slow, or the template's program is "
            "missing.",
        ),
    ]
    programMissing: Annotated[
        int,
        Field(
            ge=0,
            description="Those of them that ended with AgentProgramMissing since the last run "
            "request, of which 48 count against no limit.",
        ),
    ]
    cycles: Annotated[
        list[Cycle],
        Field(max_length=20, description="Cycles of beast mode, the latest last."),
    ]
    runningSeconds: Annotated[
        float, Field(ge=0, description="Sum of the times of all attempts, measured.")
    ]
    conditions: Annotated[
        Conditions,
        Field(description="ConflictPredicted and Late: see the documentation."),
    ]


class KiroTask(KubernetesObject, total=False):
    """A KiroTask as it is read and written."""

    spec: Required[KiroTaskSpec]
    status: KiroTaskStatus
