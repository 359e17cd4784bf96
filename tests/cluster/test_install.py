"""Helm and kustomize install the same objects, which a real API server takes."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml

from kiro_swarm.commands.roles import cluster_roles
from tests.cluster.chart import (
    CHART,
    MANIFESTS,
    Object,
    dump,
    helm,
    install_crds,
    namespace,
    template,
)
from tests.support.cluster import Cluster, program

BASE = MANIFESTS / "base"
SYSTEM = "kiro-swarm-system"
#: Objects of the chart beside the CRDs.
OBJECTS = 17
#: Labels that say how something was installed, not what it is.
HOW = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def identity(item: Object) -> Tuple[str, str, str]:
    return (
        item["kind"],
        item["metadata"].get("namespace", ""),
        item["metadata"]["name"],
    )


def without_origin(item: Object) -> Object:
    """An object without the labels that say who installed it."""
    item = copy.deepcopy(item)
    labels = item["metadata"].get("labels") or {}
    for name in HOW:
        labels.pop(name, None)
    return item


def kustomize(folder: Path) -> List[Object]:
    """What kustomize makes of a folder."""
    done = subprocess.run(
        [program("kubectl"), "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def by_identity(items: List[Object]) -> Dict[Tuple[str, str, str], Object]:
    found = {identity(item): without_origin(item) for item in items}
    assert len(found) == len(items), "two objects of one name"
    return found


def find(items: List[Object], kind: str) -> Object:
    (found,) = (item for item in items if item["kind"] == kind)
    return found


def test_helm_and_kustomize_install_the_same_objects() -> None:
    by_helm = by_identity(template("kiro-swarm", SYSTEM, "--include-crds"))
    by_kustomize = by_identity(kustomize(BASE))
    # Helm makes the namespace by --create-namespace.
    del by_kustomize[("Namespace", "", SYSTEM)]
    assert by_helm == by_kustomize
    assert len(by_helm) == 4 + OBJECTS


def test_the_example_overlay_changes_the_image_in_both_places() -> None:
    items = kustomize(MANIFESTS / "example-overlay")
    (container,) = find(items, "Deployment")["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item["value"] for item in container["env"]}
    assert container["image"] == env["KIRO_IMAGE"]
    assert container["image"].startswith("registry.example.com/")
    assert env["KIRO_REPOSITORY_SCHEMES"] == "ssh"
    assert env["HOME"] == "/home/kiro"


def test_the_chart_has_no_lint() -> None:
    helm("lint", "--strict", str(CHART))


def test_two_operators_elect_a_leader_and_roll() -> None:
    items = template("kiro-swarm", SYSTEM, "--set=replicas=2")
    deployment = find(items, "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate"}
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (leader,) = (
        item for item in container["env"] if item["name"] == "KIRO_LEADER_NAMESPACE"
    )
    assert leader["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.namespace"}}
    assert {"Role", "RoleBinding"} <= {item["kind"] for item in items}


@pytest.mark.parametrize(
    ("setting", "gone"),
    [
        ("rbac.create=false", {"kiro-swarm"}),
        (
            "rbac.userRoles=false",
            {f"kiro-swarm-{name}" for name in cluster_roles()},
        ),
    ],
)
def test_roles_can_be_left_to_others(setting: str, gone: set[str]) -> None:
    def roles(*settings: str) -> set[str]:
        items = template("kiro-swarm", SYSTEM, *settings)
        return {
            item["metadata"]["name"] for item in items if item["kind"] == "ClusterRole"
        }

    assert roles() - roles(f"--set={setting}") == gone


def test_the_policy_can_be_switched_off_and_made_stricter() -> None:
    def rules(*settings: str) -> str:
        policies = [
            item
            for item in template("kiro-swarm", SYSTEM, *settings)
            if item["kind"].startswith("ValidatingAdmissionPolicy")
        ]
        return " ".join(
            text
            for item in policies
            for rule in item["spec"].get("validations", [])
            for text in rule.values()
        )

    assert "authorizer" in rules()
    assert rules("--set=commands.policy=false") == ""
    assert "!false || variables.requester" in rules()
    stricter = rules("--set=commands.requireRequestedBy=true")
    assert "!true || variables.requester" in stricter
    # A denial names only roles that are there.
    assert "(true ? '; the ClusterRole kiro-swarm-'" in rules()
    assert "(false ? '; the ClusterRole" in rules("--set=rbac.userRoles=false")


def test_an_account_of_others_is_used() -> None:
    settings = ("--set=serviceAccount.create=false", "--set=serviceAccount.name=theirs")
    items = template("kiro-swarm", SYSTEM, *settings)
    assert "ServiceAccount" not in {item["kind"] for item in items}
    pod = find(items, "Deployment")["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "theirs"
    assert find(items, "ClusterRoleBinding")["subjects"][0]["name"] == "theirs"


def test_every_value_reaches_its_place() -> None:
    values: Dict[str, Any] = {
        "image": {
            "repository": "registry.example.com/k",
            "tag": "1",
            "pullPolicy": "Always",
        },
        "imagePullSecrets": [{"name": "registry"}],
        "operator": {
            "repositorySchemes": ["https", "file"],
            "podAnnotations": ["example.com/", "team.example.org/cost"],
            "swarmNetworkPolicy": False,
            "workers": 7,
            "logLevel": "DEBUG",
            "port": 9090,
        },
        "podLabels": {"team": "a"},
        "podAnnotations": {"note": "b"},
        "priorityClassName": "high",
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "agents", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "resources": {"limits": {"memory": "1Gi"}},
    }
    settings = [
        f"--set-json={key}={json.dumps(value)}" for key, value in values.items()
    ]
    items = template("kiro-swarm", SYSTEM, *settings)
    made = find(items, "Deployment")["spec"]["template"]
    pod, (container,) = made["spec"], made["spec"]["containers"]
    env = {item["name"]: item["value"] for item in container["env"]}
    assert container["image"] == env["KIRO_IMAGE"] == "registry.example.com/k:1"
    assert container["imagePullPolicy"] == env["KIRO_IMAGE_PULL_POLICY"] == "Always"
    assert env["KIRO_REPOSITORY_SCHEMES"] == "https,file"
    assert env["KIRO_POD_ANNOTATIONS"] == "example.com/,team.example.org/cost"
    assert env["KIRO_NETWORK_POLICY"] == "false"
    assert (env["KIRO_WORKERS"], env["KIRO_LOG_LEVEL"]) == ("7", "DEBUG")
    assert env["KIRO_PORT"] == str(container["ports"][0]["containerPort"]) == "9090"
    # Helm merges maps: the requests stay.
    assert container["resources"]["limits"] == {"memory": "1Gi"}
    assert made["metadata"]["labels"]["team"] == "a"
    assert made["metadata"]["annotations"]["note"] == "b"
    for name in (
        "imagePullSecrets",
        "priorityClassName",
        "nodeSelector",
        "tolerations",
    ):
        assert pod[name] == values[name]
    assert pod["affinity"] == values["affinity"]
    # What it does not make it has no right to make.
    role = by_identity(items)["ClusterRole", "", "kiro-swarm"]
    assert "networkpolicies" not in dump(role)


def test_a_misspelt_value_is_refused_by_name() -> None:
    refused = helm(
        "template",
        "x",
        str(CHART),
        "--kube-version=1.35.0",
        "--set=replica=2",
        check=False,
    )
    assert "additional properties 'replica' not allowed" in refused.stderr


def test_an_old_kubernetes_is_refused_by_version() -> None:
    refused = helm("template", "x", str(CHART), "--kube-version=1.31.0", check=False)
    assert "incompatible with Kubernetes v1.31.0" in refused.stderr


@pytest.fixture(scope="module")
def base(api_server: Cluster) -> Iterator[None]:
    """manifests/base, applied as its first line says."""
    api_server.kubectl("apply", "--server-side", "-k", str(BASE))
    yield
    for kind in (
        "validatingadmissionpolicy",
        "validatingadmissionpolicybinding",
        "clusterrole",
        "clusterrolebinding",
        "namespace",
    ):
        api_server.kubectl(
            "delete", kind, "--wait=false", "-l", "app.kubernetes.io/part-of=kiro-swarm"
        )


@pytest.mark.usefixtures("base")
def test_the_base_is_applied_whole_and_again(api_server: Cluster) -> None:
    again = api_server.kubectl("apply", "--server-side", "-k", str(BASE)).stdout
    assert len(again.splitlines()) == 1 + 4 + OBJECTS
    assert all(line.endswith("serverside-applied") for line in again.splitlines())


@pytest.mark.usefixtures("base")
def test_the_operators_pod_passes_pod_security_restricted(api_server: Cluster) -> None:
    """The namespace enforces it: a pod that does not pass is refused there."""
    made = find(kustomize(BASE), "Deployment")["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "try", "namespace": SYSTEM},
        "spec": made["spec"],
    }
    dry = ("create", "--dry-run=server", "-f", "-")
    api_server.kubectl(*dry, input=dump(pod))
    pod["spec"]["containers"][0]["securityContext"]["capabilities"] = {}
    refused = api_server.kubectl(*dry, input=dump(pod), check=False)
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_helm_installs_upgrades_and_leaves_nothing(api_server: Cluster) -> None:
    install_crds(api_server)
    with namespace(api_server, "helm") as name:
        where = (f"--namespace={name}", f"--kubeconfig={api_server.kubeconfig}")
        release = f"r-{name}"

        def deployment() -> Object:
            return api_server.get("deployment", f"{release}-kiro-swarm", "-n", name)

        said = helm("install", release, str(CHART), *where).stdout
        assert f"rollout status deployment/{release}-kiro-swarm" in said
        assert "kubectl get kiro" in said
        assert deployment()["spec"]["strategy"]["type"] == "Recreate"
        # The way to two operators and back changes the strategy in place.
        for replicas, strategy in ((2, "RollingUpdate"), (1, "Recreate")):
            said = helm(
                "upgrade", release, str(CHART), *where, f"--set=replicas={replicas}"
            ).stdout
            assert "Helm does not update CustomResourceDefinitions" in said
            assert deployment()["spec"]["strategy"]["type"] == strategy
        helm("uninstall", release, *where)
        left = api_server.kubectl(
            "get",
            "deployment,serviceaccount,networkpolicy,role,rolebinding,clusterrole,"
            "clusterrolebinding,lease,validatingadmissionpolicy,"
            "validatingadmissionpolicybinding,mutatingadmissionpolicy,"
            "mutatingadmissionpolicybinding",
            f"--namespace={name}",
            f"--selector=app.kubernetes.io/instance={release}",
            "--output=name",
        )
        assert left.stdout == ""
        # The kinds stay, and with them every swarm.
        assert "kiroswarms" in api_server.kubectl("get", "crd", "-o", "name").stdout
