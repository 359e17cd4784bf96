"""Talking to a remote repository: list, fetch, push, and plain words when it fails.

Role: mirror.py fetches through it, push.py pushes. The only place where a network is used.

Guarantees: https, http, ssh and file addresses only, and no password in an address; every
command has a deadline, and ends when nothing comes or goes for long; credentials go to the
address that they were given for, and a redirect is followed to none but that (redirects.py);
errors say what to do and hold no credential, also where a server repeats what it was sent.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Sequence
from urllib.parse import urlsplit

from kiro_swarm.workspace.answers import explain, moved, sha256, silent
from kiro_swarm.workspace.credentials import Credentials, access
from kiro_swarm.workspace.errors import (
    GitSilent,
    GitTimeout,
    InvalidUrl,
    RemoteUnavailable,
)
from kiro_swarm.workspace.git import Git, Output, without
from kiro_swarm.workspace.known_answers import MOVED
from kiro_swarm.workspace.redaction import redact_address
from kiro_swarm.workspace.redirects import same_place, where_to
from kiro_swarm.workspace.refs import is_object_id

_SCHEMES = ("https", "ssh", "http", "file")
_LIST_SECONDS = 60.0
_TRANSFER_SECONDS = 1800.0
#: Longer than any git server says nothing while it is at work: every 5 seconds it says that it is,
#: whatever its hooks and its packs take.
_SILENCE_SECONDS = 120.0
_SHA1_DIGITS = 40
_PEELED = "^{}"
_MOST_NAMES = 100
# git leaves such a ref out, with a warning.
_SHALLOW = re.compile("because shallow roots")


@dataclass(frozen=True)
class Remote:
    """One remote repository and the way to get in."""

    url: str
    credentials: Optional[Credentials] = None
    silence: float = _SILENCE_SECONDS
    """Seconds after which a server that neither sends nor takes anything is given up."""

    def __post_init__(self) -> None:
        check_url(self.url)

    def list_refs(self, git: Git, names: Sequence[str]) -> dict[str, str]:
        """Full ref name -> object id of those of the full names that exist there."""
        wanted = set(names)
        # More than a command line may hold are looked for here.
        asked = names if len(names) <= _MOST_NAMES else ()
        listed = self._run(git, ("ls-remote",), asked, _LIST_SECONDS).lines
        pairs = (line.split("\t", 1) for line in listed if "\t" in line)
        found = {name: oid for oid, name in pairs if name in wanted}
        if any(len(oid) != _SHA1_DIGITS for oid in found.values()):
            raise sha256(self.url)
        return found

    def branches(self, git: Git) -> Sequence[str]:
        """The short names of its branches, as a person may be told them."""
        listed = self._run(git, ("ls-remote", "--heads"), (), _LIST_SECONDS).lines
        return [self.told(line.split("refs/heads/", 1)[-1]) for line in listed]

    def told(self, name: str) -> str:
        """A name as the remote says it, without what it was sent: it may repeat that."""
        hidden = self.credentials.secrets() if self.credentials else ()
        return os.fsdecode(without(hidden, os.fsencode(name)))

    def speaks_git(self, git: Git) -> bool:
        """Whether it is git that answers; asked where it named no branch at all.

        A web page of one line without an end looks to git like a repository without refs.
        """
        if urlsplit(self.url).scheme not in ("http", "https"):
            return True
        with tempfile.TemporaryDirectory(prefix="kiro-packets-") as folder:
            trace = Path(folder, "trace")
            asking = git.using({"GIT_TRACE_PACKET": str(trace)})
            self._run(asking, ("ls-remote",), (), _LIST_SECONDS)
            return trace.is_file() and trace.stat().st_size > 0

    def fetch(self, git: Git, refspecs: Sequence[str]) -> None:
        """Fetch these refspecs and nothing else."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=")
        output = self._run(git, ("fetch", *options), refspecs, _TRANSFER_SECONDS)
        if _SHALLOW.search(output.stderr):
            raise explain(self.url, output.stderr)

    def tags(self, git: Git) -> dict[str, tuple[str, str]]:
        """Full name of each tag -> what it is there, and what that leads to in the end.

        The former is the tag object of an annotated one.
        """
        listed = self._run(git, ("ls-remote", "--tags"), (), _LIST_SECONDS)
        found: dict[str, tuple[str, str]] = {}
        for oid, _, name in (line.partition("\t") for line in listed.lines):
            tag = name[: -len(_PEELED)] if name.endswith(_PEELED) else name
            if is_object_id(oid):
                # What a tag object leads to comes after it.
                found[tag] = (found.get(tag, (oid, oid))[0], oid)
        return found

    def push(self, git: Git, *refspecs: str) -> Output:
        """Push these refspecs; the answer has status 1 where the remote rejected one."""
        options = ("--porcelain", "--no-verify")
        return self._run(
            git, ("push", *options), refspecs, _TRANSFER_SECONDS, rejected=True
        )

    def _run(
        self,
        git: Git,
        command: Sequence[str],
        arguments: Sequence[str],
        seconds: float,
        rejected: bool = False,
    ) -> Output:
        url = self.url
        output = self._once(git, url, command, arguments, seconds)
        if output.status != 0 and MOVED.search(output.stderr):
            target = self._where_to(git)
            if not same_place(url, target):
                raise moved(url, target)
            url = target
            output = self._once(git, url, command, arguments, seconds)
        # A push that was answered prints one line per ref, also when it was rejected.
        if output.status == 0 or (rejected and b"\t" in output.stdout):
            return output
        raise explain(url, output.stderr)

    def _where_to(self, git: Git) -> str:
        known = self.credentials
        nameless = None if known is None else replace(known, nameless=True)
        with access(self.url, nameless) as environment:
            return where_to(self._discreet(git).using(environment), self.url)

    def _discreet(self, git: Git) -> Git:
        return git.hiding(self.credentials.secrets() if self.credentials else ())

    def _once(
        self,
        git: Git,
        url: str,
        command: Sequence[str],
        arguments: Sequence[str],
        seconds: float,
    ) -> Output:
        # Read anew for each command: a token may live for an hour, and the kubelet
        # brings its successor into the folder meanwhile.
        with access(url, self.credentials) as environment:
            try:
                return (
                    self._discreet(git)
                    .using(environment)
                    .run(
                        *command,
                        "--end-of-options",
                        url,
                        *arguments,
                        ok=(0, 1, 128),
                        seconds=seconds,
                        silence=self.silence,
                    )
                )
            except GitSilent:
                raise silent(url, f"for {self.silence:g} seconds") from None
            except GitTimeout:
                raise RemoteUnavailable(
                    f"repository {url}: it did not come to an end within {seconds:g} seconds:"
                    " look at the server, and at what is between; this is tried again"
                ) from None


def check_url(url: str) -> str:
    """The address, if its scheme and form are allowed; InvalidUrl otherwise."""
    shown = redact_address(url)[:200]
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
        # Before the colon of an address without one may stand who signs in.
        named = "@" not in url or "://" in url
        scheme = url.split(":", 1)[0][:40] if named else ""
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
