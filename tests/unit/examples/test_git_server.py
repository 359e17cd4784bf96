"""The git server of the demo: real git in front of it and behind it."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import yaml

from tests.support import plain_git

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "git-server"


def git(folder: Path, *arguments: str) -> str:
    options = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    done = plain_git.start(folder, *options, *arguments)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server of a folder with the empty repository sample.git, on its own port."""
    root = tmp_path / "root"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(root / "sample.git"))
    program = [sys.executable, str(FOLDER / "server.py"), f"--root={root}", "--port=0"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        said = re.search(r"on port (\d+)", server.stdout.readline())
        assert said is not None
        yield int(said.group(1))
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


@pytest.fixture
def work(tmp_path: Path, port: int) -> Path:
    """A clone with one commit that is not pushed yet."""
    folder = tmp_path / "work"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "remote", "add", "origin", f"http://127.0.0.1:{port}/sample.git")
    # Long enough for chunks and gzip, and not to be packed into next to nothing.
    noise = [f"{number * 2654435761 % 2**32}\n" for number in range(40000)]
    (folder / "noise").write_text("".join(noise), encoding="utf-8")
    git(folder, "add", "noise")
    git(folder, "commit", "-q", "-m", "Begin")
    return folder


def ask(port: int, method: str, path: str, **more: Any) -> Tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, **more)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_what_is_pushed_is_cloned_as_it_was(work: Path, tmp_path: Path) -> None:
    git(work, "push", "-q", "origin", "main")
    url = git(work, "remote", "get-url", "origin").strip()
    git(tmp_path, "clone", "-q", url, "again")
    assert git(tmp_path / "again", "rev-parse", "HEAD") == git(
        work, "rev-parse", "HEAD"
    )


def test_a_push_in_chunks_arrives_whole(work: Path) -> None:
    git(work, "-c", "http.postBuffer=1000", "push", "-q", "origin", "main")
    assert "refs/heads/main" in git(work, "ls-remote", "origin")


def test_a_fetch_with_many_wants_comes_compressed_and_is_understood(
    work: Path, tmp_path: Path
) -> None:
    for number in range(60):
        git(work, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
        git(work, "branch", f"branch-{number}")
    git(work, "push", "-q", "origin", "--all")
    url = git(work, "remote", "get-url", "origin").strip()
    git(tmp_path, "clone", "-q", "--mirror", url, "mirror")
    assert len(git(tmp_path / "mirror", "for-each-ref").splitlines()) == 61


def test_two_clones_at_the_same_time(work: Path, tmp_path: Path) -> None:
    git(work, "push", "-q", "origin", "main")
    url = git(work, "remote", "get-url", "origin").strip()
    clones = [
        subprocess.Popen(["git", "clone", "-q", url, str(tmp_path / name)])
        for name in ("a", "b", "c")
    ]
    assert [clone.wait(60) for clone in clones] == [0, 0, 0]


def test_a_probe_is_answered(port: int) -> None:
    assert ask(port, "GET", "/healthz") == (200, "ok\n")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nobody.git/info/refs?service=git-upload-pack", 404),
        ("/sample.git/../../etc/passwd", 500),
        ("/sample.git/%2e%2e/%2e%2e/etc/passwd", 500),
        ("/", 404),
    ],
)
def test_nothing_but_repositories_is_served(port: int, path: str, status: int) -> None:
    found, text = ask(port, "GET", path)
    assert found == status
    assert "root:" not in text


def test_a_body_that_is_not_what_it_says_is_refused(port: int) -> None:
    path = "/sample.git/git-upload-pack"
    chunked = {"Transfer-Encoding": "chunked"}
    assert ask(port, "POST", path, body=b"zz\r\n", headers=chunked)[0] == 400
    assert ask(port, "POST", path, headers={"Content-Length": "many"})[0] == 400


def manifests() -> List[Dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / "git-server.yaml").read_text("utf-8")))


def test_its_pod_passes_pod_security_restricted() -> None:
    pod = manifests()[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["initContainers"], *pod["containers"]]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert not any("hostPath" in volume for volume in pod["volumes"])


def test_its_service_finds_its_pod() -> None:
    deployment, service = manifests()
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
