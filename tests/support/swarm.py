"""The operator installed by its chart on a real cluster, and swarms to watch there.

Everything is real: image, chart, pods, git over HTTP, merges. The agent alone is the
scripted one, which does what the repository's ``.kiro/scripted-agent.json`` says.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional

import pytest

from tests.support.cluster import Cluster, program

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = "kiro-system"
SERVER = ROOT / "examples" / "git-server"
SCRIPTED = ["kiro-swarm", "scripted-agent"]


def install(cluster: Cluster) -> None:
    """Image into the node, chart into the cluster, operator ready."""
    load = ("load", "--cluster", cluster.name, "--output", "json")
    image = json.loads(_run(str(ROOT / "hack" / "image"), *load))
    _run(
        *(program("helm"), f"--kubeconfig={cluster.kubeconfig}"),
        *("upgrade", "--install", "kiro-swarm", str(ROOT / "helm" / "kiro-swarm")),
        *("--namespace", SYSTEM, "--create-namespace", "--wait", "--timeout=3m"),
        "--set=image.tag=dev",
        "--set=operator.repositorySchemes={https,ssh,http}",
        # The tag stays the same when our code changes; this makes it a new pod in a
        # cluster that is kept.
        f"--set-string=podAnnotations.kiro-swarm/image={image['id']}",
    )


@dataclass
class Place:
    """A namespace of one test, under Pod Security ``restricted``, with a git server."""

    cluster: Cluster
    name: str
    spec: Dict[str, Any] = field(default_factory=dict)

    def make(self) -> None:
        """Make the namespace."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply("v1", "Namespace", self.name, metadata={"labels": labels})

    def apply(self, version: str, kind: str, name: str, **body: Any) -> None:
        """Apply one object of this namespace."""
        metadata = {"name": name, "namespace": self.name, **body.pop("metadata", {})}
        if kind == "Namespace":
            del metadata["namespace"]
        text = json.dumps(
            {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
        )
        self.cluster.kubectl("apply", "-f", "-", input=text)

    def serve(self, files: Mapping[str, str]) -> str:
        """Serve a repository with these files; its URL inside the cluster."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        sample = base64.b64encode(packed.getvalue()).decode()
        script = (SERVER / "server.py").read_text()
        self.apply("v1", "ConfigMap", "git-server", data={"server.py": script})
        self.apply(
            "v1", "ConfigMap", "sample-project", binaryData={"sample.tar.gz": sample}
        )
        manifest = str(SERVER / "git-server.yaml")
        self.kubectl("apply", "-f", manifest)
        self.kubectl("rollout", "status", "deployment/git-server", "--timeout=120s")
        return f"http://git-server.{self.name}.svc/sample.git"

    def swarm(self, url: str, **changes: Any) -> None:
        """Apply the KiroSwarm ``demo`` of this repository."""
        self.spec = {
            "repository": {"url": url},
            "tasks": {"specPath": "demo"},
            "instances": 2,
            "template": {"agent": {"command": SCRIPTED}},
            "integration": {"push": "OnComplete"},
            **changes,
        }
        self.apply("swarm.kiro.dev/v1alpha1", "KiroSwarm", "demo", spec=self.spec)

    def command(self, name: str, sentence: str) -> Dict[str, Any]:
        """Say a sentence to the swarm; the finished SwarmCommand."""
        spec = {"swarm": "demo", "command": sentence}
        self.apply("swarm.kiro.dev/v1alpha1", "SwarmCommand", name, spec=spec)
        finished = ("Succeeded", "Failed", "Rejected")
        found: Dict[str, Any] = self.wait(
            lambda: self.get("swarmcommand", name),
            lambda item: item["status"].get("phase") in finished,
        )
        return found

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """kubectl in this namespace; its stdout."""
        done = self.cluster.kubectl("-n", self.name, *arguments, check=check)
        return done.stdout

    def get(self, kind: str, name: str) -> Dict[str, Any]:
        """One object."""
        return self.cluster.get("-n", self.name, kind, name)

    def items(self, kind: str) -> List[Dict[str, Any]]:
        """All objects of a kind."""
        found: List[Dict[str, Any]] = self.cluster.get("-n", self.name, kind)["items"]
        return found

    def tasks(self) -> Dict[str, Dict[str, Any]]:
        """Task id -> status."""
        return {
            item["spec"]["id"]: item.get("status") or {}
            for item in self.items("kirotasks")
        }

    def status(self) -> Dict[str, Any]:
        """Status of the swarm."""
        found: Dict[str, Any] = self.get("kiroswarm", "demo").get("status") or {}
        return found

    def condition(self, kind: str) -> Dict[str, Any]:
        """A condition of the swarm; empty while it is not there."""
        for item in self.status().get("conditions") or []:
            if item["type"] == kind:
                found: Dict[str, Any] = item
                return found
        return {}

    def wait(
        self,
        look: Callable[[], Any],
        good: Callable[[Any], Any],
        seconds: float = 180,
    ) -> Any:
        """Look until it is good; a test that waited too long says what there was.

        Good may ask for a key that is not there yet: then it is not good yet.
        """
        deadline = time.monotonic() + seconds
        while True:
            seen = look()
            with suppress(KeyError):
                if good(seen):
                    return seen
            if time.monotonic() > deadline:
                pytest.fail(f"not within {seconds} s: {seen}\n{self.trouble()}")
            time.sleep(0.3)

    def wait_for_phase(self, phase: str, seconds: float = 240) -> Dict[str, Any]:
        """Wait until the swarm is in this phase; its status."""
        found: Dict[str, Any] = self.wait(
            self.status, lambda status: status.get("phase") == phase, seconds
        )
        return found

    def wait_for_state(self, task: str, state: str) -> Dict[str, Dict[str, Any]]:
        """Wait until a task, which may not be there yet, is in this state; all of them."""
        found: Dict[str, Dict[str, Any]] = self.wait(
            self.tasks, lambda tasks: tasks[task]["state"] == state
        )
        return found

    def trouble(self) -> str:
        """What a person would look at when a test fails."""
        return "\n".join(
            (
                self.kubectl("get", "kiro,pods,jobs", "-o", "wide", check=False),
                self.kubectl("get", "events", check=False)[-3000:],
                self.cluster.kubectl(
                    *("-n", SYSTEM, "logs", "deploy/kiro-swarm", "--tail=30"),
                    check=False,
                ).stdout,
            )
        )

    def git(self, *arguments: str) -> str:
        """git in the served repository, in the pod of its server."""
        return self.kubectl(
            *("exec", "deploy/git-server", "-c", "server", "--"),
            *("git", "-C", "/srv/git/sample.git", *arguments),
        )

    def trailers(self) -> List[str]:
        """``Swarm-Task`` of every merge on the pushed integration branch."""
        shown = self.git(
            *("log", "--first-parent", "--format=%(trailers:key=Swarm-Task,valueonly)"),
            "swarm/demo/integration",
        )
        return [line for line in shown.splitlines() if line.strip()]


@contextmanager
def place_named(cluster: Cluster, name: str) -> Iterator[Place]:
    """A namespace as long as it is used."""
    place = Place(cluster, name)
    place.make()
    yield place
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def processes(cluster: Cluster, *words: str) -> List[int]:
    """Pids, as the host sees them, of a cluster's processes with these words.

    A cluster's containers are below its own control group.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            group = (entry / "cgroup").read_text()
        except OSError:
            continue
        if f"/kiro-swarm-{cluster.name}/" not in group:
            continue
        if all(any(word.encode() in part for part in command) for word in words):
            found.append(int(entry.name))
    return found


def kill_operator(cluster: Cluster) -> Optional[str]:
    """SIGKILL the operator's process and have its pod replaced at once.

    A killed container would come back by itself, but with the kubelet's growing pause.
    """
    pods = cluster.get("-n", SYSTEM, "pods", "-l", "app.kubernetes.io/name=kiro-swarm")
    names = [pod["metadata"]["name"] for pod in pods["items"]]
    for pid in processes(cluster, "kiro-swarm", "operator"):
        # With the first process of a container all others of it are gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for name in names:
        cluster.kubectl(
            *("-n", SYSTEM, "delete", "pod", name, "--grace-period=0", "--force"),
            check=False,
        )
    return names[0] if names else None


def plan(*tasks: str) -> str:
    """A tasks.md with these lines in its list."""
    return "\n".join(("# Implementation Plan: Test", "", "## Tasks", "", *tasks, ""))


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(
            f"{' '.join(command[:3])}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout
