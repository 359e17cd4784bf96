"""Whose an object is. Pure: the one place that says it, for the operator, the Jobs, kubectl.

Names are made of the owner's name (``naming``), so anybody can make an object of such a name
first: nothing is read, followed or deleted because of its name. The uid in the references to
owners tells this very owner from an earlier one of its name, and from anybody.
"""

from __future__ import annotations

from kiro_swarm.api.kubernetes import KubernetesObject


def belongs_to(item: KubernetesObject, uid: str) -> bool:
    """Whether the object with this uid is an owner of ``item``."""
    return bool(uid) and uid in owners_of(item)


def same_owner(item: KubernetesObject, body: KubernetesObject) -> bool:
    """Whether ``item`` has an owner of ``body``, which was to be made in its place."""
    return bool(owners_of(item) & owners_of(body))


def owners_of(item: KubernetesObject) -> set[str]:
    """Uids of the owners of an object."""
    references = item["metadata"].get("ownerReferences") or []
    return {str(reference.get("uid") or "") for reference in references} - {""}
