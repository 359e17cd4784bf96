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

from typing import Optional

from pydantic import Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import Conditions, Model, Name, Sha, Timestamp, rules

TaskId = Annotated[
    str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
State = Literal[
    "Blocked", "Ready", "Bound", "Running", "Done", "Merged", "Failed", "Skipped"
]
Complexity = Literal["Low", "Medium", "High"]


class KiroTaskSpec(Model):
    """What is to be done, as the task file says it."""

    swarm: Name = Field(
        description="Name of the KiroSwarm.",
        json_schema_extra=rules(("self == oldSelf", "is immutable")),
    )
    id: TaskId = Field(
        description="Id of the task in the task file.",
        json_schema_extra=rules(("self == oldSelf", "is immutable")),
    )
    title: str = Field(default="", max_length=1024, description="First line.")
    description: str = Field(
        default="", max_length=65536, description="What follows the first line."
    )
    requirements: list[Annotated[str, Field(max_length=256)]] = Field(
        default_factory=list, max_length=256, description="Ids of requirements."
    )
    dependencies: list[TaskId] = Field(
        default_factory=list,
        max_length=2000,
        description="Ids of tasks that must be merged before this one starts.",
    )
    optional: bool = Field(default=False, description="Carries the optional mark `*`.")
    ticked: bool = Field(default=False, description="Was ticked in the task file.")
    deferred: bool = Field(default=False, description="Was marked `[~]`.")
    checkpoint: bool = Field(
        default=False,
        description="A check of everything before it: done without a change, too.",
    )
    order: int = Field(default=0, ge=0, description="Position in the task file.")
    line: int = Field(default=0, ge=0, description="Line in the task file, from 1.")
    priority: int = Field(
        default=0, ge=-1000, le=1000, description="Higher starts earlier."
    )
    estimate_seconds: Optional[int] = Field(
        default=None, ge=0, description="Estimated time."
    )
    files: list[Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=list,
        max_length=256,
        description="Files or parts that the task says it touches.",
    )
    parent: Optional[TaskId] = Field(
        default=None, description="Id of the group of the task file that it belongs to."
    )
    complexity: Optional[Complexity] = Field(
        default=None, description="How hard it is, as the task file says."
    )
    capabilities: list[Annotated[str, Field(max_length=63)]] = Field(
        default_factory=list,
        max_length=32,
        description="What an instance must be able to do to have this task.",
    )
    acceptance_criteria: list[Annotated[str, Field(max_length=1024)]] = Field(
        default_factory=list,
        max_length=64,
        description="What must hold when it is done.",
    )
    max_attempts: int = Field(
        default=3, ge=1, le=100, description="Attempts before the task is Failed."
    )
    run_request: str = Field(
        default="",
        max_length=64,
        description="Uid of the command that asked to run this task again.",
    )
    mode: Literal["Normal", "BeastMode"] = Field(
        default="Normal",
        description="BeastMode: plan, do, check and act in bounded cycles until the "
        "checks pass.",
    )
    assigned_to: str = Field(
        default="",
        max_length=63,
        description="KiroInstance that a person chose for this task. Default: any.",
    )
    paused: bool = Field(
        default=False,
        description="Not started until a person resumes it; an attempt under way ends.",
    )
    approved_attempt: int = Field(
        default=0,
        ge=0,
        description="Attempt that a person approved, where the swarm asks for approval.",
    )


class Progress(Model):
    """What the agent said last."""

    message: str = Field(
        default="", max_length=1024, description="Last line of output."
    )
    updated_at: Optional[Timestamp] = Field(default=None, description="When.")


class Attempt(Model):
    """An attempt that ended without a merge."""

    attempt: int = Field(description="Number of the attempt, from 1.")
    instance: str = Field(default="", max_length=63, description="Who worked on it.")
    outcome: str = Field(max_length=64, description="Reason, as one CamelCase word.")
    message: str = Field(default="", max_length=1024, description="What happened.")
    started_at: Optional[Timestamp] = Field(default=None, description="Start.")
    finished_at: Optional[Timestamp] = Field(default=None, description="End.")
    commit: Sha = Field(default="", description="What it had committed, if anything.")


class Cycle(Model):
    """One plan-do-check-act cycle of an attempt in beast mode."""

    attempt: int = Field(ge=1, description="Number of the attempt.")
    cycle: int = Field(ge=1, description="Number of the cycle in it, from 1.")
    outcome: str = Field(max_length=64, description="Reason, as one CamelCase word.")
    message: str = Field(default="", max_length=256, description="What the check said.")
    commit: Sha = Field(default="", description="What was committed by then.")
    started_at: Optional[Timestamp] = Field(default=None, description="Start.")
    finished_at: Optional[Timestamp] = Field(default=None, description="End.")


class KiroTaskStatus(Model):
    """Where the task is on its way."""

    state: State = Field(default="Blocked", description="State of the task.")
    attempt: int = Field(
        default=0, ge=0, description="Number of the last attempt: the fencing token."
    )
    instance: str = Field(
        default="", max_length=63, description="KiroInstance that has the task."
    )
    pod_uid: str = Field(
        default="", max_length=64, description="Pod that the task was bound to."
    )
    branch: str = Field(default="", max_length=255, description="Branch of the work.")
    base_commit: Sha = Field(default="", description="Where the branch was cut.")
    commit: Sha = Field(default="", description="The finished, checked commit.")
    merge_commit: Sha = Field(default="", description="The merge on the integration.")
    ready_at: Optional[Timestamp] = Field(default=None, description="Became Ready.")
    bound_at: Optional[Timestamp] = Field(default=None, description="Was bound.")
    started_at: Optional[Timestamp] = Field(default=None, description="Agent started.")
    finished_at: Optional[Timestamp] = Field(default=None, description="Became Done.")
    merged_at: Optional[Timestamp] = Field(default=None, description="Was merged.")
    reason: str = Field(
        default="", max_length=64, description="Why it is in this state, one word."
    )
    message: str = Field(
        default="", max_length=1024, description="Why it is in this state."
    )
    brief: str = Field(
        default="",
        max_length=16384,
        description="What went wrong before: the next attempt reads it.",
    )
    progress: Optional[Progress] = Field(default=None, description="While it runs.")
    history: list[Attempt] = Field(
        default_factory=list, max_length=10, description="Attempts that failed."
    )
    observed_run_request: str = Field(
        default="", max_length=64, description="The last runRequest that was answered."
    )
    failures: int = Field(
        default=0, ge=0, description="Failed attempts since the last run request."
    )
    forgiven: int = Field(
        default=0,
        ge=0,
        description="Attempts that count against no limit: a person ended them, or asked "
        "for another try after them.",
    )
    cycles: list[Cycle] = Field(
        default_factory=list,
        max_length=20,
        description="Cycles of beast mode, the latest last.",
    )
    running_seconds: float = Field(
        default=0.0, ge=0, description="Sum of the times of all attempts, measured."
    )
    conditions: Conditions = Field(
        default_factory=list,
        description="ConflictPredicted and Late: see the documentation.",
    )
