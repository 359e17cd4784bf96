"""Whose an object is. Pure: the one place that says it, for the operator, the Jobs, kubectl.

Names are made of the owner's name (``naming``), so anybody can make an object of such a name
first: nothing is read, followed or deleted because of its name. The uid in the references to
owners tells this very owner from an earlier one of its name, and from anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NamedTuple, TypeVar

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import LABEL_MANAGED_BY, LABEL_SWARM, MANAGED_BY
from kiro_swarm.policy.times import parse

T = TypeVar("T", bound=KubernetesObject)
#: A sentence may come before its swarm does: pipelines apply both at once.
PATIENCE_SECONDS = 10.0


def is_same(item: KubernetesObject, uid: str) -> bool:
    """Whether ``item`` is this very object, not another one of its name."""
    return item["metadata"].get("uid") == uid


def belongs_to(item: KubernetesObject, uid: str) -> bool:
    """Whether the object with this uid is an owner of ``item``."""
    return bool(uid) and uid in owners_of(item)


def owned(items: Iterable[T], uid: str) -> list[T]:
    """Those of ``items`` that the object with this uid is an owner of."""
    return [item for item in items if belongs_to(item, uid)]


def owned_by_any(items: Iterable[T], uids: Collection[str]) -> list[T]:
    """Those of ``items`` that an object with one of these uids is an owner of."""
    return [item for item in items if not owners_of(item).isdisjoint(uids)]


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


def said_to(command: SwarmCommand, swarm: KubernetesObject) -> bool:
    """Whether a sentence was said to this very swarm, not to an earlier one of its name.

    A SwarmCommand has no owner: it may be there before its swarm. Which swarm it was begun for
    is in its status; of one that was not begun the time tells, to some seconds.
    """
    status = status_of(command)
    known = status.get("swarmUid")
    if known:
        return is_same(swarm, known)
    said = parse(command["metadata"].get("creationTimestamp"))
    made = parse(swarm["metadata"].get("creationTimestamp"))
    if said is None or made is None:
        return True
    if status.get("finishedAt"):
        return said >= made  # answered when this one was not there
    return said >= made - timedelta(seconds=PATIENCE_SECONDS)


class Derived(NamedTuple):
    """A name that is made of another: function of ``naming``, resource, whose it is, and who
    asks (``module:function`` below the package) before anything is gone by."""

    name: str
    resource: str
    owner: str
    asked_by: str


#: Every name of an object that we make of another name. A test knows all of ``naming``.
DERIVED = (
    Derived(
        "task_name", "kirotasks", "kiroswarms", "reconcile/snapshot/board.py:_is_ours"
    ),
    Derived(
        "instance_name",
        "kiroinstances",
        "kiroswarms",
        "reconcile/snapshot/view.py:look",
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
    Derived("prepare_job", "jobs", "kiroswarms", "reconcile/snapshot/view.py:look"),
    Derived("integrate_job", "jobs", "kiroswarms", "reconcile/snapshot/view.py:look"),
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
    Derived(
        *("audit_segment", "configmaps", "kiroswarms"),
        "cli/kubectl/session.py:records",
    ),
    Derived(
        *("ledger_segment", "configmaps", "kiroswarms"),
        "cli/kubectl/session.py:records",
    ),
    Derived(*("task_name", "kirotasks", "kiroswarms"), "jobs/owned.py:tasks_of"),
    Derived(*("task_name", "kirotasks", "kiroswarms"), "jobs/owned.py:task_of"),
    Derived(*("pod_name", "pods", "kiroinstances"), "cli/kubectl/session.py:pod_of"),
)

_ITSELF = "it is who the name is of, and is followed by its uid from there on"
_OURS = "what it is given is asked before"
_FOLLOWS = "the follower asks of each"
_FILLS = "it fills the cache; who takes something out of it asks"
_WAKES = "it wakes, or counts, and whoever is woken asks"
_ALL = "all there are, of whatever swarm"
#: Reads of objects by a name or a label that need not ask whose they are, and why. All others
#: ask where they read; a test goes through every read of the program.
UNASKED: dict[str, str] = {
    "cli/kubectl/audit.py:_audit COMMANDS": _OURS,
    "cli/kubectl/get.py:_get TASKS": _OURS,
    "cli/kubectl/get.py:_swarms SWARMS": _ALL,
    "cli/kubectl/get.py:parts_of INSTANCES": _OURS,
    "cli/kubectl/get.py:parts_of TASKS": _OURS,
    "cli/kubectl/graph.py:_graph TASKS": _OURS,
    "cli/kubectl/graph.py:_timeline TASKS": _OURS,
    "cli/kubectl/session.py:swarm SWARMS": _ITSELF,
    "cli/kubectl/session.py:labelled resource": "its callers ask, for pods by other uids",
    "cli/kubectl/top.py:_metrics POD_METRICS": "measurements have no owner; the names of "
    "pods that are asked about are looked up in them",
    "cli/kubectl/watch.py:follow resource": "_take asks of each",
    "cli/kubectl/watch.py:_now SWARMS": _OURS,
    "cli/kubectl/watch.py:_now INSTANCES": _OURS,
    "cli/kubectl/watch.py:_now TASKS": _OURS,
    "cli/kubectl/watch.py:_now COMMANDS": _OURS,
    "cluster/bound.py:watch_mine TASKS": "the runner goes by the uid of its pod in them",
    "cluster/bound.py:read TASKS": "the runner goes by uid and attempt of what it reads",
    "cluster/client.py:find resource": "it is the read",
    "cluster/client.py:watch resource": "it is the read",
    "cluster/leases.py:release LEASES": "the operator's own: by the holder in it",
    "cluster/leases.py:_try LEASES": "the operator's own: by the holder in it",
    "jobs/integrate.py:_after_all TASKS": "by uid and attempt: ended_meanwhile",
    "reconcile/commands/afterwards.py:_drop_older_answers COMMANDS": "what one person asked "
    "of whatever swarm of the name",
    "reconcile/commands/command.py:reconcile COMMANDS": _ITSELF,
    "reconcile/commands/command.py:_no_swarm SWARMS": _ALL,
    "reconcile/commands/run.py:_named SWARMS": "its callers ask whether it was said to it",
    "reconcile/engine/context.py:key COMMANDS": _WAKES,
    "reconcile/engine/context.py:remember resource": _FILLS,
    "reconcile/engine/context.py:forget resource": _FILLS,
    "reconcile/engine/context.py:_line_up COMMANDS": "by the uid in it",
    "reconcile/engine/context.py:drop_unknown resource": _FILLS,
    "reconcile/engine/context.py:_forget_line SWARMS": "whether there is any of the name",
    "reconcile/engine/owned.py:is_leaving SWARMS": "by the uid of the owner",
    "reconcile/engine/watches.py:list_kind resource": _FILLS,
    "reconcile/engine/watches.py:follow resource": _FILLS,
    "reconcile/instances/instance.py:reconcile INSTANCES": _WAKES,
    "reconcile/instances/instance.py:_carry_out INSTANCES": "whether it is the very object",
    "reconcile/instances/instance.py:reconcile SWARMS": _WAKES,
    "reconcile/snapshot/board.py:board_of TASKS": _FOLLOWS,
    "reconcile/snapshot/board.py:filling TASKS": _FOLLOWS,
    "reconcile/snapshot/ledger.py:refresh CONFIG_MAPS": _FILLS,
    "reconcile/snapshot/ledger.py:book_of CONFIG_MAPS": _FOLLOWS,
    "reconcile/swarms/pod_events.py:_last_of EVENTS": "by the uid of what they are about",
    "reconcile/swarms/members.py:_fill INSTANCES": _WAKES,
    "reconcile/swarms/rescue.py:_list_tasks TASKS": _FILLS,
    "reconcile/swarms/swarm.py:reconcile SWARMS": _ITSELF,
    "reconcile/swarms/swarm.py:_status COMMANDS": _WAKES,
    "reconcile/tasks/transitions.py:refresh_leases LEASES": _FILLS,
}
