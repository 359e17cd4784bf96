"""Certificates and proxies of a swarm's own."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from kiro_swarm.workspace.credentials import Credentials, access
from kiro_swarm.workspace.errors import (
    CredentialsIncomplete,
    InvalidUrl,
    RefNotFound,
    RemoteError,
    WorkspaceError,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.mirror import prepare_mirror
from kiro_swarm.workspace.remote import Remote
from tests.unit.workspace.repositories import INTEGRATION, Swarm, git
from tests.unit.workspace.servers import answering, certificate

URL = "http://git.example/team/x.git"


def said(top: Path, url: str, secret: Credentials) -> WorkspaceError:
    with pytest.raises(WorkspaceError) as caught:
        prepare_mirror(top / "m", url, None, INTEGRATION, secret)
    return caught.value


def secret(top: Path, **keys: str) -> Path:
    (top / "secret").mkdir()
    for key, value in keys.items():
        (top / "secret" / key.replace("_", "-")).write_text(value)
    return top / "secret"


def test_an_authority_of_the_swarm_is_trusted(tmp_path: Path) -> None:
    shown, tls = certificate(tmp_path, "localhost")
    with answering(404, tls=tls) as server:
        url = f"https://localhost:{server.port}/x.git"
        error = said(tmp_path, url, Credentials(None, shown))
        assert "there is no repository" in error.message
        assert said(tmp_path, url, Credentials(None)).reason == "CertificateNotTrusted"


def test_it_is_trusted_beside_those_of_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = certificate(tmp_path, "other.example")
    shown, tls = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    with answering(404, tls=tls) as server:
        url = f"https://localhost:{server.port}/x.git"
        for credentials in (Credentials(None, other), Credentials(None)):
            error = said(tmp_path, url, credentials)
            assert "there is no repository" in error.message


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_bundle_without_certificates_is_said_so(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    error = said(tmp_path, "https://localhost:1/x.git", Credentials(None, file))
    assert isinstance(error, CredentialsIncomplete)
    assert "spec.repository.caBundle" in error.message


def test_a_proxy_is_asked_for_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(404) as proxy:
        way = Credentials(None, None, f"http://127.0.0.1:{proxy.port}")
        assert "there is no repository" in said(tmp_path, URL, way).message
    assert proxy.asked[0][0].startswith(URL)


def test_each_is_told_its_own_password(tmp_path: Path) -> None:
    folder = secret(
        tmp_path,
        token="for-git",
        **{"proxy_username": "b@b:/x\n", "proxy_password": "for-the-proxy\n"},
    )
    wanted = {"Proxy-Authenticate": "Basic realm=x"}
    with answering(407, headers=wanted) as proxy:
        way = Credentials(folder, None, f"http://127.0.0.1:{proxy.port}")
        assert said(tmp_path, URL, way).reason == "ProxyRefused"
    told = {password for _, password in proxy.asked}
    assert told == {"", "b@b:/x:for-the-proxy"}


def test_a_user_without_a_password_is_named(tmp_path: Path) -> None:
    folder = secret(tmp_path, proxy_username="bob")
    way = Credentials(folder, None, "http://127.0.0.1:1")
    assert '"proxy-password" for a proxy' in said(tmp_path, URL, way).message


@pytest.mark.parametrize(
    "proxy",
    [
        "http://bob:pw@proxy:1",
        "socks5://proxy:1",
        "http://proxy/path",
        "http://",
        "http://proxy:99999",
        "proxy:3128",
        "http://[::1",
    ],
)
def test_an_address_that_is_more_than_one_is_refused(
    tmp_path: Path, proxy: str
) -> None:
    error = said(tmp_path, URL, Credentials(None, None, proxy))
    assert isinstance(error, InvalidUrl)
    assert "proxy-username" in error.message


def test_ssh_knows_no_proxy(tmp_path: Path) -> None:
    way = Credentials(tmp_path, None, "http://proxy:1")
    error = said(tmp_path, "ssh://git@localhost/x.git", way)
    assert "not for ssh" in error.message


def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    way = Credentials(None, None, "http://no-such-host.invalid:3128")
    error = said(tmp_path, URL, way)
    assert isinstance(error, RemoteError)
    assert (error.reason, "spec.repository.proxy" in error.message) == (
        "ProxyRefused",
        True,
    )


#: What may ask for a password, and what it is told.
QUESTIONS = {
    "Username for 'https://git.example/team/x.git': ": "x-access-token",
    "Password for 'https://x-access-token@git.example/team/x.git': ": "for-git",
    "Password for 'https://a@b@git.example/team/x.git': ": "for-git",
    "Password for 'http://bob@proxy:3128': ": "for-the-proxy",
    "Username for 'https://git.example': ": None,
    "Username for 'https://git.example/team': ": None,
    "Username for 'https://git.example/team/x.git/y': ": None,
    "Username for 'https://git.example:444/team/x.git': ": None,
    "Username for 'http://git.example/team/x.git': ": None,
    "Username for 'https://evil.example/team/x.git': ": None,
    "Password for 'https://a@evil.example/b@git.example/team/x.git': ": None,
    "Password for 'https://a@evil.example': ": None,
    "Password for 'http://bob@proxy:3129': ": None,
    "Password for 'https://bob@proxy:3128': ": None,
    "Password for 'http://bob@evil/a@proxy:3128': ": None,
    "Username for 'http://proxy:3128': ": None,
    "Password for 'cert:////etc/key': ": None,
    "Enter passphrase for key '/k': ": None,
    "": None,
    "*": None,
    "Password for 'https://*@*': ": None,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_for_one_address(tmp_path: Path, question: str) -> None:
    folder = secret(
        tmp_path, token="for-git", proxy_username="bob", proxy_password="for-the-proxy"
    )
    way = Credentials(folder, None, "http://proxy:3128")
    with access("https://git.example/team/x.git", way) as found:
        done = subprocess.run(
            [found["GIT_ASKPASS"], question],
            env={"PATH": os.environ["PATH"], **found},
            capture_output=True,
            check=False,
            text=True,
        )
    answer = QUESTIONS[question]
    assert done.stdout.strip() == (answer or "")
    assert (done.returncode == 0) is (answer is not None)


def test_no_secret_is_in_a_variable(tmp_path: Path) -> None:
    folder = secret(
        tmp_path, token="for-git", proxy_username="bob", proxy_password="for-the-proxy"
    )
    way = Credentials(folder, None, "http://proxy:3128")
    with access("https://git.example/x.git", way) as found:
        place = Path(found["GIT_ASKPASS"]).parent
        written = "".join(path.read_text() for path in place.iterdir())
    assert "for-" not in str(found) + written
    assert not place.exists()


@pytest.mark.parametrize("code", [401, 403, 404, 418, 429, 500, 503])
@pytest.mark.parametrize(
    "keys",
    [
        {"token": "ghp_Hidden/Value+1"},
        {"username": "ann", "password": "hidden value: ÄÖ/?"},
        {"token": "x", "proxy_username": "ann", "proxy_password": "hidden/pass"},
    ],
    ids=["token", "password", "proxy"],
)
def test_what_a_server_repeats_of_its_password_is_not_told(
    tmp_path: Path, code: int, keys: dict[str, str]
) -> None:
    user = keys.get("proxy_username") or keys.get("username") or "x-access-token"
    value = keys.get("proxy_password") or keys.get("password") or keys["token"]
    pair = f"{user}:{value}".encode()
    forms = [
        value,
        quote(value, safe=""),
        base64.b64encode(pair).decode(),
        base64.urlsafe_b64encode(pair).decode().rstrip("="),
        base64.b64encode(value.encode()).decode(),
    ]
    body = "".join(f"sent: {form}\n" for form in forms).encode()
    with answering(code, headers={"Content-Type": "text/plain"}, body=body) as server:
        known = Credentials(secret(tmp_path, **keys))
        message = str(said(tmp_path, server.url, known))
    assert [form for form in forms if form in message] == []
    assert "***" in message or "sent" not in message


@pytest.mark.parametrize("token", ["main", "refs", "heads/main", "0"])
def test_a_token_that_is_part_of_an_answer_leaves_it_readable(
    swarm: Swarm, tmp_path: Path, token: str
) -> None:
    known = Credentials(secret(tmp_path, token=token))
    remote = Remote(f"file://{swarm.upstream}", known)
    assert "refs/heads/main" in remote.list_refs(Git(swarm.mirror), ["refs/heads/main"])


def test_nor_is_a_token_told_that_is_part_of_a_name(
    swarm: Swarm, tmp_path: Path
) -> None:
    """Names stand in messages: which branches there are, which tags are left out."""
    token = "ghp_0123456789abcdef"
    known = Credentials(secret(tmp_path, token=token))
    git(swarm.upstream, "branch", f"echo/{token}")
    part = "x" * 251
    git(swarm.upstream, "branch", "-m", "main", "trunk")
    (swarm.upstream / ".git" / "packed-refs").write_text(
        f"{git(swarm.upstream, 'rev-parse', 'HEAD')} refs/tags/{token}/{part}\n"
    )
    remote = (f"file://{swarm.upstream}", "trunk", INTEGRATION, known)
    head = prepare_mirror(swarm.mirror, *remote)
    assert "***/xxx" in head.remark
    assert token not in head.remark
    with pytest.raises(RefNotFound) as refusal:
        prepare_mirror(swarm.mirror, remote[0], "main", INTEGRATION, known)
    assert refusal.value.message.endswith("its branches: echo/***, trunk")
