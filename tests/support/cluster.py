"""Fixtures that give tests a real Kubernetes, made by hack/cluster.

``api_server`` is etcd and kube-apiserver alone: objects, no pods, ready in seconds.
``cluster`` is the whole: a node that runs pods. Each is started when the first test asks
for it, shared by all tests of the run and taken down at its end. Names carry the id of
this process, so that no user's cluster and no other run is touched; clusters of runs
that were killed are swept away. Where a cluster cannot be had, tests fail: they are
never skipped.

KIRO_SWARM_TEST_CLUSTER=NAME makes ``cluster`` use a cluster that is already up, and leave
it up: for those who run e2e tests again and again.
"""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest

from hack.cluster_tool import images

HACK_CLUSTER = Path(__file__).resolve().parents[2] / "hack" / "cluster"
PROBE_IMAGE = "kiro-swarm.local/probe:1"
_OURS = re.compile(r"test-(?:api|node)-(\d+)")


@dataclass(frozen=True)
class Cluster:
    """A running cluster. ``audit_log`` is None only for one that was made without."""

    name: str
    kubeconfig: Path
    audit_log: Optional[Path]

    def kubectl(
        self,
        *arguments: str,
        input: Optional[str] = None,  # noqa: A002 (as subprocess.run calls it)
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs kubectl as admin; with ``check`` a failure fails the test with its words."""
        done = subprocess.run(
            [program("kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=input,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def get(self, *arguments: str) -> Dict[str, Any]:
        """``kubectl get ... --output json``, parsed."""
        answer: Dict[str, Any] = json.loads(
            self.kubectl("get", *arguments, "--output=json").stdout
        )
        return answer

    def audit_events(self) -> List[Dict[str, Any]]:
        """What the API server has been asked so far, oldest first."""
        assert self.audit_log is not None, f"{self.name} was made without --audit"
        lines = self.audit_log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def kill(self, component: str) -> None:
        """A crash (SIGKILL); the component is restarted at once."""
        hack_cluster("kill", component, "--name", self.name)

    def stop(self, component: str) -> None:
        """Takes a component down until ``start``."""
        hack_cluster("stop", component, "--name", self.name)

    def start(self, component: str) -> None:
        """Takes ``stop`` back."""
        hack_cluster("start", component, "--name", self.name)

    def load(self, archive: Path) -> None:
        """Makes the images of a docker-archive known to the node."""
        hack_cluster("load", str(archive), "--name", self.name)

    def add_fake_nodes(self, count: int) -> None:
        """Nodes that kwok simulates: node-0 to node-<count - 1>, each for 110 pods."""
        room = {"cpu": "64", "memory": "256Gi", "pods": "110"}
        nodes = [
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": f"node-{index}",
                    "annotations": {"kwok.x-k8s.io/node": "fake"},
                    "labels": {"kubernetes.io/hostname": f"node-{index}"},
                },
                "status": {"allocatable": room, "capacity": room},
            }
            for index in range(count)
        ]
        whole = {"apiVersion": "v1", "kind": "List", "items": nodes}
        self.kubectl("create", "-f", "-", input=json.dumps(whole))

    def status(self) -> Dict[str, Any]:
        """What ``hack/cluster status --output json`` says, ready or not."""
        return status(self.name)


@pytest.fixture(scope="session")
def programs(pytestconfig: pytest.Config) -> None:
    """Kubernetes is built: by a fixture, for a cold build is longer than a test may last.

    Every test of cluster and e2e begins with it; those that need none go on meanwhile.
    """
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        sweep()
        subprocess.run(
            [str(HACK_CLUSTER), "build"], stdout=subprocess.DEVNULL, check=True
        )


@pytest.fixture(scope="session")
def api_server(programs: None) -> Iterator[Cluster]:
    """etcd and kube-apiserver; nobody runs pods or collects garbage."""
    name = f"test-api-{os.getpid()}"
    yield up(name, "--control-plane-only", "--audit")
    hack_cluster("down", "--name", name)


@pytest.fixture(scope="session")
def cluster(programs: None) -> Iterator[Cluster]:
    """The whole: control plane, a node, name resolution, storage."""
    kept = os.environ.get("KIRO_SWARM_TEST_CLUSTER")
    if kept:
        yield up(kept)
        return
    name = f"test-node-{os.getpid()}"
    yield up(name, "--audit")
    hack_cluster("down", "--name", name)


def up(name: str, *options: str) -> Cluster:
    """Brings a cluster up by hack/cluster."""
    hack_cluster("up", "--name", name, *options)
    said = status(name)
    log = said["auditLog"]
    return Cluster(name, Path(said["kubeconfig"]), Path(log) if log else None)


def load_probe(target: Cluster, scratch: Path) -> None:
    """Loads PROBE_IMAGE, whose only program is hack/cluster_tool/src/probe."""
    archive = scratch / "probe.tar"
    probe = {"/probe": Path(program("probe"))}
    archive.write_bytes(images.archive(PROBE_IMAGE, probe))
    target.load(archive)


def sweep() -> None:
    """Takes down what killed test runs left behind."""
    for record in json.loads(
        hack_cluster("status", "--all", "--output=json", check=False)
    ):
        mine = _OURS.match(record["name"])
        if mine and not Path(f"/proc/{mine.group(1)}").exists():
            hack_cluster("down", "--name", record["name"])


def status(name: str) -> Dict[str, Any]:
    """``hack/cluster status --output json``, parsed."""
    answer: Dict[str, Any] = json.loads(
        hack_cluster("status", "--output=json", "--name", name, check=False)
    )
    return answer


@functools.cache
def program(name: str) -> str:
    """The path of kubectl, helm, probe, ... of the cluster's own version."""
    return hack_cluster("bin", name).strip()


def hack_cluster(*arguments: str, check: bool = True) -> str:
    """Runs hack/cluster and returns its stdout; a failure fails the test with its words."""
    done = subprocess.run(
        [str(HACK_CLUSTER), *arguments], capture_output=True, text=True, check=False
    )
    if check and done.returncode != 0:
        pytest.fail(f"hack/cluster {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
