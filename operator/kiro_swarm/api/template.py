"""KiroSwarm.spec.template: what every instance pod looks like.

Typed field by field, so that nothing in it can widen the rights of a pod: there is no way
to ask for a privileged container, a host path or a service account token.
"""

from __future__ import annotations

from typing import Any, Final, Optional

from pydantic import Field
from typing_extensions import Annotated, Literal

from kiro_swarm.api.common import (
    Capability,
    Command,
    EnvironmentVariable,
    Model,
    Name,
    Quantity,
    SecretReference,
    rules,
)

#: Agents of which it is known what they write into a worktree (``policy.leftovers``).
Profile = Literal[
    "Aider",
    "Amp",
    "ClaudeCode",
    "Cline",
    "Codex",
    "Continue",
    "Crush",
    "Cursor",
    "Gemini",
    "Goose",
    "KiloCode",
    "Kiro",
    "None",
    "OpenCode",
    "OpenHands",
    "Qwen",
    "Roo",
    "Windsurf",
]


class Agent(Model):
    """The program that does a task, started in the worktree of the instance."""

    type: Literal["Command"] = Field(
        default="Command",
        description="How the agent is driven. Command: a plain process that gets the "
        "prompt on standard input.",
    )
    command: Command = Field(description="Program and arguments. No shell.")
    env: list[EnvironmentVariable] = Field(
        default_factory=list,
        max_length=64,
        description="Environment variables of the agent process.",
    )
    timeout_seconds: int = Field(
        default=3600, ge=1, le=86400, description="Longest time for one attempt."
    )
    idle_timeout_seconds: int = Field(
        default=600,
        ge=1,
        le=86400,
        description="Longest time without any output before the attempt is stopped.",
    )
    exclude: Optional[list[Annotated[str, Field(min_length=1, max_length=256)]]] = (
        Field(
            default=None,
            max_length=64,
            description="Patterns, as in .gitignore, of files that the agent leaves in the "
            "worktree and that are nobody's work, beside those of its profile; "
            "`!.claude/` takes one back. What is tracked is never left out.",
        )
    )
    profile: Optional[Profile] = Field(
        default=None,
        description="Which agent the command runs, for the files that it writes for itself "
        "(`.aider.chat.history.md`, `.claude/settings.local.json`, ...). They are no work "
        "where they are untracked; what teams version (`.claude/settings.json`, "
        "`.cursor/rules/`, all of `.kiro/` but its caches) is. Default: those of all "
        "agents that are known. None: of no agent.",
    )
    max_cycles: int = Field(
        default=5,
        ge=1,
        le=20,
        description="Most plan-do-check-act cycles of one attempt in beast mode.",
    )


class Resources(Model):
    """Requests and limits of the agent container, as in a Pod."""

    requests: dict[str, Quantity] = Field(
        default_factory=dict, max_length=16, description="As in a Pod."
    )
    limits: dict[str, Quantity] = Field(
        default_factory=dict,
        max_length=16,
        description="As in a Pod. ephemeral-storage also bounds what agents and gates write"
        " into home and /tmp; 20Gi where it is left out.",
    )


class Toleration(Model):
    """As in a Pod."""

    key: Optional[str] = Field(
        default=None, max_length=316, description="Key of the taint. Default: all."
    )
    operator: Literal["Exists", "Equal"] = Field(
        default="Equal", description="How the value is compared."
    )
    value: Optional[str] = Field(
        default=None, max_length=63, description="Value of the taint, for Equal."
    )
    effect: Optional[Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]] = Field(
        default=None, description="Effect of the taint. Default: all."
    )
    toleration_seconds: Optional[int] = Field(
        default=None, description="How long NoExecute is tolerated. Default: for ever."
    )


#: Domains of annotations and labels by which others than Kubernetes give a pod more rights:
#: security profiles, accounts of clouds, networks, devices, further containers. A part of a name
#: that ends in a dot stands for all that begin so.
HARMFUL: Final = (
    *("container.apparmor.security.beta.kubernetes.io", "seccomp."),
    *("container.seccomp.security.alpha.kubernetes.io", "security.alpha."),
    *("io.kubernetes.cri", "io.katacontainers.", "dev.gvisor.", "cdi.k8s.io"),
    *("iam.amazonaws.com", "eks.amazonaws.com", "iam.gke.io", "azure.workload."),
    *("aadpodidbinding", "k8s.v1.cni.cncf.io", "v1.multus-cni.io", "k8s.ovn.org"),
    *("cni.projectcalico.org", "sidecar.istio.io", "inject.istio.io", "linkerd.io"),
    *("config.linkerd.io", "consul.hashicorp.com", "vault.hashicorp.com"),
    *("vault.security.banzaicloud.io", "admission.datadoghq.com", "openshift.io"),
    *("sidecar.opentelemetry.io", "instrumentation.opentelemetry.io", "kubernetes.io"),
    *("istio.io", "topology.istio.io", "networking.istio.io", "ambient.istio.io"),
    *("kuma.io", "openservicemesh.io"),
)
HARMLESS_RULE: Final = (
    "self.all(key, ![" + ", ".join(f"'{item}'" for item in HARMFUL) + "]"
    ".exists(harm, key.startsWith(harm)))",
    "must not have a key by which a pod gets more rights than its template says: "
    "security profiles, accounts of a cloud, networks, devices, further containers",
)


class PodOverrides(Model):
    """What may be added to an instance pod. Nothing here can widen its rights."""

    labels: dict[str, Annotated[str, Field(max_length=63)]] = Field(
        default_factory=dict,
        max_length=32,
        description="Further labels: plain words, those of `app.kubernetes.io/` and "
        "`helm.sh/`, and keys that the operator's setting `podAnnotations` allows. None by "
        "which a pod gets more rights.",
        json_schema_extra=rules(HARMLESS_RULE),
    )
    annotations: dict[str, Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=dict,
        max_length=32,
        description="Further annotations: plain words, and keys that the operator's "
        "setting `podAnnotations` allows. None by which a pod gets more rights.",
        json_schema_extra=rules(HARMLESS_RULE),
    )
    priority_class_name: Optional[Name] = Field(
        default=None, description="PriorityClass of the pod."
    )
    scheduler_name: Optional[Name] = Field(
        default=None, description="Scheduler of the pod."
    )
    image_pull_secrets: list[SecretReference] = Field(
        default_factory=list, max_length=8, description="Secrets for the registry."
    )


class InstanceTemplate(Model):
    """What every instance pod looks like."""

    image: Optional[str] = Field(
        default=None,
        min_length=1,
        max_length=512,
        description="Image of the agent container, made FROM ours. Default: the "
        "operator's own image.",
    )
    image_pull_policy: Optional[Literal["Always", "IfNotPresent", "Never"]] = Field(
        default=None, description="As in a Pod."
    )
    agent: Agent = Field(description="The program that does the tasks.")
    capabilities: list[Capability] = Field(
        default_factory=list,
        max_length=32,
        description="What every instance can do; a task that asks for more waits for an "
        "instance that has it in its own spec.capabilities. Changing it restarts "
        "no pod.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    resources: Resources = Field(
        default_factory=Resources, description="Of the agent container."
    )
    node_selector: dict[str, Annotated[str, Field(max_length=63)]] = Field(
        default_factory=dict, max_length=32, description="As in a Pod."
    )
    tolerations: list[Toleration] = Field(
        default_factory=list, max_length=16, description="As in a Pod."
    )
    affinity: Optional[dict[str, Any]] = Field(default=None, description="As in a Pod.")
    runtime_class_name: Optional[Name] = Field(
        default=None, description="RuntimeClass, for example one of gVisor or Kata."
    )
    pod_overrides: PodOverrides = Field(
        default_factory=PodOverrides, description="What is added to the pod."
    )
