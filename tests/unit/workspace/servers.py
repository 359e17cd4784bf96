"""Small HTTP servers that answer git in every way but the right one."""

from __future__ import annotations

import base64
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Optional


class Answers(BaseHTTPRequestHandler):
    """One answer to everything, and a note of who asked for what with which password."""

    def __init__(self, server: Answering, *arguments: object) -> None:
        self._answers = server
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        said = self.headers.get("Authorization") or self.headers.get(
            "Proxy-Authorization"
        )
        secret = base64.b64decode(said.split()[1]).decode() if said else ""
        answers = self._answers
        answers.asked.append((self.path, secret))
        wanted = answers.wants_password and not secret
        self.send_response(401 if wanted else answers.code)
        headers = {"WWW-Authenticate": 'Basic realm="x"'} if wanted else answers.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answers.body)))
        self.end_headers()
        self.wfile.write(answers.body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_CONNECT(self) -> None:
        self.do_GET()

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


class Answering:
    """What a server answers, where it is, and what it was asked."""

    def __init__(self) -> None:
        self.code = 200
        self.headers: Mapping[str, str] = {}
        self.body = b""
        self.wants_password = False
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Of a repository there."""
        return f"http://127.0.0.1:{self.port}/team/x.git"


@contextmanager
def answering(
    code: int = 200,
    *,
    headers: Optional[Mapping[str, str]] = None,
    body: bytes = b"",
    wants_password: bool = False,
    tls: Optional[ssl.SSLContext] = None,
) -> Iterator[Answering]:
    """A server that gives this answer."""
    made = Answering()
    made.code, made.body, made.wants_password = code, body, wants_password
    made.headers = headers or {}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answers, made)) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that nobody signed, as a file, and a server's side of it."""
    shown, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(shown), "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    return shown, context
