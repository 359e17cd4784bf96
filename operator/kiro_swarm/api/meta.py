"""Names that both sides of the API agree on: group, kinds, labels, conditions.

Everything here is part of the public contract: changing a value breaks objects
that already exist in a cluster.
"""

from __future__ import annotations

from typing import Final

GROUP: Final = "swarm.kiro.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

#: Plural resource name -> kind.
KINDS: Final[dict[str, str]] = {
    "kiroswarms": "KiroSwarm",
    "kiroinstances": "KiroInstance",
    "kirotasks": "KiroTask",
    "swarmcommands": "SwarmCommand",
}

LABEL_SWARM: Final = f"{GROUP}/swarm"
LABEL_INSTANCE: Final = f"{GROUP}/instance"
LABEL_COMPONENT: Final = f"{GROUP}/component"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "kiro-swarm"
#: On a KiroSwarm that asks for it: it stays until its work was rescued.
FINALIZER_RESCUE: Final = f"{GROUP}/rescue"
#: On a KiroSwarm that is being deleted: let it go, with whatever is nowhere else.
ANNOTATION_DELETE_ANYWAY: Final = f"{GROUP}/delete-anyway"
#: On a Job that rescues: a hash of the work that was Done when it was made.
ANNOTATION_FINISHED_WORK: Final = f"{GROUP}/finished-work"
#: On a Job that looks something up: a hash of who asked for it.
ANNOTATION_ASKED_BY: Final = f"{GROUP}/asked-by"

COMPONENT_INSTANCE: Final = "instance"
COMPONENT_PREPARE: Final = "prepare"
COMPONENT_INTEGRATE: Final = "integrate"
COMPONENT_INSPECT: Final = "inspect"
COMPONENT_SYNC: Final = "sync"
COMPONENT_AUDIT: Final = "audit"
COMPONENT_LEDGER: Final = "ledger"

#: States of a KiroTask, in the order of a task's way (design: the way of a task).
BLOCKED: Final = "Blocked"
READY: Final = "Ready"
BOUND: Final = "Bound"
RUNNING: Final = "Running"
DONE: Final = "Done"
MERGED: Final = "Merged"
FAILED: Final = "Failed"
SKIPPED: Final = "Skipped"
TASK_STATES: Final = (
    BLOCKED,
    READY,
    BOUND,
    RUNNING,
    DONE,
    MERGED,
    FAILED,
    SKIPPED,
)
#: An instance works on a task in one of these states.
ACTIVE_STATES: Final = frozenset({BOUND, RUNNING})
#: A dependency in one of these states no longer holds anything back.
SATISFIED_STATES: Final = frozenset({MERGED, SKIPPED})
#: A task in one of these states stays there until a person asks otherwise.
FINAL_STATES: Final = frozenset({MERGED, FAILED, SKIPPED})
