"""Which instances different tasks fail on in the same way, through no fault of theirs.

Part of the board, which tells it of each change of a task; so a question costs what one
instance has had, however many tasks there are. Nothing is in here that is not in the tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import DONE, MERGED
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.reasons import (
    AGENT_NOT_RUNNABLE,
    AGENT_PROGRAM_MISSING,
    AGENT_UNAVAILABLE,
    BY_PERSON,
    NO_FAULT,
    SLOW,
    WORKSPACE_FAILED,
)
from kiro_swarm.policy.times import parse

#: What an instance does to a task, whatever the task is.
OF_THE_INSTANCE: Final = frozenset(
    {AGENT_UNAVAILABLE, WORKSPACE_FAILED, AGENT_NOT_RUNNABLE, AGENT_PROGRAM_MISSING}
)
#: These say nothing on how the instance is.
_SAYS_NOTHING: Final = (NO_FAULT | BY_PERSON | {SLOW}) - OF_THE_INSTANCE
#: So many tasks are no coincidence.
_TASKS: Final = 2
#: One is enough: no task can make the program of the template be missing, and what looks like it
#: is tried again after the pause that a new pod takes.
_ONE: Final = frozenset({AGENT_NOT_RUNNABLE})
#: The same while nothing shows that the program is there. An agent can end like that at will: where
#: another task's has ended well, one task alone says nothing on the instance.
_ONE_UNPROVEN: Final = frozenset({AGENT_PROGRAM_MISSING})
_WELL: Final = ""


class Faults:
    """What became of attempts: pod -> task -> (outcome, when); no outcome: well."""

    def __init__(self) -> None:
        self._ends: dict[str, dict[str, list[tuple[str, str]]]] = {}

    def add(self, task: KiroTask) -> None:
        """Remember a task, of which nothing is remembered yet."""
        for pod_uid, outcome, at in _ends_of(task):
            ends = self._ends.setdefault(pod_uid, {})
            ends.setdefault(task["spec"]["id"], []).append((outcome, at))

    def drop(self, task: KiroTask) -> None:
        """Forget what ``add`` has remembered of it."""
        for pod_uid, _, _ in _ends_of(task):
            ends = self._ends.get(pod_uid, {})
            ends.pop(task["spec"]["id"], None)
            if not ends:
                self._ends.pop(pod_uid, None)

    def unfit(self, pod_uid: str, alike: Iterable[str] = ()) -> str:
        """Why a pod is to be replaced, in words; empty while it is not.

        :param alike: uids of the pods that are made of the same template; it is read only
            where it matters.

        Different tasks have failed there in the same way, with nothing that went well since.
        Which pod that was is in the record of the attempt: when the pod was made is said by
        the clock of another machine.
        """
        found = [
            (moment, outcome, task)
            for task, ends in self._ends.get(pod_uid, {}).items()
            for outcome, at in ends
            if (moment := parse(at)) is not None
        ]
        failed: dict[str, set[str]] = {}
        for _, outcome, task in sorted(found):
            if outcome == _WELL:
                failed.clear()
            else:
                failed.setdefault(outcome, set()).add(task)
        for outcome, tasks in failed.items():
            one = outcome in _ONE or (
                outcome in _ONE_UNPROVEN
                and not any(self._went_well(uid) for uid in (pod_uid, *alike))
            )
            if len(tasks) >= (1 if one else _TASKS):
                many = "s" if len(tasks) > 1 else ""
                named = f"task{many} {', '.join(sorted(tasks)[:5])}"
                return f"{named} failed on it with {outcome}; its pod is replaced"
        return ""

    def _went_well(self, pod_uid: str) -> bool:
        """Whether an agent has worked in a pod, whatever became of the work."""
        ends = self._ends.get(pod_uid, {}).values()
        return any(outcome == _WELL for row in ends for outcome, _ in row)


def _ends_of(task: KiroTask) -> Iterator[tuple[str, str, str]]:
    """Pod, outcome and time of each attempt that says how an instance is.

    Records of an earlier release name no pod, and so say nothing.
    """
    status = status_of(task)
    for record in status.get("history") or []:
        outcome, pod_uid = record.get("outcome") or "", record.get("podUid") or ""
        if pod_uid and outcome not in _SAYS_NOTHING:
            known = outcome if outcome in OF_THE_INSTANCE else _WELL
            yield pod_uid, known, record.get("finishedAt") or ""
    if status.get("state") in (DONE, MERGED) and status.get("podUid"):
        yield status["podUid"], _WELL, status.get("finishedAt") or ""
