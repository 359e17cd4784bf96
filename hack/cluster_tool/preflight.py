"""What a machine must have before work starts; each lack is named with its remedy.

Called by the local provider and by ``build``. Everything is checked first, so that a
missing package is said at once and not after ten minutes of building.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Callable, Dict, List, Optional

from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.shell import program, run

MEBIBYTE = 1 << 20
MEMORY_NODE = 2048 * MEBIBYTE
MEMORY_CONTROL_PLANE = 768 * MEBIBYTE

# Debian's packages by the program that is looked for; the node needs both lists.
NAMESPACE_PROGRAMS = {
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
NODE_PROGRAMS = {
    "conntrack": "conntrack",
    "containerd": "containerd",
    "ctr": "containerd",
    "iptables": "iptables",
    "runc": "runc",
}
_CNI_DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni")


def cni_directory() -> Optional[Path]:
    """Where the distribution keeps the CNI plugins."""
    found = (Path(directory) for directory in _CNI_DIRECTORIES)
    return next((path for path in found if (path / "bridge").exists()), None)


def missing_packages(
    node: bool, find: Callable[[str], Optional[str]] = program
) -> List[str]:
    """Debian packages that are missing, sorted; ``node`` when pods are to run."""
    needed: Dict[str, str] = dict(NAMESPACE_PROGRAMS)
    if node:
        needed.update(NODE_PROGRAMS)
    missing = {package for name, package in needed.items() if find(name) is None}
    if node and cni_directory() is None:
        missing.add("containernetworking-plugins")
    return sorted(missing)


def available_memory(meminfo: str) -> int:
    """Bytes that can be had without swapping, from the text of /proc/meminfo."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise ClusterError("/proc/meminfo has no MemAvailable; is /proc mounted?")


def require_memory(node: bool, meminfo: str) -> None:
    """Fails when the cluster would not fit."""
    needed = MEMORY_NODE if node else MEMORY_CONTROL_PLANE
    found = available_memory(meminfo)
    if found < needed:
        raise ClusterError(
            f"{found // MEBIBYTE} MiB of memory are available, "
            f"{needed // MEBIBYTE} MiB are needed: end other programs, or take down "
            "other clusters (`hack/cluster status --all` lists them)"
        )


def require_disk(directory: Path, needed: int) -> None:
    """Fails when the file system of ``directory`` has less than ``needed`` bytes left."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise ClusterError(
            f"{free // MEBIBYTE} MiB are free below {directory}, a build needs "
            f"{needed // MEBIBYTE} MiB: make room, or set KIRO_SWARM_CACHE"
        )


def require_machine(node: bool, install: bool, progress: Progress) -> None:
    """Everything that a local cluster needs of the machine, beside its own programs."""
    if not sys.platform.startswith("linux"):
        raise ClusterError(
            "the local provider needs Linux; use --provider kind with Docker"
        )
    if os.geteuid() != 0:
        raise ClusterError(
            "the local provider needs root, for namespaces and pods: use sudo, or "
            "--provider kind on a machine with Docker"
        )
    require_memory(node, Path("/proc/meminfo").read_text())
    _require_packages(node, install, progress)
    try:
        run("unshare", "--net", "--mount", "--pid", "--fork", "true")
    except ClusterError as error:
        raise ClusterError(
            "this root may not make namespaces (it lacks CAP_SYS_ADMIN, as in an "
            f"unprivileged container): {error}"
        ) from error


def _require_packages(node: bool, install: bool, progress: Progress) -> None:
    missing = missing_packages(node)
    if not missing:
        return
    names = " ".join(missing)
    if program("apt-get") is None:
        raise ClusterError(
            f"missing: {names} (Debian's names). Install them with the package "
            "manager of this distribution"
        )
    if not install:
        raise ClusterError(
            f"missing Debian packages: {names}. Run `apt-get install {names}`, or "
            "give --yes to have them installed"
        )
    with progress.step(f"Installing {names}"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        options = ["install", "--yes", "--no-install-recommends"]
        for command in (["update"], [*options, *missing]):
            run("apt-get", "--quiet", *command, environment=environment)
