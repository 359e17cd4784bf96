"""KIRO_CONFIG: what the operator tells a runner about the swarm, as JSON in its pod.

Beside it the names of the variables from which a runner knows its own pod, and process 1 of a
container that runs foreign code the places where that can write.

Written by ``reconcile.objects.pods`` and read by ``runner.config``, both through the model. A
field that the reader does not know is refused: it would say how the work is to be done, and
a runner that does not do it so must not begin. That happens where the images of the operator
and of its pods are of two releases.
"""

from __future__ import annotations

import json
from typing import Optional

from pydantic import Field

from kiro_swarm.api.common import Model
from kiro_swarm.api.quantity import ByteSize
from kiro_swarm.api.swarm import HEARTBEAT_SECONDS, HeartbeatSeconds, Verification
from kiro_swarm.api.template import Agent

#: The uid of the runner's pod, from the downward API. Pods of an older release have none.
POD_UID = "KIRO_POD_UID"
#: Folders and files, colons between them. Whatever is in them goes before each task.
SCRATCH = "KIRO_SCRATCH"


class WorkSettings(Model):
    """The part of a KiroSwarm's spec that a runner needs."""

    agent: Agent
    verification: Optional[Verification] = None
    integration_branch: str = Field(min_length=1, max_length=255)
    spec_path: Optional[str] = None
    heartbeat_seconds: HeartbeatSeconds = HEARTBEAT_SECONDS
    max_file_size: Optional[ByteSize] = None

    def to_json(self) -> str:
        """The value of KIRO_CONFIG; the same settings, the same text."""
        values = self.model_dump(by_alias=True, mode="json", exclude_none=True)
        return json.dumps(values, sort_keys=True)
