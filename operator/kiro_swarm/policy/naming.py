"""Names, made from their owner, so that making one twice makes nothing twice.

Every name here is deterministic. Two different inputs never give the same name: what has
to be changed or cut carries a hash of the original.
"""

from __future__ import annotations

import hashlib
import re
from typing import Optional

_HASHED = re.compile(r"-[0-9a-f]{8}\Z")
#: DNS labels with dots between them, as names of objects must be.
_TASK_PART = re.compile(r"[a-z0-9]+(-+[a-z0-9]+)*(\.[a-z0-9]+(-+[a-z0-9]+)*)*\Z")
_GRAPH_PART = re.compile(r"[0-9a-f]{16}-[0-9]{1,3}\Z")
_LONGEST_PART = 48
_MOST_DIGITS = 9
_LONGEST_NAME = 253


def short_hash(text: str) -> str:
    """Eight hex digits that stand for ``text``."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]


def task_part(task_id: str) -> str:
    """A task id as a part of object names and branches: ``1.1``, ``core-1-5f2b9a01``.

    Unchanged where it is lower case and harmless; else lowered, cleaned and given a hash
    of the original id, so that ``CORE-1`` and ``core-1`` stay two tasks. What looks as if
    it had a hash gets one too: nobody can choose the name of another task.
    """
    harmless = len(task_id) <= _LONGEST_PART and _TASK_PART.match(task_id)
    reserved = task_id.endswith(".lock") or task_id == "integration"
    if harmless and not reserved and not _HASHED.search(task_id):
        return task_id
    cleaned = re.sub(r"[^a-z0-9-]+", "-", task_id.lower()).strip("-")[:32].strip("-")
    return f"{cleaned or 'task'}-{short_hash(task_id)}"


def task_name(swarm: str, task_id: str) -> str:
    """Name of the KiroTask of a task, such as ``demo.1.1``.

    The name of a swarm has no dot, so the first dot ends it: task ``2-1`` of ``demo`` and
    task ``1`` of ``demo-2`` are two objects.
    """
    return f"{swarm}.{task_part(task_id)}"


def task_branch(swarm: str, task_id: str, attempt: int) -> str:
    """Branch of one attempt of a task."""
    return f"swarm/{swarm}/{task_part(task_id)}/{attempt}"


def integration_branch(swarm: str) -> str:
    """Default branch that collects the merged work of a swarm."""
    return f"swarm/{swarm}/integration"


def instance_name(swarm: str, index: int) -> str:
    """Name of the ``index``-th instance, from 1."""
    return f"{swarm}-{index}"


def finished_folder(instance: str) -> str:
    """Folder of a swarm's volume with the finished work of an instance."""
    return f"finished/{instance}"


def pod_name(instance: str, restarts: int) -> str:
    """Name of an instance's pod after ``restarts`` replacements."""
    return f"{instance}-{restarts}"


def claim_name(swarm: str) -> str:
    """Name of the volume claim of a swarm."""
    return f"{swarm}-workspace"


def runner_account(swarm: str) -> str:
    """Service account of the runners of a swarm."""
    return f"{swarm}-runner"


def jobs_account(swarm: str) -> str:
    """Service account of the prepare and integrate Jobs of a swarm."""
    return f"{swarm}-jobs"


def graph_name(swarm: str) -> str:
    """ConfigMap in which the prepare Job publishes the task graph."""
    return f"{swarm}-graph"


def graph_part(swarm: str, swarm_uid: str, packed: str, number: int) -> str:
    """ConfigMap with the ``number``-th part, from 2, of a graph that one cannot hold.

    Made of the whole graph, so parts of two graphs, or of two swarms, never mix.
    """
    digest = hashlib.sha256(f"{swarm_uid} {packed}".encode()).hexdigest()[:16]
    return f"{graph_name(swarm)}-{digest}-{number}"


def is_graph_part(swarm: str, name: str) -> bool:
    """Whether ``graph_part`` may have given this name."""
    start, _, rest = name.rpartition(f"{graph_name(swarm)}-")
    return not start and bool(_GRAPH_PART.match(rest))


def prepare_job(swarm: str, attempt: int) -> str:
    """Name of the ``attempt``-th prepare Job, from 1."""
    return f"{swarm}-prepare-{attempt}"


def inspect_job(swarm: str, command_uid: str) -> str:
    """Name of the Job that looks something up for a SwarmCommand."""
    return f"{swarm}-inspect-{command_uid[:8]}"


def sync_job(swarm: str, command_uid: str) -> str:
    """Name of the Job that brings new upstream work in for a SwarmCommand."""
    return f"{swarm}-sync-{command_uid[:8]}"


def integrate_job(swarm: str, batch: int) -> str:
    """Name of the ``batch``-th integrate Job, from 1."""
    return f"{swarm}-integrate-{batch}"


def audit_segment(swarm: str, segment: int) -> str:
    """ConfigMap with the ``segment``-th part of the audit log, from 1."""
    return f"{swarm}-audit-{segment}"


def audit_number(swarm: str, name: str) -> Optional[int]:
    """Which part of a swarm's audit log has this name; None: none has."""
    number = name[len(swarm) + len("-audit-") :]
    if not number.isascii() or not number.isdigit() or len(number) > _MOST_DIGITS:
        return None
    return int(number) if audit_segment(swarm, int(number)) == name else None


def ledger_segment(swarm: str, segment: int) -> str:
    """ConfigMap with the ``segment``-th part of the integration ledger, from 1."""
    return f"{swarm}-ledger-{segment}"


def is_ledger_segment(swarm: str, name: str) -> bool:
    """Whether this is the name of a part of a swarm's integration ledger."""
    start, _, segment = name.rpartition("-")
    return start == f"{swarm}-ledger" and segment.isascii() and segment.isdigit()


def result_name(command: str) -> str:
    """ConfigMap with the part of a command's answer that is too long for its status."""
    if len(command) > _LONGEST_NAME - len("-result"):
        command = f"{command[:200].rstrip('.-')}-{short_hash(command)}"
    return f"{command}-result"
