"""The chart, the base and the samples on a real API server: what these tests share."""

from __future__ import annotations

import subprocess
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, List

import yaml

from tests.support.cluster import Cluster, program

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "kiro-swarm"
MANIFESTS = ROOT / "manifests"

Object = Any


def helm(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs helm; with ``check`` a failure is an error with its words."""
    done = subprocess.run(
        [program("helm"), *arguments], capture_output=True, text=True, check=False
    )
    if check and done.returncode != 0:
        raise AssertionError(f"helm {' '.join(arguments)}: {done.stderr}")
    return done


def template(release: str, namespace: str, *settings: str) -> List[Object]:
    """The objects of the chart, CRDs aside."""
    text = helm(
        "template",
        release,
        str(CHART),
        "--namespace",
        namespace,
        # Without a cluster helm knows no version; the chart wants a recent one.
        "--kube-version=1.35.0",
        *settings,
    ).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def dump(*items: Object) -> str:
    """Objects as one YAML stream."""
    return yaml.safe_dump_all(items, sort_keys=False)


def install_crds(api_server: Cluster) -> None:
    """The four kinds, served."""
    api_server.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    api_server.kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        "crd",
        "--selector=app.kubernetes.io/part-of=kiro-swarm",
    )


@contextmanager
def namespace(api_server: Cluster, prefix: str, **labels: str) -> Iterator[str]:
    """A namespace of its own; its name is the answer.

    Without a controller-manager nothing empties a namespace, so names are never used
    twice, and swarms are deleted one by one: an operator of a later test would see them.
    """
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    metadata = {"name": name, "labels": labels}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    api_server.kubectl("create", "-f", "-", input=dump(body))
    yield name
    for kind in ("kiroswarms", "kiroinstances", "kirotasks", "swarmcommands"):
        api_server.kubectl("delete", kind, "--all", "-n", name)
    api_server.kubectl("delete", "namespace", name, "--wait=false")


def kubeconfig_of(
    api_server: Cluster, namespace_: str, account: str, folder: Path
) -> Path:
    """A kubeconfig with a token of a service account, and nothing else."""
    token = api_server.kubectl("create", "token", account, "-n", namespace_).stdout
    config = yaml.safe_load(Path(api_server.kubeconfig).read_text(encoding="utf-8"))
    config["users"] = [
        {"name": user["name"], "user": {"token": token.strip()}}
        for user in config["users"]
    ]
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path
