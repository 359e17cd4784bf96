"""Process 1 of a local cluster: starts its components, restarts and reaps them.

``namespaces`` runs this file by its path, in network, mount and process namespaces of its
own, with a plan (see ``plan``). It therefore imports nothing of the project. It answers
one JSON request per connection on a unix socket that the host can reach:

    {"op": "boot"}                          begin to start components
    {"op": "status"}                        what runs, how often it was restarted
    {"op": "kill", "component", "signal"}   a crash: it is restarted
    {"op": "stop" | "start", "component"}   down until it is started again

A component that ends is restarted at once the first time and then with a growing delay,
but never later than after 5 s. When this process dies, the kernel ends everything else.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

_TICK = 0.05
_IDLE = 1.0
_REQUEST_TIMEOUT = 2.0
_LONGEST_DELAY = 5.0
_STABLE = 10.0  # after so many seconds a component's next end is taken for its first
_GRACE = 10.0  # from SIGTERM to SIGKILL, for a component that is stopped

Json = Dict[str, Any]


class Component:
    """One program that is kept running."""

    def __init__(self, plan: Json, logs: Path, environment: Dict[str, str]) -> None:
        self.name: str = plan["name"]
        self._argv: List[str] = plan["argv"]
        self._waits_for: List[str] = plan["waitsFor"]
        self._log = logs / f"{self.name}.log"
        self._environment = environment
        self.pid = 0
        self.wanted = True
        self.restarts = 0
        self._started = 0.0
        self._not_before = 0.0
        self._delay = 0.0
        self._kill_at = 0.0

    @property
    def pending(self) -> bool:
        """Something is to be done soon."""
        return (self.wanted and not self.pid) or self._kill_at > 0

    def tend(self, now: float) -> None:
        """Starts it when it is time to, and ends it when it was asked to long ago."""
        if self.pid and self._kill_at and now >= self._kill_at:
            os.kill(self.pid, signal.SIGKILL)
            self._kill_at = 0.0
        if self.pid or not self.wanted or now < self._not_before:
            return
        if all(_present(what) for what in self._waits_for):
            self._start(now)

    def _start(self, now: float) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.pid = os.posix_spawn(
            self._argv[0],
            self._argv,
            self._environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._log), flags, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setpgroup=0,
            setsigmask=[],
        )
        self._started = now

    def ended(self, status: int, now: float) -> None:
        """Takes note of its end and of when to start it again."""
        self.pid = 0
        self._kill_at = 0.0
        if not self.wanted:
            return
        self.restarts += 1
        if now - self._started > _STABLE:
            self._delay = 0.0
        self._not_before = now + self._delay
        self._delay = min(max(self._delay * 2, 0.5), _LONGEST_DELAY)
        how = (
            f"exit code {os.WEXITSTATUS(status)}"
            if os.WIFEXITED(status)
            else f"signal {os.WTERMSIG(status)}"
        )
        print(f"{self.name} ended: {how}", flush=True)

    def stop(self, now: float) -> None:
        """Ends it for good, politely first."""
        self.wanted = False
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            self._kill_at = now + _GRACE

    def start(self) -> None:
        """Takes ``stop`` back."""
        self.wanted = True
        self._not_before = self._delay = 0.0

    def state(self) -> Json:
        """What ``status`` says of it."""
        running = "Running" if self.pid else "Waiting"
        return {
            "name": self.name,
            "state": running if self.wanted else "Stopped",
            "restarts": self.restarts,
        }


class Supervisor:
    """All components of one cluster, and the socket to steer them by."""

    def __init__(self, plan: Json, listener: socket.socket) -> None:
        logs, environment = Path(plan["logs"]), plan["environment"]
        self._components = {
            each["name"]: Component(each, logs, environment)
            for each in plan["components"]
        }
        self._listener = listener
        self._booted = False

    def run(self) -> None:
        """Never returns."""
        woken, waker = socket.socketpair()
        for end in (woken, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            components = self._components.values()
            busy = self._booted and any(each.pending for each in components)
            timeout = _TICK if busy else _IDLE
            ready, _, _ = select.select([self._listener, woken], [], [], timeout)
            if woken in ready:
                woken.recv(4096)
            self._reap()
            if self._listener in ready:
                self._serve()
            if self._booted:
                now = time.monotonic()
                for each in components:
                    each.tend(now)

    def _reap(self) -> None:
        """Also the orphans: shims and what pods leave behind."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for each in self._components.values():
                if each.pid == pid:
                    each.ended(status, time.monotonic())

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(_REQUEST_TIMEOUT)
            try:
                request = json.loads(connection.makefile("rb").readline())
                connection.sendall(json.dumps(self._answer(request)).encode() + b"\n")
            except (OSError, ValueError) as error:
                print(f"a request was not answered: {error}", flush=True)

    def _answer(self, request: Json) -> Json:
        operation = request.get("op")
        if operation == "boot":
            self._booted = True
        elif operation in ("kill", "stop", "start"):
            component = self._components.get(request.get("component", ""))
            if component is None:
                known = ", ".join(self._components)
                wanted = request.get("component")
                return {"error": f"no component {wanted!r}; there are {known}"}
            if operation == "stop":
                component.stop(time.monotonic())
            elif operation == "start":
                component.start()
            elif not component.pid:
                return {"error": f"{component.name} does not run"}
            else:
                os.kill(component.pid, request["signal"])
        elif operation != "status":
            return {"error": f"no operation {operation!r}"}
        return {"components": [each.state() for each in self._components.values()]}


def _present(what: str) -> bool:
    """Whether a port ("tcp:2379") is served or a file ("file:/path") is there."""
    kind, _, target = what.partition(":")
    if kind == "file":
        return Path(target).exists()
    try:
        socket.create_connection(("127.0.0.1", int(target)), timeout=1).close()
    except OSError:
        return False
    return True


def _prepare(plan: Json) -> None:
    """Makes the namespaces a world of their own."""
    for target in plan["scratch"]:
        Path(target).mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", target], check=True)
    for key, value in plan["sysctls"].items():
        Path("/proc/sys", key).write_text(value)


def main() -> None:
    """Runs the plan in the file that the only argument names."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    # Bound before /run is covered, so that the host still sees it.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(plan["socket"])
    _prepare(plan)
    listener.listen(16)
    Supervisor(plan, listener).run()


if __name__ == "__main__":
    main()
