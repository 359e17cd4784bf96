"""Sentences that only look: status and explain. They change nothing and wait for nobody."""

from __future__ import annotations

from typing import Mapping, Sequence

from kiro_swarm.api.access import status_of
from kiro_swarm.policy.conflicts import predicted
from kiro_swarm.policy.times import seconds_between, stamp
from kiro_swarm.reconcile.commands.executors.find import task_of, the_instance, the_task
from kiro_swarm.reconcile.commands.executors.health_problems import problems, scoped
from kiro_swarm.reconcile.commands.executors.plan import Outcome, Request, done
from kiro_swarm.reconcile.commands.executors.writes import desired_of
from kiro_swarm.reconcile.commands.explain import explain
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.swarms.conditions import question_of
from kiro_swarm.reconcile.tasks.standstill import standstill
from kiro_swarm.reconcile.tasks.transitions import waiting_for

#: Phases that say too little without the message of the status.
_NEEDS_WORDS = ("Failed", "Preparing")


def status_swarm(request: Request) -> Outcome:
    """``status swarm [detailed] [health]``."""
    view, status = request.view, request.view.status
    message = (
        f"{view.name}: {status.get('phase', 'Pending')}, "
        f"{status.get('readiness', '0/0')} instances ready, "
        f"{status.get('progress', '0/0')} tasks merged"
    )
    if status.get("phase") in _NEEDS_WORDS and not request.said("detailed"):
        message += f": {status.get('message') or 'no reason is known'}"
    elif not request.said("detailed"):
        message += _waits_for_people(view)
    data: dict[str, object] = {
        "phase": status.get("phase", "Pending"),
        "message": status.get("message", ""),
        "tasks": status.get("tasks") or {},
        "integration": status.get("integration") or {},
        "speedup": status.get("speedup") or {},
        "forecast": status.get("forecast") or {},
    }
    if request.said("detailed") or request.said("health"):
        health = scoped(request.health(), view.namespace)
        data["conditions"] = {
            item["type"]: f"{item['status']}: {item['reason']}"
            for item in status.get("conditions") or []
        }
        data["health"] = health
    if request.said("detailed"):
        data["instances"] = status.get("instances") or []
        data["taskStates"] = view.states
        busy = [f"{name} on {task['spec']['id']}" for name, task in view.active.items()]
        busy += [
            f"{name} perhaps on {task['spec']['id']}"
            for task, name in view.promised.given
            if name not in view.active
        ]
        message += f"; working: {', '.join(busy) or 'nobody'}"
        message += f"; {status.get('message', '')}"
        forecast = status.get("forecast")
        if forecast:
            message += f"; {forecast.get('message', '')}"
    if request.said("health"):
        found = problems(view, health)
        data["healthy"], data["problems"] = not found, found
        verdict = f"not well: {'; '.join(found)}" if found else "everything is well"
        message += f"; {verdict}"
    return Outcome(True, message, data)


def _waits_for_people(view: View) -> str:
    """What a person is asked or holds, each with the sentence that answers it."""
    still = standstill(view)
    parts = [question_of(view), still.line if still else ""]
    return "".join(f"; {part}" for part in parts if part)


def status_task(request: Request) -> Outcome:
    """``status task ID``: where it is, with whom, what it waits for."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    view, spec, status = request.view, task["spec"], status_of(task)
    wanted, state, attempt = spec["id"], state_of(task), int(status.get("attempt") or 0)
    waits = waiting_for(view, task)
    parts = [f"task {wanted} ({spec.get('title') or 'without a title'}): {state}"]
    if status.get("instance"):
        parts[0] += f" with {status['instance']}"
    if attempt:
        parts.append(f"attempt {attempt}")
    if status.get("startedAt") and not status.get("finishedAt"):
        worked = seconds_between(status["startedAt"], stamp(view.now))
        parts.append(f"for {worked:.0f} s")
    if waits:
        parts.append(f"waits for {', '.join(waits)}")
    if spec.get("paused"):
        parts.append("paused")
    if spec.get("assignedTo"):
        parts.append(f"for {spec['assignedTo']} alone")
    if spec.get("mode") == "BeastMode":
        parts.append("in beast mode")
    said = status.get("message") or (status.get("progress") or {}).get("message")
    message = ", ".join(parts) + (f": {said}" if said else "")
    if predicted(status):
        message += f"; {predicted(status)}"
    data = {
        **_some(spec, _SPEC),
        **_some(status, _STATUS),
        "task": wanted,
        "state": state,
        "waitsFor": waits,
    }
    return done(message, **data)


def _some(values: Mapping[str, object], names: Sequence[str]) -> dict[str, object]:
    return {name: values[name] for name in names if name in values}


_SPEC = ("title", "dependencies", "priority", "mode", "assignedTo", "paused")
_STATUS = (
    *("attempt", "failures", "instance", "branch", "baseCommit", "commit"),
    *("mergeCommit", "readyAt", "startedAt", "finishedAt", "mergedAt", "reason"),
    *("message", "progress", "history", "cycles", "runningSeconds", "conditions"),
)


def status_instance(request: Request) -> Outcome:
    """``status instance NAME``: how it is, what it has, which pod."""
    instance = the_instance(request)
    if isinstance(instance, Outcome):
        return instance
    name, status = instance["metadata"]["name"], status_of(instance)
    phase, desired = status.get("phase") or "Pending", desired_of(instance)
    task = task_of(request.view, name)
    message = f"instance {name}: {phase}"
    message += f" with task {task}" if task else ", without a task"
    if status.get("pod"):
        message += f", pod {status['pod']}"
        message += f" on {status['node']}" if status.get("node") else ""
    if status.get("restarts"):
        message += f", its pod was replaced {status['restarts']} times"
    if desired != "Running":
        message += f", wanted {desired}: `resume instance {name}` undoes it"
    message += f"; {status['message']}" if status.get("message") else ""
    known = ("pod", "node", "restarts", "branch", "readyAt", "message")
    return done(
        message,
        **_some(status, known),
        instance=name,
        phase=phase,
        desired=desired,
        task=task,
        colour=instance["spec"].get("colour", ""),
    )


def explain_task(request: Request) -> Outcome:
    """``explain task ID``: why it is not running, or what it is at."""
    task = the_task(request)
    if isinstance(task, Outcome):
        return task
    explanation = explain(request.view, task)
    return done(explanation.text, **explanation.data)
