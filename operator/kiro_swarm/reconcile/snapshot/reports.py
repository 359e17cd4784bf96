"""What a Job left when it ended: its report, or why there is none. Pure.

Called by whoever follows a Job. Total: whatever stands in the pod's status, the answer is a
report of the asked kind, a failure with a reason, or that it is not known yet.
"""

from __future__ import annotations

from typing import Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Pod, Terminated
from kiro_swarm.api.reports import (
    JobFailure,
    ReportError,
    ReportT,
    read_failure,
    read_report,
)

_SHOWN = 800


def report_in(
    pod: Optional[Pod], kind: type[ReportT], container: str = "main"
) -> Union[ReportT, JobFailure, None]:
    """The report in the termination message of a container; None while it has not ended.

    A failure is told from a report by its ``reason``.
    """
    ended = _end_of(pod, container)
    if ended is None:
        return None
    text = ended.get("message") or ""
    try:
        return read_failure(text)
    except ReportError:
        pass
    try:
        return read_report(text, kind)
    except ReportError as error:
        return _unreadable(ended, error)


def _end_of(pod: Optional[Pod], container: str) -> Optional[Terminated]:
    for item in status_of(pod).get("containerStatuses") or [] if pod else []:
        if item.get("name") == container:
            return (item.get("state") or {}).get("terminated")
    return None


def _unreadable(ended: Terminated, error: ReportError) -> JobFailure:
    """Kubernetes puts the end of the log where no message was written."""
    code = ended.get("exitCode")
    if code == 0:
        return {"reason": "ReportUnreadable", "message": f"its report is none: {error}"}
    words = (ended.get("message") or ended.get("reason") or "").strip()
    message = f"exit status {code}: {words[-_SHOWN:]}"
    return {"reason": "JobFailed", "message": message}
