"""The gate container of a Job's pod in memory, and the kubelet that looks at it.

Real are the checkout, the programs and how the places are emptied. Played is how a container,
or the pod with the Job in it, ends.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import List, Mapping, Optional, Sequence

from kiro_swarm.api.swarm import Gate
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    DEADLINE_EXCEEDED,
    EXITED,
    ExecResult,
    OnOutput,
)
from kiro_swarm.sandbox.renewal import Renewal
from kiro_swarm.workspace.checkout import checkout_tree
from tests.unit.hostile.acts_gates import FOLDER

#: What the gates of one pod may write, in bytes.
ROOM = 5_000_000
SCRIPT = f"for each in {FOLDER}/*.sh; do [ ! -e $each ] || sh $each || exit; done"
GATES = [Gate(name="tests", command=["sh", "-c", SCRIPT], timeout_seconds=60)]


class PodEnded(BaseException):
    """The Job's process is gone, in the midst of what it did.

    ``evicted``: the pod used more than it may.
    """

    def __init__(self, evicted: bool) -> None:
        super().__init__()
        self.evicted = evicted


class Container:
    """One pod's; the next pod has another one, with nothing in it."""

    def __init__(self, folder: Path, mirror: Path) -> None:
        self._folder = folder
        self._mirror = mirror
        self._places = [folder / name for name in ("home", "tmp", "work")]
        for place in self._places:
            place.mkdir(parents=True)
        self._renewal = Renewal(self._places, folder / "none.sock")
        self._gone = False

    @property
    def tree(self) -> str:
        """Where the gates run."""
        return str(self._places[2] / "tree")

    async def until_ready(self, seconds: float) -> str:
        """See ``AgentSocket.until_ready``."""
        return "no agent container" if self._gone else ""

    async def renew(self) -> str:
        """See ``RenewPort``."""
        try:
            self._renewal.clear()
        except OSError as error:
            return f"something cannot be removed: {error}"
        left = [path for place in self._places for path in place.iterdir()]
        assert not left, f"the next gates would find {left}"
        return await self.until_ready(0)

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        stdin: str = "",
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        on_output: Optional[OnOutput] = None,
    ) -> ExecResult:
        """See ``ExecPort``."""
        loop = asyncio.get_running_loop()
        if self._gone:
            return _ended(CONNECTION_LOST, "there is none")
        if argv[0] == "kiro-swarm":
            return await loop.run_in_executor(None, self._checkout, list(argv))
        return await loop.run_in_executor(None, self._run, argv, cwd, dict(env or {}))

    def _checkout(self, argv: List[str]) -> ExecResult:
        said = dict(word.lstrip("-").split("=", 1) for word in argv if "=" in word)
        try:
            checkout_tree(Path(said["mirror"]), said["commit"], Path(said["into"]))
        except Exception as error:  # noqa: BLE001 (the program prints it)
            return _ended(EXITED, str(error), 1)
        return _ended(EXITED, "", 0)

    def _run(self, argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> ExecResult:
        home, tmp, _ = self._places
        act = self._folder / "act"
        act.write_text("")
        own = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(tmp)}
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**own, **env, "KIRO_ACT": str(act)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            start_new_session=True,
        )
        word = act.read_text().strip()
        if word == "node" or _size(self._folder) > ROOM:
            raise PodEnded(evicted=word != "node")
        if word == "late":
            return _ended(DEADLINE_EXCEEDED, "")
        if word:
            self._gone = word == "gone"
            return _ended(CONNECTION_LOST, "the connection was cut")
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        return _ended(EXITED, said[-64 * 1024 :], done.returncode)


def _ended(reason: str, said: str, code: Optional[int] = None) -> ExecResult:
    signal = -code if code is not None and code < 0 else None
    exited = None if signal else code
    return ExecResult(exited, signal, reason, 0.1, said[:200], said)


def _size(folder: Path) -> int:
    """What a kubelet that is root would count."""
    done = subprocess.run(
        ["du", "--summarize", "--bytes", str(folder)],
        capture_output=True,
        check=False,
        text=True,
    )
    return int(done.stdout.split()[0])
