"""What can go wrong with git, said so that a person knows what to do next.

Role: raised by every module of this package; the jobs turn an error into a condition
(``reason``: CamelCase, ``message``: one readable text), the command line into JSON.

Guarantees: a message never holds user information or the query of a URL (redaction.py),
and never more than 2,000 characters of git's own output.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final, Optional

from kiro_swarm.policy.volume import FULL
from kiro_swarm.workspace.redaction import redact_start

_LIMIT = 2000
_MOST = 100_000
#: What a machine in trouble answers to a system call; a hostile file can cause most of it.
MACHINE_ERRNOS: Final = frozenset(
    {
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ETIMEDOUT),
    }
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
#: A folder or a volume of somebody else.
NOT_OURS: Final = frozenset({errno.EACCES, errno.EPERM})


class WorkspaceError(Exception):
    """Base of all: has a ``reason`` for a condition and a ``message`` for a person."""

    reason = "WorkspaceError"

    def __init__(self, message: str, *, reason: Optional[str] = None) -> None:
        # A name may hold what no text may: half a character.
        said = message[:_MOST].encode("utf-8", "backslashreplace").decode("utf-8")
        self.message = redact_start(said, _LIMIT)
        if reason is not None:
            self.reason = reason
        super().__init__(self.message)

    def to_json(self) -> dict[str, dict[str, str]]:
        """``{"error": {"reason", "message"}}``, as the command line prints it."""
        return {"error": {"reason": self.reason, "message": self.message}}


class GitMissing(WorkspaceError):
    """There is no git program to run."""

    reason = "GitMissing"


class GitFailed(WorkspaceError):
    """A git command failed in a way nobody foresaw; the end of its output is the message."""

    reason = "GitFailed"


class GitTimeout(WorkspaceError):
    """A git command was killed because its time was up."""

    reason = "GitTimeout"


class GitSilent(GitTimeout):
    """A git that talked to a server was ended, for nothing came of it for too long."""


class GitHindered(GitFailed):
    """A git process was killed, or found no memory, no room or no working disk."""

    reason = "GitHindered"


class GitSaysHindered(GitHindered):
    """The same by its words alone: a name with a line break in it can look like them."""


class VolumeTrouble(WorkspaceError):
    """A file system that the swarm works on cannot be used."""

    reason = "VolumeFailed"


class VolumeOfAnother(WorkspaceError):
    """The volume has the work of another repository, or of another swarm."""

    reason = "VolumeOfAnother"


def not_writable(error: OSError, place: Path) -> VolumeTrouble:
    """What to do where the pods' user may not write into a folder of the volume."""
    who = f"uid {os.geteuid()} and gid {os.getegid()}"
    return VolumeTrouble(
        f"the volume cannot be written by {who} ({error.strerror}: {place}); its"
        f" driver does not apply fsGroup: give its top folder to {who}",
        reason="VolumeNotWritable",
    )


def not_ours(error: OSError, top: Path) -> str:
    """What is not ours to read or change below a folder, whose it is, and what to do."""
    place = Path(os.fsdecode(error.filename or top))
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return of_another(place, top, error.strerror or str(error))


def of_another(place: Path, top: Path, said: str) -> str:
    """The same of a place that is known; ``said``: by the system, or by git."""
    owner = os.lstat(place).st_uid
    mine = os.geteuid()
    whose = "perhaps immutable" if owner == mine else f"it is of uid {owner}"
    return (
        f"{os.path.relpath(place, top)!r} cannot be read or changed by uid {mine} ({said};"
        f" {whose}); remove it as its owner, or give it back (chown, chattr -i)"
    )


def volume_trouble(error: OSError, place: Path) -> VolumeTrouble:
    """What the file system of a folder said, with a word for it."""
    said = error.strerror or str(error)
    if error.errno in _FULL:
        return VolumeTrouble(f"no room is left in {place}: {said}", reason=FULL)
    if error.errno in NOT_OURS:
        return not_writable(error, place)
    if error.errno == errno.EROFS:
        return VolumeTrouble(
            f"{place} cannot be written: {said}", reason="VolumeReadOnly"
        )
    return VolumeTrouble(f"{place} cannot be used: {said}")


class GateUnavailable(WorkspaceError):
    """Gates cannot be run, whatever the commit."""

    reason = "GateUnavailable"


class BranchHinders(GateUnavailable):
    """The gates fail on the branch as it is, so what is merged into it cannot be judged."""

    reason = "BranchHinders"


class BranchEndsJobs(BranchHinders):
    """They end the pod or its gate container, so this Job has to stop while it can tell."""


class Doubtful(WorkspaceError):
    """A merge that was hindered: by the machine, or by what is merged, nobody knows yet."""

    reason = "MergeHindered"


class GateLost(Doubtful):
    """The gate container was ended under a merge, and none has come in its place."""


class RepositoryBusy(WorkspaceError):
    """Another living process works in the repository; trying again later is right."""

    reason = "RepositoryBusy"


class BrokenRepository(WorkspaceError):
    """A git directory cannot be read or used."""

    reason = "BrokenRepository"


class InvalidName(WorkspaceError):
    """A name was refused before git saw it."""

    reason = "InvalidName"


class InvalidRef(InvalidName):
    """A branch, tag or commit name outside the allow-list."""

    reason = "InvalidRef"


class InvalidPath(InvalidName):
    """A path that is absolute, climbs, or is otherwise outside the allow-list."""

    reason = "InvalidPath"


class InvalidUrl(InvalidName):
    """A repository address of a scheme or form that is not allowed."""

    reason = "InvalidUrl"


class RemoteError(WorkspaceError):
    """The remote repository did not do what was asked."""

    reason = "RemoteError"


class RemoteUnavailable(RemoteError):
    """No such host, port, path or repository, or no answer in time."""

    reason = "RemoteUnavailable"


class CredentialsRefused(RemoteError):
    """The remote wants credentials, or other ones."""

    reason = "CredentialsRefused"


class CredentialsIncomplete(RemoteError):
    """The secret lacks a key that the address needs."""

    reason = "SecretKeyMissing"


class RefNotFound(RemoteError):
    """The remote, or the mirror, has no such branch, tag or commit."""

    reason = "RefNotFound"


class PushRejected(RemoteError):
    """The remote did not accept the integration branch."""

    reason = "PushRejected"


class SpecError(WorkspaceError):
    """The spec file cannot be taken."""

    reason = "SpecInvalid"


class SpecNotFound(SpecError):
    """There is no such spec in the commit."""

    reason = "SpecNotFound"


class SpecTooLarge(SpecError):
    """The spec file is larger than any plan."""

    reason = "SpecTooLarge"


class IntegrationBusy(WorkspaceError):
    """The integration branch moved again and again under a merge."""

    reason = "IntegrationBusy"


class SyncRefused(WorkspaceError):
    """New work of the repository cannot be merged; nothing was moved."""

    reason = "SyncConflict"


class ObjectsRefused(WorkspaceError):
    """What an instance offered could not be taken into the mirror."""

    reason = "ObjectsRefused"
