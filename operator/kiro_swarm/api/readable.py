"""A KiroSwarm's spec as far as this release can read it.

Called where a swarm is on its way out: what cannot be read of its spec, written by another
release or by hand, must not keep from being saved what can be. Guarantees: pure; what is left
out is named; what was read of the rest is what the type allows.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, NamedTuple, Optional

from pydantic import ValidationError

from kiro_swarm.api.access import status_of
from kiro_swarm.api.faults import field_path
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm

#: In the place of what a swarm must have and nobody needs who only saves its work.
_STAND_INS: Final[dict[str, Any]] = {
    "tasks": {"inline": "-"},
    "template": {"agent": {"command": ["-"]}},
}
_MOST_ROUNDS = 100


class Readable(NamedTuple):
    """What can be read, None when not even the repository; and the fields that cannot be."""

    spec: Optional[KiroSwarmSpec]
    unread: list[str]


def readable(swarm: KiroSwarm) -> Readable:
    """The spec without what this release does not understand.

    A branch that cannot be read is the one that the status says.
    """
    raw: Any = deepcopy(swarm.get("spec"))
    unread: list[str] = []
    for _ in range(_MOST_ROUNDS):
        try:
            spec = KiroSwarmSpec.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            dropped = _drop(raw, list(first["loc"]))
            if dropped is None:
                return Readable(None, unread or ["spec"])
            unread.append(dropped)
            continue
        known = (status_of(swarm).get("integration") or {}).get("branch")
        if known and spec.integration.branch is None:
            branch = {"branch": known}
            update = {"integration": spec.integration.model_copy(update=branch)}
            spec = spec.model_copy(update=update)
        return Readable(spec, unread)
    return Readable(None, unread)


def _drop(raw: Any, place: list[Any]) -> Optional[str]:
    """Leave out what is wrong; its name, or None where nothing can be left out."""
    holder, path = raw, []
    for part in place:
        below = holder[part] if _has(holder, part) else None
        if not isinstance(below, (dict, list)):
            break
        path.append(part)
        holder = below
    rest = place[len(path) :]
    if rest and _has(holder, rest[0]):
        path.append(rest[0])
    # What lacks a field is left out whole, and so is what is wrong as a whole.
    if not path:
        return _stand_in(raw, place)
    above = raw
    for part in path[:-1]:
        above = above[part]
    del above[path[-1]]
    return "spec." + field_path(path)


def _stand_in(raw: Any, place: list[Any]) -> Optional[str]:
    if not isinstance(raw, dict) or not place or place[0] not in _STAND_INS:
        return None
    raw[place[0]] = _STAND_INS[place[0]]
    return f"spec.{place[0]}"


def _has(holder: Any, part: Any) -> bool:
    if isinstance(holder, dict):
        return part in holder
    return isinstance(holder, list) and isinstance(part, int) and part < len(holder)
