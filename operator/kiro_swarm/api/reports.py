"""What a Job says at its end: the JSON in the termination message of its pod.

Written by ``jobs``, read by ``reconcile``, both by these types. A Job that succeeded left the
report of its kind; one that failed left a ``JobFailure``, which is known by its ``reason``.

The reader trusts nothing: a Job works with what a repository and an agent have written, may be
of an older or a newer release, and Kubernetes puts the end of a log in the place of a message
that was never written. So the text is bounded before it is parsed, every field has a bound, a
field that this release does not know is left out (a newer one may say more), and what is no
report is a ``ReportError``, whatever it is.
"""

from __future__ import annotations

from typing import Any, Final, Optional, TypeVar, Union

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    with_config,
)
from typing_extensions import Annotated, Required, TypedDict, final

from kiro_swarm.api.command import DataReference
from kiro_swarm.api.common import Sha
from kiro_swarm.api.faults import first_fault

#: The kubelet keeps 4096 bytes; an API server that keeps more is not ours.
MOST_CHARACTERS = 16384
_READ = ConfigDict(extra="ignore")
_Count = Annotated[int, Field(ge=0, le=2**53)]
#: Of the integration ledger when the Job ended: how many entries it has.
_Lines = _Count
#: Remarks on a task file that a prepare Job reports; of more it reports the first.
MOST_REMARKS: Final = 20
_Remarks = Annotated[list[Annotated[str, Field(max_length=4096)]], Field(max_length=50)]
_Message = Annotated[str, Field(max_length=4096)]


class ReportError(ValueError):
    """A text that is no report; the message says why, and holds nothing of the text."""


@final
@with_config(_READ)
class JobFailure(TypedDict, total=False):
    """Why a Job failed: one CamelCase word for programs, and words for people.

    ``tasks``: ids of those that alone are in the way of it; it did the others.
    ``push``: what it merged could not be pushed; that has hindered no merge.
    """

    reason: Required[
        Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    ]
    message: Required[_Message]
    diagnostics: _Remarks
    tasks: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=50)]
    push: bool


@final
@with_config(_READ)
class PrepareReport(TypedDict, total=False):
    """What the prepare Job read."""

    base: Required[Sha]
    head: Required[Sha]
    tasksFile: Required[Annotated[str, Field(max_length=1024)]]
    tasks: Required[_Count]
    diagnostics: Required[_Remarks]
    ledger: _Lines


@final
@with_config(_READ)
class IntegrateReport(TypedDict, total=False):
    """Where the merge train left the integration branch.

    ``rescued``: of a Job that merged nothing, for the swarm is being deleted: how many refs
    it pushed that were nowhere else. ``volumeUsed`` and ``volumeSize``: bytes of the file
    system that the swarm's volume is on.
    """

    head: Required[Sha]
    message: _Message
    pushed: Sha
    ledger: _Lines
    volumeUsed: _Count
    volumeSize: _Count
    rescued: _Count


@final
@with_config(_READ)
class SyncReport(TypedDict, total=False):
    """What came of the source repository."""

    before: Required[Sha]
    head: Required[Sha]
    source: Required[Sha]
    commits: Required[_Count]
    keptPlan: Required[bool]
    pushed: Sha
    ledger: _Lines


@final
@with_config(_READ)
class InspectReport(TypedDict, total=False):
    """What a task has written, in numbers; ``dataRef`` where there is something to show."""

    base: Required[Sha]
    commit: Required[Sha]
    commits: Required[_Count]
    files: Required[_Count]
    insertions: Required[_Count]
    deletions: Required[_Count]
    attempt: Required[_Count]
    # Release 6cb2b6b wrote {} where there was nothing to show.
    dataRef: Annotated[
        Optional[DataReference], BeforeValidator(lambda value: value or None)
    ]


_FAILURE = TypeAdapter(JobFailure)
_KINDS: dict[Any, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind)
    for kind in (PrepareReport, IntegrateReport, SyncReport, InspectReport)
}
JobReport = Union[PrepareReport, IntegrateReport, SyncReport, InspectReport]
ReportT = TypeVar("ReportT", bound=JobReport)


def read_report(text: str, kind: type[ReportT]) -> ReportT:
    """The report of a Job that succeeded.

    Raises ReportError: it is none of this kind.
    """
    report: ReportT = _read(text, _KINDS[kind])
    return report


def read_failure(text: str) -> JobFailure:
    """Why a Job failed, in its own words.

    Raises ReportError: it did not say.
    """
    failure: JobFailure = _read(text, _FAILURE)
    return failure


def _read(text: str, kind: TypeAdapter[Any]) -> Any:
    if len(text) > MOST_CHARACTERS:
        raise ReportError(f"it is longer than {MOST_CHARACTERS} characters")
    try:
        return kind.validate_json(text)
    except ValidationError as error:
        raise ReportError(first_fault(error)) from None
