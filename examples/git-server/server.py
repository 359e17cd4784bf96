#!/usr/bin/env python3
"""A git server over smart HTTP: git's own ``http-backend`` behind Python's HTTP server.

Runs in the demo's cluster, from the image of kiro-swarm, which has Python and git. Serves
every repository below a folder, for reading and for pushing, to everybody who can reach
it: for demos and tests, never for the open network. Each request is a thread and one
``git http-backend`` process, spoken to by CGI.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Dict, Iterator, Optional
from urllib.parse import unquote, urlsplit

_PIECE = 64 * 1024
_LARGEST_BODY = 512 * 1024 * 1024
# Pushes come without a user name, so they have to be allowed by name.
_BACKEND = ("git", "-c", "http.receivepack=true", "http-backend")


class BadRequest(Exception):
    """The request cannot be understood; the message says why."""


class Server(ThreadingHTTPServer):
    """The listening socket and the folder that it serves."""

    daemon_threads = True

    def __init__(self, port: int, root: Path) -> None:
        super().__init__(("", port), Handler)
        self.root = root.resolve()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    # A client that falls silent frees its thread.
    timeout = 120
    server: Server

    def do_GET(self) -> None:
        """``/healthz``, or what git asks for."""
        if self.path == "/healthz":
            self._answer(200, b"ok\n")
        else:
            self._git(None)

    def do_POST(self) -> None:
        """What git sends: a request for objects, or a push."""
        # A file, not memory: a push may carry a whole repository.
        with tempfile.TemporaryFile() as body:
            try:
                for piece in self._body():
                    body.write(piece)
                    if body.tell() > _LARGEST_BODY:
                        raise BadRequest(f"more than {_LARGEST_BODY} bytes")
            except (BadRequest, ValueError) as problem:
                self._answer(400, f"{problem}\n".encode())
                return
            body.seek(0)
            self._git(body)

    def _body(self) -> Iterator[bytes]:
        """The body in pieces; git sends long ones in chunks of unknown number."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while True:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
                if size == 0:
                    break
                yield from self._read(size)
                self.rfile.readline(8)
            while self.rfile.readline(_PIECE).strip():
                pass
        else:
            yield from self._read(int(self.headers.get("Content-Length") or 0))

    def _read(self, size: int) -> Iterator[bytes]:
        while size > 0:
            piece = self.rfile.read(min(size, _PIECE))
            if not piece:
                raise BadRequest("the body ends too early")
            size -= len(piece)
            yield piece

    def _git(self, body: Optional[IO[bytes]]) -> None:
        """Let the backend answer; its standard input is a file, which ends by itself."""
        with subprocess.Popen(
            _BACKEND,
            env=self._environment(),
            stdin=subprocess.DEVNULL if body is None else body,
            stdout=subprocess.PIPE,
        ) as backend:
            if backend.stdout is not None:
                self._pass_on(backend.stdout)

    def _environment(self) -> Dict[str, str]:
        """The request as CGI variables."""
        address = urlsplit(self.path)
        given = {
            "CONTENT_TYPE": self.headers.get("Content-Type"),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol"),
            # The backend unpacks gzip itself.
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding"),
        }
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": unquote(address.path),
            "QUERY_STRING": address.query,
            "REMOTE_ADDR": self.client_address[0],
            "REQUEST_METHOD": self.command,
            "SERVER_PROTOCOL": self.request_version,
            **{name: value for name, value in given.items() if value},
        }

    def _pass_on(self, answer: IO[bytes]) -> None:
        """Turn the backend's CGI answer into an HTTP answer, piece by piece."""
        headers = []
        status = "200 OK"
        for raw in iter(answer.readline, b""):
            line = raw.decode("latin-1").strip()
            if not line:
                break
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = value.strip()
            else:
                headers.append((name, value.strip()))
        code, _, reason = status.partition(" ")
        if not headers:
            code, reason = "500", "the backend gave no answer"
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self._end_headers()
        shutil.copyfileobj(answer, self.wfile, _PIECE)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """A line for each request of git; probes are not worth one."""
        if self.path != "/healthz":
            status = getattr(code, "value", code)
            self.log_message('"%s" %s', self.requestline, status)

    def _answer(self, code: int, text: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/plain")
        self._end_headers()
        self.wfile.write(text)

    def _end_headers(self) -> None:
        # The length of git's answers is not known: their end is the end of the connection.
        self.send_header("Connection", "close")
        self.end_headers()


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve git repositories over HTTP.")
    parser.add_argument("--root", type=Path, required=True, help="folder of *.git")
    parser.add_argument("--port", type=int, default=8080)
    chosen = parser.parse_args()
    server = Server(chosen.port, chosen.root)

    def stop(*_: object) -> None:
        # Not in the handler itself: shutdown waits for the loop that it interrupts.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    print(f"serving {server.root} on port {server.server_address[1]}", flush=True)
    server.serve_forever()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
