"""What the views ask of an object of the cluster, whatever of it is missing. Pure.

Called by every view. Nothing here raises for a field that is absent or of another type:
a view of half an object is worth more than a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Optional

from kiro_swarm.api.meta import ACTIVE_STATES, BLOCKED, DONE, MERGED, SATISFIED_STATES
from kiro_swarm.cli.kubectl.views.text import clean
from kiro_swarm.policy.colours import colour_of
from kiro_swarm.policy.conflicts import CONFLICT_PREDICTED
from kiro_swarm.policy.times import parse

Object = Mapping[str, object]
_NUMBERED: Final = re.compile(r"-([1-9][0-9]{0,5})\Z")
_CODE: Final = re.compile(r"#[0-9a-fA-F]{6}\Z")
_DIGITS: Final = re.compile(r"([0-9]+)")


def part(item: object, key: str) -> Mapping[str, object]:
    """The dict ``item[key]``, empty when there is none."""
    value = item.get(key) if isinstance(item, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[object]:
    """The list ``value``, empty when it is none."""
    return value if isinstance(value, list) else []


def number(value: object, default: float = 0) -> float:
    """``value`` as a number, ``default`` when it is none."""
    if not isinstance(value, (int, float)) or value != value:
        return default
    return value


def name(item: Object) -> str:
    """The object's name."""
    return clean(part(item, "metadata").get("name"))


def created(item: Object) -> object:
    """When the object was created, as it says it."""
    return part(item, "metadata").get("creationTimestamp")


def task_id(task: Object) -> str:
    """Id of a task; a task without one goes by its object's name."""
    return clean(part(task, "spec").get("id"), 128) or name(task)


def state(task: Object) -> str:
    """State of a task."""
    return clean(part(task, "status").get("state"), 32) or BLOCKED


def in_file_order(tasks: Iterable[Object]) -> list[Object]:
    """Tasks as the task file has them; by id where the order is not known."""
    return sorted(
        tasks, key=lambda t: (number(part(t, "spec").get("order")), _by_id(task_id(t)))
    )


def _by_id(text: str) -> list[tuple[int, str]]:
    return [
        (int(piece[:18]) if piece.isdecimal() else -1, piece)
        for piece in _DIGITS.split(text)
    ]


def dependencies(task: Object) -> list[str]:
    """Ids that a task waits for, cleaned as ``task_id`` does it."""
    return [clean(i, 128) for i in items(part(task, "spec").get("dependencies"))]


def waits_for(task: Object, states: Mapping[str, str]) -> list[str]:
    """Ids of the dependencies that are not merged or skipped yet."""
    return [i for i in dependencies(task) if states.get(i) not in SATISFIED_STATES]


def states_of(tasks: Iterable[Object]) -> dict[str, str]:
    """State by task id."""
    return {task_id(task): state(task) for task in tasks}


def why(
    task: Object, states: Mapping[str, str], merged: bool = False, asks: bool = False
) -> str:
    """Why a task is in its state, in one line; ``merged``: finished ones say it, too;
    ``asks``: its swarm asks a person before a merge (``asks_people``)."""
    status, spec = part(task, "status"), part(task, "spec")
    current = state(task)
    if spec.get("paused") is True:
        return "paused"
    message = clean(status.get("message"), 1024)
    in_the_way = condition(status, CONFLICT_PREDICTED)
    if asks and current == DONE and not _approved(spec, status):
        words, more = (
            f"`approve task {task_id(task)}` or reject it",
            in_the_way or message,
        )
        return f"{words}; {more}" if more else words
    if in_the_way and current in ACTIVE_STATES | {DONE}:
        return in_the_way
    if current in ACTIVE_STATES:
        progress = clean(part(status, "progress").get("message"), 1024)
        return progress or message
    if current == MERGED and not merged:
        return ""
    open_ids = waits_for(task, states) if current == BLOCKED else []
    if open_ids:
        more = f" +{len(open_ids) - 4}" if len(open_ids) > 4 else ""
        return f"waits for {', '.join(open_ids[:4])}{more}"
    reason = clean(status.get("reason"), 64)
    return f"{reason}: {message}" if reason and message else message or reason


def asks_people(swarm: Object) -> bool:
    """Whether a swarm asks a person before it merges."""
    integration = part(part(swarm, "spec"), "integration")
    return integration.get("approval") == "Required"


def _approved(spec: Mapping[str, object], status: Mapping[str, object]) -> bool:
    attempt = number(status.get("attempt"))
    return attempt > 0 and number(spec.get("approvedAttempt")) == attempt


def condition(status: Mapping[str, object], kind: str) -> str:
    """The message of a condition that is True; empty when it is not, or is absent."""
    for item in items(status.get("conditions")):
        if isinstance(item, dict) and item.get("type") == kind:
            holds = item.get("status") == "True"
            return (clean(item.get("message"), 1024) or kind) if holds else ""
    return ""


def colour_code(instance: Object) -> str:
    """``#rrggbb`` of a KiroInstance, else what its name says, else ''."""
    code = part(instance, "spec").get("colour")
    if isinstance(code, str) and _CODE.match(code):
        return code.lower()
    return named_colour(name(instance))


def named_colour(instance: str) -> str:
    """``#rrggbb`` of the instance of that name: its colour follows from its number."""
    found = _NUMBERED.search(instance)
    return colour_of(int(found.group(1))).code if found else ""


def working(instances: Iterable[Object], tasks: Iterable[Object]) -> dict[str, Object]:
    """The task that each instance works on, by the name of the instance."""
    known = {name(instance) for instance in instances}
    busy: dict[str, Object] = {}
    for task in tasks:
        holder = clean(part(task, "status").get("instance"), 63)
        if holder in known and state(task) in ACTIVE_STATES:
            busy[holder] = task
    return busy


def moment(value: object) -> Optional[datetime]:
    """The aware datetime of a field, or None."""
    return parse(value) if isinstance(value, str) else None


def seconds_since(value: object, now: datetime) -> Optional[float]:
    """Seconds from a field's time to ``now``, never negative; None when there is none."""
    start = moment(value)
    return None if start is None else max(0.0, (now - start).total_seconds())


def worked_seconds(task: Object, now: datetime) -> Optional[float]:
    """Time of the current attempt while it runs, of all attempts otherwise."""
    status = part(task, "status")
    if state(task) in ACTIVE_STATES:
        return seconds_since(status.get("startedAt"), now)
    return number(status.get("runningSeconds")) or None
