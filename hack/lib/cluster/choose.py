"""Chooses the provider of a cluster. Called by `cli`."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from hack.lib.cluster import kind, records
from hack.lib.cluster.errors import ClusterError
from hack.lib.cluster.existing import Existing
from hack.lib.cluster.kind import Kind
from hack.lib.cluster.local import Local
from hack.lib.cluster.progress import Progress
from hack.lib.cluster.provider import Provider, Wish

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
