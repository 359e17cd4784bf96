"""KiroSwarm.spec: what a person wants. The KiroSwarm is to us what a Deployment is.

Fields whose feature is not there yet are declared and refused (``not_yet``), so that
nobody believes in a setting that does nothing.
"""

from __future__ import annotations

from typing import Final, Optional

from pydantic import ConfigDict, Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import (
    Command,
    ConfigMapKey,
    Model,
    Name,
    ObjectName,
    Quantity,
    not_yet,
    rules,
)
from kiro_swarm.api.quantity import ByteSize
from kiro_swarm.api.repository import Repository
from kiro_swarm.api.template import InstanceTemplate

Strategy = Literal["DependencyAware", "LoadBalanced", "CapabilityBased", "RoundRobin"]
HeartbeatSeconds = Annotated[int, Field(ge=1, le=600)]
HEARTBEAT_SECONDS: Final = 10
#: A Lease is given for so many heartbeats, and who missed them is lost unless a swarm says
#: another time: one that is late, or whose write had to be repeated, is no news yet.
LEASE_HEARTBEATS: Final = 4


class Tasks(Model):
    """Where the task list comes from: exactly one of specPath, inline, configMap."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "[has(self.specPath), has(self.inline), has(self.configMap)]"
                ".filter(x, x).size() == 1",
                "give exactly one of specPath, inline and configMap",
            ),
            (
                "has(self.specPath) == has(oldSelf.specPath) && "
                "(!has(self.specPath) || self.specPath == oldSelf.specPath) && "
                "has(self.inline) == has(oldSelf.inline) && "
                "(!has(self.inline) || self.inline == oldSelf.inline) && "
                "has(self.configMap) == has(oldSelf.configMap) && "
                "(!has(self.configMap) || self.configMap == oldSelf.configMap)",
                "the task source is immutable: delete this KiroSwarm and create it again "
                "for another one",
            ),
        )
    )
    spec_path: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="Kiro spec in the repository: `.kiro/specs/NAME/tasks.md`, its "
        "folder, or NAME.",
        json_schema_extra=rules(
            (
                "!self.startsWith('/') && !self.split('/').exists(p, p == '..')",
                "must be a path inside the repository, without '..'",
            )
        ),
    )
    inline: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=262144,
        description="The text of a tasks.md.",
    )
    config_map: Optional[ConfigMapKey] = Field(
        default=None, description="ConfigMap key that holds the text of a tasks.md."
    )
    optional: Literal["Skip", "Run"] = Field(
        default="Skip",
        description="What to do with tasks that carry the optional mark `*`.",
    )


class Verification(Model):
    """The check of a finished task, run in the worktree before the task is Done."""

    command: Command = Field(description="Program and arguments. Exit status 0 passes.")
    timeout_seconds: int = Field(
        default=600, ge=1, le=86400, description="Longest time for the check."
    )


class Distribution(Model):
    """How tasks are bound to instances."""

    strategy: Strategy = Field(
        default="DependencyAware",
        description="DependencyAware: longest chain of work first, on the fastest "
        "instance. LoadBalanced: longest chain first, on the instance that worked least. "
        "CapabilityBased: what the fewest can do first, on the instance that can do the "
        "least else. RoundRobin: in the order of the file, instances in turn.",
    )
    slow_instances: Literal["Keep", "Move"] = Field(
        default="Move",
        description="Move: a task that takes longer than nine of ten would, on an "
        "instance that is much slower than an idle one, is taken from it and begins "
        "again there, once. Keep: it stays.",
    )


class Gate(Model):
    """A check of the merged result, run before the integration branch moves."""

    name: Name = Field(description="Name of the gate, for messages.")
    command: Command = Field(description="Program and arguments. Exit status 0 passes.")
    timeout_seconds: int = Field(
        default=600, ge=1, le=86400, description="Longest time for the gate."
    )


class Integration(Model):
    """How finished tasks are merged."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.branch) == has(oldSelf.branch) && "
                "(!has(self.branch) || self.branch == oldSelf.branch)",
                "the integration branch is immutable: finished work is on it. Delete "
                "this KiroSwarm and create it again for another one",
            )
        )
    )
    branch: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62}){0,3}$",
        description="Branch that collects the merged work. Default: "
        "swarm/NAME/integration.",
    )
    approval: Literal["Never", "Required"] = Field(
        default="Never",
        description="Required: a finished task waits for `approve task` or `reject "
        "task` before it is merged.",
    )
    push: Literal["Never", "OnComplete", "Always"] = Field(
        default="Never",
        description="When the integration branch is pushed to the repository: never, "
        "when every task is merged, or after every merge.",
    )
    on_delete: Optional[Literal["Delete", "Rescue"]] = Field(
        default=None,
        description="What becomes of work that is nowhere else when the swarm is deleted, "
        "by hand or for its age. Delete, the default: it goes with the volume. Rescue: a finalizer "
        "keeps the swarm until that work is pushed to refs/kiro/rescue/UID/ of the "
        "repository, for rescueSeconds at most; the "
        "sentence `cancel rescue` lets it go at once, as does the annotation "
        "swarm.kiro.dev/delete-anyway.",
    )
    rescue_seconds: Optional[int] = Field(
        default=None,
        ge=60,
        le=604800,
        description="How long a swarm that is being deleted is kept for that. Default: "
        "3600.",
    )
    max_file_size: Optional[ByteSize] = Field(
        default=None,
        description="Largest file that a task may bring, in any of its commits: "
        "hosts of git refuse larger ones, and with one in it each later push. Default: "
        "100Mi, what most hosts take. `0`: no bound but those on a whole task, 256 MiB of "
        "new content. An edit holds for each attempt that begins and each merge after it.",
    )
    gates: list[Gate] = Field(
        default_factory=list,
        max_length=16,
        description="Checks of the merged result, in order.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )


class Recovery(Model):
    """What happens when something fails."""

    max_attempts: int = Field(
        default=3,
        ge=1,
        le=100,
        description="Attempts of one task before it is Failed. May be changed: tasks that "
        "are not merged follow.",
    )
    heartbeat_seconds: HeartbeatSeconds = Field(
        default=HEARTBEAT_SECONDS,
        description="How often a busy instance renews its Lease.",
    )
    lost_after_seconds: int = Field(
        default=HEARTBEAT_SECONDS * LEASE_HEARTBEATS,
        ge=2,
        le=3600,
        description="Without a heartbeat for this long a busy instance is lost and its "
        "task goes to another.",
    )
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.heartbeatSeconds * 2 <= self.lostAfterSeconds",
                "lostAfterSeconds must be at least twice heartbeatSeconds",
            )
        )
    )


class Storage(Model):
    """The volume of the swarm: the mirror and the instances' worktrees."""

    size: Quantity = Field(
        default="1Gi",
        description="Size of the claim. It may grow at any time, where the StorageClass "
        "has allowVolumeExpansion; see the condition VolumeResized.",
    )
    storage_class_name: Optional[ObjectName] = Field(
        default=None, description="StorageClass. Default: the cluster's default."
    )
    access_mode: Literal["ReadWriteOnce", "ReadWriteMany"] = Field(
        default="ReadWriteOnce",
        description="ReadWriteMany: instances anywhere. ReadWriteOnce: all on the "
        "volume's node.",
    )


class Autoscaling(Model):
    """Bounds for the number of instances."""

    minimum: int = Field(default=0, ge=0, le=1000, description="At least this many.")
    maximum: int = Field(default=1, ge=0, le=1000, description="At most this many.")
    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.minimum <= self.maximum",
                "minimum must not be larger than maximum",
            )
        )
    )


class Communication(Model):
    """Transport of the message plane."""

    transport: Literal["Spores", "NATS", "Redis", "RabbitMQ", "Kafka"] = Field(
        default="Spores", description="Message bus."
    )


class DeploymentTarget(Model):
    """A cluster that takes a share of the instances."""

    name: Name = Field(description="Name of the target.")


class KiroSwarmSpec(Model):
    """What is wanted: repository, tasks, how many instances, how to integrate."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                # What is left out is the default, so that it can be written later on.
                "(has(self.storage) && has(self.storage.storageClassName) "
                "? self.storage.storageClassName : '') == "
                "(has(oldSelf.storage) && has(oldSelf.storage.storageClassName) "
                "? oldSelf.storage.storageClassName : '') && "
                "(has(self.storage) && has(self.storage.accessMode) "
                "? self.storage.accessMode : 'ReadWriteOnce') == "
                "(has(oldSelf.storage) && has(oldSelf.storage.accessMode) "
                "? oldSelf.storage.accessMode : 'ReadWriteOnce')",
                "storageClassName and accessMode of storage are immutable: the work is on "
                "this volume. Delete this KiroSwarm and create it again for another one",
            ),
            (
                "quantity(has(self.storage) && has(self.storage.size) "
                "? self.storage.size : '1Gi').compareTo("
                "quantity(has(oldSelf.storage) && has(oldSelf.storage.size) "
                "? oldSelf.storage.size : '1Gi')) >= 0",
                "storage.size can only grow: no volume becomes smaller",
            ),
        )
    )
    repository: Repository = Field(description="Where the code comes from.")
    tasks: Tasks = Field(description="Where the task list comes from.")
    instances: int = Field(
        default=1, ge=0, le=1000, description="How many agent pods are kept alive."
    )
    template: InstanceTemplate = Field(description="What an instance looks like.")
    verification: Optional[Verification] = Field(
        default=None,
        description="Check of a finished task in its worktree. Without one, commits "
        "and a clean tree are the evidence.",
    )
    distribution: Distribution = Field(
        default_factory=Distribution, description="How tasks are bound to instances."
    )
    integration: Integration = Field(
        default_factory=Integration, description="How finished tasks are merged."
    )
    recovery: Recovery = Field(
        default_factory=Recovery, description="What happens when something fails."
    )
    storage: Storage = Field(
        default_factory=Storage, description="The volume of the swarm."
    )
    suspend: bool = Field(
        default=False,
        description="Start no further task; running ones finish, then the pods go.",
    )
    ttl_seconds_after_finished: Optional[int] = Field(
        default=None,
        ge=0,
        le=31536000,
        description="Delete the swarm this long after it finished. Default: keep it.",
    )
    communication: Optional[Communication] = Field(
        default=None,
        description="Transport of the message plane.",
        json_schema_extra=not_yet(
            "spec.communication", "instances report through the Kubernetes API"
        ),
    )
    autoscaling: Optional[Autoscaling] = Field(
        default=None,
        description="Bounds for the number of instances.",
        json_schema_extra=not_yet(
            "spec.autoscaling", "set spec.instances or use kubectl scale"
        ),
    )
    feature_flags: Optional[dict[str, bool]] = Field(
        default=None,
        max_length=32,
        description="Switches of features.",
        json_schema_extra=not_yet("spec.featureFlags", "there is no flag to set"),
    )
    deployment_targets: Optional[list[DeploymentTarget]] = Field(
        default=None,
        max_length=16,
        description="Clusters that take a share of the instances.",
        json_schema_extra=not_yet(
            "spec.deploymentTargets", "all instances run in this cluster"
        ),
    )
