"""Publishing the integration branch, and reading with credentials."""

from __future__ import annotations

import base64
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest

from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import (
    CredentialsIncomplete,
    CredentialsRefused,
    PushRejected,
    RemoteUnavailable,
)
from kiro_swarm.workspace.mirror import prepare_mirror
from kiro_swarm.workspace.push import push_integration
from kiro_swarm.workspace.train import MergeTrain
from tests.unit.workspace.repositories import (
    INTEGRATION,
    SPEC,
    Gate,
    Swarm,
    commit,
    git,
)


def test_a_push_publishes_the_head_and_may_be_repeated(swarm: Swarm) -> None:
    MergeTrain(swarm.mirror, INTEGRATION, SPEC, Gate()).merge(swarm.work({"a": "1"}))
    for _ in range(2):
        assert push_integration(swarm.mirror, swarm.url, INTEGRATION) == swarm.head()
        assert git(swarm.upstream, "rev-parse", INTEGRATION) == swarm.head()


def test_a_branch_that_others_moved_is_never_overwritten(swarm: Swarm) -> None:
    git(swarm.upstream, "checkout", "--quiet", "-b", INTEGRATION)
    theirs = commit(swarm.upstream, {"theirs": "x"})
    git(swarm.upstream, "checkout", "--quiet", "main")
    with pytest.raises(PushRejected, match="commits that the swarm does not know"):
        push_integration(swarm.mirror, swarm.url, INTEGRATION)
    assert git(swarm.upstream, "rev-parse", INTEGRATION) == theirs


def test_a_hook_of_the_remote_is_quoted(swarm: Swarm) -> None:
    hook = swarm.upstream / ".git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'only reviewed branches' >&2\nexit 1\n")
    hook.chmod(0o755)
    # Our own git runs no hooks, not even as a server; the remote's git does.
    git(swarm.upstream, "config", "core.hooksPath", str(hook.parent))
    with pytest.raises(PushRejected, match=r"hook declined\) only reviewed branches"):
        push_integration(swarm.mirror, swarm.url, INTEGRATION)


def _hook(text: str) -> Callable[[Path], None]:
    def put(server: Path) -> None:
        (server / "hooks").mkdir(exist_ok=True)
        hook = server / "hooks/pre-receive"
        hook.write_text(f"#!/bin/sh\n{text}\n")
        hook.chmod(0o755)
        git(server, "config", "core.hooksPath", str(hook.parent))

    return put


def _set(*setting: str) -> Callable[[Path], None]:
    def put(server: Path) -> None:
        git(server, "config", *setting)

    return put


def _branch(name: str) -> Callable[[Path], None]:
    def put(server: Path) -> None:
        git(server, "update-ref", f"refs/heads/{name}", "main")

    return put


def _lock(server: Path) -> None:
    lock = server / f"refs/heads/{INTEGRATION}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (_set("receive.fsckObjects", "true"), r"fsck\.NAME.*zeroPaddedDate"),
        (_set("receive.maxInputSize", "20"), "maxInputSize"),
        (_set("receive.hideRefs", "refs/heads/swarm"), "hideRefs"),
        (_hook("echo 'over your quota of 1 GB' >&2; exit 1"), "volume and quota"),
        (_hook("echo 'only reviewed' >&2; exit 1"), "hook refuses it.*only reviewed"),
        (_branch("swarm"), "delete that branch"),
        (_lock, "lock file"),
    ],
)
def test_a_real_server_s_refusal_says_what_is_wrong_and_what_helps(
    swarm: Swarm, prepare: Callable[[Path], None], words: str
) -> None:
    server = swarm.top / "server.git"
    git(swarm.top, "clone", "--quiet", "--bare", str(swarm.upstream), str(server))
    head = swarm.head()
    body = git(swarm.mirror, "cat-file", "commit", head)
    text = re.sub(r"(?m)^parent .*\n", "", body) + "\n"
    text = re.sub(r"(?m)^tree .*\n", rf"\g<0>parent {head}\n", text)
    text = re.sub(r"(?m)^author .*", "author a <a@b> 0001 +0000", text)
    strange = swarm.top / "strange"
    strange.write_text(text)
    made = git(
        swarm.mirror,
        *("hash-object", "-t", "commit", "--literally", "-w", str(strange)),
    )
    git(swarm.mirror, "update-ref", f"refs/heads/{INTEGRATION}", made)
    prepare(server)
    swarm.belongs_to(f"file://{server}")
    with pytest.raises(PushRejected) as refused:
        push_integration(swarm.mirror, f"file://{server}", INTEGRATION)
    assert re.search(words, refused.value.message, re.DOTALL), refused.value.message
    assert "tried again" not in refused.value.message


def test_a_remote_that_is_gone_is_said_so(swarm: Swarm) -> None:
    swarm.belongs_to(f"file://{swarm.top}/gone")
    with pytest.raises(RemoteUnavailable):
        push_integration(swarm.mirror, f"file://{swarm.top}/gone", INTEGRATION)


class _Guarded(SimpleHTTPRequestHandler):
    """Serves a repository's files to whoever has the password."""

    accepted = ""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") != self.accepted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""


@contextmanager
def _served(swarm: Swarm, user: str, password: str) -> Iterator[str]:
    git(swarm.upstream, "update-server-info")
    _Guarded.accepted = (
        "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    )
    handler = partial(_Guarded, directory=str(swarm.upstream))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/.git"
        finally:
            server.shutdown()
            thread.join()


def _secret(folder: Path, **keys: str) -> Credentials:
    folder.mkdir()
    for key, value in keys.items():
        (folder / key).write_text(value)
    return Credentials(folder)


@pytest.mark.parametrize(
    ("keys", "user"),
    [
        ({"username": "bob\n", "password": "s3cret $(id)\n"}, "bob"),
        ({"token": "s3cret $(id)"}, "x-access-token"),
        ({"username": "oauth2", "token": "s3cret $(id)"}, "oauth2"),
    ],
)
def test_the_secret_opens_the_repository(
    swarm: Swarm, keys: dict[str, str], user: str
) -> None:
    secret = _secret(swarm.top / "secret", **keys)
    with _served(swarm, user, "s3cret $(id)") as url:
        made = prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, secret)
    assert made.source == git(swarm.upstream, "rev-parse", "main")
    written = [p for p in (swarm.top / "m").rglob("*") if p.is_file()]
    assert not any(b"s3cret" in path.read_bytes() for path in written)


def test_a_wrong_or_missing_secret_says_what_to_check(swarm: Swarm) -> None:
    wrong = _secret(swarm.top / "wrong", username="bob", password="leak-me")
    gone = Credentials(swarm.top / "gone")
    partly = _secret(swarm.top / "partly", username="bob")
    with _served(swarm, "bob", "right") as url:
        for secret in (None, wrong):
            with pytest.raises(CredentialsRefused, match="credentialsSecret") as caught:
                prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, secret)
            assert "leak-me" not in caught.value.message
        with pytest.raises(CredentialsIncomplete, match=r'"token".*it has: username'):
            prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, partly)
        with pytest.raises(CredentialsIncomplete, match="there is no such Secret, or"):
            prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, gone)
        empty = _secret(swarm.top / "empty", username="bob", password="")
        words = r"it has: password \(empty\), username$"
        with pytest.raises(CredentialsIncomplete, match=words):
            prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, empty)


_FAKE_SSH = """#!/bin/sh
for last in "$@"; do :; done
{ printf '%s\\n' "$@"; env; stat -c 'mode %a' "$4"; cat "$4"; } > "$(dirname "$0")/seen"
exec sh -c "$last"
"""


def test_ssh_gets_a_private_copy_of_the_key(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = swarm.top / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(_FAKE_SSH)
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    secret = _secret(
        swarm.top / "a secret", **{"ssh-privatekey": "KEY", "known_hosts": "host KEY"}
    )
    assert secret.folder is not None
    (secret.folder / "ssh-privatekey").chmod(0o644)
    url = f"ssh://git@127.0.0.1:2222{swarm.upstream}"
    made = prepare_mirror(swarm.top / "m", url, "main", INTEGRATION, secret)
    assert made.source == git(swarm.upstream, "rev-parse", "main")
    seen = (programs / "seen").read_text()
    assert "mode 600\nKEY\n" in seen
    assert "StrictHostKeyChecking=yes" in seen
    assert f"UserKnownHostsFile={secret.folder}/known_hosts" in seen
    key = next(line for line in seen.splitlines() if line.endswith("/key"))
    assert not Path(key).exists()


def test_nothing_of_our_environment_reaches_git(
    swarm: Swarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare'='rubbish'")
    monkeypatch.setenv("HOME", str(swarm.top))
    (swarm.top / ".gitconfig").write_text(
        '[url "file:///nowhere"]\n\tinsteadOf = file:\n'
    )
    assert swarm.prepare().continued
