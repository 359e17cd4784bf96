"""Commands that have no answer yet, and whose turn it is.

Fed by every change of a SwarmCommand (``Context.wake``), asked by the command reconcile.
Guarantees: commands that may change a swarm begin in the order in which they were created,
each when those before it have begun; who only looks, or tries dry, waits for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.parser import parse

Object = dict[str, Any]
FINISHED = frozenset({"Succeeded", "Failed", "Rejected", "Cancelled"})
#: Permission of sentences that change nothing.
LOOK = "get"


@dataclass(frozen=True)
class _Place:
    """Where a command stands in line. Times have seconds, versions break the tie."""

    created: str
    version: int
    blocks: bool


class Backlog:
    """The unanswered commands of every swarm."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], dict[str, tuple[str, _Place]]] = {}

    def note(self, command: Object) -> None:
        """A command is new or has changed."""
        metadata, spec = command["metadata"], command["spec"]
        line = self._lines.setdefault(_line_of(command), {})
        known = line.get(metadata["name"])
        phase = phase_of(command)
        if phase in FINISHED:
            self.forget(command)
            return
        if known is not None and known[0] == metadata["uid"]:
            created, version = known[1].created, known[1].version
        else:
            created = str(metadata.get("creationTimestamp") or "")
            version = int(metadata.get("resourceVersion") or 0)
        blocks = phase != "Running" and may_change(spec)
        line[metadata["name"]] = (metadata["uid"], _Place(created, version, blocks))

    def forget(self, command: Object) -> None:
        """A command is answered or gone."""
        where = _line_of(command)
        line = self._lines.get(where, {})
        known = line.get(command["metadata"]["name"])
        if known is not None and known[0] == command["metadata"]["uid"]:
            del line[command["metadata"]["name"]]
        if not line:
            self._lines.pop(where, None)

    def turn(self, command: Object) -> bool:
        """Whether every command that was said before this one has begun."""
        return self.next(*_line_of(command)) in (None, command["metadata"]["name"])

    def next(self, namespace: str, swarm: str) -> Optional[str]:
        """Name of the command that begins next, of those that may change the swarm."""
        places = [
            (place.created, place.version, name)
            for name, (_, place) in self._lines.get((namespace, swarm), {}).items()
            if place.blocks
        ]
        return min(places)[2] if places else None

    def begun(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that have begun, and of those that only look."""
        line = self._lines.get((namespace, swarm), {})
        return [name for name, (_, place) in line.items() if not place.blocks]


def phase_of(command: Object) -> str:
    """Phase of a command; one without a status is pending."""
    return str((command.get("status") or {}).get("phase") or "Pending")


def may_change(spec: Object) -> bool:
    """Whether the sentence of a command may change anything."""
    if spec.get("dryRun"):
        return False
    try:
        return parse(str(spec["command"])).permission != LOOK
    except SentenceError:
        return False


def _line_of(command: Object) -> tuple[str, str]:
    return command["metadata"]["namespace"], str(command["spec"].get("swarm"))
