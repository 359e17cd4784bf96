"""What a server really said, in plain words; and that it is told no secret of others."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import pytest

from kiro_swarm.workspace.answers import explain
from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.errors import RemoteError, RemoteUnavailable
from kiro_swarm.workspace.mirror import prepare_mirror
from kiro_swarm.workspace.refusals import refusal
from tests.unit.workspace.repositories import INTEGRATION
from tests.unit.workspace.servers import Answering, answering, certificate

AGAIN = "this is tried again"
PAGE = b"<!doctype html>\n<html>Sign in</html>\n"


def said(top: Path, url: str, secret: Optional[Credentials] = None) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        prepare_mirror(top / "m", url, None, INTEGRATION, secret)
    return caught.value


def token(top: Path, value: str = "s3cret") -> Credentials:
    (top / "secret").mkdir(exist_ok=True)
    (top / "secret/token").write_text(value)
    return Credentials(top / "secret")


@pytest.mark.parametrize(
    ("code", "reason", "words", "again"),
    [
        (301, "RepositoryMoved", "sends us", False),
        (302, "RepositoryMoved", "sends us", False),
        (400, "RemoteError", "check scheme, port and path", False),
        (401, "CredentialsRefused", "credentialsSecret", False),
        (403, "CredentialsRefused", "credentialsSecret", False),
        (404, "RemoteUnavailable", "there is no repository", False),
        (407, "ProxyRefused", "wants credentials", False),
        (410, "RemoteUnavailable", "any more", False),
        (413, "TooLargeForServer", "larger than the server", False),
        (429, "RateLimited", "more often than it allows", True),
        (500, "RemoteUnavailable", "broke off", True),
        (503, "RemoteUnavailable", "broke off", True),
    ],
)
def test_every_status_has_its_words(
    tmp_path: Path, code: int, reason: str, words: str, again: bool
) -> None:
    with answering(code) as server:
        error = said(tmp_path, server.url)
    assert error.reason == reason
    assert words in error.message
    assert (AGAIN in error.message) is again


@pytest.mark.parametrize("body", [b"", b"<html>One line</html>", PAGE])
def test_a_page_is_no_empty_repository(tmp_path: Path, body: bytes) -> None:
    with answering(headers={"Content-Type": "text/html"}, body=body) as server:
        error = said(tmp_path, server.url)
    assert error.reason == "NotGit"
    assert "no git repository" in error.message


def test_a_certificate_is_called_a_certificate(tmp_path: Path) -> None:
    _, tls = certificate(tmp_path, "localhost")
    with answering(tls=tls) as server:
        error = said(tmp_path, f"https://localhost:{server.port}/x.git")
    assert error.reason == "CertificateNotTrusted"
    assert "spec.repository.caBundle" in error.message
    assert AGAIN not in error.message


def test_a_port_without_tls_is_called_so(tmp_path: Path) -> None:
    with answering() as server:
        error = said(tmp_path, f"https://localhost:{server.port}/x.git")
    assert (error.reason, "TLS" in error.message) == ("NotGit", True)


@pytest.mark.parametrize(
    ("stderr", "reason", "words", "again"),
    [
        (
            "error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\n"
            "send-pack: unexpected disconnect while reading sideband packet\n"
            "fatal: the remote end hung up unexpectedly",
            "TooLargeForServer",
            "raise its limit",
            False,
        ),
        (
            "remote: Permission to o/r.git denied to bob.\nfatal: unable to access"
            " 'https://git.example/a.git/': The requested URL returned error: 403",
            "CredentialsRefused",
            "right to push",
            False,
        ),
        (
            "fatal: unable to access 'https://git.example/a.git/': CONNECT tunnel"
            " failed, response 407",
            "ProxyRefused",
            "wants credentials",
            False,
        ),
        (
            "fatal: could not read Password for 'http://bob@proxy:3128': terminal"
            " prompts disabled",
            "ProxyRefused",
            "wants credentials",
            False,
        ),
        (
            "fatal: could not read Username for 'https://git.example/a.git': terminal",
            "CredentialsRefused",
            "spec.repository.credentialsSecret",
            False,
        ),
        (
            "fatal: unable to access 'https://git.example/a.git/': Could not resolve"
            " proxy: no.invalid",
            "ProxyRefused",
            "is not there",
            False,
        ),
        (
            "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found."
            " Their offer: ssh-rsa\nfatal: Could not read from remote repository.",
            "RemoteError",
            "no longer safe",
            False,
        ),
        (
            "Connection closed by 10.0.0.1 port 22\nfatal: Could not read from remote"
            " repository.",
            "RemoteUnavailable",
            "broke off",
            True,
        ),
        (
            "fatal: mismatched algorithms: client sha1; server sha256",
            "RemoteError",
            "SHA-256",
            False,
        ),
        ("something new", "GitFailed", "something new", False),
        ("", "GitFailed", "no reason", False),
    ],
)
def test_what_git_and_ssh_say_is_understood(
    stderr: str, reason: str, words: str, again: bool
) -> None:
    error = explain("https://git.example/a.git", stderr)
    assert error.reason == reason
    assert words in error.message
    assert (AGAIN in error.message) is again


def test_words_in_the_address_itself_mean_nothing() -> None:
    url = "https://git.example/shallow-update/error: 413/not-found.git"
    error = explain(url, f"fatal: unable to access '{url}': Connection refused")
    assert isinstance(error, RemoteUnavailable)
    assert AGAIN in error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("error: GH001: Large files detected.", "larger than the server"),
        (
            "this exceeds GitHub's file size limit of 100.00 MB",
            "larger than the server",
        ),
        ("GH006: Protected branch update failed for refs/heads/x", "protected"),
        ("(protected branch hook declined)", "protected"),
        ("(pre-receive hook declined) only reviewed", "protected"),
        (
            "refusing to allow an OAuth App to create or update workflow `.github/"
            "workflows/a.yml` without `workflow` scope",
            "workflows",
        ),
        ("GH007: Your push would publish a private email", "rules for commits"),
        ("(unpacker error) No space left on device", "volume and quota"),
        ("(unpacker error) fatal: pack exceeds maximum allowed size", "maxInputSize"),
        ("(unpacker error)", "look at its log"),
        ("(unpacker error) error: object " + "a" * 40 + ": hasDotgit: x", "fsck.NAME"),
        ("(pre-receive hook declined) quota exceeded: 5 GB", "volume and quota"),
        (
            "(pre-receive hook declined) Your push has been rejected, because this"
            " repository has exceeded its size limit of 10 MB by 2 MB",
            "volume and quota",
        ),
        ("unable to write file objects/aa: Permission denied", "owner"),
        (
            "(failed to update ref) error: cannot lock ref 'refs/heads/a/b':"
            " 'refs/heads/a' exists; cannot create 'refs/heads/a/b'",
            "delete that branch",
        ),
        (
            "error: cannot lock ref 'refs/heads/a': Unable to create: File exists",
            "lock",
        ),
        ("(deny updating a hidden ref)", "hideRefs"),
        ("(branch is currently checked out)", "bare"),
        ("(missing necessary objects)", "git fsck"),
        ("(shallow update not allowed)", "shallow"),
        ("whatever", ""),
    ],
)
def test_a_refused_branch_says_what_to_do(text: str, words: str) -> None:
    assert words in refusal(text)
    assert bool(words) == bool(refusal(text))


class TestCredentials:
    """They go to the host, port and path that they were given for."""

    def test_another_host_sees_neither_them_nor_us(self, tmp_path: Path) -> None:
        with answering(404, wants_password=True) as other:
            there = f"http://localhost:{other.port}/team/x.git/info/refs"
            with answering(302, headers={"Location": there}) as server:
                error = said(tmp_path, server.url, token(tmp_path))
        assert error.reason == "RepositoryMoved"
        assert f"http://localhost:{other.port}/team/x.git instead" in error.message
        assert other.asked == []

    def test_nor_does_a_host_that_asks_for_them_first(self, tmp_path: Path) -> None:
        with answering(404, wants_password=True) as other:
            where = {"Location": f"http://localhost:{other.port}/team/x.git/info/refs"}
            with answering(302, headers=where, wants_password=True) as server:
                error = said(tmp_path, server.url, token(tmp_path))
        assert error.reason == "RepositoryMoved"
        assert (server.asked[1][1], other.asked) == ("x-access-token:s3cret", [])

    @pytest.mark.parametrize(
        "location",
        [
            "/other/x.git/info/refs?service=git-upload-pack",
            "http://127.0.0.1:{port}/team/x.gitter/info/refs",
            "http://bob@127.0.0.1:{port}/team/x.git/info/refs",
            "https://127.0.0.1:{port}/team/x.git/info/refs",
            "ftp://127.0.0.1:{port}/team/x.git/info/refs",
            "http://[::1/info/refs",
            "//",
        ],
    )
    def test_nor_another_path_or_scheme(self, tmp_path: Path, location: str) -> None:
        with answering(302) as server:
            server.headers = {"Location": location.format(port=server.port)}
            error = said(tmp_path, server.url, token(tmp_path))
        assert error.reason == "RepositoryMoved"
        assert {path.split("?")[0] for path, _ in server.asked} == {
            "/team/x.git/info/refs"
        }

    def test_a_name_without_its_ending_is_the_same_repository(
        self, tmp_path: Path
    ) -> None:
        def redirected(server: Answering) -> None:
            server.headers = {
                "Location": "/team/x.git/info/refs?service=git-upload-pack"
            }

        with answering(301) as server:
            redirected(server)
            error = said(tmp_path, server.url[: -len(".git")], token(tmp_path))
        # The second address was asked, and answers with the redirect, too.
        assert error.reason == "RepositoryMoved"
        assert "/team/x.git/info/refs?service=git-upload-pack" in {
            path for path, _ in server.asked
        }

    def test_a_proxy_is_not_told_the_password_of_the_repository(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with answering(407, headers={"Proxy-Authenticate": "Basic realm=x"}) as proxy:
            monkeypatch.setenv("http_proxy", f"http://bob@127.0.0.1:{proxy.port}")
            error = said(tmp_path, "http://git.example/x.git", token(tmp_path))
        assert error.reason == "ProxyRefused"
        assert not any("s3cret" in secret for _, secret in proxy.asked)

    def test_a_token_is_read_anew_for_each_command(self, tmp_path: Path) -> None:
        with answering(404, wants_password=True) as server:
            for value in ("first", "second"):
                said(tmp_path, server.url, token(tmp_path, value))
        told = {secret for _, secret in server.asked if secret}
        assert told == {"x-access-token:first", "x-access-token:second"}
