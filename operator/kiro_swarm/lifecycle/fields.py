"""The fields of a KiroTask's status that are about one attempt, and how they are reset.

Used by everything else in here. Guarantee: what is reset when an attempt ends, and when the
next one begins, stands in this module alone.
"""

from __future__ import annotations

from typing import Final, Mapping, cast

from kiro_swarm.api.task import KiroTaskStatus

Status = KiroTaskStatus
#: A JSON merge patch of a status: None removes a field.
Patch = KiroTaskStatus

#: What an attempt has while an instance works on it; goes with the instance.
OF_THE_INSTANCE: Final[Mapping[str, object]] = {
    "instance": "",
    "podUid": "",
    "boundAt": None,
    "startedAt": None,
    "progress": None,
}
#: What stays of an attempt that is over, for people to look at; goes when the next begins.
OF_THE_WORK: Final[Mapping[str, object]] = {
    "branch": "",
    "baseCommit": "",
    "commit": "",
    "finishedAt": None,
    "conditions": (),
}
#: Everything about one attempt, and the value that says nothing of any.
PER_ATTEMPT: Final[Mapping[str, object]] = {**OF_THE_INSTANCE, **OF_THE_WORK}


def reset(fields: Mapping[str, object]) -> Patch:
    """The patch that takes these fields back."""
    taken = {
        name: list(empty) if isinstance(empty, tuple) else empty
        for name, empty in fields.items()
    }
    return cast(Patch, taken)


def is_empty(value: object) -> bool:
    """Whether a field says nothing: absent, or with the value that a reset gives it."""
    return value is None or value == "" or value == []


def after(status: Status, patch: Patch) -> KiroTaskStatus:
    """The status once the patch is written, as the API server merges it."""
    both = {**status, **patch}
    return cast(KiroTaskStatus, {k: v for k, v in both.items() if v is not None})


def attempt_of(status: Status) -> int:
    """The number of the last attempt, the fencing token; 0 before the first."""
    return int(status.get("attempt") or 0)
