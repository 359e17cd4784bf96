"""The integration ledger of one swarm as the operator knows it.

Follows the cache, which its watch of the ledger's ConfigMaps fills, so that a new entry costs
one entry to be read. Nothing is woken by it: each entry is written before a KiroTask or a Job
tells of it, and whoever sees a Job's report before the entries that it counts reads them
(``swarms/left.py``).

Role: ``view.look`` asks it for the ledger of a view. Guarantees: what is not chained, or not
of this very swarm, is not believed.
"""

from __future__ import annotations

from kiro_swarm.api.kubernetes import ConfigMap
from kiro_swarm.api.meta import COMPONENT_LEDGER, LABEL_COMPONENT, LABEL_SWARM
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.policy import chain, naming
from kiro_swarm.policy.ledger import Book
from kiro_swarm.policy.ownership import is_record
from kiro_swarm.reconcile.engine.context import Context


class LedgerFollower:
    """A follower (``cluster.cache``) of the ConfigMaps that a swarm owns."""

    def __init__(self, swarm_uid: str) -> None:
        self._uid = swarm_uid
        self._segments: dict[str, dict[str, str]] = {}
        self._texts: dict[str, str] = {}
        self.book = Book(swarm_uid)

    def put(self, item: ConfigMap) -> None:
        """A ConfigMap is new or has changed."""
        labels = item["metadata"].get("labels") or {}
        if labels.get(LABEL_COMPONENT) != COMPONENT_LEDGER:
            return
        # A Job reads and mends its ledger by name: of another name nobody would.
        swarm = str(labels.get(LABEL_SWARM))
        named = naming.is_ledger_segment(swarm, item["metadata"]["name"])
        if not named or not is_record(item, self._uid, swarm):
            return
        name, data = item["metadata"]["name"], dict(item.get("data") or {})
        before = self._segments.get(name, {})
        self._segments[name] = data
        if any(data.get(key) != text for key, text in before.items()):
            self._read_again()
            return
        self._texts.update(data)
        self._read_on()

    def remove(self, item: ConfigMap) -> None:
        """A ConfigMap is gone."""
        if self._segments.pop(item["metadata"]["name"], None) is not None:
            self._read_again()

    def _read_again(self) -> None:
        self._texts = {}
        for data in self._segments.values():
            self._texts.update(data)
        # A new one: whoever has asked before keeps what it was told.
        self.book = Book(self._uid)
        self._read_on()

    def _read_on(self) -> None:
        while True:
            key = chain.key_of(self.book.lines + 1)
            text = self._texts.get(key)
            if text is None or self.book.add(chain.decode(key, text)) is None:
                return


async def refresh(ctx: Context, swarm: KiroSwarm) -> None:
    """Read the ledger of a KiroSwarm, for whoever cannot wait for the watch."""
    namespace, name = swarm["metadata"]["namespace"], swarm["metadata"]["name"]
    ours = f"{LABEL_SWARM}={name},{LABEL_COMPONENT}={COMPONENT_LEDGER}"
    found, _ = await ctx.client.list(CONFIG_MAPS, namespace, labels=ours)
    for item in found:
        ctx.remember(CONFIG_MAPS, item)


def book_of(cache: Cache, swarm: KiroSwarm) -> Book:
    """The ledger of a KiroSwarm, kept by the cache; it grows while it is looked at."""
    metadata = swarm["metadata"]
    following = cache.follower(
        CONFIG_MAPS,
        metadata["namespace"],
        metadata["name"],
        metadata["uid"],
        LedgerFollower,
    )
    return following.book
