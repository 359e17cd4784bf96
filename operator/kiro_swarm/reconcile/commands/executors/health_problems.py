"""What is not well in a swarm and in its operator, a line each. Pure.

Used by ``status swarm health``. An empty list means that nobody has to look closer.
"""

from __future__ import annotations

import re
from typing import Mapping, Sequence

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import FAILED
from kiro_swarm.policy.conditions import find
from kiro_swarm.reconcile.commands.executors.find import counted, listed
from kiro_swarm.reconcile.commands.executors.writes import desired_of
from kiro_swarm.reconcile.snapshot.view import View
from kiro_swarm.reconcile.swarms.integrate import observe

#: How a part names an object: namespace/name.
_NAMED = re.compile(r"([a-z0-9.-]+)/[a-z0-9.-]+: ")
_WELL = ("Ready", "Busy")


def problems(view: View, operator: Sequence[Mapping[str, object]]) -> list[str]:
    """Why a swarm does not get on as it could, the gravest first.

    :param operator: health of the parts of the operator: name, alive, ready, reasons.
    """
    return [
        *_stalled(view),
        *_failed(view),
        *_merging(view),
        *_instances(view),
        *_parts(operator),
    ]


def scoped(
    operator: Sequence[Mapping[str, object]], namespace: str
) -> list[Mapping[str, object]]:
    """The health of the operator for who may read this namespace: no objects of others."""
    return [{**part, "reasons": _of(part["reasons"], namespace)} for part in operator]


def _of(reasons: object, namespace: str) -> object:
    if not isinstance(reasons, (list, tuple)):
        return reasons
    foreign = [
        reason
        for reason in reasons
        if (of := _NAMED.match(str(reason))) and of.group(1) != namespace
    ]
    kept = [reason for reason in reasons if reason not in foreign]
    if foreign:
        kept.append(f"{counted(len(foreign), 'object')} of other namespaces")
    return kept


def _stalled(view: View) -> list[str]:
    stalled = find(view.status.get("conditions") or [], "Stalled")
    if stalled is None or stalled["status"] != "True":
        return []
    return [f"stalled ({stalled['reason']}): {stalled.get('message', '')}"]


def _merging(view: View) -> list[str]:
    train = observe(view)
    return [] if train.ok else [f"the merge train ({train.reason}): {train.message}"]


def _failed(view: View) -> list[str]:
    names = [task for task, state in view.states.items() if state == FAILED]
    if not names:
        return []
    return [f"{counted(len(names), 'task')} failed ({listed(names)})"]


def _instances(view: View) -> list[str]:
    """Those that are wanted and not ready, each with its own words."""
    found = []
    for item in view.instances:
        status = status_of(item)
        phase, why = status.get("phase") or "Pending", status.get("message")
        idle = view.spec.suspend or desired_of(item) != "Running"
        if not idle and phase not in _WELL:
            name = item["metadata"]["name"]
            found.append(f"instance {name} is {phase}: {why or 'its pod starts'}")
    missing = view.spec.instances - len(view.instances)
    if missing > 0 and not view.spec.suspend:
        found.append(f"{counted(missing, 'instance')} not made yet")
    return found


def _parts(operator: Sequence[Mapping[str, object]]) -> list[str]:
    return [
        f"operator: {part['name']} is not ready: {_reasons(part) or '?'}"
        for part in operator
        if not (part.get("alive", True) and part.get("ready", True))
    ]


def _reasons(part: Mapping[str, object]) -> str:
    reasons = part["reasons"]
    return ", ".join(reasons) if isinstance(reasons, (list, tuple)) else str(reasons)
