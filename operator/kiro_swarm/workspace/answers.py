"""What a git server's answer means, in plain words, and whether asking again can help.

Role: remote.py asks ``explain`` when a command failed; push.py asks ``refusal`` when the
server took the push apart and said no. Pure.

Guarantees: "this is tried again" is said of what passes by itself, and of nothing else;
the message holds the end of what git said and no credential.
"""

from __future__ import annotations

import re
from typing import Optional

from kiro_swarm.workspace.errors import (
    CredentialsRefused,
    GitFailed,
    RefNotFound,
    RemoteError,
    RemoteUnavailable,
)
from kiro_swarm.workspace.redaction import redact_end

#: Characters of the end of what git said in which its reason is looked for.
_LOOKED_AT = 20_000
MOVED = re.compile(r"error: 30[12378]\b")
_SILENT = (
    "neither sent nor took anything, so the connection was ended: look at the server, at its"
    " hooks and at what is between (a proxy, a firewall). Nothing that is merged is lost, and"
    " this is tried again"
)
_Kind = type[RemoteError]
#: A pattern, the error, a reason other than the error's own, what to do.
_Row = tuple[str, _Kind, Optional[str], str]

# What git, curl and ssh say (LC_ALL=C), from the particular to the general.
_KNOWN: tuple[_Row, ...] = (
    (
        r"Host key verification failed|REMOTE HOST IDENTIFICATION",
        CredentialsRefused,
        None,
        'its host key is not the one in the secret\'s key "known_hosts"',
    ),
    (
        r"dubious ownership",
        RemoteError,
        None,
        "it belongs to another user than the one that git runs as: give its files to uid"
        " 65532, or allow it with safe.directory in git's settings there",
    ),
    (
        r"no matching (host key type|key exchange method|cipher|MAC) found",
        RemoteError,
        None,
        "its ssh server offers only methods that are no longer safe: update it",
    ),
    (
        r"CAfile: none|certificate verification failed|SSL certificate problem"
        r"|does not match target host name|certificate has expired"
        r"|SSL: no alternative certificate|SSL peer certificate",
        RemoteError,
        "CertificateNotTrusted",
        "its certificate is not trusted here, is for another name, or has expired;"
        " name the authority that signed it in spec.repository.caBundle",
    ),
    (
        r"error setting certificate|Problem with the SSL CA cert|CA cert file",
        RemoteError,
        "CertificateNotTrusted",
        "the authorities that are trusted cannot be read: spec.repository.caBundle has to"
        " hold certificates as PEM text",
    ),
    (
        r"response 407|error: 407|from proxy after CONNECT: 407|code 407 from proxy"
        r"|could not read (Username|Password) for 'https?://[^/']*':",
        RemoteError,
        "ProxyRefused",
        'the proxy on the way wants credentials, or other ones: the keys "proxy-username"'
        ' and "proxy-password" of the Secret in spec.repository.credentialsSecret',
    ),
    (
        r"resolve proxy|CONNECT tunnel failed|Proxy CONNECT aborted|from proxy after",
        RemoteError,
        "ProxyRefused",
        "the proxy on the way does not let us through to it, or is not there: check"
        " spec.repository.proxy, and what it allows",
    ),
    (
        r"unexpected TLS packet|wrong version number|packet length too long",
        RemoteError,
        "NotGit",
        "it does not speak TLS at this port: check scheme and port of"
        " spec.repository.url",
    ),
    (
        MOVED.pattern,
        RemoteError,
        "RepositoryMoved",
        "it sends us elsewhere (HTTP 30x): create the swarm with the address that it has"
        " now",
    ),
    (
        r"error: 413|HTTP 413",
        RemoteError,
        "TooLargeForServer",
        "what is pushed at once is larger than the server, or a proxy before it, takes"
        " (HTTP 413): raise its limit for bodies of requests",
    ),
    (
        r"error: 429|HTTP 429",
        RemoteUnavailable,
        "RateLimited",
        "it is asked more often than it allows (HTTP 429); this is tried again later",
    ),
    (
        r"Permission to \S+ denied|denied to deploy key|Write access to repository"
        r"|marked as read.only|not allowed to (push|upload)|is archived",
        CredentialsRefused,
        None,
        "these credentials may read it and not write to it: give them the right to push",
    ),
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied"
        r"|error: 40[13]|HTTP 40[13]|invalid format|Load key|error in libcrypto",
        CredentialsRefused,
        None,
        "it wants credentials, or other ones: check spec.repository.credentialsSecret",
    ),
    (
        r"couldn't find remote ref|not our ref|no such remote ref",
        RefNotFound,
        None,
        "it does not have the commit that was asked for",
    ),
    (
        r"mismatched algorithms",
        RemoteError,
        None,
        "its object ids are of another kind (SHA-1, SHA-256) than those of the copy on"
        " the swarm's volume: was it made anew? Create another KiroSwarm",
    ),
    (
        r"shallow (roots|update|file)|from a? ?shallow|[Ss]hallow.*not supported",
        RemoteError,
        "ShallowRepository",
        "it is a shallow copy (a clone with --depth) and lacks the history that is"
        " needed: run `git fetch --unshallow` there, or name the repository that it was"
        " copied from",
    ),
    (
        r"error: 410|HTTP 410",
        RemoteUnavailable,
        None,
        "there is no repository any more (HTTP 410): check spec.repository.url",
    ),
    (
        r"valid: is this a git repository|protocol error|bad line length|"
        r"invalid server response|expected flush|unable to parse remote",
        RemoteError,
        "NotGit",
        "what answers there is no git repository, but a web page or another service:"
        " check spec.repository.url",
    ),
    (
        r"not found|does not appear to be a git repository|not a git repository"
        r"|error: 404|No such file",
        RemoteUnavailable,
        None,
        "there is no repository: check spec.repository.url",
    ),
    (
        r"Could not resolve|Name or service not known",
        RemoteUnavailable,
        None,
        "its host name is unknown: check spec.repository.url",
    ),
    (
        r"error: 4\d\d|HTTP 4\d\d",
        RemoteError,
        None,
        "it does not understand what git asks: check scheme, port and path of"
        " spec.repository.url",
    ),
    (
        r"timed out during banner exchange|Timeout, server \S+ not responding",
        RemoteUnavailable,
        "RemoteSilent",
        f"it took the connection, and then it {_SILENT}",
    ),
    (
        r"unable to access|Failed to connect|Connection (refused|reset|timed out|closed)"
        r"|early EOF|hung up|Could not read from remote|RPC failed"
        r"|transfer closed|Empty reply",
        RemoteUnavailable,
        None,
        "it does not answer, or broke off; this is tried again",
    ),
)

# What servers say when they refuse one branch of a push, from the particular to the general: a
# hook may say any of it, and its refusal itself is the most general word.
_REFUSED: tuple[tuple[str, str], ...] = (
    (
        r"fsck error|object [0-9a-f]{40,64}: [a-zA-Z]+: ",
        "The server checks what it is sent (receive.fsckObjects) and refuses an object. It is"
        " in the history of the branch by now, so the same push is refused again: allow it"
        " there (receive.fsck.NAME, the name is behind the object's id), or begin a new swarm"
        " without it",
    ),
    (
        r"pack exceeds maximum",
        "What is pushed at once is larger than the server takes (receive.maxInputSize):"
        " raise that limit",
    ),
    (
        r"[Rr]epository.{0,80}(size limit|storage limit)|over its (size|storage)|[Qq]uota"
        r"|No space left|[Dd]isk (is )?full",
        "The server has no room for it: look at its volume and quota",
    ),
    (
        r"insufficient permission|unable to (create|write)|Read-only file system"
        r"|Permission denied",
        "The account that git runs as on the server may not write there: look at the owner"
        " of the repository's files",
    ),
    (
        r"cannot lock ref .{0,300}(exists; cannot create|there are still refs under)",
        "A branch there has a name that this one would be a folder of, or lie in: delete"
        " that branch, or name another spec.integration.branch in a new swarm",
    ),
    (
        r"cannot lock ref .{0,300}File exists",
        "A lock file of a git that was ended is left on the server: remove the file that it"
        " names",
    ),
    (
        r"hidden ref",
        "The server keeps branches of that name for itself (receive.hideRefs): name another"
        " spec.integration.branch in a new swarm",
    ),
    (
        r"currently checked out|refusing to update checked out branch",
        "The repository there is no bare one and has this branch checked out: check out"
        " another branch there, or push to a bare repository",
    ),
    (
        r"missing necessary objects|did not send all necessary|bad pack|inflate|index-pack"
        r" (failed|died)|missing (blob|tree|commit)",
        "The server lacks objects that it should have, or cannot read them: run `git fsck`"
        " there",
    ),
    (
        r"GH001|[Ll]arge files? detected|exceeds .{0,60}(file size|limit)|larger than"
        r"|[Ff]ile size limit|file is too large",
        "A file is larger than the server takes. It is in the history of the branch by"
        " now: raise the limit there, or begin a new swarm without that file",
    ),
    (
        r"without .workflows?. (permission|scope)",
        "The credentials may not change workflows: give them that right",
    ),
    (
        r"GH007|private email|[Cc]ommitter|not a verified email|[Ss]ign(ed|ature)"
        r"|commit message",
        "The server has rules for commits that these do not meet: exempt the branch or"
        " the account from them",
    ),
    (
        r"GH006|GH013|[Pp]rotected|not allowed to (push|create)|hook declined"
        r"|[Rr]ule violations",
        "The branch is protected there, or a hook refuses it: allow the account to push"
        " it, or name another spec.integration.branch in a new swarm",
    ),
    (
        r"unpack(er)? (failed|error)",
        "The server could not take it apart, and its words do not say why: look at its log",
    ),
    (
        r"shallow update not allowed",
        "The repository there is a shallow copy and takes no new history",
    ),
)


def explain(url: str, stderr: str) -> RemoteError | GitFailed:
    """The error that the end of git's output means."""
    detail = redact_end(
        " | ".join(line.strip() for line in re.split("[\r\n]", stderr) if line.strip()),
        600,
    )
    # The address itself may hold any of these words.
    text = stderr[-_LOOKED_AT:].replace(url, "")
    for pattern, kind, reason, advice in _KNOWN:
        if re.search(pattern, text):
            said = f"repository {url}: {advice} (git: {detail})"
            return kind(said, reason=reason)
    return GitFailed(f"repository {url}: {detail or 'git gave no reason'}")


def refusal(said: str) -> str:
    """What to do about a push that the server refused in these words; may be empty."""
    for pattern, advice in _REFUSED:
        if re.search(pattern, said):
            return advice
    return ""


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
        f"repository {url}: {how_long} it {_SILENT}", reason="RemoteSilent"
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
