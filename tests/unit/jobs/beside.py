"""A Job in a process of its own: ``python -m tests.unit.jobs.beside WORK KUBECONFIG FOLDER NAME``.

Says ``ready`` when all is imported, begins at a line, and answers with its exit status. So two can
be at work on one volume, as when a node is lost and still runs the pod that was on it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.jobs.environment import JobEnvironment, Limits
from kiro_swarm.jobs.failing import answered
from kiro_swarm.jobs.integrate import integrate
from kiro_swarm.jobs.prepare import prepare
from kiro_swarm.jobs.sync import sync
from tests.unit.jobs.work import Job
from tests.unit.reconcile.surroundings import NAMESPACE

_ROOT = Path(__file__).parents[3]
COMMAND = "0b5e7f1a-5b1c-4a53-9a5e-2f6d3a1c9b7e"
LIMITS = Limits(linger_seconds=0.3, look_seconds=0.1, leave_seconds=1.0)
WORKS: dict[str, Any] = {
    "integrate": integrate,
    # Whose volume is always full: it is tidied before and after.
    "tidy": integrate,
    "prepare": prepare,
    "sync": partial(sync, branch=None, command_uid=COMMAND),
}


async def _work(name: str, kubeconfig: str, env: JobEnvironment) -> int:
    client = Client(await Connection.open(kubeconfig=kubeconfig))
    try:
        code: int = await answered(env, WORKS[name](client, env))
        return code
    finally:
        await client.close()


class Beside:
    """Such a process, as a test speaks to it."""

    def __init__(self, job: Job, work: str, name: str, others: float = 60.0) -> None:
        self.said = job.folder / f"said-{name}"
        words = (work, job.api.kubeconfig(job.folder), job.env.root, job.env.uid)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.unit.jobs.beside"),
                *map(str, (*words, name, self.said, others)),
            ],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{_ROOT}/operator:{_ROOT}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    async def begin(self) -> None:
        """Let it begin, once it can."""
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, self._process.stdout.readline)
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """It and what it has started stand still."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    @property
    def over(self) -> bool:
        return self._process.poll() is not None

    async def ended(self) -> int:
        """Its exit status."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._process.wait)

    def __enter__(self) -> Beside:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        if not self.over:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


def main(arguments: list[str]) -> int:
    work, kubeconfig, root, uid, name, said, others = arguments
    limits = Limits(
        linger_seconds=LIMITS.linger_seconds,
        look_seconds=LIMITS.look_seconds,
        leave_seconds=LIMITS.leave_seconds,
        volume_part=0.0 if work == "tidy" else 1.0,
        other_seconds=float(others),
    )
    env = JobEnvironment(
        "demo",
        NAMESPACE,
        uid,
        root=Path(root),
        termination_message=Path(said),
        job=f"demo-{name}",
        limits=limits,
    )
    print("ready", flush=True)
    sys.stdin.readline()
    return asyncio.run(_work(work, kubeconfig, env))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
