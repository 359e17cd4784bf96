"""Commands that have no answer yet, and whose turn it is.

Fed by every change of a SwarmCommand (``Context.wake``), asked by the command reconcile.
Guarantees: commands that may change a swarm do so in the order in which they were created,
each when those before it have their answer or only wait for an outcome; who only looks, or
tries dry, waits for nobody. A command with the correlation id of one before it holds nobody
up: it gets the answer of the first. A name stands in line once: a command that was made anew
under it takes the place of the one before, whatever of the two is heard first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand, SwarmCommandSpec
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse

FINISHED = frozenset({"Succeeded", "Failed", "Rejected", "Cancelled"})
#: Reason of a Running command that is still changing things, and of one that has.
WORKING, WAITING = "Working", "Waiting"
#: Permission of sentences that change nothing.
LOOK = "get"


@dataclass(frozen=True)
class _Place:
    """Where a command stands in line.

    Times have seconds; versions break the tie, as long as nothing was written into the
    command. Who has begun was first before that.
    """

    begun: bool
    created: str
    version: int
    name: str
    uid: str
    blocks: bool
    correlation: str

    @property
    def order(self) -> tuple[bool, str, int, str]:
        """Sorts places as the commands were created."""
        return not self.begun, self.created, self.version, self.name


class Backlog:
    """The unanswered commands of every swarm."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], dict[str, _Place]] = {}

    def note(self, command: SwarmCommand) -> None:
        """A command is new or has changed."""
        metadata, spec = command["metadata"], command["spec"]
        name, uid = metadata["name"], metadata["uid"]
        version = int(metadata.get("resourceVersion") or 0)
        created = str(metadata.get("creationTimestamp") or "")
        known = self._lines.get(_line_of(command), {}).get(name)
        if known is not None and known.uid != uid:
            if known.version > version:
                return  # late news of one that is gone: its name has another now
            self._leave(_line_of(command), name)  # its end was not heard of
        elif known is not None:
            created, version = known.created, known.version
        if phase_of(command) in FINISHED:
            self.forget(command)
            return
        line = self._lines.setdefault(_line_of(command), {})
        blocks = not is_waiting(command) and may_change(spec)
        correlation = str(spec.get("correlationId") or "")
        begun = phase_of(command) == "Running"
        line[name] = _Place(begun, created, version, name, uid, blocks, correlation)

    def forget(self, command: SwarmCommand) -> None:
        """A command is answered or gone."""
        where = _line_of(command)
        known = self._lines.get(where, {}).get(command["metadata"]["name"])
        if known is not None and known.uid == command["metadata"]["uid"]:
            self._leave(where, known.name)

    def turn(self, command: SwarmCommand) -> bool:
        """Whether no command that was said before this one holds it up."""
        if is_waiting(command):
            return True
        return self.next(*_line_of(command)) in (None, command["metadata"]["name"])

    def next(self, namespace: str, swarm: str) -> Optional[str]:
        """Name of the command whose turn it is, of those that may change the swarm."""
        said: set[str] = set()
        line = self._lines.get((namespace, swarm), {})
        for place in sorted(line.values(), key=lambda place: place.order):
            if place.blocks and place.correlation not in said:
                return place.name
            if place.correlation:
                said.add(place.correlation)
        return None

    def said_again(self, command: SwarmCommand) -> list[str]:
        """Names of the unanswered commands with the correlation id of this one, in order."""
        wanted = command["spec"].get("correlationId")
        if not wanted:
            return []
        line = self._lines.get(_line_of(command), {})
        places = [place for place in line.values() if place.correlation == wanted]
        return [place.name for place in sorted(places, key=lambda place: place.order)]

    def first_said(self, command: SwarmCommand) -> str:
        """Name of the first unanswered command with the correlation id of this one."""
        return next(iter(self.said_again(command)), command["metadata"]["name"])

    def begun(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that wait for an outcome, and of those that only look."""
        line = self._lines.get((namespace, swarm), {})
        return [place.name for place in line.values() if not place.blocks]

    def _leave(self, where: tuple[str, str], name: str) -> None:
        line = self._lines[where]
        del line[name]
        if not line:
            del self._lines[where]


def phase_of(command: SwarmCommand) -> str:
    """Phase of a command; one without a status is pending."""
    return str(status_of(command).get("phase") or "Pending")


def is_waiting(command: SwarmCommand) -> bool:
    """Whether a command has done what it does and only waits for the outcome."""
    status = status_of(command)
    return status.get("phase") == "Running" and status.get("reason") == WAITING


def is_working(command: SwarmCommand) -> bool:
    """Whether a command has recorded what it changes, and is at it."""
    status = status_of(command)
    return status.get("phase") == "Running" and status.get("reason") == WORKING


def unlogged(command: SwarmCommand) -> bool:
    """Whether a command was cancelled after it had changed something, and the audit log
    does not say so yet: its own answer, which would have, was never written."""
    status = status_of(command)
    cancelled = status.get("phase") == "Cancelled"
    return cancelled and bool(status.get("changes")) and not status.get("audit")


def may_change(spec: SwarmCommandSpec) -> bool:
    """Whether the sentence of a command may change anything."""
    try:
        return is_change(spec, parse(str(spec["command"])))
    except SentenceError:
        return False


def is_change(spec: SwarmCommandSpec, action: Action) -> bool:
    """The same for a sentence that is parsed already."""
    return action.permission != LOOK and not spec.get("dryRun")


def _line_of(command: SwarmCommand) -> tuple[str, str]:
    return command["metadata"]["namespace"], str(command["spec"].get("swarm"))
