"""One pass over a task, and how an attempt can end: agent, evidence, verification.

A plain coroutine over ports, called by work.py once and by cycles.py once a cycle. It
knows nothing of Kubernetes and keeps no state. Guarantees: it ends in ``Finished`` only
with a commit ahead of its base and a passed verification; how the agent ended is never
taken for either. Cancelling it stops whatever runs in the agent container.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Protocol, Union

from kiro_swarm.agents.driver import AgentDriver, AgentOutcome, AgentTask, OnProgress
from kiro_swarm.agents.prompt import clean, one_line
from kiro_swarm.api.swarm import Verification
from kiro_swarm.lifecycle.reasons import (
    AGENT_NOT_RUNNABLE,
    AGENT_PROGRAM_MISSING,
    WORKSPACE_FAILED,
)
from kiro_swarm.runner.clock import Clock
from kiro_swarm.runner.worktree import Cut, Evidence, Worktree, WorktreeError
from kiro_swarm.sandbox.port import (
    CONNECTION_LOST,
    DEADLINE_EXCEEDED,
    EXITED,
    IDLE_DEADLINE_EXCEEDED,
    NOT_STARTED,
    OUTPUT_LIMIT_EXCEEDED,
    ExecPort,
)

NO_CHANGES = "NoChanges"
VERIFICATION_FAILED = "VerificationFailed"
AGENT_NOT_STARTED = "AgentNotStarted"
AGENT_LOST = "AgentLost"
RUNNER_STOPPED = "RunnerStopped"
RUNNER_RESTARTED = "RunnerRestarted"

_REASONS = {
    DEADLINE_EXCEEDED: DEADLINE_EXCEEDED,
    IDLE_DEADLINE_EXCEEDED: IDLE_DEADLINE_EXCEEDED,
    NOT_STARTED: AGENT_NOT_STARTED,
    AGENT_NOT_RUNNABLE: AGENT_NOT_STARTED,
    OUTPUT_LIMIT_EXCEEDED: OUTPUT_LIMIT_EXCEEDED,
    CONNECTION_LOST: AGENT_LOST,
}
# What an agent can do to its worktree so that there is nothing to take from it, and
# what it can set right again.
_UNTIDY = frozenset(
    {
        NO_CHANGES,
        "WrongBranch",
        "HistoryRewritten",
        "UnmergedPaths",
        "OperationInProgress",
        "NestedRepository",
        "UnreadablePath",
        "ContentElsewhere",
    }
)
_NO_EVIDENCE = _UNTIDY | {"BrokenRepository"}
#: What a check says and another pass in the same worktree can mend.
MENDABLE = _UNTIDY | {VERIFICATION_FAILED}
_TAIL = 8000
_SHOWN = 200
_MENDED = (
    "correct spec.template.agent.command, or name an image that has the program in"
    " spec.template.image"
)
#: How a shell ends that cannot execute a program, or finds none of that name.
_OF_A_SHELL = (126, 127)
CONTAINER_SECONDS = 60


@dataclass(frozen=True)
class Finished:
    """Checked work: ``commit`` on ``branch``, ahead of ``base``.

    ``seconds`` is how long the pass took that made it, check included.
    """

    commit: str
    base: str
    branch: str
    seconds: float
    message: str


@dataclass(frozen=True)
class Failed:
    """No work to take: one word, one line for people, a text for the next attempt."""

    reason: str
    message: str
    brief: str = ""


Result = Union[Finished, Failed]


@dataclass(frozen=True)
class Pass:
    """How one pass ended; ``found`` is what the worktree held, if it was looked at."""

    result: Result
    found: Optional[Evidence] = None


class AgentPort(ExecPort, Protocol):
    """The agent container."""

    async def problem(self) -> str:
        """Why it cannot be used now, in words; empty when it can."""
        ...


@dataclass
class Known:
    """What attempts of an instance have shown. ``runs``: the agent's program is there."""

    runs: bool = False


@dataclass(frozen=True)
class Workshop:
    """What all attempts of an instance are made with.

    ``timeout_seconds`` bounds the agent's time in one attempt. ``known`` is lost with the
    runner, and nothing depends on it but whether an attempt is charged.
    """

    socket: AgentPort
    worktree: Worktree
    driver: AgentDriver
    verification: Optional[Verification]
    integration_branch: str
    clock: Clock
    timeout_seconds: float
    known: Known = field(default_factory=Known)


async def run_pass(
    workshop: Workshop,
    cut: Cut,
    task: AgentTask,
    trailer: str,
    on_progress: OnProgress,
    timeout_seconds: float,
) -> Pass:
    """Let the agent work on ``task`` in the worktree as it is, then check what is there.

    ``trailer`` is the value of the Swarm-Task trailer; ``timeout_seconds`` is for the agent.
    """
    began = workshop.clock.monotonic()
    outcome = await workshop.driver.run(
        task, workshop.socket, on_progress, timeout_seconds
    )
    if outcome.reason == AGENT_NOT_RUNNABLE and task.cycle <= 1:
        # Nothing of an agent has run in this worktree, so none can have caused it.
        what = f"{outcome.message}; {_MENDED}"
        return Pass(Failed(AGENT_NOT_RUNNABLE, what))
    if outcome.reason != EXITED:
        return Pass(_agent_failed(outcome))
    on_progress("the agent has ended; looking at what it left")
    try:
        found = await workshop.worktree.evidence(
            cut, trailer, task.title, may_be_empty=task.checkpoint
        )
    except WorktreeError as error:
        return Pass(Failed(WORKSPACE_FAILED, str(error)))
    if not _lacks_program(outcome):
        workshop.known.runs = True
    elif found.reason == NO_CHANGES and task.cycle <= 1 and not workshop.known.runs:
        return Pass(_program_missing(outcome), found)
    if found.commit is None:
        return Pass(_nothing_to_take(outcome, found), found)
    if workshop.verification is not None:
        on_progress("verifying")
        failure = await _verify(workshop, workshop.verification, task.tree)
        if failure is not None:
            return Pass(failure, found)
    finished = Finished(
        commit=found.commit,
        base=cut.base,
        branch=cut.branch,
        seconds=workshop.clock.monotonic() - began,
        message=_summary(outcome, found, workshop.verification is not None),
    )
    return Pass(finished, found)


async def container_problem(workshop: Workshop) -> str:
    """Wait for the agent container, ``CONTAINER_SECONDS`` at most: why it is of no use.

    Empty as soon as it is.
    """
    # It may just be restarting, out of memory for example; that is not the task's fault.
    problem = ""
    for _ in range(CONTAINER_SECONDS):
        problem = await workshop.socket.problem()
        if not problem:
            return ""
        await workshop.clock.sleep(1)
    return f"the agent container could not be used for {CONTAINER_SECONDS} s: {problem}"


def _agent_failed(outcome: AgentOutcome) -> Failed:
    reason = _REASONS.get(outcome.reason, AGENT_LOST)
    return Failed(reason, outcome.message, _brief(outcome.message, outcome.tail))


def _lacks_program(outcome: AgentOutcome) -> bool:
    return outcome.exit_code in _OF_A_SHELL


def _program_missing(outcome: AgentOutcome) -> Failed:
    """The driver's own program is there, and what it starts is not, as far as can be told.

    Where an agent has ended otherwise in this pod it is there, and this is what the task made
    of it: a test command that is missing ends like that as well.
    """
    lines = [line for line in map(one_line, outcome.tail.split("\n")) if line]
    said = f": {lines[-1][:_SHOWN]}" if lines else ""
    message = (
        f"{outcome.message}{said}. A shell exits like this when it cannot start a program; nothing"
        f" was changed in the worktree; {_MENDED}"
    )
    return Failed(AGENT_PROGRAM_MISSING, message, _brief(message, outcome.tail))


def _nothing_to_take(outcome: AgentOutcome, evidence: Evidence) -> Failed:
    if evidence.reason == NO_CHANGES:
        message = f"{outcome.message} and left no commit and no change in the worktree"
        message += f"; {evidence.warning}" if evidence.warning else ""
    else:
        message = evidence.message or f"the worktree holds no work: {evidence.reason}"
    reason = evidence.reason if evidence.reason in _NO_EVIDENCE else WORKSPACE_FAILED
    return Failed(reason, message, _brief(message, outcome.tail))


async def _verify(
    workshop: Workshop, verification: Verification, tree: str
) -> Optional[Failed]:
    result = await workshop.socket.exec(
        verification.command, cwd=tree, timeout_seconds=verification.timeout_seconds
    )
    if result.succeeded:
        return None
    command = one_line(" ".join(verification.command))
    message = f"the verification `{command}` {result.describe()}"
    return Failed(VERIFICATION_FAILED, message, _brief(message, result.tail))


def _brief(what: str, tail: str) -> str:
    said = clean(tail)[-_TAIL:].strip()
    return f"{what}\n\nThe end of its output:\n{said}" if said else what


def _summary(outcome: AgentOutcome, found: Evidence, verified: bool) -> str:
    files = found.files
    text = f"{files} file{'' if files == 1 else 's'} changed"
    if verified:
        text += ", verification passed"
    if outcome.exit_code != 0:
        text += f"; {outcome.message} all the same"
    if found.warning:
        text += f"; {found.warning}"
    return text
