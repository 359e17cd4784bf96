"""Whether a finished task may be merged, where a swarm asks a person first.

Called by the operator, which starts the integrate Job, and by that Job before each merge.
What a person approved is in the spec of the KiroTask. The operator alone writes it: an
instance may only report a status, so no agent approves its own work.
"""

from __future__ import annotations

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE
from kiro_swarm.api.task import KiroTask, KiroTaskSpec, KiroTaskStatus


def may_merge(task: KiroTask, approval: str) -> bool:
    """Whether the merge train may take a KiroTask: Done, and approved if that is asked.

    :param approval: ``spec.integration.approval`` of its swarm.
    """
    status = status_of(task)
    if status.get("state") != DONE:
        return False
    return approval != "Required" or _approved(task["spec"], status)


def asks_person(task: KiroTask, approval: str) -> bool:
    """Whether a KiroTask is Done and waits for a person alone."""
    done = status_of(task).get("state") == DONE
    return done and not may_merge(task, approval)


def _approved(spec: KiroTaskSpec, status: KiroTaskStatus) -> bool:
    # An approval is for one attempt: work that was done anew is looked at anew.
    attempt = int(status.get("attempt") or 0)
    return attempt > 0 and int(spec.get("approvedAttempt") or 0) == attempt
