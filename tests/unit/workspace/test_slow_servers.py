"""A server that takes its time and says that it is alive gets all the time that it takes.

The stand-ins work for longer than a silent one is waited for.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kiro_swarm.workspace.credentials import Credentials
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.remote import Remote
from kiro_swarm.workspace.silence import Done, is_alive
from kiro_swarm.workspace.sockets import transferred
from tests.unit.workspace.repositories import Swarm, git

SILENCE = 1.0
#: Seconds of a hook, or of a slow line, and of a pause between two signs of life.
LONG, PAUSE = 2.0, 0.2
KIND = "application/x-git-receive-pack"


def _packet(text: bytes) -> bytes:
    return b"%04x" % (len(text) + 4) + text


_NOBODY = b"0" * 40 + b" capabilities^{}\0report-status side-band-64k ofs-delta"
_OFFERED = _packet(b"# service=git-receive-pack\n") + b"0000" + _packet(_NOBODY)
_REPORT = _packet(b"unpack ok\n") + _packet(b"ok refs/heads/main\n") + b"0000"


class _Slow(BaseHTTPRequestHandler):
    """What git's own receive-pack says over http, while a hook of it is at work."""

    protocol_version = "HTTP/1.1"

    def __init__(self, slow_line: bool, *arguments: object) -> None:
        self._slow_line = slow_line
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        body = _OFFERED + b"0000"
        self.send_response(200)
        self.send_header("Content-Type", f"{KIND}-advertisement")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for at in range(0, len(body), 16):
            self.wfile.write(body[at : at + 16])
            time.sleep(PAUSE if self._slow_line else 0)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", f"{KIND}-result")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        ends = time.monotonic() + (0 if self._slow_line else LONG)
        while time.monotonic() < ends:
            self._chunk(_packet(b"\x02"))
            time.sleep(PAUSE)
        self._chunk(_packet(b"\x01" + _REPORT) + b"0000")
        self._chunk(b"")

    def _chunk(self, text: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@contextmanager
def _serving(slow_line: bool) -> Iterator[str]:
    """The address of a repository on it."""
    handler = partial(_Slow, slow_line)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/x.git"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("slow_line", [False, True], ids=["hook", "line"])
def test_a_push_over_http_takes_what_the_server_takes(
    swarm: Swarm, slow_line: bool
) -> None:
    began = time.monotonic()
    with _serving(slow_line) as url:
        remote = Remote(url, silence=SILENCE)
        pushed = remote.push(Git(swarm.mirror), f"{swarm.head()}:refs/heads/main")
    assert pushed.status == 0
    assert time.monotonic() - began > SILENCE


def test_a_push_over_ssh_takes_what_the_server_takes(
    swarm: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git itself behind a program that stands for ssh; its hook says nothing."""
    folder = git(swarm.upstream, "rev-parse", "--absolute-git-dir").strip()
    hook = Path(folder, "hooks", "pre-receive")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nsleep {1.5 * LONG}\n")
    hook.chmod(0o755)

    git(swarm.upstream, "config", "receive.keepAlive", "1")
    programs, secret = tmp_path / "bin", tmp_path / "secret"
    programs.mkdir()
    secret.mkdir()
    # In a session of its own, for the client is watched, and without the client's settings.
    server = f"git receive-pack {swarm.upstream}"
    serves = f'#!/bin/sh\nexec setsid -w env -i PATH="$PATH" HOME=/ {server}\n'
    (programs / "ssh").write_text(serves)
    (programs / "ssh").chmod(0o755)
    for key in ("ssh-privatekey", "known_hosts"):
        (secret / key).write_text("x")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    url, way = "ssh://git@git.example/x.git", Credentials(secret)
    began = time.monotonic()
    remote = Remote(url, way, silence=1.5 * SILENCE)
    pushed = remote.push(Git(swarm.mirror), f"{swarm.head()}:refs/heads/slow")
    assert pushed.status == 0
    assert time.monotonic() - began > 1.5 * SILENCE


def test_git_itself_sets_no_limit_to_a_slow_server(swarm: Swarm) -> None:
    """curl would end a connection whose server works: all that it sees is bytes a second."""
    asked = ("config", "--get-regexp", "lowspeed")
    assert Git(swarm.mirror).run(*asked, ok=(0, 1)).text == ""


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Done(1000, 1.0, 100), False),
        (Done(1005, 1.0, 100), True),
        (Done(1000, 1.3, 100), False),  # what waiting for http takes in that time
        (Done(1000, 3.0, 100), True),
        (Done(1000, 1.0, 1380), False),  # what ssh asks in that time
        (Done(1000, 1.0, 9000), True),
        (Done(900, 0.5, 0), True),  # one of its processes has ended
    ],
)
def test_waiting_is_no_sign_of_life(now: Done, expected: bool) -> None:
    assert is_alive(Done(1000, 1.0, 100), now, 120.0) is expected


def test_what_a_connection_moved_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as opened:
        client = opened.enter_context(socket.create_connection(server.getsockname()))
        other = opened.enter_context(server.accept()[0])
        at = os.fstat(client.fileno()).st_ino
        before = (transferred() or {})[at]
        client.sendall(b"12345")
        assert other.recv(5) == b"12345"
        other.sendall(b"123")
        assert client.recv(3) == b"123"
        assert (transferred() or {})[at] - before == 8
