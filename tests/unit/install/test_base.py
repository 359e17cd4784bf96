"""What is installed by default: the operator's Deployment, its policy, its namespace."""

from __future__ import annotations

from typing import Any, Dict

import pytest
import yaml

from kiro_swarm import __version__
from kiro_swarm.cli.operator import operator
from kiro_swarm.observe.health import application
from tests.unit.install.files import BASE, ROOT, documents, installed

DEPLOYMENT = installed("Deployment")
POD: Dict[str, Any] = DEPLOYMENT["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def test_the_kustomization_lists_every_file_of_the_base() -> None:
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    files = {path.name for path in BASE.iterdir()} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files


def test_the_base_has_the_generated_crds() -> None:
    generated = [
        document
        for path in sorted((ROOT / "crds").glob("*.yaml"))
        for document in documents(path)
    ]
    assert documents(BASE / "crds.yaml") == generated


def test_everything_is_in_the_namespace_that_the_base_makes() -> None:
    (namespace,) = documents(BASE / "namespace.yaml")
    named = {
        item["metadata"].get("namespace") for item in documents(BASE / "operator.yaml")
    }
    assert named == {namespace["metadata"]["name"], None}


def test_the_operator_command_understands_the_environment_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {option.envvar for option in operator.params if option.envvar}
    given = {item["name"]: item["value"] for item in CONTAINER["env"]}
    assert given.pop("HOME") == "/home/kiro"
    # The identity is the host name, which is the pod's; one operator needs no leader.
    assert set(given) == known - {"KIRO_LEADER_NAMESPACE", "KIRO_IDENTITY"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    parsed = operator.make_context("operator", CONTAINER["args"][1:]).params
    parsed.pop("identity")
    assert parsed == {
        "image": f"kiro-swarm:{__version__}",
        "image_pull_policy": "IfNotPresent",
        "repository_schemes": "https,ssh",
        "pod_annotations": "",
        "network_policy": True,
        "leader_namespace": None,
        "port": 8080,
        "workers": 32,
        "log_level": "INFO",
    }


def test_the_probes_ask_what_the_operator_serves() -> None:
    served = {item.canonical for item in application([]).router.resources()}
    asked = {
        CONTAINER[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert asked == served == {"/healthz", "/readyz"}
    begins = CONTAINER["startupProbe"]
    assert begins["periodSeconds"] * begins["failureThreshold"] >= 120
    assert CONTAINER["ports"] == [{"name": "probes", "containerPort": 8080}]


def test_the_pod_has_no_rights_that_it_does_not_need() -> None:
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert POD["securityContext"]["runAsUser"] == 65532
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(POD)


def test_what_is_written_goes_to_empty_dirs() -> None:
    mounts = {item["mountPath"]: item["name"] for item in CONTAINER["volumeMounts"]}
    assert set(mounts) == {"/tmp", "/home/kiro"}
    assert all("emptyDir" in volume for volume in POD["volumes"])
    assert {volume["name"] for volume in POD["volumes"]} == set(mounts.values())


def test_the_container_has_requests_and_a_memory_limit() -> None:
    resources = CONTAINER["resources"]
    assert set(resources["requests"]) == {"cpu", "memory"}
    assert "memory" in resources["limits"]


def test_one_operator_stops_before_the_next_one_starts() -> None:
    assert DEPLOYMENT["spec"]["replicas"] == 1
    assert DEPLOYMENT["spec"]["strategy"] == {"type": "Recreate"}


def test_only_the_probes_can_be_reached() -> None:
    policy = installed("NetworkPolicy")["spec"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["ingress"] == [{"ports": [{"protocol": "TCP", "port": "probes"}]}]


def test_no_registry_is_built_in() -> None:
    assert CONTAINER["image"] == f"kiro-swarm:{__version__}"
