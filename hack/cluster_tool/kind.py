"""The ``kind`` provider: Kubernetes in a container of a Docker engine.

What most people have. kind itself is taken from the PATH, or built into the cache.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from string import Template
from typing import List, Optional

from hack.cluster_tool import golang, records
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import SOURCES, cache
from hack.cluster_tool.plan import AUDIT_POLICY
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.provider import Status, Wish
from hack.cluster_tool.records import Record
from hack.cluster_tool.shell import run, succeeds

VERSION = "v0.31.0"
NODE_IMAGE = (
    "kindest/node:v1.35.0"
    "@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"
)
# What kubeadm runs as static pods: these can be stopped and crashed one by one.
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)
_MANIFESTS = "/etc/kubernetes/manifests"


def usable(progress: Progress) -> bool:
    """Whether a Docker engine answers that has, or can get, the node image."""
    if not engine_answers():
        return False
    if succeeds("docker", "image", "inspect", NODE_IMAGE):
        return True
    try:
        with progress.step("Pulling the node image of kind"):
            run("docker", "pull", "--quiet", NODE_IMAGE)
    except ClusterError as error:
        progress.say(f"  kind cannot be used here: {error}")
        return False
    return True


def engine_answers() -> bool:
    """A docker command on the PATH says nothing: a server has to answer."""
    try:
        return bool(run("docker", "info", "--format", "{{.ServerVersion}}").strip())
    except ClusterError:
        return False


class Kind:
    """Clusters of one node, in a container."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def prepare(self, wish: Wish) -> None:
        """Builds kind, where there is none."""
        if "kwok" in wish.components or "kubelet" not in wish.components:
            raise ClusterError(
                "--control-plane-only, --components and --kwok need --provider local"
            )
        if not engine_answers():
            raise ClusterError(
                "no Docker engine answers (`docker info` shows no server): start it, "
                "or use --provider local as root"
            )
        if _kind() is not None:
            return
        go = golang.ensure(SOURCES / "src", self._progress)
        environment = {**os.environ, "GOBIN": str(_built().parent), "GOFLAGS": ""}
        with self._progress.step(f"Building kind {VERSION}"):
            package = f"sigs.k8s.io/kind@{VERSION}"
            run(str(go), "install", package, environment=environment)

    def up(self, wish: Wish) -> Record:
        """Creates the node container, or finds it there."""
        self.prepare(wish)
        record = Record(wish.name, "kind", components=COMPONENTS, audit=True)
        if self._exists(record):
            return record
        audit = record.directory / "audit"
        audit.mkdir(parents=True, exist_ok=True)
        (audit / "policy.json").write_text(json.dumps(AUDIT_POLICY))
        record.kubeconfig.parent.mkdir(exist_ok=True)
        config = record.directory / "kind.yaml"
        template = Template((SOURCES / "kind.yaml").read_text())
        config.write_text(template.substitute(directory=record.directory))
        records.save(record)
        with self._progress.step(f"Creating {record.name} with kind"):
            options = ["--image", NODE_IMAGE, "--config", str(config)]
            options += ["--kubeconfig", str(record.kubeconfig), "--wait", "180s"]
            self._run_kind("create", "cluster", "--name", record.name, *options)
        return record

    def down(self, record: Record) -> None:
        """Deletes the node container."""
        with self._progress.step(f"Taking {record.name} down"):
            self._delete(record)
            shutil.rmtree(record.directory)

    def reset(self, record: Record) -> None:
        """A new node container: images have to be loaded again."""
        self._delete(record)
        self.up(Wish(record.name, (*record.components, "kubelet")))

    def status(self, record: Record) -> Status:
        """Asks the node."""
        running = self._exists(record)
        waiting = ["wait", "--for=condition=Ready", "node", "--all", "--timeout=2s"]
        kubectl = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf"]
        node = _node(record)
        return Status(
            record=record,
            running=running,
            ready=running and succeeds("docker", "exec", node, *kubectl, *waiting),
            server=server_of(record.kubeconfig),
            audit_log=record.directory / "audit" / "audit.log",
        )

    def load(self, record: Record, archive: Path) -> List[str]:
        """By kind itself."""
        name = ["--name", record.name]
        return self._run_kind("load", "image-archive", str(archive), *name).splitlines()

    def logs(self, record: Record, component: str) -> Path:
        """A copy of the log as it is now."""
        _check(component)
        script = f"cat /var/log/containers/{component}-*.log"
        said = run("docker", "exec", _node(record), "sh", "-c", script)
        copy = record.directory / f"{component}.log"
        copy.write_text(said)
        return copy

    def signal(self, record: Record, component: str, number: int) -> None:
        """The kubelet in the node restarts what ends."""
        _check(component)
        option = f"-{signal.Signals(number).name[3:]}"
        run("docker", "exec", _node(record), "pkill", option, "-f", f"^{component} ")

    def switch(self, record: Record, component: str, on: bool) -> None:
        """A static pod ends when its manifest goes, within 20 s."""
        _check(component)
        here = f"{_MANIFESTS}/{component}.yaml"
        away = f"/etc/kubernetes/{component}.yaml"
        source, target = (away, here) if on else (here, away)
        run("docker", "exec", _node(record), "mv", source, target)

    def _exists(self, record: Record) -> bool:
        if _kind() is None:
            return False
        return record.name in self._run_kind("get", "clusters").split()

    def _delete(self, record: Record) -> None:
        if self._exists(record):
            self._run_kind("delete", "cluster", "--name", record.name)

    def _run_kind(self, *arguments: str) -> str:
        return run(_kind() or "kind", *arguments)


def server_of(kubeconfig: Path) -> str:
    """The API server that a kubeconfig names."""
    if not kubeconfig.exists():
        return ""
    found = re.search(r"^\s*server: (\S+)$", kubeconfig.read_text(), re.MULTILINE)
    return found.group(1) if found else ""


def _kind() -> Optional[str]:
    built = _built()
    return str(built) if built.exists() else shutil.which("kind")


def _built() -> Path:
    return cache() / f"kind-{VERSION}" / "kind"


def _node(record: Record) -> str:
    return f"{record.name}-control-plane"


def _check(component: str) -> None:
    if component not in COMPONENTS:
        raise ClusterError(
            f"no component {component!r}; there are {', '.join(COMPONENTS)}"
        )
