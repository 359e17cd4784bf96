"""The gates of a merge, run in the container beside: no credentials, no token.

Before each candidate the container is made as new, by a process in it that gates cannot
reach. It checks the merged commit out itself, from the mirror that it can only read; this
process never touches a file that a gate could have written. What cannot be done on the merged
commit is tried on the branch without it: what fails there as well is nobody's work.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Protocol, Sequence

from kiro_swarm.api.swarm import Gate
from kiro_swarm.policy.words import harmless, one_line
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    DEADLINE_EXCEEDED,
    NOT_STARTED,
    ExecResult,
    WorktreePort,
)
from kiro_swarm.workspace.errors import (
    BranchHinders,
    Doubtful,
    GateLost,
    GateUnavailable,
)
from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.outcomes import GateRun, GateVerdict

GATE_FAILED = "GateFailed"
GATE_TIMED_OUT = "GateTimedOut"
CHECKOUT_FAILED = "CheckoutFailed"
_TREE = "/gate/tree"
_CHECKOUT_SECONDS = 600
_AGAIN_SECONDS = 60.0
#: Of a gate's output, for one line of a task's message.
_LAST = 8192
_LONGEST_SAID = 200
#: How a shell says that a program is not there, or not one that it can run.
_NOT_RUNNABLE = (126, 127)


class GateContainer(WorktreePort, Protocol):
    """The container beside, as ``AgentSocket`` reaches it."""

    async def until_ready(self, seconds: float) -> str:
        """Wait that long for it; why it cannot be used, empty when it can."""
        ...


class ContainerGates:
    """A GatePort over the socket of the gate container.

    The train runs in a thread; the socket belongs to the event loop.
    """

    def __init__(
        self,
        socket: GateContainer,
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
        #: Whether a gate cannot be run on a commit without the work.
        self._never: dict[tuple[str, str], bool] = {}
        #: For a container that was ended under a gate to be there again.
        self.again_seconds = _AGAIN_SECONDS

    def check(self, commit: str) -> GateVerdict:
        """Run every gate on ``commit``; the first red one decides. Called in a thread."""
        if not self._gates:
            return GateVerdict(passed=True)
        before = Git(Path(self._mirror)).commit_id(f"{commit}^1") or ""
        running = asyncio.run_coroutine_threadsafe(
            self._check(commit, before), self._loop
        )
        try:
            return running.result()
        except CancelledError as error:
            raise GateUnavailable("this Job is asked to end") from error

    async def _check(self, commit: str, before: str) -> GateVerdict:
        await self._renew()
        made = await self._checkout(commit)
        if not made.succeeded:
            said = made.tail[-500:] or made.describe()
            await self._renew()
            if not before or not (await self._checkout(before)).succeeded:
                raise GateUnavailable(f"the gate container cannot check out: {said}")
            why = _in_one_line(made.describe(), made.tail)
            return GateVerdict(
                False, "checkout", said, reason=CHECKOUT_FAILED, said=why
            )
        runs: list[GateRun] = []
        for gate in self._gates:
            began = time.monotonic()
            result = await self._run(gate, commit)
            if not result.succeeded:
                return await self._red(gate, result, before, tuple(runs))
            runs.append(GateRun(gate.name, time.monotonic() - began))
        return GateVerdict(passed=True, runs=tuple(runs))

    async def _renew(self) -> None:
        """Gates of one candidate follow each other; those of another find nothing of them."""
        problem = await self._socket.renew()
        if problem:
            raise GateUnavailable(f"the gate container is not as new: {problem}")

    async def _red(
        self, gate: Gate, result: ExecResult, before: str, runs: tuple[GateRun, ...]
    ) -> GateVerdict:
        """The verdict of a gate that did not pass, if it is one."""
        if _not_runnable(result) and await self._never_runs(gate, before):
            raise BranchHinders(
                f"gate {gate.name} cannot be run, on the branch as it is either: its"
                f" command {gate.command[0]!r} {result.describe()} {result.tail[-300:]}",
                reason="GateNotRunnable",
            )
        late = result.reason == DEADLINE_EXCEEDED
        how = (
            f"was ended after {gate.timeout_seconds:g} s" if late else result.describe()
        )
        return GateVerdict(
            passed=False,
            gate=gate.name,
            output=f"{result.tail}\n{gate.name} {how}",
            runs=runs,
            reason=GATE_TIMED_OUT if late else GATE_FAILED,
            said=_in_one_line(how, result.tail),
        )

    async def _never_runs(self, gate: Gate, before: str) -> bool:
        if not before:
            return True
        if (gate.name, before) not in self._never:
            await self._renew()
            made = await self._checkout(before)
            self._never[gate.name, before] = made.succeeded and _not_runnable(
                await self._run(gate, before)
            )
        return self._never[gate.name, before]

    async def _checkout(self, commit: str) -> ExecResult:
        checkout = [*self._program, "workspace", "checkout", f"--mirror={self._mirror}"]
        checkout += [f"--commit={commit}", f"--into={self._tree}"]
        made = await self._socket.exec(
            checkout, cwd="/", timeout_seconds=_CHECKOUT_SECONDS
        )
        await self._refuse_lost(made, "the checkout")
        return made

    async def _run(self, gate: Gate, commit: str) -> ExecResult:
        result = await self._socket.exec(
            gate.command,
            cwd=self._tree,
            env={"KIRO_GATE": gate.name, "KIRO_COMMIT": commit},
            timeout_seconds=gate.timeout_seconds,
        )
        await self._refuse_lost(result, f"gate {gate.name}")
        return result

    async def _refuse_lost(self, result: ExecResult, what: str) -> None:
        """Raise when the container was ended under what it ran.

        One that is there again may have been ended by what it ran: out of memory.
        """
        if result.reason != CONNECTION_LOST:
            return
        problem = await self._socket.until_ready(self.again_seconds)
        if problem:
            raise GateLost(
                f"the gate container was lost while {what} ran in it: {problem}"
            )
        raise Doubtful(
            f"the gate container was ended while {what} ran in it, mostly for lack of memory"
        )


def _in_one_line(how: str, output: str) -> str:
    """How a gate ended, and the last line of its output that says anything."""
    lines = harmless(output[-_LAST:].replace("\r", "\n")).split("\n")
    spoken = [line for line in lines if any(map(str.isalnum, line))]
    last = spoken[-1] if spoken else ""
    return one_line(f"({how}): {last}" if last else f"({how})", _LONGEST_SAID)


def _not_runnable(result: ExecResult) -> bool:
    return result.reason == NOT_STARTED or result.exit_code in _NOT_RUNNABLE
