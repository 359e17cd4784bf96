"""Objects of Kubernetes' own kinds: the fields that this program reads or writes, no others.

Types of plain dicts for the type checker: nothing is validated, an object has many more
fields than are listed here. A field is added when somebody needs it. Of the status only
what is read stands here, of the spec what is read or written; what is passed on as the
user gave it (an affinity) is not looked into.

Imported by whoever handles such objects; ``KubernetesObject`` is what all have in common,
ours included.
"""

from __future__ import annotations

from typing import Mapping, Optional

from typing_extensions import Required, TypedDict


class OwnerReference(TypedDict, total=False):
    """Who an object belongs to: it goes with its owner."""

    apiVersion: str
    kind: str
    name: str
    uid: Required[str]
    controller: bool
    blockOwnerDeletion: bool


class ObjectMeta(TypedDict, total=False):
    """What every object says of itself. An object that was read has all but the optional."""

    name: str
    generateName: str
    namespace: str
    uid: str
    resourceVersion: str
    generation: int
    creationTimestamp: str
    deletionTimestamp: str
    labels: dict[str, str]
    annotations: dict[str, str]
    finalizers: list[str]
    ownerReferences: list[OwnerReference]
    managedFields: list[object]


class KubernetesObject(TypedDict, total=False):
    """What every object has. In a list the server leaves version and kind out; the client
    puts them back."""

    apiVersion: str
    kind: str
    metadata: Required[ObjectMeta]


class NameReference(TypedDict):
    """Another object of the same namespace."""

    name: str


# ------------------------------------------------------------------ Pod


class FieldRef(TypedDict):
    """A field of the pod itself, which the kubelet fills in."""

    fieldPath: str


class EnvSource(TypedDict):
    """Where the value of a variable comes from."""

    fieldRef: FieldRef


class EnvVar(TypedDict, total=False):
    """A variable of a container: a value, or where it comes from."""

    name: Required[str]
    value: str
    valueFrom: EnvSource


class VolumeMount(TypedDict, total=False):
    """A volume's place in a container."""

    name: Required[str]
    mountPath: Required[str]
    subPath: str
    readOnly: bool


class ContainerPort(TypedDict):
    """A port that a container listens on."""

    name: str
    containerPort: int


class HttpGet(TypedDict):
    """The request of a probe."""

    path: str
    port: int


class Probe(TypedDict):
    """How the kubelet asks a container."""

    httpGet: HttpGet
    periodSeconds: int
    failureThreshold: int
    timeoutSeconds: int


class ResourceRequirements(TypedDict, total=False):
    """Requests and limits of a container or a claim."""

    requests: dict[str, str]
    limits: dict[str, str]


class Container(TypedDict, total=False):
    """A container of a pod."""

    name: Required[str]
    image: str
    imagePullPolicy: str
    args: list[str]
    env: list[EnvVar]
    volumeMounts: list[VolumeMount]
    securityContext: Mapping[str, object]
    terminationMessagePolicy: str
    ports: list[ContainerPort]
    startupProbe: Probe
    readinessProbe: Probe
    livenessProbe: Probe
    resources: ResourceRequirements
    restartPolicy: str


class Volume(TypedDict, total=False):
    """A volume of a pod; each kind of source has its own fields, which we only write."""

    name: Required[str]
    persistentVolumeClaim: Mapping[str, object]
    emptyDir: Mapping[str, object]
    projected: Mapping[str, object]
    configMap: Mapping[str, object]
    secret: Mapping[str, object]


class PodSpec(TypedDict, total=False):
    """How a pod runs."""

    serviceAccountName: str
    automountServiceAccountToken: bool
    enableServiceLinks: bool
    securityContext: Mapping[str, object]
    volumes: list[Volume]
    containers: Required[list[Container]]
    initContainers: list[Container]
    restartPolicy: str
    terminationGracePeriodSeconds: int
    nodeSelector: dict[str, str]
    tolerations: list[Mapping[str, object]]
    affinity: Mapping[str, object]
    runtimeClassName: str
    priorityClassName: str
    schedulerName: str
    imagePullSecrets: list[NameReference]
    nodeName: str


class PodCondition(TypedDict, total=False):
    """A condition of a pod or a Job."""

    type: str
    status: str
    reason: str
    message: str
    lastTransitionTime: str


class Waiting(TypedDict, total=False):
    """Why a container does not run yet."""

    reason: str
    message: str


class Terminated(TypedDict, total=False):
    """How a container ended; ``message`` is its termination message."""

    reason: str
    message: str
    exitCode: int


class ContainerState(TypedDict, total=False):
    """One of the three."""

    waiting: Waiting
    running: Mapping[str, object]
    terminated: Terminated


class ContainerStatus(TypedDict, total=False):
    """How a container is."""

    name: Required[str]
    state: ContainerState
    lastState: ContainerState
    restartCount: int


class PodStatus(TypedDict, total=False):
    """How a pod is."""

    phase: str
    reason: str
    message: str
    startTime: str
    conditions: list[PodCondition]
    initContainerStatuses: list[ContainerStatus]
    containerStatuses: list[ContainerStatus]


class Pod(KubernetesObject, total=False):
    """A pod."""

    spec: Required[PodSpec]
    status: PodStatus


# ------------------------------------------------------------------ Job


class TemplateMeta(TypedDict, total=False):
    """Metadata of a pod that has no name yet."""

    labels: dict[str, str]


class PodTemplate(TypedDict, total=False):
    """The pods of a Job."""

    metadata: TemplateMeta
    spec: PodSpec


class JobSpec(TypedDict, total=False):
    """How a Job runs."""

    backoffLimit: int
    ttlSecondsAfterFinished: int
    activeDeadlineSeconds: int
    template: PodTemplate


class JobStatus(TypedDict, total=False):
    """How a Job is."""

    conditions: list[PodCondition]
    startTime: str
    completionTime: str


class Job(KubernetesObject, total=False):
    """A Job."""

    spec: Required[JobSpec]
    status: JobStatus


# ------------------------------------------------------------------ the rest


class LeaseSpec(TypedDict, total=False):
    """Who holds a Lease, since when and for how long."""

    holderIdentity: str
    leaseDurationSeconds: int
    renewTime: str
    acquireTime: str
    leaseTransitions: int


class Lease(KubernetesObject, total=False):
    """A Lease: a heartbeat, or a leadership."""

    spec: LeaseSpec


class ConfigMap(KubernetesObject, total=False):
    """A ConfigMap."""

    data: dict[str, str]
    binaryData: dict[str, str]
    immutable: bool


class ServiceAccount(KubernetesObject, total=False):
    """An account of pods."""

    automountServiceAccountToken: bool


class PolicyRule(TypedDict, total=False):
    """What a Role allows."""

    apiGroups: list[str]
    resources: list[str]
    resourceNames: list[str]
    verbs: list[str]


class Role(KubernetesObject, total=False):
    """A Role."""

    rules: list[PolicyRule]


class RoleRef(TypedDict):
    """The Role of a RoleBinding."""

    apiGroup: str
    kind: str
    name: str


class Subject(TypedDict):
    """Who is given a Role."""

    kind: str
    name: str
    namespace: str


class RoleBinding(KubernetesObject, total=False):
    """A RoleBinding."""

    roleRef: RoleRef
    subjects: list[Subject]


class NetworkPolicy(KubernetesObject, total=False):
    """A NetworkPolicy; we write it and never look into one."""

    spec: Mapping[str, object]


class ObjectReference(TypedDict, total=False):
    """The object that an Event is about."""

    apiVersion: str
    kind: str
    name: str
    namespace: str
    uid: str


class EventSource(TypedDict, total=False):
    """Who tells."""

    component: str


class Event(KubernetesObject, total=False):
    """News about an object."""

    involvedObject: ObjectReference
    reason: str
    message: str
    type: str
    source: EventSource
    reportingComponent: str
    firstTimestamp: Optional[str]
    lastTimestamp: Optional[str]
    eventTime: Optional[str]
    count: int


class NoStatus(TypedDict):
    """The status of a kind of whose status this program writes nothing."""
