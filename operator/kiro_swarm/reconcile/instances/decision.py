"""What an instance needs next: a pure table of observations and answers.

``instance.reconcile`` observes, asks ``decide`` and carries out the answer.

The pod's name carries the number of replacements. It goes up, in the status, before the
next pod is made, so a crash in between makes the same next pod and never two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import InstancePhase, KiroInstance, KiroInstanceStatus
from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.meta import RUNNING
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy import backoff, naming
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.times import stamp
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.instances.rollout import Turn, pod_ready

#: How the messages of an instance begin, of which the swarm tells (swarms/pod_troubles.py).
POD_REFUSED: Final = "its pod is refused: "
POD_KEPT: Final = "its pod may not be deleted: "
#: What one says whose pod the next template may still be wrong for.
WAITS: Final = (
    "the template changed; its pod stays, without a task, until one of the new template is ready"
)
#: So often an agent container has ended and come up again, by itself, in the same pod. The
#: kubelet waits 10 s before the first time and twice as long before each further one: five
#: minutes, which no clock has to be asked for.
_CRASHES = 5
_AGENT = "agent"
#: How a container has ended whose program could not be started, as container runtimes say it.
BEGINNINGS: Final = ("StartError", "ContainerCannotRun")


@dataclass(frozen=True)
class Observed:
    """What ``decide`` looks at."""

    instance: KiroInstance
    pod: Optional[Pod]
    task: Optional[KiroTask]
    wanted: bool
    stop_now: bool
    outdated: bool
    now: datetime
    #: For how long it is not ready, by a clock that does not jump; None: nobody knows.
    failed_for: Optional[float] = None
    #: For how long it has been ready, by the same clock; 0: it is not.
    well_for: float = 0.0
    paused: bool = False
    #: Why its pod is of no use, by the tasks that failed on it; empty: nobody says so.
    unfit: str = ""
    #: Whether a pod of an older template may go; see ``rollout``.
    turn: Turn = "any"


@dataclass(frozen=True)
class Decision:
    """What is to be done: at most one of the pod actions, and the status after it."""

    status: KiroInstanceStatus
    create: bool = False
    delete: bool = False
    again_in: Optional[float] = None
    #: Nothing may be deleted before the status says so: what is decided next depends on it.
    durable: bool = False
    #: The next pod takes the name of the last one where its number may not be written.
    replaces: bool = False


def pod_trouble(pod: Pod) -> str:
    """Why a pod that is not ready is stuck, in the words of the kubelet; else empty."""
    status = status_of(pod)
    # A sidecar is among the former, and all others wait for it.
    for item in (
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ):
        waiting = (item.get("state") or {}).get("waiting") or {}
        ended = (item.get("lastState") or {}).get("terminated") or {}
        if waiting and ended.get("reason") in BEGINNINGS:
            # That it loops says less.
            why = f"{ended['reason']} {ended.get('message', '')}"
            return one_line(f"{item['name']}: {why}")
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            why = f"{waiting['reason']} {waiting.get('message', '')}"
            return one_line(f"{item['name']}: {why}")
    for said in status.get("conditions") or []:
        # Other reasons, such as SchedulerError, pass by themselves in a moment.
        if said.get("type") == "PodScheduled" and said.get("reason") == "Unschedulable":
            return one_line(f"Unschedulable: {said.get('message', '')}")
    return ""


def crash_loop(pod: Pod) -> str:
    """Why the agent container of a pod does not come up again, in words; else empty.

    What foreign code leaves in a pod outlives its containers: emptyDirs, System V memory. A
    new pod has nothing of it.
    """
    for item in status_of(pod).get("containerStatuses") or []:
        waiting = (item.get("state") or {}).get("waiting") or {}
        often = int(item.get("restartCount") or 0)
        loops = waiting.get("reason") == "CrashLoopBackOff" and often >= _CRASHES
        if item["name"] == _AGENT and loops:
            return (
                f"its agent container ended {often} times: {one_line(pod_trouble(pod))};"
                " its pod is replaced"
            )
    return ""


def decide(seen: Observed) -> Decision:
    """What an instance needs next. Pure: a table of observations and answers."""
    status = status_of(seen.instance)
    name = seen.instance["metadata"]["name"]
    restarts = restarts_of(seen.instance)
    current = naming.pod_name(name, restarts)
    idle = seen.task is None
    if seen.pod is None:
        return _without_pod(seen)
    if seen.pod["metadata"].get("deletionTimestamp"):
        return Decision(
            status_after(seen, "Restarting", "its pod is being deleted", restarts)
        )
    failed = status_of(seen.pod).get("phase") in ("Failed", "Succeeded")
    if failed:
        why = one_line(status_of(seen.pod).get("message") or "") or "its pod ended"
        return Decision(
            status_after(seen, "Restarting", why, restarts, pod=current), delete=True
        )
    if not seen.wanted and (idle or seen.stop_now):
        return Decision(
            status_after(seen, "Stopped", "stopping", restarts, pod=""), delete=True
        )
    if seen.outdated and idle:
        rolled = _of_an_older_template(seen)
        if rolled is not None:
            return rolled
    unfit = seen.unfit or crash_loop(seen.pod)
    if unfit and not _at_a_task(seen):
        return Decision(
            status_after(seen, "Restarting", unfit, restarts, pod=current),
            delete=True,
        )
    if not pod_ready(seen.pod):
        trouble = pod_trouble(seen.pod)
        if not trouble and on_its_way_up(seen.instance):
            return Decision(status)  # on its way up: the first write is "Ready"
        phase: InstancePhase
        phase = "Restarting" if status.get("readyAt") else "Pending"
        message = trouble or "its pod is not ready"
        return Decision(status_after(seen, phase, message, restarts, pod=current))
    phase, message = _at_work(seen)
    status = status_after(seen, phase, message, restarts, pod=current)
    if status.get("rolling"):
        status["rolling"] = False
    return Decision(status)


def _without_pod(seen: Observed) -> Decision:
    """What one needs that has no pod."""
    status = status_of(seen.instance)
    restarts = restarts_of(seen.instance)
    current = naming.pod_name(seen.instance["metadata"]["name"], restarts)
    if not seen.wanted:
        return Decision(status_after(seen, "Stopped", "no pod is wanted", restarts))
    if status.get("pod") == current:
        message = f"pod {current} is gone; it is replaced"
        row = failures_of(seen) + 1
        return Decision(
            status_after(
                seen, "Restarting", message, restarts + 1, pod="", in_a_row=row
            ),
            replaces=True,
        )
    row = failures_of(seen)
    wait = _wait_before(seen.failed_for, row)
    if wait > 0:
        message = f"the pod failed {row} times in a row; next try in {wait:.0f} s"
        return Decision(
            status_after(seen, "Restarting", message, restarts), again_in=wait
        )
    return Decision(status, create=True)


def _of_an_older_template(seen: Observed) -> Optional[Decision]:
    """What becomes of a pod that is outdated and has no task; None: it waits for its turn."""
    status, restarts = status_of(seen.instance), restarts_of(seen.instance)
    if seen.turn == "wait":
        kept = (status.get("message") or "").startswith(POD_KEPT)
        return Decision(status) if kept else None  # it works on, and is told as it was
    current = naming.pod_name(seen.instance["metadata"]["name"], restarts)
    message = "the template changed; its pod is replaced"
    # What failed was the other template.
    after = status_after(seen, "Restarting", message, restarts, pod=current, in_a_row=0)
    if seen.turn == "first":
        after["rolling"] = True
    return Decision(after, delete=True, durable=seen.turn == "first")


def _at_a_task(seen: Observed) -> bool:
    """Whether an agent works there: a task that is bound only loses nothing."""
    return seen.task is not None and status_of(seen.task).get("state") == RUNNING


def on_its_way_up(instance: KiroInstance) -> bool:
    """Whether nothing was ever said of it: nobody waits for a change of that yet."""
    return not status_of(instance).get("observedGeneration")


def _at_work(seen: Observed) -> tuple[InstancePhase, str]:
    """Phase and message of an instance whose pod is ready."""
    if not seen.wanted:
        return "Draining", ""
    if seen.paused and seen.task is not None:
        task = seen.task["spec"]["id"]
        return "Paused", f"finishes task {task} and takes no further one"
    if seen.paused:
        name = seen.instance["metadata"]["name"]
        return "Paused", f"takes no task until `resume instance {name}`"
    if seen.task is not None:
        return "Busy", ""
    return "Ready", WAITS if seen.outdated else ""


def _wait_before(failed_for: Optional[float], failures: int) -> float:
    """Seconds until the next pod may be made: none at first, then doubling."""
    return 0.0 if failed_for is None else backoff.pause(failures) - failed_for


def status_after(
    seen: Observed,
    phase: InstancePhase,
    message: str,
    restarts: int,
    pod: Optional[str] = None,
    in_a_row: Optional[int] = None,
) -> KiroInstanceStatus:
    """The status with this phase and message, and what was observed beside them."""
    before = status_of(seen.instance)
    generation = int(seen.instance["metadata"].get("generation") or 0)
    task, branch = "", ""
    if seen.task is not None:
        task = seen.task["spec"]["id"]
        branch = status_of(seen.task).get("branch") or ""
    ready = phase in ("Ready", "Busy")
    status: KiroInstanceStatus = {
        **before,
        "observedGeneration": generation,
        "phase": phase,
        "restarts": restarts,
        "task": task,
        "branch": branch,
        "message": message[:1024],
        "pod": before.get("pod", "") if pod is None else pod,
    }
    if not ready and in_a_row is None:
        in_a_row = failures_of(seen)
    if in_a_row is not None and in_a_row != _failures_told(seen.instance):
        status["restartsInARow"] = in_a_row
    if seen.pod is not None:
        status["node"] = seen.pod["spec"].get("nodeName") or ""
    if (ready or phase == "Paused") and not before.get("readyAt"):
        status["readyAt"] = stamp(seen.now)
    status["conditions"] = [
        condition(
            before.get("conditions") or [],
            "Ready",
            ready,
            phase,
            message or f"the instance is {phase.lower()}",
            generation=generation,
            now=seen.now,
        )
    ]
    return status


def failures_of(seen: Observed) -> int:
    """How often its pod was replaced since it was last well for long."""
    return backoff.in_a_row(_failures_told(seen.instance), seen.well_for)


def _failures_told(instance: KiroInstance) -> int:
    """The same as its status has it; one of an earlier release has all there ever were."""
    return status_of(instance).get("restartsInARow", restarts_of(instance))


def restarts_of(instance: KiroInstance) -> int:
    """How many times its pod was replaced."""
    return status_of(instance).get("restarts") or 0
