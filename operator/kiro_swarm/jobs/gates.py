"""The gates of a merge, run in the container beside: no credentials, no token.

Before each candidate the container is made as new, by a process in it that gates cannot
reach. It checks the merged commit out itself, from the mirror that it can only read; this
process never touches a file that a gate could have written.
"""

from __future__ import annotations

import asyncio
import time
from typing import Sequence

from kiro_swarm.api.swarm import Gate
from kiro_swarm.sandbox.socket import AgentSocket
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict

_TREE = "/gate/tree"
_CHECKOUT_SECONDS = 600


class GateUnavailable(RuntimeError):
    """The gate container does not answer, or cannot check out."""


class ContainerGates:
    """A GatePort over the socket of the gate container.

    The train runs in a thread; the socket belongs to the event loop.
    """

    def __init__(
        self,
        socket: AgentSocket,
        gates: Sequence[Gate],
        mirror: str,
        loop: asyncio.AbstractEventLoop,
        tree: str = _TREE,
        program: Sequence[str] = ("kiro-swarm",),
    ) -> None:
        self._socket = socket
        self._gates = list(gates)
        self._mirror = mirror
        self._loop = loop
        self._tree = tree
        self._program = list(program)

    def check(self, commit: str) -> GateVerdict:
        """Run every gate on ``commit``; the first red one decides. Called in a thread."""
        if not self._gates:
            return GateVerdict(passed=True)
        return asyncio.run_coroutine_threadsafe(
            self._check(commit), self._loop
        ).result()

    async def _check(self, commit: str) -> GateVerdict:
        # Gates of one candidate follow each other; those of another find nothing of them.
        problem = await self._socket.renew()
        if problem:
            raise GateUnavailable(f"the gate container is not as new: {problem}")
        checkout = [*self._program, "workspace", "checkout", f"--mirror={self._mirror}"]
        checkout += [f"--commit={commit}", f"--into={self._tree}"]
        made = await self._socket.exec(
            checkout, cwd="/", timeout_seconds=_CHECKOUT_SECONDS
        )
        if not made.succeeded:
            raise GateUnavailable(
                f"the gate container cannot check out: {made.tail[-500:]}"
            )
        runs: list[GateRun] = []
        for gate in self._gates:
            began = time.monotonic()
            result = await self._socket.exec(
                gate.command,
                cwd=self._tree,
                env={"KIRO_GATE": gate.name, "KIRO_COMMIT": commit},
                timeout_seconds=gate.timeout_seconds,
            )
            if not result.succeeded:
                output = f"{result.tail}\n{gate.name} {result.describe()}"
                return GateVerdict(passed=False, gate=gate.name, output=output)
            runs.append(GateRun(gate.name, time.monotonic() - began))
        return GateVerdict(passed=True, runs=tuple(runs))
