"""KiroSwarm.status.forecast from a view: what is critical, when it is done, who is late.

Called when a status is about to be written, and not more often: looking ahead costs
milliseconds of simulation. Pure.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Optional

from kiro_swarm.api import swarm_status
from kiro_swarm.api.meta import BLOCKED, DONE, FAILED, READY
from kiro_swarm.api.pieces import Pieces, whole
from kiro_swarm.api.task import KiroTask
from kiro_swarm.policy.approval import asks_person, may_merge
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.snapshot.measured import waits_for_nothing_known
from kiro_swarm.reconcile.snapshot.text import MOST_NAMES, clock, listed, spoken
from kiro_swarm.reconcile.snapshot.view import View, state_of
from kiro_swarm.reconcile.tasks.hand_out import lacking, wanted
from kiro_swarm.reconcile.tasks.lateness import elapsed, is_late
from kiro_swarm.reconcile.tasks.standstill import is_held
from kiro_swarm.tasks.plan.forecast import Forecast, forecasting
from kiro_swarm.tasks.plan.graph import CycleError

_MOST_NAMED = 50
#: Later than this, in seconds, is no date that anybody can use.
_FAR = 10 * 365 * 86400.0


def outlook(view: View) -> swarm_status.Forecast:
    """``status.forecast``; None stands for a field that is not there."""
    return whole(looking_ahead(view))


def looking_ahead(view: View) -> Pieces[swarm_status.Forecast]:
    """The same piece by piece."""
    found = yield from _look_ahead(view)
    if found is None:
        return {"message": "no forecast: tasks wait for each other in a circle"}
    ids = [task["spec"]["id"] for task in view.tasks]

    def named(numbers: list[int]) -> list[str]:
        return [ids[number] for number in numbers[:_MOST_NAMED]]

    # A guess of no task of this swarm is wide enough to frighten, and helps nobody.
    known = view.measured.known
    low, middle, high = (
        _at(view.now, seconds) if found.critical_path and known else None
        for seconds in (found.low, found.seconds, found.high)
    )
    times = [clock(at, view.now) for at in (middle, low, high) if at is not None]
    return {
        "message": _message(view, found, ids, times),
        "criticalPath": named(found.critical_path),
        "criticalSeconds": round(found.critical_seconds, 1) if known else None,
        "usableNow": found.usable_now,
        "useful": found.useful,
        "moreInstancesHelp": found.more_instances_help,
        "finishAt": stamp(middle) if middle else None,
        "finishLow": stamp(low) if low else None,
        "finishHigh": stamp(high) if high else None,
        "late": named(found.late),
        "stuck": named(found.stuck),
    }


def _look_ahead(view: View) -> Pieces[Optional[Forecast]]:
    learned = view.measured
    yield
    states = [
        FAILED if _needs_a_person(view, task) else state_of(task) for task in view.tasks
    ]
    yield
    worked = [elapsed(view, task) for task in view.tasks]
    yield
    people = 0 if view.spec.suspend else max(len(wanted(view)), len(view.active))
    try:
        found = yield from forecasting(
            learned.graph,
            states,
            learned.estimates,
            worked,
            people,
            lag=learned.lag,
        )
    except CycleError:
        return None
    late = [number for number in found.late if is_late(view, view.tasks[number])]
    return replace(found, late=late)


def _needs_a_person(view: View, task: KiroTask) -> bool:
    """Whether a task that is not under way cannot go on by itself."""
    if asks_person(task, view.spec.integration.approval):
        return True
    if state_of(task) not in (BLOCKED, READY):
        return False
    if state_of(task) == READY and (lacking(view, task) or is_held(view, task)):
        return True
    paused = bool(task["spec"].get("paused"))
    return paused or waits_for_nothing_known(task, view.measured.numbers)


def _at(now: datetime, seconds: float) -> Optional[datetime]:
    if not math.isfinite(seconds):
        return None
    # Whole seconds: more would only look more precise.
    return now + timedelta(seconds=round(min(seconds, _FAR)))


def _message(view: View, found: Forecast, ids: list[str], times: list[str]) -> str:
    parts = []
    approval = view.spec.integration.approval
    unmerged = [
        task["spec"]["id"]
        for task in view.task_index.by_state[DONE]
        if may_merge(task, approval)
    ]
    known = view.measured.known
    if not found.critical_path and unmerged:
        parts.append(f"only merging is left: {listed(unmerged)}")
    elif not found.critical_path:
        parts.append(
            "nothing is left to do" if not found.stuck else "nothing can go on"
        )
    elif not math.isfinite(found.seconds):
        parts.append("nobody works")
    elif not known:
        parts.append("how long it takes is not measured yet")
    else:
        parts.append("done about {}, probably between {} and {}".format(*times))
    if found.critical_path:
        path = [ids[number] for number in found.critical_path]
        chain = " > ".join(path[:MOST_NAMES] + ["..."] * (len(path) > MOST_NAMES))
        took = f" ({spoken(found.critical_seconds)})" if known else ""
        parts.append(f"longest chain {chain}{took}")
        parts.append(_about_instances(found))
    if found.late:
        parts.append(f"late: {listed(ids[number] for number in found.late)}")
    if found.stuck:
        parts.append(
            f"waiting for a person: {listed(ids[number] for number in found.stuck)}"
        )
    return "; ".join(parts)[:1024]


def _about_instances(found: Forecast) -> str:
    if found.more_instances_help:
        return f"up to {found.useful} instances would make it faster"
    are = "1 is" if found.useful == 1 else f"{found.useful} are"
    return f"more instances will not help: {are} as fast as any number"
