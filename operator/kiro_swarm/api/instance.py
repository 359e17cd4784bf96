"""KiroInstance: one agent pod with a worktree, a colour and a heartbeat (a Lease).

The KiroInstance is to us what a Node is: it stays when its pod dies and gets a new one.
"""

from __future__ import annotations

from typing import Optional

from pydantic import Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import (
    Capability,
    Conditions,
    Model,
    Name,
    Timestamp,
    rules,
)

InstancePhase = Literal[
    "Pending", "Ready", "Busy", "Paused", "Draining", "Restarting", "Stopped"
]


class KiroInstanceSpec(Model):
    """What the instance is."""

    swarm: Name = Field(
        description="Name of the KiroSwarm.",
        json_schema_extra=rules(("self == oldSelf", "is immutable")),
    )
    index: int = Field(
        ge=1,
        le=100000,
        description="Number of the instance in its swarm, from 1.",
        json_schema_extra=rules(("self == oldSelf", "is immutable")),
    )
    colour: Annotated[str, Field(max_length=7, pattern=r"^#[0-9a-f]{6}$")] = Field(
        description="Peacock colour, stable for the life of the instance."
    )
    colour_name: str = Field(
        default="", max_length=64, description="Its name for people."
    )
    capabilities: list[Capability] = Field(
        default_factory=list,
        max_length=32,
        description="What this instance can do beyond spec.template.capabilities of its "
        "swarm. Set by a person; the operator leaves it alone.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    desired: Literal["Running", "Paused", "Drained", "Stopped"] = Field(
        default="Running",
        description="Paused: finish the current task, take no further one, keep the "
        "pod. Drained: finish the current task, then stop. Stopped: stop now; the task "
        "goes to another instance.",
    )


class KiroInstanceStatus(Model):
    """What is, written by the operator alone."""

    observed_generation: int = Field(default=0, description="As everywhere.")
    phase: InstancePhase = Field(default="Pending", description="One word for people.")
    pod: str = Field(default="", max_length=253, description="Name of the current pod.")
    node: str = Field(default="", max_length=253, description="Node of the pod.")
    restarts: int = Field(
        default=0, ge=0, description="How often the pod was replaced: part of its name."
    )
    task: str = Field(default="", max_length=128, description="Id of the current task.")
    branch: str = Field(
        default="", max_length=255, description="Branch of the current task."
    )
    message: str = Field(default="", max_length=1024, description="Why, in one line.")
    ready_at: Optional[Timestamp] = Field(
        default=None, description="When the pod became ready."
    )
    conditions: Conditions = Field(
        default_factory=list,
        description="Ready: the pod is ready and the instance may get tasks.",
    )
