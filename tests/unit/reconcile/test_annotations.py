"""No annotation of a swarm's template gives its pods more rights than the template says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiro_swarm.api.template import HARMFUL
from kiro_swarm.policy.annotations import refused
from kiro_swarm.reconcile.objects.pods import instance_pod
from tests.unit.reconcile.test_pods import FULL, SETTINGS, swarm

#: Annotations that something in a cluster gives a pod more rights for.
WIDENING = (
    "container.apparmor.security.beta.kubernetes.io/agent",
    "seccomp.security.alpha.kubernetes.io/pod",
    "security.alpha.kubernetes.io/unsafe-sysctls",
    "io.kubernetes.cri-o.userns-mode",
    "io.katacontainers.config.hypervisor.kernel",
    "iam.amazonaws.com/role",
    "k8s.v1.cni.cncf.io/networks",
    "sidecar.istio.io/inject",
    "vault.hashicorp.com/agent-inject",
    "example.com/anything",
)


@pytest.mark.parametrize("key", WIDENING)
def test_no_annotation_that_may_widen_rights_reaches_a_pod(key: str) -> None:
    harmless = {"note": "b", "prometheus.io/scrape": "true"}
    template = {
        **FULL["template"],
        "podOverrides": {"annotations": {key: "x", **harmless}},
    }
    item, spec = swarm(**{**FULL, "template": template})
    instance: Any = {
        "apiVersion": item["apiVersion"],
        "kind": "KiroInstance",
        "metadata": {"name": "demo-1", "namespace": "team", "uid": "u"},
    }
    made = instance_pod(item, spec, instance, 0, SETTINGS)["metadata"]["annotations"]
    assert key not in made
    assert harmless.items() <= made.items()
    allowing = replace(SETTINGS, pod_annotations=(key,))
    made = instance_pod(item, spec, instance, 0, allowing)["metadata"]["annotations"]
    assert made[key] == "x"


@pytest.mark.parametrize(
    "key",
    [
        "istio.io/rev",
        "istio.io/dataplane-mode",
        "topology.istio.io/network",
        "kuma.io/sidecar-injection",
        "azure.workload.identity/use",
        "example.com/anything",
    ],
)
def test_no_label_that_may_widen_rights_reaches_a_pod(key: str) -> None:
    """A webhook of a mesh chooses pods by a label, and gives them NET_ADMIN."""
    harmless = {"team": "b", "app.kubernetes.io/part-of": "shop"}
    template = {**FULL["template"], "podOverrides": {"labels": {key: "x", **harmless}}}
    item, spec = swarm(**{**FULL, "template": template})
    instance: Any = {
        "apiVersion": item["apiVersion"],
        "kind": "KiroInstance",
        "metadata": {"name": "demo-1", "namespace": "team", "uid": "u"},
    }
    made = instance_pod(item, spec, instance, 0, SETTINGS)["metadata"]["labels"]
    assert key not in made
    assert harmless.items() <= made.items()
    allowing = replace(SETTINGS, pod_annotations=(key,))
    made = instance_pod(item, spec, instance, 0, allowing)["metadata"]["labels"]
    assert made[key] == "x"


@pytest.mark.parametrize("key", ["istio.io/rev", "kuma.io/x", "topology.istio.io/n"])
def test_labels_that_a_mesh_goes_by_are_refused_by_the_schema(key: str) -> None:
    assert any(key.startswith(harm) for harm in HARMFUL)
    for name in ("team", "app.kubernetes.io/name", "helm.sh/chart"):
        assert not any(name.startswith(harm) for harm in HARMFUL)


def test_what_the_schema_refuses_is_not_allowed_by_default() -> None:
    assert refused(HARMFUL, ()) == sorted(set(HARMFUL) - {"aadpodidbinding"})
    assert refused(["example.com/a", "example.community/a"], ["example.com/"]) == [
        "example.community/a"
    ]
    assert refused(["a.b/c", "a.b/cd"], ["a.b/c"]) == ["a.b/cd"]
