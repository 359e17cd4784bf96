"""What each sentence does: one function for each row of the command table.

A function gets the action and the swarm's view and answers with an ActionResult. It may be
called again after a crash, so its effect is the same when it is repeated: it sets wanted
state by value, never by difference. ``fix`` turns differences into values first; what it
returns is recorded in the command before anything is changed.
"""

from __future__ import annotations

import difflib
from typing import Any, Awaitable, Callable, Mapping

from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    DONE,
    FAILED,
    MERGED,
    SKIPPED,
)
from kiro_swarm.cluster.resources import INSTANCES, SWARMS, TASKS
from kiro_swarm.commands.action import Action, ActionResult
from kiro_swarm.commands.table import MAX_INSTANCES
from kiro_swarm.reconcile.context import Context
from kiro_swarm.reconcile.tasks import waiting_for
from kiro_swarm.reconcile.view import View, state_of

Execute = Callable[
    [Context, View, Action, Mapping[str, Any], str], Awaitable[ActionResult]
]
#: Priority of a task that a person asked for: before everything a file can say.
ASKED_PRIORITY = 1000


def fix(action: Action, view: View) -> dict[str, Any]:
    """What must be recorded before a command that is not repeatable is carried out.

    ``scale up instances 3`` carried out twice would add six: the target is fixed once.
    """
    if action.command.name in ("scale up instances", "scale down instances"):
        count = int(str(action.arguments["count"]))
        step = count if action.command.name == "scale up instances" else -count
        return {"from": view.spec.instances, "target": view.spec.instances + step}
    return {}


async def status_swarm(
    ctx: Context, view: View, action: Action, fixed: Mapping[str, Any], uid: str
) -> ActionResult:
    """``status swarm [detailed]``."""
    status = view.status
    counts = status.get("tasks") or {}
    speedup = status.get("speedup") or {}
    message = (
        f"{view.name}: {status.get('phase', 'Pending')}, "
        f"{status.get('readiness', '0/0')} instances ready, "
        f"{status.get('progress', '0/0')} tasks merged"
    )
    data: dict[str, Any] = {
        "phase": status.get("phase", "Pending"),
        "message": status.get("message", ""),
        "tasks": counts,
        "integration": status.get("integration") or {},
        "speedup": speedup,
    }
    if "detailed" in action.modifiers:
        data["instances"] = status.get("instances") or []
        data["taskStates"] = view.states
        data["conditions"] = {
            item["type"]: f"{item['status']}: {item['reason']}"
            for item in status.get("conditions") or []
        }
        data["health"] = ctx.health()
        busy = ", ".join(
            f"{name} on {task['spec']['id']}" for name, task in view.active.items()
        )
        message += f"; working: {busy or 'nobody'}; {status.get('message', '')}"
    return ActionResult(True, message, data)


async def scale(
    ctx: Context, view: View, action: Action, fixed: Mapping[str, Any], uid: str
) -> ActionResult:
    """``scale instances N`` and its relatives up and down."""
    before = int(fixed.get("from", view.spec.instances))
    target = int(fixed.get("target", str(action.arguments["count"])))
    if not 0 <= target <= MAX_INSTANCES:
        return ActionResult(
            False,
            f"that would be {target} instances; spec.instances takes 0 to "
            f"{MAX_INSTANCES}, now it is {before}",
        )
    data = {"from": before, "to": target}
    if view.spec.instances == target:
        return ActionResult(True, f"{view.name} has {target} instances wanted", data)
    await ctx.patch(SWARMS, view.swarm, {"spec": {"instances": target}})
    effect = f"kiroswarm/{view.name}: spec.instances {view.spec.instances} -> {target}"
    return ActionResult(
        True,
        f"scaled {view.name} from {before} to {target} instances",
        data,
        side_effects=(effect,),
    )


async def run_task(
    ctx: Context, view: View, action: Action, fixed: Mapping[str, Any], uid: str
) -> ActionResult:
    """``run task ID``: first in line; a failed or skipped one is tried again."""
    wanted = str(action.arguments["id"])
    task = next((item for item in view.tasks if item["spec"]["id"] == wanted), None)
    if task is None:
        hint = _nearest(wanted, list(view.states))
        return ActionResult(
            False,
            f"task {wanted} is not in swarm {view.name} ({len(view.tasks)} tasks{hint})",
        )
    state, status = state_of(task), task.get("status") or {}
    data = {"task": wanted, "state": state}
    if state == MERGED:
        return ActionResult(False, f"task {wanted} is merged already", data)
    if state in ACTIVE_STATES:
        where = status.get("instance", "")
        return ActionResult(True, f"task {wanted} is with {where} already", data)
    if state == DONE:
        return ActionResult(
            True, f"task {wanted} is done and waits for its merge", data
        )
    if task["spec"].get("runRequest") != uid:
        request = {"priority": ASKED_PRIORITY, "runRequest": uid}
        await ctx.patch(TASKS, task, {"spec": request})
    effects = (f"kirotask/{task['metadata']['name']}: first in line",)
    waits = waiting_for(view, task)
    if waits:
        message = f"task {wanted} starts as soon as {', '.join(waits)} is merged"
    elif state in (FAILED, SKIPPED):
        message = f"task {wanted} was {state.lower()}; it is tried again"
    else:
        message = f"task {wanted} is next"
    return ActionResult(
        True, message, {**data, "waitsFor": waits}, side_effects=effects
    )


async def stop_instance(
    ctx: Context, view: View, action: Action, fixed: Mapping[str, Any], uid: str
) -> ActionResult:
    """``stop instance NAME [graceful]``."""
    name = str(action.arguments["name"])
    instance = next(
        (item for item in view.instances if item["metadata"]["name"] == name), None
    )
    if instance is None:
        names = [item["metadata"]["name"] for item in view.instances]
        hint = _nearest(name, names)
        return ActionResult(False, f"instance {name} is not in swarm {view.name}{hint}")
    graceful = "graceful" in action.modifiers
    desired = "Drained" if graceful else "Stopped"
    task = view.active.get(name)
    data: dict[str, Any] = {"instance": name, "desired": desired}
    if task is not None:
        data["task"] = task["spec"]["id"]
    effects: tuple[str, ...] = ()
    if instance["spec"].get("desired", "Running") != desired:
        await ctx.patch(INSTANCES, instance, {"spec": {"desired": desired}})
        effects = (f"kiroinstance/{name}: desired {desired}",)
    if task is None:
        message = f"instance {name} stops"
    elif graceful:
        message = f"instance {name} stops after task {task['spec']['id']}"
    else:
        message = f"instance {name} stops; task {task['spec']['id']} goes to another"
    return ActionResult(True, message, data, side_effects=effects)


def _nearest(wanted: str, names: list[str]) -> str:
    """A hint with the most similar name, or an empty string."""
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.3)
    return f"; nearest: {near[0]}" if near else ""


EXECUTORS: dict[str, Execute] = {
    "status swarm": status_swarm,
    "scale instances": scale,
    "scale up instances": scale,
    "scale down instances": scale,
    "run task": run_task,
    "stop instance": stop_instance,
}
