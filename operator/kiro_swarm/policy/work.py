"""Where the work of a task is, for whoever wants to look at it. Pure.

Called by the operator, to say at once that there is nothing to see, and by the inspect Job,
which finds the commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import BOUND, DONE, MERGED, RUNNING
from kiro_swarm.api.task import KiroTask


@dataclass(frozen=True)
class Work:
    """What there is of a task.

    ``merge`` is a merge on the integration branch; it has everything. Else ``base`` is
    where the branch was cut, ``commit`` what was recorded (empty while the agent works:
    then ``branch`` leads to it), ``instance`` who has it, ``uid`` that of the KiroTask.
    """

    merge: str = ""
    base: str = ""
    commit: str = ""
    branch: str = ""
    instance: str = ""
    attempt: int = 0
    uid: str = ""


def work_of(task: KiroTask) -> Optional[Work]:
    """The work of a KiroTask: merged, done, under way, or of its last failed attempt.

    None when no attempt of it has left a commit that can still be found.
    """
    status, uid = status_of(task), task["metadata"].get("uid", "")
    state, attempt = status.get("state"), int(status.get("attempt") or 0)
    if state == MERGED:
        merge = str(status.get("mergeCommit") or "")
        return Work(merge=merge, attempt=attempt) if merge else None
    base = str(status.get("baseCommit") or "")
    branch = str(status.get("branch") or "")
    if state in (DONE, RUNNING):
        commit = str(status.get("commit") or "") if state == DONE else ""
        there = base and branch
        work = Work("", base, commit, branch, str(status.get("instance")), attempt, uid)
        return work if there else None
    history = status.get("history") or []
    if state == BOUND or not history or not base:
        return None
    last = history[-1]
    commit, instance = str(last.get("commit") or ""), str(last.get("instance") or "")
    if int(last.get("attempt") or 0) != attempt or not commit or not instance:
        return None
    return Work("", base, commit, branch, instance, attempt, uid)
