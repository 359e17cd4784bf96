"""What can go wrong at the API server, one type for each thing a caller does about it.

::

    ClusterError
    ├── NotFound        404: it is gone, or never was
    ├── AlreadyExists   409 on create: somebody made it before; adopt it or wait
    ├── Conflict        409 on a write: based on an old version; read again, decide again
    │   └── NameTaken   an object of somebody else has a name that is ours; it has to go
    ├── Expired         410: the watch or list is too old; list again
    ├── Forbidden       401, 403: a role is missing, or the API server has just started
    ├── Invalid         400, 422: the object is wrong; retrying does not help
    └── Unavailable     429, 5xx, no connection: try again later
"""

from __future__ import annotations

from typing import Final, Optional

from kiro_swarm.api.bounded_json import BoundsError, read_json
from kiro_swarm.policy.words import harmless

#: What an answer that says what is wrong may be long; whoever sends more is no API server.
_LONGEST: Final = 1024 * 1024


class ClusterError(Exception):
    """Base of all errors of this package. ``status`` is the HTTP status, 0 for none."""

    def __init__(
        self, message: str, status: int = 0, retry_after: Optional[float] = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after


class NotFound(ClusterError):
    """The object does not exist."""


class AlreadyExists(ClusterError):
    """An object of this name exists."""


class Conflict(ClusterError):
    """The write was based on an old version of the object."""


class Expired(ClusterError):
    """The resource version is too old for a watch or a continued list."""


class Forbidden(ClusterError):
    """The service account may not do this."""


class Invalid(ClusterError):
    """The API server refuses the object as it is."""


class NameTaken(Conflict):
    """An object that is not ours stands where ours belongs: never read as ours."""


class Unavailable(ClusterError):
    """The API server cannot answer now."""


def from_response(status: int, body: bytes, retry_after: Optional[str]) -> ClusterError:
    """The error for an answer with an HTTP status of 400 or more."""
    reason, message = _status_of(body)
    message = harmless(message)
    seconds = _seconds(retry_after or "")
    if status == 404:
        kind: type[ClusterError] = NotFound
    elif status == 409:
        kind = AlreadyExists if reason == "AlreadyExists" else Conflict
    elif status == 410:
        kind = Expired
    elif status in (401, 403):
        kind = Forbidden
    elif status == 429 or status >= 500:
        kind = Unavailable
    else:
        kind = Invalid
    return kind(message or f"HTTP status {status}", status, seconds)


def _seconds(retry_after: str) -> Optional[float]:
    plain = retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6
    return float(retry_after) if plain else None


def _status_of(body: bytes) -> tuple[str, str]:
    try:
        document = read_json(body, size=_LONGEST, depth=32, values=10_000)
    except BoundsError:
        return "", body[:200].decode("utf-8", "replace")
    if not isinstance(document, dict):
        return "", str(document)[:200]
    return str(document.get("reason", "")), str(document.get("message", ""))
