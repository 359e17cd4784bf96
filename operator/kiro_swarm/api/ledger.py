"""The integration ledger: one entry for each move of the integration branch.

Written by the Jobs (``jobs/ledger.py``) into ConfigMaps of the swarm, read by them and by the
operator. Commits are full ids, times RFC 3339 UTC in whole seconds, as git has them.

Whoever may write ConfigMaps may write anything there. What passes ``entry_of`` can be handed
to git and written into a status: every field is of the form in which we write it, and bounded.

========  ==========================================================================
kind      what moved
========  ==========================================================================
merge     the merge train brought ``tasks`` in
sync      new work of the source repository came in, for ``command``
rollback  the branch went back; ``tasks`` are those that it no longer has
external  the branch moved without us: somebody's commits, found and not made; ``tasks`` are
          those that it no longer has
push      not the branch but its copy in the source repository: now at ``after``
========  ==========================================================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Mapping, Optional

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from typing_extensions import Annotated, Literal, NotRequired, TypedDict

#: Tasks in one entry: what takes more back is several.
MOST_TASKS = 30
#: Gates in one entry.
MOST_GATES = 16


def _moment(value: str) -> str:
    datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    return value


_Commit = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
_CommitOrNone = Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")]
#: Empty where an earlier release did not write it.
_TaskId = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,127})?$")]
_TaskUid = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
_Word = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,252})?$")]
_GateName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$")]
_Time = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z$"),
    AfterValidator(_moment),
]

LedgerKind = Literal["merge", "sync", "rollback", "external", "push"]


class LedgerTask(TypedDict):
    """One attempt of a task; ``uid`` is that of the KiroTask that it was.

    ``asked`` stands for what the task asked for (``policy.asked``); an earlier release did not
    write it.
    """

    id: _TaskId
    uid: _TaskUid
    attempt: Annotated[int, Field(ge=1, le=999_999)]
    asked: NotRequired[Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]]


class LedgerGate(TypedDict):
    """One gate, run on the merged tree before the branch moved."""

    name: _GateName
    passed: bool
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LedgerEntry(TypedDict):
    """One move. ``before`` of a move of the branch is ``after`` of the one before.

    ``swarm`` is the uid of the KiroSwarm that made it, ``job`` the name of its Job,
    ``command`` the uid of the SwarmCommand; each empty where there is none, or where a
    release that did not write it made the move.
    """

    kind: LedgerKind
    before: _CommitOrNone
    after: _Commit
    tasks: Annotated[list[LedgerTask], Field(max_length=MOST_TASKS)]
    gates: Annotated[list[LedgerGate], Field(max_length=MOST_GATES)]
    time: _Time
    job: _Word
    swarm: _Word
    command: _Word


_ENTRY: TypeAdapter[LedgerEntry] = TypeAdapter(LedgerEntry)


def entry_of(line: Mapping[str, object]) -> Optional[LedgerEntry]:
    """The entry in a stored line; None for what is none, whoever wrote it."""
    try:
        return _ENTRY.validate_python(line, strict=True)
    except ValidationError:
        return None
