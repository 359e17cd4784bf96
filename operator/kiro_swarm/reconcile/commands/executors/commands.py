"""Sentences about SwarmCommands and what they leave: cancel command, cleanup swarm."""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.api.kubernetes import Job, KubernetesObject
from kiro_swarm.api.meta import COMPONENT_INTEGRATE, COMPONENT_PREPARE
from kiro_swarm.cluster.resources import COMMANDS, JOBS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.times import parse, stamp
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.commands.executors.find import counted, not_there
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import command_status, deleted
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    is_working,
    phase_of,
    unlogged,
)
from kiro_swarm.reconcile.snapshot.view import job_outcome

_MESSAGE = 4096


def cancel_command(request: Request) -> Outcome:
    """``cancel command NAME``: one that has no answer yet gets no other than this."""
    name = request.argument("name")
    others = {_name(item): item for item in request.commands()}
    if name == request.name:
        return failed(f"command {name} is this very command: nobody cancels himself")
    others.pop(request.name, None)
    if name not in others:
        return not_there(request, "command", name, sorted(others))
    command = others[name]
    status, phase = status_of(command), phase_of(command)
    by = f"cancelled by command {request.name}"
    data = {"command": name, "phase": phase}
    message = f"command {name} is cancelled; what it has done until then stays"
    if phase == "Cancelled" and str(status.get("message", "")).startswith(by):
        return done(message, **data)
    if phase in FINISHED:
        when = _time_of_day(status.get("finishedAt"))
        return failed(
            f"command {name} already finished ({phase}{when}): nothing to cancel",
            **data,
        )
    patch = _cancelled(request, command, by)
    effect = command_status(command, f"{phase} -> Cancelled", patch)
    return done(message, effect, **data)


def _time_of_day(finished: Optional[str]) -> str:
    when = parse(finished)
    return "" if when is None else f", {when:%H:%M:%S}Z"


def _cancelled(request: Request, command: SwarmCommand, by: str) -> SwarmCommandStatus:
    """The last status of a command that another one ends."""
    status, now = status_of(command), request.view.now
    there = {f"job/{_name(job)}" for job in request.view.jobs}
    # What it changes is recorded first: a Job that was refused is not there.
    made = [
        item["says"]
        for item in status.get("changes") or []
        if not str(item.get("object")).startswith("job/") or item["object"] in there
    ]
    message = f"{by}; {'; '.join(made)}" if made else f"{by}; it has changed nothing"
    if made and is_working(command):
        message = f"{by}; this may be done or not: {'; '.join(made)}"
    said = one_line(message, _MESSAGE)
    ended = condition(
        [],
        "Failed",
        True,
        "Cancelled",
        message,
        generation=command["metadata"].get("generation", 1),
        now=now,
    )
    return {
        "phase": "Cancelled",
        "reason": "Cancelled",
        "message": said,
        "result": {"success": False, "message": said, "sideEffects": made},
        "startedAt": status.get("startedAt") or stamp(now),
        "finishedAt": stamp(now),
        "conditions": [ended],
    }


def pin_cleanup(request: Request) -> Data:
    """How much there is to delete: afterwards nothing tells."""
    commands, jobs = _finished_commands(request), _finished_jobs(request)
    return {"commands": len(commands), "jobs": len(jobs)}


def cleanup_swarm(request: Request) -> Outcome:
    """``cleanup swarm``: finished commands with their results, finished Jobs.

    The audit log keeps what the commands did.
    """
    effects = [deleted(COMMANDS, item) for item in _finished_commands(request)]
    effects += [deleted(JOBS, item) for item in _finished_jobs(request)]
    commands, jobs = request.pinned.number("commands"), request.pinned.number("jobs")
    message = (
        f"deleted {counted(commands, 'finished command')} and "
        f"{counted(jobs, 'finished Job')} of {request.view.name}"
    )
    return done(message, *effects, commands=commands, jobs=jobs)


def _name(item: KubernetesObject) -> str:
    return str(item["metadata"]["name"])


def _finished_commands(request: Request) -> list[SwarmCommand]:
    return [
        item
        for item in request.commands()
        if phase_of(item) in FINISHED and _stays_there(item) and not unlogged(item)
    ]


def _finished_jobs(request: Request) -> list[Job]:
    """Those whose termination messages nobody looks at any more.

    Kept are the last prepare and integrate Job, and those of commands without an answer.
    """
    view = request.view
    kept = {
        _name(job)
        for component in (COMPONENT_PREPARE, COMPONENT_INTEGRATE)
        for job in view.jobs_of(component)[:1]
    }
    for item in request.commands():
        if phase_of(item) not in FINISHED:
            uid = item["metadata"]["uid"]
            kept |= {
                naming.sync_job(view.name, uid),
                naming.inspect_job(view.name, uid),
            }
    return [
        job
        for job in view.jobs
        if job_outcome(job) is not None and _name(job) not in kept and _stays_there(job)
    ]


def _stays_there(item: KubernetesObject) -> bool:
    return not item["metadata"].get("deletionTimestamp")
