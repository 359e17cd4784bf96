"""What the demo applies to the cluster, as Kubernetes objects. Reads examples/, else pure."""

from __future__ import annotations

import base64
import io
import tarfile
from pathlib import Path
from typing import Any, Iterator, List, Optional

import yaml

from hack.lib.demo.options import Options
from hack.lib.demo.tools import ROOT

Object = Any
NAMESPACE = "kiro-demo"
SWARM = "sample"
REPOSITORY = "sample"
SAMPLE = ROOT / "examples" / "sample-project"
GIT_SERVER = ROOT / "examples" / "git-server"
# What the sample's own developers run: a task is done, and a merge is made, when it passes.
SAMPLE_TESTS = ("python3", "-m", "unittest", "discover", "-q")


def namespace() -> Object:
    """The namespace of the demo; it refuses every pod that is not restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return _object("v1", "Namespace", NAMESPACE, labels=labels)


def git_server(image: str, sample: Optional[Path]) -> List[Object]:
    """The git server of examples/, with the sample project unless ``sample`` is None."""
    script = (GIT_SERVER / "server.py").read_text(encoding="utf-8")
    objects = [
        _in_namespace("v1", "ConfigMap", "git-server", data={"server.py": script})
    ]
    if sample is not None:
        packed = base64.b64encode(pack(sample)).decode()
        data = {"sample.tar.gz": packed}
        name = "sample-project"
        objects.append(_in_namespace("v1", "ConfigMap", name, binaryData=data))
    for item in yaml.safe_load_all((GIT_SERVER / "git-server.yaml").read_text()):
        item["metadata"]["namespace"] = NAMESPACE
        for container in _containers(item):
            container["image"] = image
        objects.append(item)
    return objects


def swarm(options: Options, ref: str) -> Object:
    """The KiroSwarm; a repository of one's own says itself what its checks are."""
    spec: Object = {
        "repository": {
            "url": f"http://git-server.{NAMESPACE}.svc/{REPOSITORY}.git",
            "ref": ref,
        },
        "tasks": {"specPath": options.spec},
        "instances": options.instances,
        "template": {"agent": {"command": list(options.agent)}},
        "integration": {"push": "OnComplete"},
    }
    if options.repo is None:
        check = list(SAMPLE_TESTS)
        spec["verification"] = {"command": check, "timeoutSeconds": 60}
        gate = {"name": "tests", "command": check, "timeoutSeconds": 60}
        spec["integration"]["gates"] = [gate]
    return _in_namespace("swarm.kiro.dev/v1alpha1", "KiroSwarm", SWARM, spec=spec)


def pack(folder: Path) -> bytes:
    """A folder as tar.gz; what Python leaves behind stays out."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in sorted(folder.rglob("*")):
            if "__pycache__" not in path.parts:
                name = str(path.relative_to(folder))
                archive.add(path, name, recursive=False, filter=_anonymous)
    return packed.getvalue()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


def _containers(item: Object) -> Iterator[Object]:
    template = item["spec"].get("template")
    if template:
        yield from template["spec"]["initContainers"]
        yield from template["spec"]["containers"]


def _in_namespace(version: str, kind: str, name: str, **body: Any) -> Object:
    item = _object(version, kind, name)
    item["metadata"]["namespace"] = NAMESPACE
    return {**item, **body}


def _object(version: str, kind: str, name: str, **metadata: Any) -> Object:
    metadata = {"name": name, **metadata}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
