"""What every provider of a cluster can be asked, and what it answers.

``cli`` knows providers by this protocol alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Protocol, Tuple

from hack.cluster_tool.records import Record


@dataclass(frozen=True)
class Wish:
    """What ``up`` was asked for; components are full names."""

    name: str
    components: Tuple[str, ...]
    audit: bool = False
    context: Optional[str] = None
    install: bool = False


@dataclass(frozen=True)
class Status:
    """How a cluster is. ``ready``: its API server answers, and its node, if any, is Ready."""

    record: Record
    running: bool
    ready: bool
    server: str = ""
    audit_log: Optional[Path] = None
    components: List[Dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> Dict[str, Any]:
        """What ``status --output json`` prints."""
        return {
            "name": self.record.name,
            "provider": self.record.provider,
            "running": self.running,
            "ready": self.ready,
            "server": self.server,
            "kubeconfig": str(self.record.kubeconfig),
            "auditLog": str(self.audit_log) if self.audit_log else None,
            "components": self.components,
        }


class Provider(Protocol):
    """A way to have a cluster. Every method raises ClusterError when it cannot."""

    def prepare(self, wish: Wish) -> None:
        """Checks the machine and builds or fetches what ``up`` needs."""

    def up(self, wish: Wish) -> Record:
        """Makes the cluster, or makes sure that it runs; returns when it is ready."""

    def down(self, record: Record) -> None:
        """Takes it down and removes everything of it."""

    def reset(self, record: Record) -> None:
        """Empties it; loaded images stay where the provider can keep them."""

    def status(self, record: Record) -> Status:
        """Asks it how it is."""

    def load(self, record: Record, archive: Path) -> List[str]:
        """Makes the images of a docker or OCI archive known to its nodes."""

    def logs(self, record: Record, component: str) -> Path:
        """The log file of a component."""

    def signal(self, record: Record, component: str, number: int) -> None:
        """Sends a component a signal; it is restarted if it ends."""

    def switch(self, record: Record, component: str, on: bool) -> None:
        """Stops a component until it is switched on again."""
