"""KiroInstance: one agent pod with a worktree, a colour and a heartbeat (a Lease).

The KiroInstance is to us what a Node is: it stays when its pod dies and gets a new one.
"""

from __future__ import annotations

from typing import Final, Optional

from pydantic import Field, with_config
from typing_extensions import Annotated, Literal, Required, TypedDict

from kiro_swarm.api.common import (
    STRICT,
    Capability,
    Conditions,
    Name,
    Timestamp,
    rules,
)
from kiro_swarm.api.kubernetes import KubernetesObject

InstancePhase = Literal[
    "Pending", "Ready", "Busy", "Paused", "Draining", "Restarting", "Stopped"
]


Desired = Literal["Running", "Paused", "Drained", "Stopped"]


class InstanceIdentity(TypedDict):
    """What a KiroInstance is for ever."""

    swarm: Annotated[
        Name,
        Field(
            description="Name of the KiroSwarm.",
            json_schema_extra=rules(("self == oldSelf", _FIXED)),
        ),
    ]
    index: Annotated[
        int,
        Field(
            ge=1,
            le=100000,
            description="Number of the instance in its swarm, from 1.",
            json_schema_extra=rules(("self == oldSelf", _FIXED)),
        ),
    ]
    colour: Annotated[
        Annotated[str, Field(max_length=7, pattern=r"^#[0-9a-f]{6}$")],
        Field(description="Peacock colour, stable for the life of the instance."),
    ]


class KiroInstanceSpecPatch(TypedDict, total=False):
    """What of the spec may be changed, and so is the type of such a change."""

    colourName: Annotated[
        str, Field(default="", max_length=64, description="Its name for people.")
    ]
    capabilities: Annotated[
        list[Capability],
        Field(
            max_length=32,
            description="What this instance can do beyond spec.template.capabilities of its "
            "swarm. Set by a person; the operator leaves it alone.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
    ]
    desired: Annotated[
        Desired,
        Field(
            default="Running",
            description="Paused: finish the current task, take no further one, keep the "
            "pod. Drained: finish the current task, then stop. Stopped: stop now; the task "
            "goes to another instance.",
        ),
    ]


_FIXED: Final = "is immutable: delete this KiroInstance, and it is made again"


@with_config(STRICT)
class KiroInstanceSpec(InstanceIdentity, KiroInstanceSpecPatch):
    """What the instance is."""


@with_config(STRICT)
class KiroInstanceStatus(TypedDict, total=False):
    """What is, written by the operator alone."""

    observedGeneration: Annotated[
        int, Field(description="Generation of the spec this is about.")
    ]
    phase: Annotated[InstancePhase, Field(description="One word for people.")]
    pod: Annotated[str, Field(max_length=253, description="Name of the current pod.")]
    node: Annotated[str, Field(max_length=253, description="Node of the pod.")]
    restarts: Annotated[
        int,
        Field(ge=0, description="How often the pod was replaced: part of its name."),
    ]
    restartsInARow: Annotated[
        int,
        Field(
            ge=0,
            description="The same since its pod was last ready for ten minutes, or the template "
            "changed: after three the next one waits, for five minutes at most.",
        ),
    ]
    rolling: Annotated[
        bool,
        Field(
            description="Its pod was ready and went for a changed template of which no pod was "
            "ready yet; until the next one is.",
        ),
    ]
    task: Annotated[str, Field(max_length=128, description="Id of the current task.")]
    branch: Annotated[
        str, Field(max_length=255, description="Branch of the current task.")
    ]
    message: Annotated[str, Field(max_length=1024, description="Why, in one line.")]
    readyAt: Annotated[
        Optional[Timestamp], Field(description="When the pod became ready.")
    ]
    conditions: Annotated[
        Conditions,
        Field(description="Ready: the pod is ready and the instance may get tasks."),
    ]


class KiroInstance(KubernetesObject, total=False):
    """A KiroInstance as it is read and written."""

    spec: Required[KiroInstanceSpec]
    status: KiroInstanceStatus
