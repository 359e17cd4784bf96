"""Whose an object is. Pure: the one place that says it, for the operator, the Jobs, kubectl.

Names are made of the owner's name (``naming``), so anybody can make an object of such a name
first: nothing is read, followed or deleted because of its name. The uid in the references to
owners tells this very owner from an earlier one of its name, and from anybody.
"""

from __future__ import annotations

from typing import NamedTuple

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import LABEL_MANAGED_BY, LABEL_SWARM, MANAGED_BY


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


def all_of_kind(item: KubernetesObject, kind: str) -> dict[str, str]:
    """Uid -> name of the owners of an object, where all of them are of a kind; else empty."""
    references = item["metadata"].get("ownerReferences") or []
    if any(reference.get("kind") != kind for reference in references):
        return {}
    return {
        str(reference.get("uid") or ""): str(reference.get("name") or "")
        for reference in references
    }


def is_record(item: KubernetesObject, uid: str, swarm: str) -> bool:
    """Whether ``item`` is a record of the swarm with this uid: with its labels, too.

    Nobody but its writers can write what has the labels (``commands/writers.py``).
    """
    labels = item["metadata"].get("labels") or {}
    ours = (labels.get(LABEL_SWARM), labels.get(LABEL_MANAGED_BY)) == (
        swarm,
        MANAGED_BY,
    )
    return ours and belongs_to(item, uid)


class Derived(NamedTuple):
    """A name that is made of another: function of ``naming``, resource, whose it is, and who
    asks (``module:function`` below the package) before anything is gone by."""

    name: str
    resource: str
    owner: str
    asked_by: str


#: Every name of an object that we make of another name. A test knows all of ``naming``.
DERIVED = (
    Derived("task_name", "kirotasks", "kiroswarms", "reconcile/snapshot/board.py:put"),
    Derived(
        "instance_name",
        "kiroinstances",
        "kiroswarms",
        "reconcile/snapshot/view.py:_owned",
    ),
    Derived(
        "instance_name",
        "leases",
        "kiroinstances",
        "reconcile/tasks/transitions.py:silence",
    ),
    Derived(
        *("pod_name", "pods", "kiroinstances"),
        "reconcile/instances/instance.py:observe_instance",
    ),
    Derived(
        *("claim_name", "persistentvolumeclaims", "kiroswarms"),
        "reconcile/swarms/foundations.py:_lay",
    ),
    Derived(
        *("runner_account", "serviceaccounts", "kiroswarms"),
        "reconcile/swarms/foundations.py:_lay",
    ),
    Derived(
        *("jobs_account", "serviceaccounts", "kiroswarms"),
        "reconcile/swarms/foundations.py:_lay",
    ),
    Derived(
        "graph_name",
        "configmaps",
        "kiroswarms",
        "reconcile/swarms/prepare.py:_published",
    ),
    Derived(
        "graph_part",
        "configmaps",
        "kiroswarms",
        "reconcile/swarms/prepare.py:_published",
    ),
    Derived("prepare_job", "jobs", "kiroswarms", "reconcile/snapshot/view.py:_owned"),
    Derived("integrate_job", "jobs", "kiroswarms", "reconcile/snapshot/view.py:_owned"),
    Derived("inspect_job", "jobs", "kiroswarms", "reconcile/commands/effects.py:_one"),
    Derived("sync_job", "jobs", "kiroswarms", "reconcile/commands/effects.py:_one"),
    Derived(
        "audit_segment", "configmaps", "kiroswarms", "reconcile/engine/audit.py:_parts"
    ),
    Derived(
        "ledger_segment", "configmaps", "kiroswarms", "reconcile/snapshot/ledger.py:put"
    ),
    Derived("ledger_segment", "configmaps", "kiroswarms", "jobs/ledger.py:_read"),
    Derived(
        *("result_name", "configmaps", "swarmcommands"),
        "reconcile/commands/answer/write.py:_put_aside",
    ),
    Derived(
        *("result_name", "configmaps", "swarmcommands"),
        "cli/kubectl/answer.py:_document",
    ),
    Derived(*("audit_segment", "configmaps", "kiroswarms"), "cli/kubectl/audit.py:_of"),
)
