"""Chooses the provider of a new cluster. Called by `cli`."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from hack.lib.cluster import records
from hack.lib.cluster.errors import ClusterError
from hack.lib.cluster.local import Local
from hack.lib.cluster.progress import Progress
from hack.lib.cluster.provider import Provider, Wish

_PROVIDERS: Dict[str, Callable[[Progress], Provider]] = {
    "local": Local,
}


def provider_named(name: str, progress: Progress) -> Provider:
    """The provider itself."""
    return _PROVIDERS[name](progress)


def choose(asked: Optional[str], wish: Wish, progress: Progress) -> Provider:
    return provider_named(asked or "local", progress)
