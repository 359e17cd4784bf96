"""From a KiroTask that says it is Done to what the merge train takes.

Called by whoever goes to the work of a Done task by what its status says. A status can be
edited by hand, so every name that becomes a path, an argument or a ref is checked again here.
"""

from __future__ import annotations

from kiro_swarm.api.access import status_of
from kiro_swarm.api.task import KiroTask
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.policy.asked import asked_of
from kiro_swarm.tasks.file.texts import group_in
from kiro_swarm.workspace.errors import InvalidName
from kiro_swarm.workspace.finished import place_of
from kiro_swarm.workspace.outcomes import Candidate
from kiro_swarm.workspace.refs import (
    check_instance,
    check_object_id,
    check_task_branch,
    check_trailer,
)


def candidate_of(task: KiroTask, env: JobEnvironment) -> Candidate:
    """The attempt that is Done.

    Raises InvalidName: its status is not one that a runner has written.
    """
    spec, status = task["spec"], status_of(task)
    instance = check_instance(_told("instance", status.get("instance")))
    uid, attempt = task["metadata"]["uid"], attempt_of(status)
    check_trailer(f"{uid}/{attempt}")
    return Candidate(
        task_id=spec["id"],
        title=spec.get("title") or "",
        uid=uid,
        attempt=attempt,
        instance_dir=place_of(env.root, instance, uid, attempt),
        branch=check_task_branch(_told("branch", status.get("branch"))),
        commit=check_object_id(_told("commit", status.get("commit"))),
        base=check_object_id(_told("baseCommit", status.get("baseCommit"))),
        asked=asked_of(spec),
        group=group_in(spec.get("description") or "", spec.get("parent")),
    )


def _told(field: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidName(f"status.{field} is not there, in a task that is Done")
    return value
