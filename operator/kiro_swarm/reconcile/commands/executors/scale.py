"""Sentences about how many instances there are: scale, scale up, scale down."""

from __future__ import annotations

from typing import Any, Mapping

from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.commands.table import MAX_INSTANCES
from kiro_swarm.reconcile.commands.executors.plan import (
    Effect,
    Outcome,
    Request,
    done,
    failed,
)

_SIGN = {"scale up instances": 1, "scale down instances": -1}


def pin(request: Request) -> Mapping[str, Any]:
    """``scale up instances 3`` done twice would add six: the target is pinned once."""
    now, count = request.view.spec.instances, int(request.argument("count"))
    sign = _SIGN.get(request.action.command.name)
    return {"from": now, "target": count if sign is None else now + sign * count}


def scale(request: Request) -> Outcome:
    """Set spec.instances to the target."""
    view, named = request.view, request.argument("name")
    if named not in ("", view.name):
        return failed(
            f"this command is to swarm {view.name} (spec.swarm), and its sentence says "
            f"{named}; nothing is scaled"
        )
    before, target = int(request.pinned["from"]), int(request.pinned["target"])
    if not 0 <= target <= MAX_INSTANCES:
        return failed(
            f"that would be {target} instances; spec.instances takes 0 to "
            f"{MAX_INSTANCES}, now it is {before}"
        )
    data = {"from": before, "to": target}
    if before == target:
        return done(f"{view.name} has {target} instances wanted", **data)
    message = f"scaled {view.name} from {before} to {target} instances"
    if view.spec.instances == target:
        return done(message, **data)
    effect = Effect(
        "patch",
        SWARMS,
        view.swarm,
        f"kiroswarm/{view.name}: spec.instances {view.spec.instances} -> {target}",
        {"spec": {"instances": target}},
    )
    return done(message, effect, **data)
