"""Whose fault it is that a merge raised instead of ending in a verdict.

Role: the merge train asks ``blame`` about everything that was raised while it dealt with one
candidate. It is the one place that decides it.

Guarantees: decided by evidence and not by words. The swarm's own repository and volume are
tried: where they fail, no candidate is to blame. Where they are well, what was raised is the
candidate's, for everything but its work is as it was for the candidates before. Only what a
machine in trouble can cause as well (a killed git, a full disk) is left open, once.
"""

from __future__ import annotations

from typing import Callable, Optional, Union

from kiro_swarm.workspace import briefs
from kiro_swarm.workspace.errors import (
    MACHINE_ERRNOS,
    BrokenRepository,
    Doubtful,
    GateUnavailable,
    GitHindered,
    GitMissing,
    GitSaysHindered,
    GitTimeout,
    IntegrationBusy,
    RefNotFound,
    RemoteError,
    RepositoryBusy,
    VolumeOfAnother,
    VolumeTrouble,
    WorkspaceError,
)
from kiro_swarm.workspace.outcomes import Unproven

#: Nothing that a candidate holds leads to these.
NEVER_THE_CANDIDATE = (
    BrokenRepository,
    GateUnavailable,
    GitMissing,
    IntegrationBusy,
    RefNotFound,
    RemoteError,
    RepositoryBusy,
    VolumeOfAnother,
    VolumeTrouble,
)
_ADVICE = (
    "What to do: begin again in the new worktree, with plain commits of plain files. Nothing"
    " was merged; the work of the others goes on."
)


def blame(
    error: Exception, find_trouble: Callable[[], Optional[WorkspaceError]]
) -> Union[Unproven, WorkspaceError]:
    """What was raised by one merge, as a verdict on its candidate or as what stops the train.

    :param find_trouble: looks whether the swarm's own repository and volume can be used.

    Doubtful: it cannot be told yet; whoever sees it twice of the same candidate, and of no
    other, knows.
    """
    if isinstance(error, NEVER_THE_CANDIDATE):
        return error
    trouble = find_trouble()
    if trouble is not None:
        return trouble
    if isinstance(error, Doubtful):
        return error
    if of_the_machine(error):
        return Doubtful(words_of(error))
    return unmergeable(error)


def may_be_the_machine(
    error: Exception, find_trouble: Callable[[], Optional[WorkspaceError]]
) -> bool:
    """Whether the work need not be to blame, where it is tried once and never again.

    Words of git are no evidence by themselves.
    """
    if isinstance(error, NEVER_THE_CANDIDATE) or find_trouble() is not None:
        return True
    return of_the_machine(error) and not isinstance(error, GitSaysHindered)


def of_the_machine(error: Exception) -> bool:
    """Whether a machine in trouble raises this, too."""
    if isinstance(error, OSError):
        return error.errno in MACHINE_ERRNOS
    return isinstance(error, (GitHindered, GitTimeout, MemoryError))


def unmergeable(error: Exception) -> Unproven:
    """The verdict on a candidate that git, or our own code, cannot cope with."""
    return Unproven(
        "Unmergeable",
        briefs.bounded(f"the work cannot be merged: {words_of(error)}\n\n{_ADVICE}"),
    )


def words_of(error: Exception) -> str:
    """One line about an error of whatever kind."""
    said = error.message if isinstance(error, WorkspaceError) else str(error)
    line = " ".join(said.split())[:600]
    if isinstance(error, WorkspaceError) or not line:
        return line or type(error).__name__
    return f"{type(error).__name__}: {line}"
