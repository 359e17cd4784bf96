"""Jobs of a scene, with the termination message of their pods."""

from __future__ import annotations

import json
from typing import Any, Optional

from kiro_swarm.policy.times import stamp
from tests.unit.reconcile.executors.builders import Scene
from tests.unit.reconcile.surroundings import START

Object = Any


def owned(**spec: Any) -> Scene:
    """A scene whose swarm can own what is made for it."""
    made = Scene(**spec)
    made.swarm.update(apiVersion="swarm.kiro.dev/v1alpha1", kind="KiroSwarm")
    condition = {"type": "Prepared", "status": "True", "reason": "Prepared"}
    made.swarm["status"] = {"conditions": [condition]}
    return made


def job(
    made: Scene,
    name: str,
    ended: Optional[bool] = None,
    said: Optional[Object] = None,
    why: str = "",
) -> None:
    """A Job in place of an earlier one of its name; ``ended``: None while it runs."""
    component = name.split("-")[1]
    labels = {"swarm.kiro.dev/component": component}
    item: Object = {"metadata": {"name": name, "uid": f"j-{name}", "labels": labels}}
    if ended is not None:
        condition = {
            "type": "Complete" if ended else "Failed",
            "status": "True",
            "lastTransitionTime": stamp(START),
            "message": why,
        }
        item["status"] = {"conditions": [condition]}
    made.jobs = [one for one in made.jobs if one["metadata"]["name"] != name]
    made.jobs.append(item)
    if said is not None:
        state = {"terminated": {"exitCode": 0, "message": json.dumps(said)}}
        pod(made, name, {"name": "main", "state": state})


def pod(made: Scene, name: str, container: Object) -> None:
    """The pod of a Job."""
    made.pods[name] = {
        "metadata": {
            "name": f"{name}-x",
            "uid": f"p-{name}",
            "ownerReferences": [{"uid": f"j-{name}"}],
        },
        "status": {"containerStatuses": [container]},
    }
