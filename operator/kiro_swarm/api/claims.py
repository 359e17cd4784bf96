"""Claims of volumes: the fields that this program reads or writes, as in ``kubernetes``."""

from __future__ import annotations

from typing_extensions import TypedDict

from kiro_swarm.api.kubernetes import (
    KubernetesObject,
    PodCondition,
    ResourceRequirements,
)


class ClaimSpec(TypedDict, total=False):
    """What a claim asks for."""

    accessModes: list[str]
    resources: ResourceRequirements
    storageClassName: str


class ClaimStatus(TypedDict, total=False):
    """What a claim has got, and how far its resizing is."""

    phase: str
    capacity: dict[str, str]
    allocatedResourceStatuses: dict[str, str]
    conditions: list[PodCondition]


class PersistentVolumeClaim(KubernetesObject, total=False):
    """A claim of a volume."""

    spec: ClaimSpec
    status: ClaimStatus
