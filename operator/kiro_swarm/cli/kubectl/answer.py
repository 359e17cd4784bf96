"""What is shown of a SwarmCommand: its progress, then its answer.

Called by ``say``. Progress goes to standard error, the answer alone to standard output.
"""

from __future__ import annotations

from types import TracebackType
from typing import Optional

from rich.text import Text

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import (
    DataReference,
    PartialResult,
    SwarmCommand,
    SwarmCommandStatus,
)
from kiro_swarm.cli.kubectl.failure import (
    DONE,
    FAILED,
    NOT_UNDERSTOOD,
    TIMED_OUT,
    Failure,
)
from kiro_swarm.cli.kubectl.session import Session
from kiro_swarm.cli.kubectl.terminal import Terminal, text_of
from kiro_swarm.cli.kubectl.views.text import clean
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import CONFIG_MAPS
from kiro_swarm.commands.action import Action
from kiro_swarm.policy.ownership import belongs_to

_FINISHED = ("Succeeded", "Failed", "Rejected", "Cancelled")
_OF_PHASE = {"Succeeded": DONE, "Rejected": NOT_UNDERSTOOD}


def finished(command: SwarmCommand) -> bool:
    """Whether the answer is there."""
    return status_of(command).get("phase") in _FINISHED


class Progress:
    """Messages and partial results as they change; a spinner where there is a terminal."""

    def __init__(self, terminal: Terminal, sentence: str) -> None:
        self._terminal = terminal
        self._spinner = (
            terminal.err.status(Text(clean(sentence), "dim"), spinner="dots")
            if terminal.err.is_terminal
            else None
        )
        self._message = ""
        self._parts: dict[str, str] = {}
        self._heard = False

    def __enter__(self) -> Progress:
        if self._spinner is not None:
            self._spinner.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the spinner away."""
        if self._spinner is not None:
            self._spinner.stop()

    def show(self, command: SwarmCommand) -> None:
        """Tell what is new in this version of the command."""
        status = status_of(command)
        # The API server itself fills in the phase Pending.
        self._heard = self._heard or bool(status.get("startedAt"))
        for part in status.get("partialResults") or []:
            line = _line(part)
            if self._parts.get(part["target"]) != line:
                self._parts[part["target"]] = line
                self._terminal.note(line, style="")
        message = clean(status.get("message"))
        if status.get("reason") == "Working":
            return  # its message is the answer that is about to come
        if message and message != self._message and not finished(command):
            self._message = message
            if self._spinner is not None:
                self._spinner.update(Text(message))
            else:
                self._terminal.note(message)

    def silent(self) -> None:
        """Say so if nobody took the command up."""
        if not self._heard:
            self._terminal.note("no answer yet: does the operator run?", "yellow")

    def lost(self) -> None:
        """Say that the server is away."""
        self._terminal.note("lost the cluster; asking again", "yellow")


async def tell(
    session: Session, command: SwarmCommand, action: Action, output: Optional[str]
) -> int:
    """Print the answer; the exit status that belongs to it."""
    status = command["status"]
    code = _status_of(status)
    if output in ("json", "yaml", "name"):
        session.terminal.dump(command, output)
    elif code == DONE:
        await _success(session, command, action)
        if output == "wide":
            _wide(session.terminal, command)
    if code != DONE:
        message = status.get("message") or f"{status['phase']} without a reason"
        session.terminal.fail(Failure(message))
    return code


def _status_of(status: SwarmCommandStatus) -> int:
    if status.get("reason") == "DeadlineExceeded":
        return TIMED_OUT
    return _OF_PHASE.get(status["phase"], FAILED)


async def _success(session: Session, command: SwarmCommand, action: Action) -> None:
    """The answer: a document where there is one, else the message and what was asked for."""
    terminal, status = session.terminal, command["status"]
    message, result = status.get("message"), status.get("result")
    data = result.get("data") if result else None
    reference = status.get("dataRef")
    if reference:
        terminal.note(str(message or ""))
        await _document(session, command, reference, action)
        return
    explains = action.command.name == "explain task"
    if not explains or not data:
        terminal.show(text_of(message))
    if data and (explains or (action.modifiers and action.permission == "get")):
        from kiro_swarm.cli.kubectl.views.explain import explain_text

        terminal.show(explain_text(data))


async def _document(
    session: Session, command: SwarmCommand, reference: DataReference, action: Action
) -> None:
    """The text that was too long for a status, where it is this command's."""
    name, key = str(reference["configMap"]), str(reference["key"])
    try:
        found = await session.client.get(CONFIG_MAPS, session.namespace, name)
    except errors.NotFound:
        raise Failure(f"the answer's ConfigMap {name} is gone") from None
    if not belongs_to(found, command["metadata"]["uid"]):
        raise Failure(
            f"ConfigMap {name} is in the place of the answer and is not of it"
        )
    text = str((found.get("data") or {}).get(key, ""))
    # Elsewhere it is meant for `git apply`, which reads nothing but a diff.
    if action.command.name == "diff task" and session.terminal.out.is_terminal:
        from kiro_swarm.cli.kubectl.views.diff import diff_text

        session.terminal.show(diff_text(text))
    else:
        session.terminal.show(text_of(text.rstrip("\n")))
    if reference.get("truncated"):
        session.terminal.note("the rest was too long and was cut", "yellow")


def _wide(terminal: Terminal, command: SwarmCommand) -> None:
    """Who, what, how long, and what was changed."""
    status = command["status"]
    result, understood = status.get("result"), status.get("action")
    rows = [
        ("command", command["metadata"]["name"]),
        ("understood", understood["normalized"] if understood else ""),
        ("requested by", status.get("requestedBy")),
        ("correlation", status.get("correlationId")),
        ("took", f"{result.get('executionSeconds', 0) if result else 0:g} s"),
    ]
    made = result.get("sideEffects", []) if result else []
    rows += [("changed", effect) for effect in made]
    for label, value in rows:
        if value:
            terminal.show(Text.assemble((f"{label:<14}", "dim"), clean(value)))


def _line(part: PartialResult) -> str:
    mark = "…" if not part.get("done") else "✓" if part.get("success") else "✗"
    return f"{mark} {part['target']}: {part.get('message', '')}"
