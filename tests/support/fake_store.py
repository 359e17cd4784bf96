"""What the fake API server of the unit tests remembers, and how it answers.

Role: the objects, versions and selectors behind ``fake_api.FakeApi``; no network here.
It keeps what our code relies on (versions, conflicts, merge patches, status on its own,
selectable fields, graceful deletion of pods) and nothing else: no schemas, no admission,
no controllers. Those are tested against a real API server in tests/cluster.

Objects are replaced, never changed in place, and given out without a copy: whoever reads
one must not change it.
"""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Optional

from kiro_swarm.api.crd import KINDS
from kiro_swarm.api.meta import GROUP
from kiro_swarm.cluster import resources
from kiro_swarm.cluster.resources import AnyResource, Resource

Object = Any
Key = tuple[str, str]  # namespace, name

RESOURCES = [
    item for item in vars(resources).values() if isinstance(item, Resource)
] + [Resource("", "v1", "namespaces", "Namespace")]
_STATUS_ON_ITS_OWN = {"pods", "jobs", *(kind.plural for kind in KINDS)}
_SELECTABLE = {kind.plural: set(kind.selectable) for kind in KINDS}


class Refused(Exception):
    """A request that is answered with an error, as a Status object says it."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    def to_wire(self) -> Object:
        """The Status object."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": self.status,
            "reason": self.reason,
            "message": self.message,
        }


@dataclass(frozen=True)
class Change:
    """One accepted write: what was there before, what is there now."""

    version: int
    resource: AnyResource
    before: Optional[Object]
    after: Optional[Object]


class Store:
    """Objects of every resource in ``RESOURCES``, with one version for all of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._objects: dict[AnyResource, dict[Key, Object]] = {r: {} for r in RESOURCES}
        self.version = 100
        self.changes: list[Change] = []
        #: Watches and pages from before this version are answered 410 Gone.
        self.compacted = 0

    @property
    def resources(self) -> list[AnyResource]:
        """Every resource that there may be objects of."""
        return list(self._objects)

    def find(
        self, resource: AnyResource, namespace: str, name: str
    ) -> Optional[Object]:
        """The object, or None."""
        return self._objects[resource].get((namespace, name))

    def read(self, resource: AnyResource, namespace: str, name: str) -> Object:
        """The object."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise Refused(404, "NotFound", f'{resource.plural} "{name}" not found')
        return found

    def select(
        self,
        resource: AnyResource,
        namespace: Optional[str] = None,
        labels: str = "",
        fields: str = "",
    ) -> list[Object]:
        """All objects that match, by namespace and name."""
        return [
            item
            for key, item in sorted(self._objects[resource].items())
            if matches(resource, item, namespace, labels, fields)
        ]

    def create(
        self, resource: AnyResource, namespace: str, body: Object, dry_run: bool = False
    ) -> Object:
        """Make an object, with what the API server adds to it."""
        item = copy.deepcopy(body)
        metadata = item.setdefault("metadata", {})
        name = metadata["name"]
        if metadata.get("namespace", namespace) != namespace:
            raise Refused(400, "BadRequest", "the namespace is not that of the path")
        if (namespace, name) in self._objects[resource]:
            message = f'{resource.plural} "{name}" already exists'
            raise Refused(409, "AlreadyExists", message)
        metadata.update(
            namespace=namespace,
            uid=str(uuid.uuid4()),
            creationTimestamp=_stamp(self._now()),
            generation=1,
        )
        if resource.plural in _STATUS_ON_ITS_OWN:
            item.pop("status", None)
        return item if dry_run else self._store(resource, None, item)

    def patch(
        self,
        resource: AnyResource,
        namespace: str,
        name: str,
        patch: Object,
        subresource: str = "",
    ) -> Object:
        """Merge-patch an object or its status; the last finalizer lets an object go."""
        before = self.read(resource, namespace, name)
        expected = (patch.get("metadata") or {}).get("resourceVersion")
        _check_version(resource, before, expected)
        if subresource == "status":
            patch = {"status": patch.get("status") or {}}
        elif resource.plural in _STATUS_ON_ITS_OWN:
            patch = {key: value for key, value in patch.items() if key != "status"}
        after = self._update(resource, before, merge(before, patch))
        leaving = before["metadata"].get("deletionTimestamp")
        freed = before["metadata"].get("finalizers") and leaving
        if freed and not after["metadata"].get("finalizers"):
            self.remove(resource, namespace, name)
        return after

    def replace(
        self, resource: AnyResource, namespace: str, name: str, body: Object
    ) -> Object:
        """Replace all but the status."""
        before = self.read(resource, namespace, name)
        _check_version(resource, before, body["metadata"].get("resourceVersion"))
        after = {**body, "metadata": {**before["metadata"], **body["metadata"]}}
        if resource.plural in _STATUS_ON_ITS_OWN:
            after.pop("status", None)
            if "status" in before:
                after["status"] = before["status"]
        return self._update(resource, before, after)

    def delete(
        self,
        resource: AnyResource,
        namespace: str,
        name: str,
        uid: Optional[str] = None,
        version: Optional[str] = None,
    ) -> Object:
        """Delete an object; a pod goes gracefully: ``remove`` is for its kubelet.

        The answer is the object while it is on its way out, else that it is gone.
        """
        before = self.read(resource, namespace, name)
        if uid is not None and before["metadata"]["uid"] != uid:
            raise Refused(409, "Conflict", "the uid in the precondition is another")
        if version is not None and before["metadata"]["resourceVersion"] != version:
            raise Refused(409, "Conflict", "the version in the precondition is another")
        held = before["metadata"].get("finalizers")
        if resource is not resources.PODS and not held:
            self.remove(resource, namespace, name)
            details = {"name": name, "uid": before["metadata"]["uid"]}
            answer = {"kind": "Status", "apiVersion": "v1", "status": "Success"}
            return {**answer, "details": details}
        if before["metadata"].get("deletionTimestamp"):
            return before
        leaving = {"metadata": {"deletionTimestamp": _stamp(self._now())}}
        return self._store(resource, before, merge(before, leaving))

    def remove(self, resource: AnyResource, namespace: str, name: str) -> None:
        """Take an object away at once."""
        self.version += 1
        last = {"metadata": {"resourceVersion": str(self.version)}}
        before = merge(self._objects[resource].pop((namespace, name)), last)
        self.changes.append(Change(self.version, resource, before, None))

    def collect_garbage(self) -> None:
        """What the garbage collector does: who has lost all owners goes too."""
        alive = {
            item["metadata"]["uid"]
            for items in self._objects.values()
            for item in items.values()
        }
        for resource, items in self._objects.items():
            for namespace, name in list(items):
                owners = items[namespace, name]["metadata"].get("ownerReferences")
                if owners and not any(owner["uid"] in alive for owner in owners):
                    self.remove(resource, namespace, name)
                    self.collect_garbage()
                    return

    def _update(self, resource: AnyResource, before: Object, after: Object) -> Object:
        version = before["metadata"]["resourceVersion"]
        after = merge(after, {"metadata": {"resourceVersion": version}})
        if after == before:  # a write that changes nothing is none
            return after
        if after.get("spec") != before.get("spec"):
            generation = before["metadata"]["generation"] + 1
            after = merge(after, {"metadata": {"generation": generation}})
        return self._store(resource, before, after)

    def _store(
        self, resource: AnyResource, before: Optional[Object], after: Object
    ) -> Object:
        self.version += 1
        version = {"metadata": {"resourceVersion": str(self.version)}}
        after = merge(after, version)
        key = after["metadata"]["namespace"], after["metadata"]["name"]
        self._objects[resource][key] = after
        self.changes.append(Change(self.version, resource, before, after))
        return after


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386, without touching its arguments; what is not patched is shared."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def matches(
    resource: AnyResource,
    item: Object,
    namespace: Optional[str],
    labels: str,
    fields: str,
) -> bool:
    """Whether an object is in a namespace and passes both selectors."""
    metadata = item["metadata"]
    if namespace is not None and metadata["namespace"] != namespace:
        return False
    own = metadata.get("labels") or {}
    if any(own.get(key) != value for key, value in _pairs(labels)):
        return False
    return all(_field(resource, item, key) == value for key, value in _pairs(fields))


def _pairs(selector: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in selector.split(",") if part]
    return [(key, value) for key, _, value in pairs]


def _field(resource: AnyResource, item: Object, path: str) -> str:
    known = {".metadata.name", ".metadata.namespace"}
    if resource.group == GROUP:
        known |= _SELECTABLE[resource.plural]
    if resource.plural == "events":
        known |= {".involvedObject.kind", ".involvedObject.uid", ".reason"}
    if f".{path}" not in known:
        message = f"field label not supported: {path}"
        raise Refused(400, "BadRequest", message)
    value: Any = item
    for step in path.split("."):
        value = (value or {}).get(step)
    return "" if value is None else str(value)


def _check_version(
    resource: AnyResource, item: Object, expected: Optional[str]
) -> None:
    metadata = item["metadata"]
    if expected is not None and expected != metadata["resourceVersion"]:
        message = (
            f'{resource.plural} "{metadata["name"]}": the object has been modified'
        )
        raise Refused(409, "Conflict", message)


def _stamp(now: datetime) -> str:
    return now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
