"""KiroSwarm.status: what is. Written by the operator alone, one write a change.

Conditions (truth tables; kstatus reads Ready, Reconciling and Stalled):

==============  =======================================  ==============================
type            True when                                False / reasons
==============  =======================================  ==============================
Ready           prepared, and every wanted instance is   Preparing, PrepareFailed,
                ready (but for those that a person       InstancesNotReady, Suspended
                stopped or paused), or all the work is
                finished
Reconciling     something still moves towards the spec   Idle
Stalled         nothing can move without a person        Progressing; True reasons: the
                                                         reason of the failed prepare,
                                                         TasksFailed, NobodyAble,
                                                         PushRejected
Prepared        mirror and task graph are there          Preparing, or why it failed:
                                                         RemoteUnavailable, SpecNotFound,
                                                         TaskFileInvalid, ...
Complete        every task is Merged or Skipped          InProgress, TasksFailed
Integrated      no Done task waits and the last          MergePending, IntegrateFailed
                integrate Job had no error
ApprovalNeeded  a Done task waits for a person. Only     NothingToApprove
                with spec.integration.approval Required
==============  =======================================  ==============================
"""

from __future__ import annotations

from typing import Optional

from pydantic import Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import Conditions, Model, Sha, Timestamp

Phase = Literal[
    "Pending", "Preparing", "Running", "Suspended", "Succeeded", "Failed", "Deleting"
]


class TaskCounts(Model):
    """Number of tasks in each state."""

    total: int = Field(default=0, description="All tasks of the spec.")
    blocked: int = Field(default=0, description="A dependency is not merged yet.")
    ready: int = Field(default=0, description="May start now.")
    bound: int = Field(default=0, description="Given to an instance.")
    running: int = Field(default=0, description="The agent works.")
    done: int = Field(default=0, description="Checked, waits for its merge.")
    merged: int = Field(default=0, description="On the integration branch.")
    failed: int = Field(default=0, description="All attempts used up.")
    skipped: int = Field(default=0, description="Left out by a person or a mark.")
    late: int = Field(
        default=0, description="Under way for longer than nine of ten would be."
    )


class InstanceSummary(Model):
    """One instance at a glance."""

    name: str = Field(max_length=63, description="Name of the KiroInstance.")
    colour: str = Field(max_length=32, description="Peacock colour, as #rrggbb.")
    phase: str = Field(max_length=32, description="Phase of the instance.")
    task: Optional[str] = Field(
        default=None, max_length=128, description="Id of its current task."
    )
    branch: Optional[str] = Field(
        default=None, max_length=255, description="Branch of its current task."
    )


class IntegrationStatus(Model):
    """State of the merge train."""

    branch: str = Field(default="", max_length=255, description="Where work is merged.")
    base: Sha = Field(default="", description="Commit that the swarm started from.")
    head: Sha = Field(default="", description="Commit that the branch points to now.")
    pushed: Sha = Field(default="", description="Commit that was pushed last.")
    batch: int = Field(default=0, description="Number of the last integrate Job.")
    message: str = Field(
        default="", max_length=4096, description="What the last Job had to say."
    )


class Speedup(Model):
    """How much time the swarm saves. Every number is measured."""

    elapsed_seconds: float = Field(
        default=0.0, description="First task started -> last change, wall clock."
    )
    task_seconds: float = Field(
        default=0.0, description="Sum of the times of all attempts."
    )
    ratio: float = Field(
        default=0.0, description="taskSeconds / elapsedSeconds: 1 is one by one."
    )


class Forecast(Model):
    """What is to be expected of the rest, from what this swarm measured so far.

    Written along with other news, so that time passing writes nothing.
    """

    message: str = Field(
        default="", max_length=1024, description="The forecast in one line."
    )
    critical_path: list[Annotated[str, Field(max_length=128)]] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of the longest chain of what is left, in order; the first 50.",
    )
    critical_seconds: float = Field(
        default=0.0, description="What this chain takes; nothing finishes it sooner."
    )
    usable_now: int = Field(
        default=0,
        description="Instances that have or could have a task at this moment.",
    )
    useful: int = Field(
        default=0,
        description="With more instances than this the rest is not finished sooner.",
    )
    more_instances_help: bool = Field(
        default=False, description="Whether one more would finish the rest sooner."
    )
    finish_at: Optional[Timestamp] = Field(
        default=None,
        description="When the rest is finished, as likely later as sooner. Absent while "
        "it cannot be: nobody works, or everything waits for a person.",
    )
    finish_low: Optional[Timestamp] = Field(
        default=None, description="One of ten such swarms finishes before this."
    )
    finish_high: Optional[Timestamp] = Field(
        default=None, description="One of ten such swarms finishes after this."
    )
    late: list[Annotated[str, Field(max_length=128)]] = Field(
        default_factory=list,
        max_length=50,
        description="Running tasks of the critical path that take longer than nine of "
        "ten would; the first 50.",
    )
    stuck: list[Annotated[str, Field(max_length=128)]] = Field(
        default_factory=list,
        max_length=50,
        description="Tasks that cannot go on before a person acts; the first 50. They "
        "are in none of the other numbers.",
    )


class AuditStatus(Model):
    """The audit log of the commands that change something."""

    lines: int = Field(default=0, ge=0, description="How many lines it has.")
    head: str = Field(default="", max_length=64, description="Hash of the last line.")


class PrepareStatus(Model):
    """State of the prepare Job."""

    attempt: int = Field(default=0, description="Number of the last prepare Job.")
    retry_at: Optional[Timestamp] = Field(
        default=None, description="When a failed prepare is tried again."
    )
    tasks_file: str = Field(
        default="", max_length=1024, description="Path of the tasks.md that was read."
    )
    tasks: int = Field(
        default=0, description="How many KiroTasks were made of the tasks.md."
    )
    diagnostics: list[Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=list,
        max_length=50,
        description="Problems of the task file, each with its line.",
    )


class KiroSwarmStatus(Model):
    """What is, in the words of `kubectl get kiro`."""

    observed_generation: int = Field(
        default=0, description="Generation of the spec that this status is about."
    )
    phase: Phase = Field(default="Pending", description="One word for people.")
    message: str = Field(
        default="", max_length=1024, description="What is going on, in one line."
    )
    replicas: int = Field(default=0, description="Instances that exist.")
    ready_replicas: int = Field(default=0, description="Instances that can work.")
    readiness: str = Field(
        default="0/0", max_length=32, description="Ready instances / wanted."
    )
    progress: str = Field(
        default="0/0", max_length=32, description="Merged tasks / all tasks."
    )
    selector: str = Field(
        default="", max_length=256, description="Label selector of the instance pods."
    )
    tasks: TaskCounts = Field(default_factory=TaskCounts, description="Tasks by state.")
    instances: list[InstanceSummary] = Field(
        default_factory=list,
        max_length=64,
        description="Instances, the busy ones first; at most 64.",
    )
    prepare: PrepareStatus = Field(
        default_factory=PrepareStatus, description="State of the prepare Job."
    )
    integration: IntegrationStatus = Field(
        default_factory=IntegrationStatus, description="State of the merge train."
    )
    speedup: Speedup = Field(
        default_factory=Speedup, description="Time saved by working side by side."
    )
    forecast: Optional[Forecast] = Field(
        default=None, description="What is to be expected of the rest."
    )
    audit: Optional[AuditStatus] = Field(
        default=None, description="Anchor of the audit log."
    )
    started_at: Optional[Timestamp] = Field(
        default=None, description="When the first task started."
    )
    finished_at: Optional[Timestamp] = Field(
        default=None, description="When the last task was merged, failed or skipped."
    )
    conditions: Conditions = Field(
        default_factory=list, description="See the truth tables in the documentation."
    )
