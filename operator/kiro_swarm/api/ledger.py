"""The integration ledger: one entry for each move of the integration branch.

Written by the Jobs (``jobs/ledger.py``) into ConfigMaps of the swarm, read by the operator and
``kubectl swarm``. Commits are full ids, times RFC 3339 UTC in whole seconds, as git has them.

========  ==========================================================================
kind      what moved
========  ==========================================================================
merge     the merge train brought ``tasks`` in
sync      new work of the source repository came in, for ``command``
rollback  the branch went back; ``tasks`` are those that it no longer has
external  the branch moved without us: somebody's commits, found and not made
push      not the branch but its copy in the source repository: now at ``after``
========  ==========================================================================
"""

from __future__ import annotations

from typing import Mapping, Optional

from pydantic import TypeAdapter, ValidationError
from typing_extensions import Literal, TypedDict

LedgerKind = Literal["merge", "sync", "rollback", "external", "push"]


class LedgerTask(TypedDict):
    """One attempt of a task; ``uid`` is that of the KiroTask that it was."""

    id: str
    uid: str
    attempt: int


class LedgerGate(TypedDict):
    """One gate, run on the merged tree before the branch moved."""

    name: str
    passed: bool
    seconds: float


class LedgerEntry(TypedDict):
    """One move. ``before`` of a move of the branch is ``after`` of the one before.

    ``swarm`` is the uid of the KiroSwarm that made it, ``job`` the name of its Job,
    ``command`` the uid of the SwarmCommand; each empty where there is none, or where a
    release that did not write it made the move.
    """

    kind: LedgerKind
    before: str
    after: str
    tasks: list[LedgerTask]
    gates: list[LedgerGate]
    time: str
    job: str
    swarm: str
    command: str


_ENTRY: TypeAdapter[LedgerEntry] = TypeAdapter(LedgerEntry)


def entry_of(line: Mapping[str, object]) -> Optional[LedgerEntry]:
    """The entry in a stored line; None for what is none, whoever wrote it."""
    try:
        return _ENTRY.validate_python(line, strict=True)
    except ValidationError:
        return None
