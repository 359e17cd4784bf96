"""What comes next for a KiroSwarm on its way out that has asked for a rescue. Pure.

Role: ``rescue`` sees, asks, and carries it out. Guarantees: see there.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import Job
from kiro_swarm.api.meta import (
    ANNOTATION_DELETE_ANYWAY,
    ANNOTATION_FINISHED_WORK,
    COMPONENT_INSPECT,
    DONE,
)
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.reconcile.snapshot.view import View, component_of, job_outcome
from kiro_swarm.reconcile.swarms.begun import has_begun
from kiro_swarm.reconcile.swarms.integrate import Train

#: For a swarm whose spec cannot be read: no sentence is carried out for it.
BY_HAND: Final = (
    f"annotation {ANNOTATION_DELETE_ANYWAY} lets it go at once, and that work with it"
)
OVERRIDE: Final = f"the sentence `cancel rescue`, or the {BY_HAND}"
LOOK_AGAIN: Final = 5.0
MOST_NAMED: Final = 5
#: A Job that is made when the time is almost over has so long, and then so long to end.
LAST_SECONDS: Final = 300
_SLACK_SECONDS: Final = 60
#: The garbage collector's own: what the swarm owns is deleted before it is.
_FOREGROUND: Final = "foregroundDeletion"
_RESCUE_SECONDS: Final = 3600
#: Reason of a Job that ended because its swarm is being deleted.
_SWARM_DELETED: Final = "SwarmDeleted"


@dataclass(frozen=True)
class Step:
    """What is to be done for a swarm on its way out.

    ``go``: nothing is waited for any more; ``start``: a Job is to be made; ``hang``: Jobs that
    are to be ended. ``told``: reason of the Event that goes along.
    ``again``: when to look again, in seconds.
    """

    message: str
    go: bool = False
    start: bool = False
    told: str = ""
    warning: bool = False
    again: float = LOOK_AGAIN
    hang: tuple[Job, ...] = ()


def next_step(view: View, train: Train, kept: float, hindered: str = "") -> Step:
    """What comes next. Pure.

    :param kept: for how many seconds it has been kept, see ``kept.py``.
    :param hindered: why no Job can save anything until a person acts; empty where one can.
    """
    metadata, wanted = view.swarm["metadata"], view.spec.integration
    if wanted.on_delete != "Rescue":
        return Step("a rescue is not asked for any more", go=True)
    if not has_begun(view):
        message = "nothing is to be rescued: it was never prepared"
        return Step(message, go=True, told="NothingToRescue")
    if ANNOTATION_DELETE_ANYWAY in (metadata.get("annotations") or {}):
        message = "let go by a person, with whatever is nowhere else"
        return Step(message, go=True, told="RescueSkipped", warning=True)
    report = train.report
    saved = not train.running and report is not None and "rescued" in report
    if saved and _knew_all(view):
        return Step(train.message, go=True, told="Rescued")
    if _FOREGROUND in (metadata.get("finalizers") or []):
        # The volume goes before the swarm does: no pod can use it any more.
        message = f"deleted in the foreground, the volume goes first: {_gone(view)}"
        return Step(message, go=True, told="RescueGivenUp", warning=True)
    seconds = seconds_of(view)
    if hindered:
        if kept >= seconds:
            return given_up(view, hindered)
        return Step(
            f"work that is nowhere else cannot be rescued: {hindered}. It waits for that to"
            f" be mended, {seconds} s in all; {OVERRIDE}"
        )
    running = [j for j in view.jobs if job_outcome(j) is None and _may_write(j)]
    if kept >= seconds / 2:
        # What was ended keeps the volume no longer than its last pod.
        running = [j for j in running if not j["metadata"].get("deletionTimestamp")]
    if running:
        return _behind(view, running, kept)
    over = kept >= seconds
    if over and (_knew_all(view) or kept >= seconds + LAST_SECONDS):
        return given_up(view, train.message)
    why = "" if train.ok else f": {train.message}"
    message = f"work that is nowhere else is not rescued yet{why}; {OVERRIDE}"
    # A merge that ended for the deletion has not failed.
    failed = train.retry_at is not None and train.reason != _SWARM_DELETED
    waits = failed and train.retry_at is not None and view.now < train.retry_at
    return Step(message, start=over or not waits)


def _behind(view: View, running: list[Job], kept: float) -> Step:
    """What is to be done while Jobs run that may write.

    One that rescues ends by its own deadline; only where nobody keeps that is it not waited
    for. Others were told to end when the deletion began.
    """
    seconds = seconds_of(view)
    names = ", ".join(job["metadata"]["name"] for job in running[:MOST_NAMED])
    if kept >= seconds + LAST_SECONDS + _SLACK_SECONDS:
        return given_up(view, f"{names} does not end")
    hang = tuple(job for job in running if not _rescues(job))
    if hang and kept >= seconds / 2:
        message = f"{names} does not end by itself and is deleted: it keeps the volume"
        return Step(f"{message}; {OVERRIDE}", hang=hang)
    return Step(f"{names} has to end; then what is nowhere else is pushed; {OVERRIDE}")


def given_up(view: View, why: str) -> Step:
    """Let it go, with what is lost."""
    message = f"after {seconds_of(view)} s {_gone(view)}: {why or '-'}"
    return Step(message, go=True, told="RescueGivenUp", warning=True)


def seconds_of(view: View) -> int:
    """For how long it is kept at most, but for a Job that is under way then."""
    return view.spec.integration.rescue_seconds or _RESCUE_SECONDS


def finished_work(view: View) -> str:
    """A hash of what is Done now: by it a Job is told from one that could not know of all."""
    attempts = sorted(
        f"{task['metadata'].get('uid')}/{attempt_of(status_of(task))}"
        for task in view.task_index.by_state[DONE]
    )
    return sha256(" ".join(attempts).encode()).hexdigest()[:32]


def _knew_all(view: View) -> bool:
    """Whether the last Job was made when all was Done that is: runners go on until the end."""
    jobs = view.integrate_jobs
    return bool(jobs) and _rescues(jobs[0]) == finished_work(view)


def _rescues(job: Job) -> str:
    """The hash of what a Job that rescues was made for; empty of every other Job."""
    notes = job["metadata"].get("annotations") or {}
    return str(notes.get(ANNOTATION_FINISHED_WORK) or "")


def _gone(view: View) -> str:
    """What is lost; first, for what a server said may be long."""
    head = (view.status.get("integration") or {}).get("head") or ""
    last = f" (the last commit of the branch was {head[:12]})" if head else ""
    return f"not rescued, and gone with the volume is what was nowhere else{last}"


def _may_write(job: Job) -> bool:
    """Whether a Job may change the volume: who only looks at it is in nobody's way."""
    return component_of(job) != COMPONENT_INSPECT
