"""Credentials for a remote, from the files of a mounted secret.

Role: remote.py asks ``access`` for the environment of one git command.

Guarantees: no secret value is ever an argument, an environment variable or a line of a
configuration. For http git asks a small program that prints one of the secret's files,
as it is at that moment, and answers for that one address alone; for ssh the key is copied
into a private folder that lives as long as the command. What a server says makes git speak
no other protocol.

Keys of the secret: ``token``, or ``username`` and ``password``; for ssh
``ssh-privatekey`` and ``known_hosts`` (the names of Kubernetes' own secret types); for a
proxy ``proxy-username`` and ``proxy-password``.
"""

from __future__ import annotations

import base64
import os
import shlex
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional
from urllib.parse import quote, unquote, urlsplit

from kiro_swarm.workspace.errors import CredentialsIncomplete, InvalidUrl
from kiro_swarm.workspace.network import place_of, through, trusting

# GIT_ASKPASS names one program without arguments; git gives it the question. What differs
# comes by the environment, so the text of this program is always the same. It answers
# "Username for 'PLACE': " and "Password for 'SCHEME://USER@REST': " and nothing else: a
# proxy, or another address, that asks the same is told nothing. Newer versions of git write
# the path in its encoded form, older ones do not.
_ASKPASS = """#!/bin/sh
answer() {
  if [ "$1" = user ]; then
    if [ -n "$KIRO_USERNAME_FILE" ]; then exec cat -- "$KIRO_USERNAME_FILE"; fi
    echo x-access-token
    exit
  fi
  exec cat -- "$KIRO_PASSWORD_FILE"
}
proxy=${1#"Password for '$KIRO_PROXY_SCHEME://"}
if [ -n "$KIRO_PROXY_PLACE" ] && [ "$proxy" != "$1" ]; then
  user=${proxy%"@$KIRO_PROXY_PLACE': "}
  if [ "$user" != "$proxy" ]; then
    case "$user" in
    */*) ;;
    *) exec cat -- "$KIRO_PROXY_PASSWORD_FILE" ;;
    esac
  fi
fi
if [ -z "$KIRO_PASSWORD_FILE" ]; then exit 1; fi
for rest in "$KIRO_PLACE" "$KIRO_ENCODED_PLACE"; do
  if [ "$1" = "Username for '$KIRO_SCHEME://$rest': " ]; then answer user; fi
  asked=${1#"Password for '$KIRO_SCHEME://"}
  user=${asked%"@$rest': "}
  if [ "$asked" != "$1" ] && [ "$user" != "$asked" ]; then
    case "$user" in
    */*) ;;
    *) answer password ;;
    esac
  fi
done
exit 1
"""
#: Of a value that can be hidden in a text, in bytes.
_SHORTEST = 4


@dataclass(frozen=True)
class Credentials:
    """A folder with one file per key, as Kubernetes mounts a secret, and the way there.

    ``folder``: None where the repository needs no secret. ``authorities``: a file of
    certificates to be trusted, too. ``proxy``: its address, or nothing.
    """

    folder: Optional[Path]
    authorities: Optional[Path] = None
    proxy: str = ""
    nameless: bool = False
    """The repository is not to be told who we are; a proxy is."""

    def file(self, key: str) -> Optional[Path]:
        """The key's file, or None when it is missing or holds nothing."""
        if self.folder is None:
            return None
        path = self.folder / key
        return path if path.is_file() and path.read_bytes().strip() else None

    def secrets(self) -> set[bytes]:
        """The values that are sent to a server, in the forms in which it may repeat them.

        Shorter ones than four bytes stay out: hiding them would make any text unreadable.
        """
        user = self._value("username") or b"x-access-token"
        pairs = [(user, self._value("token")), (user, self._value("password"))]
        pairs.append((self._value("proxy-username"), self._value("proxy-password")))
        found: set[bytes] = set()
        for name, value in pairs:
            if len(value) >= _SHORTEST:
                both = name + b":" + value
                found |= {value, quote(value, safe="").encode()}
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    found |= {encode(value).rstrip(b"="), encode(both).rstrip(b"=")}
        return found

    def _value(self, key: str) -> bytes:
        path = self.file(key)
        return b"" if path is None else path.read_bytes().strip()

    def keys(self) -> str:
        """What there is of the Secret, for a message: its keys, and which hold nothing.

        A Secret that does not exist is mounted as one without keys.
        """
        none = "there is no such Secret, or it has no keys"
        if self.folder is None or not self.folder.is_dir():
            return none
        keys = (p.name for p in self.folder.iterdir() if not p.name.startswith("."))
        named = [key if self.file(key) else f"{key} (empty)" for key in sorted(keys)]
        return f"it has: {', '.join(named[:10])}" if named else none


@contextmanager
def access(url: str, credentials: Optional[Credentials]) -> Iterator[dict[str, str]]:
    """The environment by which git reaches ``url``; valid inside the ``with``.

    Raises CredentialsIncomplete, naming the key, when the secret lacks one.
    """
    scheme = urlsplit(url).scheme
    with tempfile.TemporaryDirectory(prefix="kiro-access-") as folder:
        private = Path(folder)
        if scheme == "ssh":
            yield {**_only(scheme), **_ssh(private, credentials)}
        elif scheme in ("http", "https"):
            yield {**_only(scheme), **_http(private, url, credentials)}
        else:
            yield _only(scheme)


def _only(scheme: str) -> dict[str, str]:
    """Nothing that a server says makes git speak another protocol."""
    return {"GIT_ALLOW_PROTOCOL": scheme}


def _http(
    private: Path, url: str, credentials: Optional[Credentials]
) -> dict[str, str]:
    if credentials is None:
        return trusting(private, None)
    user = credentials.file("proxy-username") if credentials.proxy else None
    name = "" if user is None else user.read_text("utf-8").strip()
    found = {
        **trusting(private, credentials.authorities),
        **through(credentials.proxy, name),
    }
    answers: dict[str, str] = {}
    if name:
        answers |= _of_the_proxy(credentials)
    if credentials.folder is not None and not credentials.nameless:
        answers |= _of_the_repository(url, credentials)
    if answers:
        program = private / "askpass"
        program.write_text(_ASKPASS)
        program.chmod(0o700)
        found["GIT_ASKPASS"] = str(program)
    return {**found, **answers}


def _of_the_proxy(credentials: Credentials) -> dict[str, str]:
    parts = urlsplit(credentials.proxy)
    return {
        "KIRO_PROXY_SCHEME": parts.scheme,
        "KIRO_PROXY_PLACE": place_of(credentials.proxy),
        "KIRO_PROXY_PASSWORD_FILE": str(
            _needed(credentials, "proxy-password", "a proxy")
        ),
    }


def _of_the_repository(url: str, credentials: Credentials) -> dict[str, str]:
    username = credentials.file("username")
    secret = credentials.file("token")
    if secret is None and username is not None:
        secret = credentials.file("password")
    if secret is None and credentials.proxy and credentials.file("proxy-username"):
        return {}  # a public repository behind a proxy
    if secret is None:
        raise CredentialsIncomplete(
            'the credentials secret needs the key "token", or the keys "username" and'
            f' "password"; {credentials.keys()}'
        )
    parts = urlsplit(url)
    path = unquote(parts.path).rstrip("/")
    return {
        "KIRO_SCHEME": parts.scheme,
        "KIRO_PLACE": parts.netloc + path,
        "KIRO_ENCODED_PLACE": parts.netloc + quote(path),
        "KIRO_USERNAME_FILE": "" if username is None else str(username),
        "KIRO_PASSWORD_FILE": str(secret),
    }


def _ssh(private: Path, credentials: Optional[Credentials]) -> dict[str, str]:
    if credentials is not None and credentials.proxy:
        raise InvalidUrl("spec.repository.proxy is for https addresses, not for ssh")
    if credentials is None or credentials.folder is None:
        raise CredentialsIncomplete(
            "an ssh address needs spec.repository.credentialsSecret with the keys"
            ' "ssh-privatekey" and "known_hosts"'
        )
    key = _needed(credentials, "ssh-privatekey", "an ssh address")
    known_hosts = _needed(credentials, "known_hosts", "an ssh address")
    # ssh refuses a key that others can read, as a mounted secret often is, and one whose
    # last line has no end.
    copy = private / "key"
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(key.read_bytes().rstrip() + b"\n")
    options = ["ssh", "-F", "/dev/null", "-i", str(copy)]
    for option in (
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known_hosts}",
        "GlobalKnownHostsFile=/dev/null",
        "ConnectTimeout=20",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
    ):
        options += ["-o", option]
    # git splits this text as a shell would; every word is quoted for that.
    return {"GIT_SSH_COMMAND": shlex.join(options), "GIT_SSH_VARIANT": "ssh"}


def _needed(credentials: Credentials, key: str, what: str) -> Path:
    found = credentials.file(key)
    if found is None:
        raise CredentialsIncomplete(
            f'the credentials secret needs the key "{key}" for {what};'
            f" {credentials.keys()}"
        )
    return found
