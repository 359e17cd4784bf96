"""Chooses the provider of a cluster. Called by ``cli``."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from hack.cluster_tool import kind, records
from hack.cluster_tool.errors import ClusterError
from hack.cluster_tool.existing import Existing
from hack.cluster_tool.kind import Kind
from hack.cluster_tool.local import Local
from hack.cluster_tool.progress import Progress
from hack.cluster_tool.provider import Provider, Wish

_PROVIDERS: Dict[str, Callable[[Progress], Provider]] = {
    "existing": Existing,
    "kind": Kind,
    "local": Local,
}


def provider_named(name: str, progress: Progress) -> Provider:
    """The provider itself."""
    return _PROVIDERS[name](progress)


def choose(asked: Optional[str], wish: Wish, progress: Progress) -> Provider:
    """The provider that a cluster has, that was asked for, or that suits this machine."""
    record = records.load(wish.name)
    if record is not None:
        if asked not in (None, record.provider):
            raise ClusterError(
                f"{wish.name} is a cluster of the {record.provider} provider: take it "
                "down first, or choose another --name"
            )
        return provider_named(record.provider, progress)
    if wish.context and asked != "existing":
        raise ClusterError("--context goes with --provider existing")
    return provider_named(asked or _suitable(wish, progress), progress)


def _suitable(wish: Wish, progress: Progress) -> str:
    """kind where it can give what is wished for, else local."""
    whole_and_plain = "kubelet" in wish.components and "kwok" not in wish.components
    return "kind" if whole_and_plain and kind.usable(progress) else "local"
