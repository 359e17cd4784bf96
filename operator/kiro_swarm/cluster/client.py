"""The verbs of the Kubernetes API for plain dicts, typed by their resource.

``Client`` is what ``reconcile`` and the runner's glue write through. Nothing here decides
anything: no retries of writes, no exists-then-create. ``watch`` is the list-and-watch loop
of the processes without kopf (the runner), and of the operator for the kinds that change
all the time (``reconcile/engine/watches.py``).
"""

from __future__ import annotations

import asyncio
from typing import (
    Any,
    AsyncIterator,
    Callable,
    Mapping,
    Optional,
    TypeVar,
    cast,
    overload,
)

import aiohttp
from pydantic_core import from_json

from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.instance import KiroInstance, KiroInstanceStatus
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.few import few
from kiro_swarm.cluster.resources import (
    COMMANDS,
    AnyResource,
    ObjectT,
    Resource,
    StatusT,
)
from kiro_swarm.policy.words import all_harmless

T = TypeVar("T")
_MERGE = "application/merge-patch+json"
_WATCH_SECONDS = 300
#: Objects of a page, and of one that holds what anybody may write: a page is held whole.
_PAGE, _PAGE_OF_COMMANDS = 500, 100


class Client:
    """CRUD on resources, with typed errors (see ``errors``)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def close(self) -> None:
        """Close the connection pool."""
        await self._connection.close()

    async def get(
        self, resource: Resource[ObjectT, StatusT], namespace: str, name: str
    ) -> ObjectT:
        """One object."""
        answer: Any = await self._connection.json("GET", resource.path(namespace, name))
        return cast(ObjectT, answer)

    async def few(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: str,
        *,
        fields: str,
        keep: Callable[[ObjectT], T],
    ) -> list[T]:
        """A few of what matches, where others make as much of it as they like: see ``few``."""
        return await few(self._connection, resource, namespace, fields, keep)

    async def list(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: Optional[str] = None,
        *,
        labels: Optional[str] = None,
        fields: Optional[str] = None,
        keep: Optional[Callable[[ObjectT], ObjectT]] = None,
    ) -> tuple[list[ObjectT], str]:
        """All objects that match the selectors, and the version of the list.

        :param keep: what to keep of each: the rest goes with its page.
        """
        query = _selectors(labels, fields)
        query["limit"] = str(_PAGE_OF_COMMANDS if resource is COMMANDS else _PAGE)
        items: list[ObjectT] = []
        while True:
            page = await self._connection.json(
                "GET", resource.path(namespace), query=query
            )
            for item in page.get("items") or []:
                item.setdefault("apiVersion", resource.api_version)
                item.setdefault("kind", resource.kind)
                items.append(item if keep is None else keep(item))
            metadata = page.get("metadata") or {}
            token = metadata.get("continue")
            if not token:
                return items, str(metadata.get("resourceVersion", ""))
            query["continue"] = str(token)

    async def find(
        self, resource: Resource[ObjectT, StatusT], namespace: str, name: str
    ) -> Optional[ObjectT]:
        """One object, or None: by a list, for who may list a resource and not get it."""
        items, _ = await self.list(resource, namespace, fields=f"metadata.name={name}")
        return items[0] if items else None

    async def create(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: str,
        body: ObjectT,
        *,
        dry_run: bool = False,
    ) -> ObjectT:
        """Create ``body``.

        Raises errors.AlreadyExists: an object of this name is there.
        """
        query = {"dryRun": "All"} if dry_run else None
        answer: Any = await self._connection.json(
            "POST", resource.path(namespace), body=body, query=query
        )
        return cast(ObjectT, answer)

    async def patch(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: str,
        name: str,
        patch: Mapping[str, object],
        *,
        subresource: Optional[str] = None,
    ) -> ObjectT:
        """Merge-patch an object; ``metadata.resourceVersion`` makes it conditional.

        Raises errors.Conflict: the object has moved on from that version.
        """
        answer: Any = await self._connection.json(
            "PATCH",
            resource.path(namespace, name, subresource),
            body=dict(patch),
            content_type=_MERGE,
        )
        return cast(ObjectT, answer)

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroTask, KiroTaskStatus],
        namespace: str,
        name: str,
        status: KiroTaskStatus,
        *,
        version: Optional[str] = None,
    ) -> KiroTask: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroInstance, KiroInstanceStatus],
        namespace: str,
        name: str,
        status: KiroInstanceStatus,
        *,
        version: Optional[str] = None,
    ) -> KiroInstance: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[SwarmCommand, SwarmCommandStatus],
        namespace: str,
        name: str,
        status: SwarmCommandStatus,
        *,
        version: Optional[str] = None,
    ) -> SwarmCommand: ...

    @overload
    async def patch_status(
        self,
        resource: Resource[KiroSwarm, KiroSwarmStatus],
        namespace: str,
        name: str,
        status: KiroSwarmStatus,
        *,
        version: Optional[str] = None,
    ) -> KiroSwarm: ...

    async def patch_status(
        self,
        resource: AnyResource,
        namespace: str,
        name: str,
        status: Any,
        *,
        version: Optional[str] = None,
    ) -> Any:
        """Merge-patch the status, if the object still is at ``version``.

        A field that is None is removed. Whoever said what is in it, nothing in it does
        anything to a terminal (``policy.words``).
        """
        body: dict[str, object] = {"status": all_harmless(status)}
        if version is not None:
            body["metadata"] = {"resourceVersion": version}
        return await self.patch(resource, namespace, name, body, subresource="status")

    async def replace(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: str,
        name: str,
        body: ObjectT,
    ) -> ObjectT:
        """Replace an object; conditional when ``body`` names a resourceVersion."""
        answer: Any = await self._connection.json(
            "PUT", resource.path(namespace, name), body=body
        )
        return cast(ObjectT, answer)

    async def delete(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: str,
        name: str,
        *,
        uid: Optional[str] = None,
        version: Optional[str] = None,
        grace_seconds: Optional[int] = None,
    ) -> Optional[ObjectT]:
        """Delete an object with what it owns; gone already is fine.

        Returns the object if it is still on its way out, None when it is gone. Raises Conflict:
        it is not at ``version`` any more.

        :param uid: only this very object, never a later one of the same name.
        :param version: only as it was seen, by its resourceVersion.
        """
        options: dict[str, object] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        conditions = {"uid": uid, "resourceVersion": version}
        if uid is not None or version is not None:
            options["preconditions"] = {k: v for k, v in conditions.items() if v}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            answer: Any = await self._connection.json(
                "DELETE", resource.path(namespace, name), body=options
            )
        except errors.NotFound:
            return None
        except errors.Conflict:
            if version is not None:
                raise
            return None
        leaving = (answer.get("metadata") or {}).get("deletionTimestamp")
        return answer if leaving else None

    async def watch(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: Optional[str],
        *,
        labels: Optional[str] = None,
        fields: Optional[str] = None,
        on_list: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[tuple[str, ObjectT]]:
        """List, then watch, for ever: ("SET", object) and ("GONE", object).

        ``namespace`` None is the whole cluster. ``on_list`` is called after each list:
        there is a second one only if the watch was interrupted.

        What vanished while the watch was down is reported as GONE after the next list, so
        a consumer that only follows the events is never left with a ghost. Of such an
        object there is what names it and nothing else: none is kept here.
        """
        known: dict[tuple[str, str], ObjectT] = {}
        while True:
            items, version = await self.list(
                resource, namespace, labels=labels, fields=fields
            )
            on_list()
            current = {_key(item) for item in items}
            for key in [key for key in known if key not in current]:
                yield "GONE", known.pop(key)
            for item in items:
                known[_key(item)] = _trace(item)
                yield "SET", item
            items.clear()
            async for kind, item in self._watch_from(
                resource, namespace, version, labels, fields
            ):
                if kind == "GONE":
                    known.pop(_key(item), None)
                else:
                    known[_key(item)] = _trace(item)
                yield kind, item

    async def _watch_from(
        self,
        resource: Resource[ObjectT, StatusT],
        namespace: Optional[str],
        version: str,
        labels: Optional[str],
        fields: Optional[str],
    ) -> AsyncIterator[tuple[str, ObjectT]]:
        """One run of a watch, until it must be listed again."""
        query = _selectors(labels, fields)
        query.update(watch="true", allowWatchBookmarks="true")
        query.update(timeoutSeconds=str(_WATCH_SECONDS))
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=5, sock_read=_WATCH_SECONDS + 10
        )
        while True:
            query["resourceVersion"] = version
            try:
                response = await self._connection.stream(
                    "GET", resource.path(namespace), query=query, timeout=timeout
                )
            except errors.Expired:
                return
            async with response:
                try:
                    async for line in _lines(response):
                        event = from_json(line)
                        item = event["object"]
                        if event["type"] == "ERROR":
                            return
                        version = item["metadata"]["resourceVersion"]
                        if event["type"] == "BOOKMARK":
                            continue
                        kind = "GONE" if event["type"] == "DELETED" else "SET"
                        yield kind, item
                except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
                    return


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a stream, however long one is."""
    rest = bytearray()
    async for chunk in response.content.iter_any():
        rest += chunk
        if b"\n" in chunk:
            *lines, last = rest.split(b"\n")
            rest = last
            for line in lines:
                yield bytes(line)
    if rest:
        yield bytes(rest)


def _trace(item: ObjectT) -> ObjectT:
    """What names an object."""
    named = ("namespace", "name", "uid", "resourceVersion")
    metadata: Mapping[str, object] = item["metadata"]
    traced: Any = {"metadata": {k: metadata[k] for k in named if k in metadata}}
    return cast(ObjectT, traced)


def _key(item: KubernetesObject) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _selectors(labels: Optional[str], fields: Optional[str]) -> dict[str, str]:
    query = {}
    if labels:
        query["labelSelector"] = labels
    if fields:
        query["fieldSelector"] = fields
    return query
