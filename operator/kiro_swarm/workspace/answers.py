"""What a git server's answer means, in plain words, and whether asking again can help.

Role: remote.py asks ``explain`` when a command failed. Where a server took a push apart and said
no, push.py asks refusals.py. Pure.

Guarantees: "this is tried again" is said of what passes by itself, and of nothing else;
the message holds the end of what git said and no credential.
"""

from __future__ import annotations

import re

from kiro_swarm.workspace.errors import GitFailed, RemoteError, RemoteUnavailable
from kiro_swarm.workspace.known_answers import KNOWN, SILENT
from kiro_swarm.workspace.redaction import redact_end

#: Characters of the end of what git said in which its reason is looked for.
_LOOKED_AT = 20_000


def explain(url: str, stderr: str) -> RemoteError | GitFailed:
    """The error that the end of git's output means."""
    detail = redact_end(
        " | ".join(line.strip() for line in re.split("[\r\n]", stderr) if line.strip()),
        600,
    )
    # The address itself may hold any of these words.
    text = stderr[-_LOOKED_AT:].replace(url, "")
    for pattern, kind, reason, advice in KNOWN:
        if re.search(pattern, text):
            said = f"repository {url}: {advice} (git: {detail})"
            return kind(said, reason=reason)
    return GitFailed(f"repository {url}: {detail or 'git gave no reason'}")


def moved(url: str, target: str) -> RemoteError:
    """The error where the server sends us elsewhere; ``target`` may be empty."""
    place = f" to {target}" if target else ""
    return RemoteError(
        f"repository {url}: the server sends us{place} instead. Credentials are for the"
        " address that they were given for, so this is not followed: create the swarm"
        " with the address that it has now",
        reason="RepositoryMoved",
    )


def silent(url: str, how_long: str) -> RemoteUnavailable:
    """The error where the server hangs."""
    return RemoteUnavailable(
        f"repository {url}: {how_long} it {SILENT}", reason="RemoteSilent"
    )


def sha256(url: str) -> RemoteError:
    """The error where the repository has object ids of 64 digits."""
    return RemoteError(
        f"repository {url}: SHA-256 repositories are not supported; convert it, or name"
        " a copy with SHA-1 object ids"
    )


def no_git(url: str) -> RemoteError:
    """The error where something answers and it is not git."""
    return RemoteError(
        f"repository {url}: what answers there is no git repository, but a web page or"
        " another service: check spec.repository.url",
        reason="NotGit",
    )
