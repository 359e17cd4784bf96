"""Images of a local cluster: the one that the node needs, and those that people load.

Called by the local provider. Images go straight into the cluster's containerd.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from pathlib import Path
from typing import BinaryIO, Dict, List

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.namespaces import inside
from hack.cluster_tool.plan import CONTAINERD_SOCKET

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def archive(name: str, programs: Dict[str, Path]) -> bytes:
    """A docker-archive with one layer: static programs, each by its path inside.

    The same programs give the same bytes.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for target, source in sorted(programs.items()):
            _add(tar, target.lstrip("/"), source.read_bytes(), 0o755)
    content = layer.getvalue()
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": [min(programs)]},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(content).hexdigest()}"],
        },
    }
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        _add(tar, "manifest.json", json.dumps(manifest).encode(), 0o644)
        _add(tar, "config.json", json.dumps(config, sort_keys=True).encode(), 0o644)
        _add(tar, "layer.tar", content, 0o644)
    return whole.getvalue()


def load(pid: int, source: BinaryIO) -> List[str]:
    """Imports a docker or OCI archive into the cluster of process 1 ``pid``.

    Returns what containerd said, a line an image.
    """
    ctr = ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io"]
    done = subprocess.run(
        inside(pid, *ctr, "images", "import", "-"),
        stdin=source,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise ClusterError(f"containerd refused the archive: {said}")
    return done.stdout.decode(errors="replace").splitlines()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    tar.addfile(member, io.BytesIO(content))
