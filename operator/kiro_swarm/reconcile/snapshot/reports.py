"""What a Job left when it ended: its report, or why there is none. Pure.

Called by whoever follows a Job. Total: whatever stands in the pod's status, the answer is a
report of the asked kind, a failure with a reason, or that it is not known yet.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Pod, Terminated
from kiro_swarm.api.reports import (
    ReportError,
    ReportT,
    read_failure,
    read_report,
)
from kiro_swarm.policy.words import all_harmless, harmless

_SHOWN = 800
#: How a kubelet says that a pod went over a limit of its own; where its node is short of
#: something it begins otherwise.
_OWN_USE = re.compile(
    r"Usage of EmptyDir volume |Container \S+ exceeded its local ephemeral storage limit"
    r"|Pod ephemeral local storage usage exceeds "
)


class Failure(NamedTuple):
    """Why there is no report: in one word, and in words for people.

    ``tasks``: ids of those that alone are to blame, where the Job could name them.
    ``push``: what it merged could not be pushed; that has hindered no merge.
    """

    reason: str
    message: str
    diagnostics: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    push: bool = False


def report_in(
    pod: Optional[Pod], kind: type[ReportT], container: str = "main"
) -> Union[ReportT, Failure, None]:
    """The report in the termination message of a container; None while it has not ended."""
    ended = _end_of(pod, container)
    if ended is None:
        return _evicted(pod)
    text = ended.get("message") or ""
    try:
        said = all_harmless(read_failure(text))
        remarks = said.get("diagnostics") or ()
        tasks = tuple(said.get("tasks") or ())
        push = said.get("push") or False
        return Failure(said["reason"], said["message"], tuple(remarks), tasks, push)
    except ReportError:
        pass
    try:
        return all_harmless(read_report(text, kind))
    except ReportError as error:
        return _evicted(pod) or _unreadable(ended, error)


def used_too_much(pod: Optional[Pod]) -> bool:
    """Whether a pod was ended for what it used itself, and for nothing else."""
    found = _evicted(pod)
    return found is not None and bool(_OWN_USE.match(found.message))


def _evicted(pod: Optional[Pod]) -> Optional[Failure]:
    if pod is None:
        return None
    status = status_of(pod)
    if status.get("phase") != "Failed" or status.get("reason") != "Evicted":
        return None
    return Failure("PodEvicted", harmless(status.get("message") or "").strip()[:_SHOWN])


def _end_of(pod: Optional[Pod], container: str) -> Optional[Terminated]:
    for item in status_of(pod).get("containerStatuses") or [] if pod else []:
        if item.get("name") == container:
            return (item.get("state") or {}).get("terminated")
    return None


def _unreadable(ended: Terminated, error: ReportError) -> Failure:
    """Kubernetes puts the end of the log where no message was written."""
    code = ended.get("exitCode")
    if code == 0:
        return Failure("ReportUnreadable", f"its report is none: {error}")
    words = harmless(ended.get("message") or ended.get("reason") or "").strip()
    return Failure("JobFailed", f"exit status {code}: {words[-_SHOWN:]}")
