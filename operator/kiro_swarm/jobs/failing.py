"""How every Job says why it failed: the one function that makes an exception a report.

Called by each Job around all of its work, and by cli/jobs.py around its connection.
Guarantees: there is a reason for everything, and trouble with the volume has that of the
volume, by what the file system answers now and not only by what git said of it.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from pathlib import Path
from typing import Awaitable, Optional

from kiro_swarm.api.reports import JobFailure
from kiro_swarm.cluster.errors import ClusterError
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.workspace.blame import of_the_machine, words_of
from kiro_swarm.workspace.errors import (
    NOT_OURS,
    BrokenRepository,
    GitFailed,
    GitHindered,
    VolumeTrouble,
    WorkspaceError,
    volume_trouble,
)
from kiro_swarm.workspace.probe import place_trouble
from kiro_swarm.workspace.redaction import redact_start

log = logging.getLogger(__name__)

_FINAL_WORDS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class JobError(WorkspaceError):
    """What a Job could not do, with more to say about it than a reason and a message."""

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        tasks: Optional[list[str]] = None,
        diagnostics: Optional[list[str]] = None,
        push: Optional[bool] = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.tasks = tasks
        self.push = push
        self.diagnostics = diagnostics


async def answered(env: JobEnvironment, work: Awaitable[int]) -> int:
    """Do the work of a Job, which reports; where it cannot, report why. The exit status."""
    try:
        return await work
    except ClusterError:
        raise  # its connection is not this Job's own: whoever opened it tells of it
    except WorkspaceError as error:
        return failed(env, error)
    except Exception as error:
        # Without a reason nobody could act on it.
        log.exception("the Job ends with what nobody foresaw")
        return failed(env, error)


def failed(env: JobEnvironment, error: Exception) -> int:
    """Leave why the Job failed as its report; the exit status."""
    env.report(_failure_of(env, error))
    return 1


def _failure_of(env: JobEnvironment, error: Exception) -> JobFailure:
    if isinstance(error, ClusterError):
        return {
            "reason": "ApiUnavailable",
            "message": redact_start(error.message, 2000),
        }
    error = _trouble_of(env, error) or error
    if not isinstance(error, WorkspaceError):
        return {
            "reason": "InternalError",
            "message": redact_start(words_of(error), 2000),
        }
    failure: JobFailure = {"reason": error.reason, "message": error.message}
    if isinstance(error, JobError):
        if error.tasks is not None:
            failure["tasks"] = error.tasks
        if error.diagnostics is not None:
            failure["diagnostics"] = error.diagnostics
        if error.push is not None:
            failure["push"] = error.push
    return failure


def _trouble_of(env: JobEnvironment, error: Exception) -> Optional[WorkspaceError]:
    """What is the matter with the volume, or the folder of temporary files, if that is it."""
    if isinstance(error, OSError):
        place = _place_of(env, error)
        ours = place == env.root and error.errno in NOT_OURS
        if ours or of_the_machine(error):
            return volume_trouble(error, place)
    suspect = (OSError, GitFailed, BrokenRepository)
    if not isinstance(error, suspect) and not of_the_machine(error):
        return None
    found = place_trouble(env.mirror if env.mirror.is_dir() else env.root)
    # git removes what it had half written, and then there is room again.
    return found or _said(env, error)


def _said(env: JobEnvironment, error: Exception) -> Optional[VolumeTrouble]:
    for number in _FINAL_WORDS if isinstance(error, GitHindered) else ():
        words = os.strerror(number)
        if re.search(f": {words}$", str(error), re.MULTILINE):
            return volume_trouble(OSError(number, words), env.mirror)
    return None


def _place_of(env: JobEnvironment, error: OSError) -> Path:
    name = error.filename
    if not isinstance(name, str) or not name.startswith("/"):
        return env.root
    file = Path(name)
    return env.root if env.root in (file, *file.parents) else file.parent
