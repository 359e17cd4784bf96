"""Views of a swarm, made by hand, for the pure parts of a reconcile."""

from __future__ import annotations

from typing import Any, Optional

from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.policy.times import stamp
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.integrate import Train
from kiro_swarm.reconcile.swarms.prepare import Prepared
from tests.unit.reconcile.surroundings import START, swarm_spec

Object = Any
DONE = Prepared(True, "Prepared", "", 1)
PREPARING = Prepared(None, "Preparing", "reading the repository", 1)
REFUSED = Prepared(False, "RemoteUnavailable", "cannot reach it", 1, START)
WELL = Train(2, running=False, ok=True)
BUSY = Train(2, running=True, ok=True)
PUSH = Train(2, running=False, ok=False, message="refused", reason="PushRefused")


def task(number: int, state: str, **status: Any) -> Object:
    return {
        "metadata": {"name": f"demo-{number}"},
        "spec": {"id": str(number), "order": number},
        "status": {"state": state, **status},
    }


def instance(index: int, phase: str = "Ready") -> Object:
    return {
        "metadata": {"name": f"demo-{index}", "uid": f"demo-{index}-uid"},
        "spec": {"index": index, "colour": "#007fff"},
        "status": {"phase": phase},
    }


def view(
    *states: str,
    ready: int = 2,
    before: Optional[Object] = None,
    tasks: Optional[list[Object]] = None,
    deleting: bool = False,
    **spec: Any,
) -> View:
    if tasks is None:
        tasks = [task(n, state) for n, state in enumerate(states, 1)]
    for item in tasks:
        if item["status"]["state"] in ("Bound", "Running"):
            item["status"].setdefault("instance", "demo-1")
    metadata: Object = {
        "name": "demo",
        "namespace": "team",
        "uid": "u",
        "generation": 3,
    }
    if deleting:
        metadata["deletionTimestamp"] = stamp(START)
    swarm: Object = {"metadata": metadata, "status": before or {}}
    return View(
        swarm=swarm,
        spec=KiroSwarmSpec.model_validate(swarm_spec(**spec)),
        instances=[instance(1), instance(2)][:ready]
        + [instance(n, "Pending") for n in range(ready + 1, 3)],
        tasks=tasks,
        jobs=[],
        pods=[],
        now=START,
    )


def conditions(status: Object) -> dict[str, str]:
    """Condition -> "status reason"."""
    return {c["type"]: f"{c['status']} {c['reason']}" for c in status["conditions"]}
