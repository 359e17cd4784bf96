"""What the operator knows: the last seen version of every watched object.

Every event feeds it, from kopf's handlers or from our own watches, and so does the answer to
each of our own writes: a reconcile that runs before the watch has caught up still sees what
the one before it wrote, so nothing is created twice. An older version never replaces a
newer one.

An object that is being read must not be changed: it is shared.

What is derived from all objects of a swarm need not be made anew for each of them: a
``Follower`` is told of every change, and is kept no longer than the swarm is there.
"""

from __future__ import annotations

import logging
from typing import Any, Callable, Iterator, Mapping, Optional, Protocol, TypeVar, cast

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import LABEL_SWARM
from kiro_swarm.api.pieces import Pieces
from kiro_swarm.cluster.resources import (
    SWARMS,
    AnyResource,
    ObjectT,
    Resource,
    StatusT,
)

log = logging.getLogger(__name__)
Key = tuple[str, str]  # namespace, name
FollowedT = TypeVar("FollowedT", contravariant=True)
#: The cluster that the operator runs in.
LOCAL = "local"
_MOST_TOMBSTONES = 10_000
_NOBODY = ("", None)
#: Objects after which others get a turn.
_PIECE = 200


class Follower(Protocol[FollowedT]):
    """What follows the objects of one swarm and resource. It must be quick."""

    def put(self, item: FollowedT) -> None:
        """An object is new, or is now like this."""

    def remove(self, item: FollowedT) -> None:
        """An object is gone."""


#: Of the objects of whatever resource it was asked for with: Python has no word for that.
F = TypeVar("F", bound=Follower[Any])


class Cache:
    """Objects of one cluster by resource, namespace and name, with an index by swarm.

    :param cluster: its name here; keys carry it.
    """

    def __init__(self, cluster: str = LOCAL) -> None:
        self.cluster = cluster
        # By resource, and of its type: what is put in under one is got out under it.
        self._objects: dict[AnyResource, dict[Key, Any]] = {}
        self._by_swarm: dict[AnyResource, dict[Key, dict[str, Any]]] = {}
        self._followers: dict[tuple[AnyResource, Key], tuple[str, Any]] = {}
        #: Places of followers that are being made, with the uid of the swarm.
        self._making: set[tuple[tuple[AnyResource, Key], str]] = set()
        self._deleted: dict[str, None] = {}
        #: How often anything changed: what was made of it all before is still right if
        #: this is the same.
        self.changes = 0

    def get(
        self, resource: Resource[ObjectT, StatusT], namespace: str, name: str
    ) -> Optional[ObjectT]:
        """The object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def all(self, resource: Resource[ObjectT, StatusT]) -> Iterator[ObjectT]:
        """Every object of a resource."""
        return iter(list(self._objects.get(resource, {}).values()))

    def of_swarm(
        self, resource: Resource[ObjectT, StatusT], namespace: str, swarm: str
    ) -> list[ObjectT]:
        """The objects of a swarm, by ``spec.swarm`` or the swarm label."""
        found = self._by_swarm.get(resource, {}).get((namespace, swarm), {})
        return list(found.values())

    def has(self, resource: AnyResource, namespace: str, swarm: str) -> bool:
        """Whether a swarm has such objects."""
        return (namespace, swarm) in self._by_swarm.get(resource, {})

    def follower(
        self,
        resource: AnyResource,
        namespace: str,
        swarm: str,
        uid: str,
        make: Callable[[str], F],
    ) -> F:
        """The follower that ``make(uid)`` made of the objects of a swarm.

        There is one; it is made anew when the swarm of this name is another one.
        """
        place = (resource, (namespace, swarm))
        known = self._followers.get(place)
        if known is None or known[0] != uid:
            following = make(uid)
            for item in self.of_swarm(resource, namespace, swarm):
                following.put(item)
            known = (uid, following)
            self._keep(place, known)
        found: F = known[1]
        return found

    def following(
        self,
        resource: AnyResource,
        namespace: str,
        swarm: str,
        uid: str,
        make: Callable[[str], F],
    ) -> Pieces[F]:
        """The same piece by piece: nobody is given one that does not know everything yet.

        Who asks while it is made waits, by pieces without work, for who makes it.
        """
        place = (resource, (namespace, swarm))
        while (place, uid) in self._making:
            yield
        known = self._followers.get(place)
        if known is None or known[0] != uid:
            self._making.add((place, uid))
            try:
                known = yield from self._make(place, uid, make)
            finally:
                self._making.discard((place, uid))
        found: F = known[1]
        return found

    def _make(
        self, place: tuple[AnyResource, Key], uid: str, make: Callable[[str], F]
    ) -> Pieces[tuple[str, F]]:
        """Make a follower piece by piece, unless somebody makes it meanwhile."""
        resource, key = place
        following = make(uid)
        given = dict(self._by_swarm.get(resource, {}).get(key, {}))
        for number, item in enumerate(given.values(), 1):
            following.put(item)
            if number % _PIECE == 0:
                yield
        # What happened meanwhile; nothing does from here to the end.
        for name, item in self._by_swarm.get(resource, {}).get(key, {}).items():
            if given.pop(name, None) is not item:
                following.put(item)
        for gone in given.values():
            following.remove(gone)
        known = self._followers.get(place)
        if known is None or known[0] != uid:
            known = (uid, following)
            self._keep(place, known)
        return known

    def _keep(
        self, place: tuple[AnyResource, Key], made: tuple[str, Follower[Any]]
    ) -> None:
        """Keep a follower, unless its swarm has gone before it was made."""
        if made[0] not in self._deleted:
            self._followers[place] = made

    def knows(self, resource: AnyResource, item: KubernetesObject) -> bool:
        """Whether ``item`` is old news: what is known is as new or newer, or it is gone."""
        metadata = item["metadata"]
        if metadata.get("uid") in self._deleted:
            return True
        key = (metadata["namespace"], metadata["name"])
        known = self._objects.get(resource, {}).get(key)
        return known is not None and _version(known) >= _version(item)

    def put(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> bool:
        """Remember ``item``. False when what is known is as new or newer."""
        if self.knows(resource, item):
            return False
        metadata = item["metadata"]
        key = (metadata["namespace"], metadata["name"])
        known = self._objects.setdefault(resource, {}).get(key)
        self.changes += 1
        self._objects[resource][key] = item
        swarm = swarm_of(item)
        if known is not None and swarm_of(known) != swarm:
            self._unlist(resource, known)  # somebody changed its label
        if swarm:
            index = self._by_swarm.setdefault(resource, {})
            index.setdefault((key[0], swarm), {})[key[1]] = item
            self._notify((resource, (key[0], swarm)), item, gone=False)
        return True

    def remove(self, resource: Resource[ObjectT, StatusT], item: ObjectT) -> None:
        """Forget ``item``; late news about the same uid is ignored from now on."""
        metadata = item["metadata"]
        self._deleted[metadata.get("uid", "")] = None
        if len(self._deleted) > _MOST_TOMBSTONES:
            del self._deleted[next(iter(self._deleted))]
        if resource is SWARMS:
            for place, (uid, _) in list(self._followers.items()):
                if uid == metadata.get("uid"):
                    del self._followers[place]
        key = (metadata["namespace"], metadata["name"])
        known = self._objects.get(resource, {}).get(key)
        if known is None or known["metadata"].get("uid") != metadata.get("uid"):
            return
        self.changes += 1
        del self._objects[resource][key]
        self._unlist(resource, known)

    def _unlist(self, resource: AnyResource, item: KubernetesObject) -> None:
        """Take ``item`` out of the index by swarm."""
        metadata = item["metadata"]
        key = (metadata["namespace"], swarm_of(item))
        index = self._by_swarm.get(resource, {})
        named = index.get(key, {})
        named.pop(metadata["name"], None)
        self._notify((resource, key), item, gone=True)
        if not named:
            index.pop(key, None)
            self._followers.pop((resource, key), None)

    def _notify(
        self, place: tuple[AnyResource, Key], item: KubernetesObject, *, gone: bool
    ) -> None:
        """Tell the follower there, if any.

        One that fails is dropped and made anew when it is asked for: it fails there for
        its own swarm, and not here, where the watch of all would end.
        """
        _, following = self._followers.get(place, _NOBODY)
        if following is None:
            return
        try:
            if gone:
                following.remove(item)
            else:
                following.put(item)
        except Exception:
            log.exception("%s: what follows it failed", item["metadata"]["name"])
            del self._followers[place]


def swarm_of(item: KubernetesObject) -> str:
    """Name of the swarm that an object belongs to, or an empty string."""
    # Of kinds that are not ours the spec has no such field, or none that is a text.
    spec = cast("Mapping[str, object]", item).get("spec")
    if isinstance(spec, dict) and isinstance(spec.get("swarm"), str):
        return str(spec["swarm"])
    return str((item["metadata"].get("labels") or {}).get(LABEL_SWARM, ""))


def _version(item: KubernetesObject) -> int:
    """Resource versions of one resource grow, as of Kubernetes 1.35 by contract."""
    return int(item["metadata"].get("resourceVersion") or 0)
