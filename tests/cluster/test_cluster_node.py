"""What a cluster's node can do: volumes, services, names, logs, exec, Jobs, limits."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from tests.support.cluster import PROBE_IMAGE, Cluster, hack_cluster, load_probe, up

RESTRICTED = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def node(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The session's cluster, with an image to run."""
    load_probe(cluster, tmp_path_factory.mktemp("probe"))
    return cluster


def pod(
    name: str, *arguments: str, limit: str = "64Mi", claim: Optional[str] = None
) -> Dict[str, Any]:
    """A pod that Pod Security ``restricted`` admits; a claim is mounted at /data."""
    container = {
        "name": "probe",
        "image": PROBE_IMAGE,
        "imagePullPolicy": "Never",
        "args": list(arguments),
        "resources": {"limits": {"memory": limit}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = (
        {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
    )
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 1,
            "securityContext": RESTRICTED,
            "containers": [container],
            "volumes": [{"name": "data", **volume}],
        },
    }


def create(on: Cluster, *objects: Dict[str, Any]) -> None:
    """Creates objects."""
    items: List[Dict[str, Any]] = list(objects)
    whole = {"apiVersion": "v1", "kind": "List", "items": items}
    on.kubectl("create", "-f", "-", input=json.dumps(whole))


def await_phase(on: Cluster, name: str, phase: str) -> None:
    """Waits until a pod is there."""
    wanted = f"--for=jsonpath={{.status.phase}}={phase}"
    on.kubectl("wait", wanted, f"pod/{name}", "--timeout=60s")


def test_pods_find_each_other_by_the_name_of_a_service(node: Cluster) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"app": "server"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }
    create(node, pod("server", "serve", ":8080", "hello"), service)
    node.kubectl("wait", "--for=condition=Ready", "pod/server", "--timeout=60s")
    url = "http://web.default.svc.cluster.local"
    # The pod calls itself by way of the service: the hardest way round a bridge. A pod
    # without a readiness probe is Ready a moment before it listens and has an endpoint.
    call = ("exec", "server", "--", "/probe", "get", url)
    deadline = time.monotonic() + 30
    while (said := node.kubectl(*call, check=False)).returncode != 0:
        assert time.monotonic() < deadline, said.stderr
        time.sleep(0.5)
    assert said.stdout == "hello\n"
    create(node, pod("client", "get", "http://web"))
    await_phase(node, "client", "Succeeded")
    assert node.kubectl("logs", "client").stdout == "hello\n"


def test_an_unprivileged_pod_writes_into_a_claim_of_the_default_class(
    node: Cluster,
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "space"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    writer = pod("writer", "write", "/data/file", "kept", claim="space")
    create(node, claim, writer)
    await_phase(node, "writer", "Succeeded")
    volume = node.get("pvc", "space")["spec"]["volumeName"]
    node.kubectl("delete", "pod/writer", "pvc/space")
    node.kubectl("wait", "--for=delete", f"pv/{volume}", "--timeout=60s")


def test_a_job_completes(node: Cluster) -> None:
    template = {"spec": pod("unused", "print", "done")["spec"]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {"template": template},
    }
    create(node, job)
    node.kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=60s")
    assert node.kubectl("logs", "job/once").stdout == "done\n"


def test_a_pod_that_exceeds_its_memory_is_killed_for_it(node: Cluster) -> None:
    create(node, pod("greedy", "allocate", "256", limit="32Mi"))
    await_phase(node, "greedy", "Failed")
    (container,) = node.get("pod", "greedy")["status"]["containerStatuses"]
    assert container["state"]["terminated"]["reason"] == "OOMKilled"


def test_pods_outlive_a_crash_of_kubelet_and_containerd(node: Cluster) -> None:
    create(node, pod("sturdy", "serve", ":8080", "still here"))
    node.kubectl("wait", "--for=condition=Ready", "pod/sturdy", "--timeout=60s")
    before = node.get("pod", "sturdy")["status"]["containerStatuses"][0]
    node.kill("kubelet")
    node.kill("containerd")
    deadline = time.monotonic() + 60
    exec_get = ("exec", "sturdy", "--", "/probe", "get", "http://127.0.0.1:8080")
    while node.kubectl(*exec_get, check=False).stdout != "still here\n":
        assert time.monotonic() < deadline, "exec does not work again"
        time.sleep(0.2)
    after = node.get("pod", "sturdy")["status"]["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def test_reset_empties_a_cluster_and_keeps_its_images(tmp_path: Path) -> None:
    name = f"test-node-{os.getpid()}r"
    try:
        node = up(name, "--provider", "local")
        load_probe(node, tmp_path)
        node.kubectl("create", "namespace", "before")
        server = node.status()["server"]
        hack_cluster("reset", "--name", name)
        assert node.status()["server"] == server
        assert "before" not in node.kubectl("get", "namespaces").stdout
        create(node, pod("again", "print", "the image is still here"))
        await_phase(node, "again", "Succeeded")
    finally:
        hack_cluster("down", "--name", name)
