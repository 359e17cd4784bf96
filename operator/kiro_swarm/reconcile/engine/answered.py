"""Answered commands that changed nothing: how many of them one person may leave.

Fed by every change of a SwarmCommand (``Context.wake``), asked by what ends a command
(``commands/afterwards.py``). Whoever may only look can say any number of sentences, to swarms that
are not there as well: each is stored, and costs the operator memory. Guarantees: of one person,
in one namespace, the last ``MOST_KEPT`` stay, whatever their spec asks for; nothing that changed
anything is counted here, and nobody's answers go because of another person's; all who give no name
are one (docs/security.md, "Who said it"). The last are so by the version of the store when each
was first seen answered: a wall clock that was ahead for an hour makes no answer of that hour a
later one than those that follow. A new process finds them by the version that they have then.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final, Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    LOOK,
    phase_of,
    requester_of,
)

#: What one person may leave in a namespace: more than anybody reads, some MB.
MOST_KEPT: Final = 500
#: Namespace and requester; version of the answer and name.
_Whose = tuple[str, str]
_Place = tuple[int, str]


def changed_nothing(command: SwarmCommand) -> bool:
    """Whether a command has its answer, and can be said again with nothing lost.

    It only looked or tried dry, or was no sentence. One that was to change something and was
    refused is none of these: what is applied again and again would be carried out one day.
    """
    phase = phase_of(command)
    if phase not in FINISHED:
        return False
    if command["spec"].get("dryRun"):
        return True
    action = status_of(command).get("action")
    if action is None:
        return phase == "Rejected"
    return action.get("permission") == LOOK


def version_of(command: SwarmCommand) -> int:
    """Version of the store that an object is of: grows with each write, whatever clocks say."""
    return int(command["metadata"].get("resourceVersion") or 0)


class Answered:
    """Who has left how many answers.

    :param most: that one person may leave in a namespace.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lines: dict[_Whose, list[_Place]] = {}
        #: Uid of a command -> where it stands.
        self._places: dict[str, tuple[_Whose, _Place]] = {}

    def note(self, command: SwarmCommand) -> Optional[str]:
        """A command is new or has changed. Returns the name of one that is too many now."""
        metadata = command["metadata"]
        uid, name = metadata["uid"], metadata["name"]
        leaving = metadata.get("deletionTimestamp")
        if leaving or not changed_nothing(command):
            self.forget(command)
            return None
        whose = metadata["namespace"], requester_of(command["spec"])
        known = self._places.get(uid)
        if known is None or known[0] != whose:
            self.forget(command)
            place = version_of(command), name
            insort(self._lines.setdefault(whose, []), place)
            self._places[uid] = whose, place
        line = self._lines[whose]
        return line[-self._most - 1][1] if len(line) > self._most else None

    def forget(self, command: SwarmCommand) -> None:
        """A command is gone, or is none of these."""
        known = self._places.pop(command["metadata"]["uid"], None)
        if known is None:
            return
        whose, place = known
        line = self._lines[whose]
        del line[bisect_left(line, place)]
        if not line:
            del self._lines[whose]

    def order(self, command: SwarmCommand) -> _Place:
        """Sorts answers of one person, the first answered in front."""
        known = self._places.get(command["metadata"]["uid"])
        return known[1] if known else (version_of(command), command["metadata"]["name"])

    def is_too_many(self, command: SwarmCommand) -> bool:
        """Whether a command is not one of the last of its requester."""
        known = self._places.get(command["metadata"]["uid"])
        if known is None:
            return False
        line = self._lines[known[0]]
        return bisect_left(line, known[1]) < len(line) - self._most
