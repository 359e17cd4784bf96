"""Sentences about the running of one task: run, stop, pause, resume."""

from __future__ import annotations

from typing import Optional

from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    DONE,
    FAILED,
    MERGED,
    READY,
    SKIPPED,
)
from kiro_swarm.api.task import KiroTask, KiroTaskSpecPatch, Mode
from kiro_swarm.policy.approval import asks_person
from kiro_swarm.reconcile.commands.executors.find import listed, the_task
from kiro_swarm.reconcile.commands.executors.plan import (
    Data,
    Effect,
    Outcome,
    Request,
    done,
    failed,
)
from kiro_swarm.reconcile.commands.executors.writes import (
    generation_of,
    overruled,
    take_back,
    task_spec,
    told_task,
)
from kiro_swarm.reconcile.snapshot.view import state_of
from kiro_swarm.reconcile.tasks.transitions import waiting_for

#: Priority of a task that a person asked for: before everything a file can say.
ASKED_PRIORITY = 1000
_WAITING = (BLOCKED, READY)


def pin_run(request: Request) -> Data:
    """The mode of before: it is that of an attempt under way."""
    task = the_task(request)
    return {} if isinstance(task, Outcome) else {"mode": _mode(task)}


def run_task(request: Request) -> Outcome:
    """``run task ID [beast-mode]``: first in line; a failed or skipped one again.

    The sentence says the mode as well: without ``beast-mode`` it is a normal run. An
    attempt under way keeps its own.
    """
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state = task["spec"]["id"], state_of(task)
    mode: Mode = "BeastMode" if request.said("beast-mode") else "Normal"
    data = {"task": wanted, "state": state, "mode": mode}
    if state == MERGED:
        return failed(f"task {wanted} is merged already", task=wanted, state=state)
    if state == DONE:
        message = f"task {wanted} is done and waits for its merge"
        if asks_person(task, request.view.spec.integration.approval):
            message = (
                f"task {wanted} is done and waits for you: `approve task {wanted}`"
            )
        return done(message, task=wanted, state=state)
    if state in ACTIVE_STATES:
        return _at_work(request, task, mode, data)
    waits = waiting_for(request.view, task)
    how = " in beast mode" if mode == "BeastMode" else ""
    if waits:
        message = f"task {wanted} starts{how} as soon as {_merged(waits)}"
    elif state in (FAILED, SKIPPED):
        message = f"task {wanted} was {state.lower()}; it is tried again{how}"
    else:
        message = f"task {wanted} is next{how}"
    if request.view.spec.suspend:
        message += f"; {request.view.name} is paused: `resume swarm` lets it start"
    return done(message, *ask(request, task, mode=mode), **data, waitsFor=waits)


def ask(
    request: Request, task: KiroTask, mode: Optional[Mode] = None
) -> tuple[Effect, ...]:
    """The effect that puts a task first in line; a failed one is tried again.

    It carries the uid of the command, so that asking is done once: none if it was.
    """
    if task["spec"].get("runRequest") == request.uid:
        return ()
    says = "first in line"
    if task["spec"].get("paused"):
        says += ", resumed"
    if mode is not None and mode != _mode(task):
        says += f", spec.mode {_mode(task)} -> {mode}"
    wanted: KiroTaskSpecPatch = {
        "priority": ASKED_PRIORITY,
        "runRequest": request.uid,
        "paused": False,
    }
    if mode is not None:
        wanted["mode"] = mode
    return (told_task(task, says, **wanted),)


def _merged(waits: list[str]) -> str:
    return f"{listed(waits)} {'is' if len(waits) == 1 else 'are'} merged"


def _mode(task: KiroTask) -> Mode:
    return task["spec"].get("mode") or "Normal"


def _at_work(request: Request, task: KiroTask, mode: Mode, data: Data) -> Outcome:
    """The answer for a task that an instance works on."""
    wanted, where = task["spec"]["id"], task["status"].get("instance", "")
    message = f"task {wanted} is with {where} already"
    if mode != "BeastMode":
        return done(message, task=wanted, state=data["state"])
    if request.pinned.text("mode") == "BeastMode":
        return done(f"{message}, in beast mode", **data)
    message += (
        "; beast mode counts from its next attempt: "
        f"`stop task {wanted}`, then `run task {wanted} beast-mode` begins one now"
    )
    return done(message, *task_spec(task, mode="BeastMode"), **data)


def pin_stop(request: Request) -> Data:
    """The attempt that is stopped: a later one is not meant."""
    task = the_task(request)
    if isinstance(task, Outcome) or state_of(task) not in ACTIVE_STATES:
        return {}
    status = task["status"]
    return {
        "attempt": status["attempt"],
        "instance": status.get("instance", ""),
        "generation": generation_of(task),
    }


def stop_task(request: Request) -> Outcome:
    """``stop task ID``: its attempt is taken back, and it is paused."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state = task["spec"]["id"], state_of(task)
    if not request.pinned:
        message = f"task {wanted} is {state.lower()}, nobody works on it"
        if state in _WAITING:
            message += f"; `pause task {wanted}` keeps it from starting"
        return failed(message, task=wanted, state=state)
    pinned = request.pinned
    attempt, instance = pinned.number("attempt"), pinned.text("instance")
    data = {"task": wanted, "attempt": attempt, "instance": instance}
    if state not in (*ACTIVE_STATES, *_WAITING):
        message = f"task {wanted} came to its end before: it is {state.lower()}"
        return done(message, **data)
    effects: tuple[Effect, ...] = ()
    if state in ACTIVE_STATES and task["status"]["attempt"] == attempt:
        # Paused first: a task that is only ready would be given away again.
        effects = task_spec(task, paused=True) + take_back(request, task, "Stopped")
    elif not overruled(request, task):
        effects = task_spec(task, paused=True)
    message = (
        f"task {wanted} is stopped: attempt {attempt} with {instance} is given up; "
        f"`resume task {wanted}` lets it start again"
    )
    return done(message, *effects, **data)


def pause_task(request: Request) -> Outcome:
    """``pause task ID``: it is not started; an attempt under way ends."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    wanted, state = task["spec"]["id"], state_of(task)
    if state not in (*ACTIVE_STATES, *_WAITING):
        return failed(
            f"task {wanted} is {state.lower()}: there is nothing to pause",
            task=wanted,
            state=state,
        )
    message = f"task {wanted} is paused"
    if state in ACTIVE_STATES:
        where = task["status"].get("instance", "")
        message += (
            f"; attempt {task['status']['attempt']} with {where} goes on "
            f"(`stop task {wanted}` ends it)"
        )
    message += f"; `resume task {wanted}` lets it start again"
    return done(message, *task_spec(task, paused=True), task=wanted, state=state)


def resume_task(request: Request) -> Outcome:
    """``resume task ID``: undoes ``pause task`` and ``stop task``."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    view, wanted, state = request.view, task["spec"]["id"], state_of(task)
    waits = waiting_for(view, task)
    message = f"task {wanted} is not paused"
    if state == BLOCKED and waits:
        message += f"; it starts as soon as {_merged(waits)}"
    elif state == READY:
        message += ": an instance takes it when its turn comes"
    else:
        message += f"; it is {state.lower()}"
    if view.spec.suspend:
        message += f"; {view.name} is paused: `resume swarm` lets it start"
    return done(message, *task_spec(task, paused=False), task=wanted, state=state)
