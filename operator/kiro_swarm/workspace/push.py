"""Publishing the integration branch.

Role: the integrate job calls :func:`push_integration` when the swarm's policy says so.

Guarantees: never forces; a branch that is there already is no error; a refusal says who
refused and why.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import PushRejected
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.remote import Remote

_REJECTED = re.compile(r"^!\t[^\t]*\t\[(?P<who>[^\]]*)\] ?(?P<why>.*)$", re.MULTILINE)


def push_integration(
    mirror: Path,
    url: str,
    integration_branch: str,
    credentials: Optional[Credentials] = None,
) -> str:
    """Push the branch by fast-forward; the commit that the remote has now.

    Raises PushRejected, RemoteUnavailable, CredentialsRefused, CredentialsIncomplete,
    RefNotFound (no such branch in the mirror), InvalidUrl.
    """
    head = integration_head(mirror, integration_branch)
    output = Remote(url, credentials).push(
        Git(mirror), f"{head}:refs/heads/{integration_branch}"
    )
    if output.status != 0:
        raise PushRejected(_why(url, integration_branch, output.text, output.stderr))
    return head


def _why(url: str, branch: str, answer: str, stderr: str) -> str:
    found = _REJECTED.search(answer)
    who, why = (found["who"], found["why"]) if found else ("rejected", answer)
    if who == "rejected" and re.search("fetch first|non-fast-forward", why):
        return (
            f"branch {branch!r} of {url} has commits that the swarm does not know."
            " Merge or remove them there, or name another spec.integration.branch"
        )
    said = " ".join(
        line[len("remote:") :].strip()
        for line in stderr.splitlines()
        if line.startswith("remote:")
    )
    return f"{url} refused branch {branch!r}: {why} {said}".strip()
