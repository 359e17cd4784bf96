"""Talking to a remote repository: list, fetch, push, and plain words when it fails.

Role: mirror.py fetches through it, push.py pushes. The only place where a network is used.

Guarantees: https, http, ssh and file addresses only, and no password in an address; every
command has a deadline; errors say what to do and hold no credential.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Sequence
from urllib.parse import urlsplit

from kiro_swarm.workspace.credentials import Credentials, access
from kiro_swarm.workspace.errors import (
    CredentialsRefused,
    GitFailed,
    GitTimeout,
    InvalidUrl,
    RefNotFound,
    RemoteError,
    RemoteUnavailable,
    redact,
)
from kiro_swarm.workspace.git import Git, Output

_SCHEMES = ("https", "ssh", "http", "file")
_LIST_SECONDS = 60.0
_TRANSFER_SECONDS = 1800.0

# What git and ssh say (LC_ALL=C), from the particular to the general.
_KNOWN: tuple[tuple[str, type[RemoteError], str], ...] = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION",
        CredentialsRefused,
        'its host key is not the one in the secret\'s key "known_hosts"',
    ),
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied"
        r"|error: 40[13]|HTTP 40[13]|invalid format|Load key",
        CredentialsRefused,
        "it wants credentials, or other ones: check spec.repository.credentialsSecret",
    ),
    (
        r"couldn't find remote ref|not our ref|no such remote ref",
        RefNotFound,
        "it does not have the commit that was asked for",
    ),
    (
        r"not found|does not appear to be a git repository|not a git repository"
        r"|error: 404|No such file",
        RemoteUnavailable,
        "there is no repository: check spec.repository.url",
    ),
    (
        r"Could not resolve|Name or service not known",
        RemoteUnavailable,
        "its host name is unknown: check spec.repository.url",
    ),
    (
        r"unable to access|Failed to connect|Connection (refused|reset|timed out)"
        r"|early EOF|hung up|Could not read from remote|Operation too slow",
        RemoteUnavailable,
        "it does not answer; this is tried again",
    ),
)


@dataclass(frozen=True)
class Remote:
    """One remote repository and the way to get in."""

    url: str
    credentials: Optional[Credentials] = None

    def __post_init__(self) -> None:
        check_url(self.url)

    def list_refs(self, git: Git, names: Sequence[str]) -> dict[str, str]:
        """Full ref name -> object id of those of the full names that exist there."""
        listed = self._run(git, ("ls-remote",), names, _LIST_SECONDS).text
        pairs = (line.split("\t", 1) for line in listed.splitlines() if "\t" in line)
        return {name: oid for oid, name in pairs if name in names}

    def branches(self, git: Git) -> Sequence[str]:
        """The short names of its branches."""
        listed = self._run(git, ("ls-remote", "--heads"), (), _LIST_SECONDS).text
        return [line.split("refs/heads/", 1)[-1] for line in listed.splitlines()]

    def fetch(self, git: Git, refspecs: Sequence[str]) -> None:
        """Fetch these refspecs and nothing else."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=")
        self._run(git, ("fetch", *options), refspecs, _TRANSFER_SECONDS)

    def push(self, git: Git, refspec: str) -> Output:
        """Push one refspec; the answer has status 1 where the remote rejected it."""
        options = ("--porcelain", "--no-verify")
        return self._run(
            git, ("push", *options), (refspec,), _TRANSFER_SECONDS, rejected=True
        )

    def _run(
        self,
        git: Git,
        command: Sequence[str],
        arguments: Sequence[str],
        seconds: float,
        rejected: bool = False,
    ) -> Output:
        with access(self.url, self.credentials) as environment:
            try:
                output = git.using(environment).run(
                    *command,
                    "--end-of-options",
                    self.url,
                    *arguments,
                    ok=(0, 1, 128),
                    seconds=seconds,
                )
            except GitTimeout:
                raise RemoteUnavailable(
                    f"{self.url} did not answer within {seconds:g} seconds;"
                    " this is tried again"
                ) from None
        # A push that was answered prints one line per ref, also when it was rejected.
        if output.status == 0 or (rejected and b"\t" in output.stdout):
            return output
        raise explain(self.url, output.stderr)


def check_url(url: str) -> str:
    """The address, if its scheme and form are allowed; InvalidUrl otherwise."""
    shown = redact(url[:200])
    if len(url) > 2048 or not url.isprintable() or re.search(r"\s|\\", url):
        raise InvalidUrl(
            f"repository url {shown!r} has a character that is not allowed"
        )
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise InvalidUrl(f"repository url {shown!r} cannot be read") from None
    if "://" not in url or parts.scheme not in _SCHEMES:
        scheme = url.split(":", 1)[0][:40]
        raise InvalidUrl(
            f"repository url {shown!r}: scheme {scheme!r} is not allowed"
            " (https, ssh; http and file where the operator allows them);"
            " write git@host:path with ssh:// before it and '/' for ':'"
        )
    if parts.password is not None or (parts.scheme != "ssh" and parts.username):
        raise InvalidUrl(
            f"repository url {shown!r} holds credentials;"
            " put them into spec.repository.credentialsSecret"
        )
    local = parts.scheme == "file"
    host = parts.hostname or ""
    if local == bool(host) or not parts.path.startswith("/") or not port_is_fine:
        raise InvalidUrl(f"repository url {shown!r} lacks a host or a path")
    if host.startswith("-") or (parts.username or "").startswith("-"):
        raise InvalidUrl(f"repository url {shown!r}: a host may not begin with '-'")
    return url


def explain(url: str, stderr: str) -> RemoteError | GitFailed:
    """The error that the end of git's output means."""
    detail = " | ".join(line.strip() for line in stderr.splitlines() if line.strip())
    for pattern, kind, advice in _KNOWN:
        if re.search(pattern, stderr):
            return kind(f"repository {url}: {advice} (git: {detail[-600:]})")
    return GitFailed(f"repository {url}: {detail[-600:] or 'git gave no reason'}")
