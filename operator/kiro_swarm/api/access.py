"""How an object is read: its status, which may not be there yet, and a swarm's spec.

Called by everybody. ``status_of`` costs what the same expression in place costs; a status
that it returns for an object without one is a new, empty one.
"""

from __future__ import annotations

from typing import Any, Optional, overload

from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.instance import KiroInstance, KiroInstanceStatus
from kiro_swarm.api.kubernetes import Job, JobStatus, Pod, PodStatus
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.api.task import KiroTask, KiroTaskStatus


@overload
def status_of(item: KiroTask) -> KiroTaskStatus: ...
@overload
def status_of(item: KiroInstance) -> KiroInstanceStatus: ...
@overload
def status_of(item: SwarmCommand) -> SwarmCommandStatus: ...
@overload
def status_of(item: KiroSwarm) -> KiroSwarmStatus: ...
@overload
def status_of(item: Pod) -> PodStatus: ...
@overload
def status_of(item: Job) -> JobStatus: ...
def status_of(item: Any) -> Any:
    """The status of an object; an empty one when nobody has written any yet."""
    return item.get("status") or {}


def spec_of(swarm: KiroSwarm) -> Optional[KiroSwarmSpec]:
    """The typed spec of a KiroSwarm, or None when it is of another version of us."""
    try:
        return KiroSwarmSpec.model_validate(swarm["spec"])
    except ValueError:
        return None
