"""What git, curl, ssh and servers say when a command failed, and what it means.

Role: the table of answers.py. Pure.

Guarantees: from the particular to the general, so that what a server says itself comes before
the status of HTTP that it says it with.
"""

from __future__ import annotations

import re
from typing import Optional

from kiro_swarm.workspace.errors import (
    CredentialsRefused,
    RefNotFound,
    RemoteError,
    RemoteUnavailable,
)

MOVED = re.compile(r"error: 30[12378]\b")
SILENT = (
    "neither sent nor took anything, so the connection was ended: look at the server, at its"
    " hooks and at what is between (a proxy, a firewall). Nothing that is merged is lost, and"
    " this is tried again"
)
_Kind = type[RemoteError]
#: A pattern, the error, a reason other than the error's own, what to do.
_Row = tuple[str, _Kind, Optional[str], str]

# What git, curl and ssh say (LC_ALL=C), from the particular to the general.
KNOWN: tuple[_Row, ...] = (
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
        r"CONNECT tunnel failed, response 50[234]|HTTP code 50[234] from proxy",
        RemoteUnavailable,
        None,
        "the proxy on the way does not reach it; this is tried again",
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
        r"(?i)rate.?limit|too many (requests|concurrent|open connections)|Retry later"
        r"|exceeding usage of resource",
        RemoteUnavailable,
        "RateLimited",
        "it is asked more often than it allows; this is tried again later",
    ),
    (
        r"(?i)maintenance mode|(undergoing|under|down for|scheduled) maintenance",
        RemoteUnavailable,
        None,
        "it is under maintenance; this is tried again",
    ),
    (
        r"IP allow list|IP address is not (permitted|allowed)",
        CredentialsRefused,
        None,
        "it lets nobody in from the address that the cluster has: put that on its list",
    ),
    (
        r"SAML SSO|single sign.on|[Tt]erms of [Ss]ervice|password (has )?expired",
        CredentialsRefused,
        None,
        "the account has to do something there first: authorize the token for the"
        " organization (single sign-on), take its terms, or renew its password",
    ),
    (
        r"(account|user) (is|was|has been) (currently )?(suspended|blocked|disabled|locked)"
        r"|account is currently not available",
        CredentialsRefused,
        None,
        "the account is blocked there: unblock it, or name credentials of another one",
    ),
    (
        r"access to this repository has been disabled|[Rr]epository (is|has been|was)"
        r" (disabled|locked|blocked)|error: 451|HTTP 451|DMCA",
        RemoteError,
        None,
        "the repository is locked there: ask who runs the server",
    ),
    (
        r"[Pp]assword authentication (was removed|is not supported)"
        r"|stopped supporting account passwords",
        CredentialsRefused,
        None,
        "it takes no password of an account, but a token:"
        " spec.repository.credentialsSecret",
    ),
    (
        r"(is|was|been|an) archived|read.only (mode|instance|repository)",
        RemoteError,
        None,
        "it takes no changes (archived, or read-only): open it again there, or name"
        " another repository",
    ),
    (
        r"Permission to \S+ denied|denied to deploy key|Write access to repository"
        r"|marked as read.only|not allowed to (push|upload)|GenericContribute"
        r"|deployment key is read-only|[Pp]ermission denied for writing"
        r"|FATAL: [WC+] .{0,300} DENIED",
        CredentialsRefused,
        None,
        "these credentials may read it and not write to it: give them the right to push",
    ),
    (
        r"RSA key with SHA-1|SSH key (has|is) expired",
        CredentialsRefused,
        None,
        "it takes this key no longer: put a new one (ed25519) into the Secret of"
        " spec.repository.credentialsSecret",
    ),
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied"
        r"|error: 40[13]|HTTP 40[13]|invalid format|Load key|error in libcrypto"
        r"|Too many authentication failures|[Pp]ublic key authentication failed"
        r"|No supported authentication methods|Unauthorized",
        CredentialsRefused,
        None,
        "it wants credentials, or other ones: check spec.repository.credentialsSecret",
    ),
    (
        r"couldn't find remote ref|not our ref|no such remote ref|unadvertised object",
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
        r"possible repository corruption|remote: (fatal|error): .{0,200}(bad object|corrupt"
        r"|unable to read|missing (blob|tree|commit))",
        RemoteError,
        None,
        "it cannot read objects of its own: run `git fsck` there",
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
        r"|error: 404|No such file|could not be found|[Cc]annot find repository"
        r"|does not exist|repository not exported|repository access denied"
        r"|FATAL: R .{0,300} DENIED",
        RemoteUnavailable,
        None,
        "there is no repository, or none that these credentials may see: check"
        " spec.repository.url and spec.repository.credentialsSecret",
    ),
    (
        r"Temporary failure in name resolution",
        RemoteUnavailable,
        None,
        "the cluster's DNS does not answer for its host name; this is tried again",
    ),
    (
        r"Could not resolve|Name or service not known",
        RemoteUnavailable,
        None,
        "its host name is unknown: check spec.repository.url",
    ),
    (
        r"(error:|HTTP) (408|425)",
        RemoteUnavailable,
        None,
        "it, or what is before it, has waited too long; this is tried again",
    ),
    (
        r"(error:|HTTP) 411",
        RemoteError,
        None,
        "a proxy before it takes no request in parts (chunked, HTTP 411): allow that there",
    ),
    (
        r"(error:|HTTP) 507",
        RemoteError,
        None,
        "it has no room (HTTP 507): look at its volume and quota",
    ),
    (
        r"(error:|HTTP) 50[15]|HTTP/0\.9|URL rejected|bad/illegal format|[Bb]ad port"
        r"|Port number|[Pp]rotocol .{0,40}not supported|sftp connections only",
        RemoteError,
        "NotGit",
        "what answers there is no git server, or the address is none: check scheme, port and"
        " path of spec.repository.url",
    ),
    (
        r"alert (protocol version|handshake failure|unknown ca|bad certificate)"
        r"|alert certificate required|certificate required|unsupported protocol",
        RemoteError,
        None,
        "it wants another version of TLS, or a certificate of ours, which is not"
        " supported: look at its settings",
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
        f"it took the connection, and then it {SILENT}",
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
