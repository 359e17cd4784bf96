"""Builds the programs of a cluster from the two pinned Go modules beside this file.

Called by the providers and by ``hack/cluster build`` and ``bin``. A build is kept by the
checksum of its module, so it is done once and done again when a version changes; each
program appears in the cache in one step, so an interrupted build is never used.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Deque, Dict, List, Sequence

from hack.cluster_tool import golang, preflight
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.layout import KUBERNETES_VERSION, SOURCES, cache, module_checksum
from hack.cluster_tool.progress import Progress, Step, duration


@dataclass(frozen=True)
class Program:
    """A main package; ``built`` is what ``go build -o DIRECTORY/`` calls its binary."""

    module: str
    package: str
    built: str


PROGRAMS: Dict[str, Program] = {
    "kube": Program("src", "./kube", "kube"),
    "etcd": Program("src", "go.etcd.io/etcd/server/v3", "server"),
    "certs": Program("src", "./certs", "certs"),
    "coredns": Program("src", "./coredns", "coredns"),
    "pause": Program("src", "./pause", "pause"),
    "volume": Program("src", "./volume", "volume"),
    "local-path-provisioner": Program(
        "src", "github.com/rancher/local-path-provisioner", "local-path-provisioner"
    ),
    "helm": Program("src", "helm.sh/helm/v3/cmd/helm", "helm"),
    "probe": Program("src", "./probe", "probe"),
    # kwok needs newer Kubernetes libraries than the cluster, hence a module of its own.
    "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", "kwok"),
    "stages": Program("kwok", "./stages", "stages"),
}
CONTROL_PLANE = ("kube", "etcd", "certs")
NODE = (*CONTROL_PLANE, "coredns", "pause", "volume", "local-path-provisioner", "helm")
KWOK = ("kwok", "stages")

# One binary answers to all of these names.
ALIASES = dict.fromkeys(
    (
        "kubectl",
        "kubelet",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-proxy",
        "kube-scheduler",
    ),
    "kube",
)

_VERSION = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = KUBERNETES_VERSION.split(".")
# Without these Kubernetes takes itself for v0.0.0 and misjudges the age of its clients.
_LINK = (
    f"-s -w -X {_VERSION}.gitVersion=v{KUBERNETES_VERSION}"
    f" -X {_VERSION}.gitMajor={_MAJOR} -X {_VERSION}.gitMinor={_MINOR}"
)
_SHOWN_LINES = 20
_DISK_NEEDED = 6 << 30  # module cache, build cache and the programs themselves


def path(name: str) -> Path:
    """Where a program is, or will be once it is built."""
    program = PROGRAMS.get(ALIASES.get(name, name))
    if program is None:
        known = ", ".join(sorted([*PROGRAMS, *ALIASES]))
        raise ClusterError(f"no program {name!r}; there are {known}")
    module = SOURCES / program.module
    return cache() / f"{program.module}-{module_checksum(module)}" / name


def find(name: str) -> Path:
    """A program that is built, else one by that name on the PATH."""
    built = path(name)
    installed = None if built.exists() else shutil.which(name)
    return Path(installed) if installed else built


def ensure_any(names: Sequence[str], progress: Progress) -> None:
    """Builds those of the named programs that ``find`` does not find."""
    ensure([name for name in names if not find(name).exists()], progress)


def ensure(names: Sequence[str], progress: Progress) -> None:
    """Builds those of the named programs that the cache lacks."""
    wanted = sorted({ALIASES.get(name, name) for name in names})
    for module in ("src", "kwok"):
        mine = [name for name in wanted if PROGRAMS[name].module == module]
        if all(path(name).exists() for name in mine):  # also when there are none
            continue
        directory = path(mine[0]).parent
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another `up` may be building the same
            missing = [name for name in mine if not path(name).exists()]
            if missing:
                _build(module, missing, directory, progress)


def _build(module: str, names: List[str], directory: Path, progress: Progress) -> None:
    """One program after the other: together some of them refuse to be loaded."""
    source = SOURCES / module
    preflight.require_disk(directory, _DISK_NEEDED)
    go = str(golang.ensure(source, progress))
    for number, name in enumerate(names, 1):
        package = PROGRAMS[name].package
        what = f"{name} ({number} of {len(names)})"
        with progress.step(f"Resolving the sources of {what}") as step:
            total = len(_run_go([go, "list", "-deps", package], source, step))
        with (
            progress.step(f"Building {what}") as step,
            tempfile.TemporaryDirectory(dir=directory) as scratch,
        ):
            command = [go, "build", "-v", "-trimpath", "-ldflags", _LINK]
            _run_go([*command, "-o", f"{scratch}/", package], source, step, total)
            (Path(scratch) / PROGRAMS[name].built).rename(directory / name)
        if name == "kube":
            _link_aliases(directory)


def _link_aliases(directory: Path) -> None:
    for alias in ALIASES:
        link = directory / alias
        link.unlink(missing_ok=True)
        link.symlink_to("kube")


def _run_go(command: List[str], module: Path, step: Step, total: int = 0) -> List[str]:
    """Runs go, showing each package it names; returns the packages.

    ``total`` is how many packages there are, where that is known.
    """
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false -mod=readonly",
    }
    began = time.monotonic()
    packages: List[str] = []
    talk: Deque[str] = deque(maxlen=_SHOWN_LINES)
    with subprocess.Popen(
        command,
        cwd=module,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 (asked for above)
        for line in map(str.rstrip, process.stdout):
            if " " in line:  # no package: a download or an error
                talk.append(line)
                step.note(line)
                continue
            packages.append(line)
            elapsed = time.monotonic() - began
            step.note(_estimate(line, len(packages), total, elapsed) if total else line)
    if process.returncode != 0:
        said = "\n".join(f"  {line}" for line in talk)
        raise ClusterError(_failure(command, said))
    return packages


def _estimate(package: str, built: int, total: int, elapsed: float) -> str:
    """The package and the time left, supposing that packages are of one size."""
    left = elapsed / built * max(total - built, 0)
    return f"{package} ({built} of {total}, about {duration(left)} left)"


def _failure(command: List[str], said: str) -> str:
    message = f"`{' '.join(command[:2])}` failed:\n{said}"
    network = ("dial tcp", "no such host", "i/o timeout", "proxyconnect", "connection")
    if any(sign in said for sign in network):
        proxy = os.environ.get("GOPROXY", "https://proxy.golang.org")
        message += (
            f"\nThe Go module proxy {proxy} does not answer from here. Set GOPROXY to "
            "one that does, or use --provider kind on a machine with Docker."
        )
    return message
