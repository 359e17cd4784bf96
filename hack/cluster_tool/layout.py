"""Names, versions and places: what every other module of hack/cluster agrees on.

Nothing here touches the disk. The cache holds what can be built again and belongs to
the user; the state of clusters belongs to the machine, because names of links, control
groups and slots do.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import List

from hack.cluster_tool.errors import ClusterError

SOURCES = Path(__file__).resolve().parent
DEFAULT_NAME = "kiro-swarm"
KUBERNETES_VERSION = "1.35.4"

# 16 clusters side by side: the node's link is 172.30.SLOT.0/30, pods and services share
# 10.(224+SLOT).0.0/16. All three are the cluster's own; other hosts never see them.
SLOTS = 16

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


def checked_name(name: str) -> str:
    """The name itself when it can be a directory, a control group and a node's name."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"--name {name!r} is no cluster name: use 1 to 40 lower-case letters, "
            "digits and dashes, beginning with a letter and not ending in a dash"
        )
    return name


def cache() -> Path:
    """Where builds are kept; KIRO_SWARM_CACHE moves it."""
    chosen = os.environ.get("KIRO_SWARM_CACHE")
    if chosen:
        return Path(chosen).absolute() / "kiro-swarm" / "cluster"
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "kiro-swarm" / "cluster"


def state() -> Path:
    """Where clusters are kept: of the machine for root, else of the user."""
    if os.geteuid() == 0:
        return Path("/var/lib/kiro-swarm")
    base = os.environ.get("XDG_STATE_HOME")
    return Path(base or Path.home() / ".local" / "state") / "kiro-swarm"


def cluster_directory(name: str) -> Path:
    """The one directory that holds everything of a cluster."""
    return state() / "clusters" / name


def control_socket(name: str) -> Path:
    """Where the supervisor of a local cluster listens; gone with the next boot."""
    return Path("/run/kiro-swarm") / f"{name}.sock"


def control_group(name: str) -> str:
    """The control group below which every pod of a local cluster lives."""
    return f"kiro-swarm-{name}"


def module_checksum(module: Path) -> str:
    """What a build of a Go module is kept by: a checksum of everything in it."""
    digest = hashlib.sha256()
    sources = [*module.rglob("*.go"), module / "go.mod", module / "go.sum"]
    for path in sorted(sources):
        digest.update(str(path.relative_to(module)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Subnets:
    """The addresses of one slot; slots do not overlap."""

    slot: int

    @property
    def link(self) -> ipaddress.IPv4Network:
        """Between the host and the node."""
        return ipaddress.IPv4Network(f"172.30.{self.slot}.0/30")

    @property
    def host(self) -> str:
        """The host's end of the link: where pods reach the host."""
        return str(self.link[1])

    @property
    def node(self) -> str:
        """The node's address, and the API server's."""
        return str(self.link[2])

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """Addresses of pods."""
        return ipaddress.IPv4Network(f"10.{224 + self.slot}.0.0/17")

    @property
    def services(self) -> ipaddress.IPv4Network:
        """Addresses of services."""
        return ipaddress.IPv4Network(f"10.{224 + self.slot}.128.0/17")

    @property
    def api_service(self) -> str:
        """The address of the service ``kubernetes``."""
        return str(self.services[1])

    @property
    def dns_service(self) -> str:
        """The address of the service ``kube-dns``."""
        return str(self.services[10])

    @property
    def all(self) -> List[ipaddress.IPv4Network]:
        """Everything that must not be in use on the host."""
        return [self.link, self.pods, self.services]

    @property
    def host_link(self) -> str:
        """The name of the host's end of the link."""
        return f"kiro-swarm{self.slot}"
