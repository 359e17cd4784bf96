"""Commands that have no answer yet, and whose turn it is.

Fed by every change of a SwarmCommand (``Context.wake``), asked by the command reconcile.
Guarantees: commands that may change a swarm do so in the order in which they were created,
each when those before it have their answer or only wait for an outcome; who only looks, or
tries dry, waits for nobody. What stops work waits for nobody who is stuck (``held_up``), and
what was said before it to start the same is not done after it (``overtaken_by``). A command that
says again what one before it said, with its correlation id, holds nobody up: it gets the
answer of the first. A name stands in line once: a command that was made anew under it takes
the place of the one before, whatever of the two is heard first.

A new process has the same order, and says the same of what is overtaken: the version of a
command at its creation is in its status from the first write on, for every write changes the
version of the object itself.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from dataclasses import dataclass, field, replace
from typing import Optional

from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.commands.parser import first_permission
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    STARTING,
    Scope,
    Target,
    creation_version,
    has_halted,
    is_waiting,
    may_change,
    phase_of,
    requester_of,
    scope_of,
    target_of,
)

#: Commands of one requester to one swarm that may be without an answer at a time.
MOST_UNANSWERED = 1000

_Order = tuple[bool, str, int, str]
_Halt = tuple[tuple[str, int], str]


@dataclass(frozen=True)
class _Place:
    """Where a command stands in line.

    Times have seconds; the version at the creation breaks the tie. Who has begun was first
    before that.
    """

    begun: bool
    created: str
    version: int
    #: Whether that is its version at the creation, and not a later one.
    certain: bool
    name: str
    uid: str
    blocks: bool
    changes: bool
    starts: bool
    #: What it is about: kind and name; None: all of the swarm.
    target: Target
    scope: Optional[Scope]
    requester: str
    seen: float
    excess: bool

    @property
    def order(self) -> _Order:
        """Sorts places as the commands were created."""
        return not self.begun, self.created, self.version, self.name

    @property
    def said(self) -> tuple[str, int]:
        """When it was said. Of an uncertain one no earlier than it was: the version grows."""
        return self.created, self.version


@dataclass
class _Line:
    """The unanswered commands of one swarm."""

    places: dict[str, _Place] = field(default_factory=dict)
    #: Of those that may change something: in order, for only they hold anybody up.
    order: list[_Order] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    #: Of those whose writes fail: uids.
    stumbled: set[str] = field(default_factory=set)


class Backlog:
    """The unanswered commands of every swarm."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = {}
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        #: The latest command that ended work of each object, and has begun: order and name.
        self._halts: dict[tuple[str, str], dict[Target, _Halt]] = {}

    def note(self, command: SwarmCommand, at: float = 0.0) -> None:
        """A command is new or has changed.

        :param at: the time (monotonic).
        """
        metadata, spec, where = command["metadata"], command["spec"], _line_of(command)
        name, uid = metadata["name"], metadata["uid"]
        now = int(metadata.get("resourceVersion") or 0)
        created = str(metadata.get("creationTimestamp") or "")
        known = self._place(where, name)
        if known is not None and known.uid != uid:
            if known.version > now:
                return  # late news of one that is gone: its name has another now
            self._leave(where, name)  # its end was not heard of
            known = None
        recorded = creation_version(command)
        version, certain = now if recorded is None else recorded, recorded is not None
        if known is not None:
            version, certain = known.version, known.certain
        if has_halted(command):
            # Of one whose place within its second is not known nobody is said to be earlier.
            halt = (created, version if certain else 0), name
            halts, target = self._halts.setdefault(where, {}), target_of(spec)
            halts[target] = max(halts.get(target, halt), halt)
        if phase_of(command) in FINISHED:
            self.forget(command)
            return
        line = self._lines.setdefault(where, _Line())
        if known is not None:
            changes, scope, excess = known.changes, known.scope, known.excess
            starts, target, at = known.starts, known.target, known.seen
            self._leave(where, name, for_good=False)
        else:
            changes = may_change(spec)
            starts = changes and first_permission(spec["command"]) in STARTING
            target = target_of(spec) if starts else None
            scope = scope_of(spec, changes)
            excess = line.counts.get(requester_of(spec), 0) >= MOST_UNANSWERED
        blocks = changes and not is_waiting(command)
        begun = phase_of(command) == "Running"
        place = _Place(
            *(begun, created, version, certain, name, uid, blocks, changes),
            *(starts, target, scope, requester_of(spec), at, excess and not begun),
        )
        line.places[name] = place
        line.counts[place.requester] = line.counts.get(place.requester, 0) + 1
        if changes:
            insort(line.order, place.order)

    def forget(self, command: SwarmCommand) -> None:
        """A command is answered or gone."""
        where = _line_of(command)
        known = self._place(where, command["metadata"]["name"])
        if known is not None and known.uid == command["metadata"]["uid"]:
            self._leave(where, known.name)

    def turn(self, command: SwarmCommand) -> bool:
        """Whether no command that was said before this one holds it up."""
        if is_waiting(command):
            return True
        return self.next(*_line_of(command)) in (None, command["metadata"]["name"])

    def next(self, namespace: str, swarm: str) -> Optional[str]:
        """Name of the command whose turn it is, of those that may change the swarm."""
        said: set[Scope] = set()
        line = self._lines.get((namespace, swarm), _Line())
        for *_, name in line.order:
            place = line.places[name]
            if place.blocks and place.scope not in said:
                return name
            if place.scope is not None:
                said.add(place.scope)
        return None

    def said_again(self, command: SwarmCommand) -> list[str]:
        """Names of the unanswered commands that say the same as this one, in order."""
        if not command["spec"].get("correlationId"):
            return []
        line = self._lines.get(_line_of(command), _Line())
        wanted = scope_of(command["spec"], may_change(command["spec"]))
        places = [place for place in line.places.values() if place.scope == wanted]
        return [place.name for place in sorted(places, key=lambda place: place.order)]

    def first_said(self, command: SwarmCommand) -> str:
        """Name of the first unanswered command that says the same as this one."""
        return next(iter(self.said_again(command)), command["metadata"]["name"])

    def begun(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that wait for an outcome, and of those that only look."""
        line = self._lines.get((namespace, swarm), _Line())
        return [place.name for place in line.places.values() if not place.blocks]

    # -------------------------------------------------------------- who is stuck

    def stumble(self, command: SwarmCommand) -> None:
        """A write of a command failed: it may be about to hold everybody up."""
        line = self._lines.get(_line_of(command))
        if line is not None:
            line.stumbled.add(command["metadata"]["uid"])

    def pass_over(self, command: SwarmCommand) -> None:
        """Nothing can be written into a command: others need not wait for that."""
        where = _line_of(command)
        known = self._place(where, command["metadata"]["name"])
        if known is not None and known.uid == command["metadata"]["uid"]:
            self._lines[where].places[known.name] = replace(known, blocks=False)

    def held_up(self, command: SwarmCommand) -> bool:
        """Whether one before this command is stuck."""
        line = self._lines.get(_line_of(command), _Line())
        for *_, name in line.order:
            if name == command["metadata"]["name"]:
                return False
            place = line.places[name]
            if place.blocks and place.uid in line.stumbled:
                return True
        return False

    def seen(self, command: SwarmCommand) -> Optional[float]:
        """Since when this process knows of a command (monotonic)."""
        known = self._place(_line_of(command), command["metadata"]["name"])
        return None if known is None else known.seen

    def excess(self, command: SwarmCommand) -> bool:
        """Whether its requester had too many without an answer when this one came."""
        known = self._place(_line_of(command), command["metadata"]["name"])
        return known is not None and known.excess

    def created_at(self, command: SwarmCommand) -> Optional[int]:
        """Version of a command at its creation, to be recorded; None: nobody knows it."""
        known = self._place(_line_of(command), command["metadata"]["name"])
        if known is None or known.uid != command["metadata"]["uid"]:
            return creation_version(command)
        return known.version if known.certain else None

    def overtaken_by(self, command: SwarmCommand) -> Optional[str]:
        """The command that was said later and done already, where this one would undo it."""
        place = self._place(_line_of(command), command["metadata"]["name"])
        if place is None or is_waiting(command):
            return None
        halt = self._halt(_line_of(command), place)
        return None if halt is None else halt[1]

    def overtaken(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that end as overtaken when it is their turn."""
        where = namespace, swarm
        line = self._lines.get(where, _Line())
        return [
            one.name
            for one in line.places.values()
            if one.blocks and self._halt(where, one) is not None
        ]

    def _halt(self, where: tuple[str, str], place: _Place) -> Optional[_Halt]:
        """The last that was said after a command and ended work that it would start."""
        halts = self._halts.get(where)
        if not halts or not place.starts:
            return None
        if place.target is None:
            last = max(halts.values())
        else:
            about = [halts[one] for one in (None, place.target) if one in halts]
            if not about:
                return None
            last = max(about)
        return last if place.said < last[0] else None

    def lock(self, namespace: str, swarm: str) -> asyncio.Lock:
        """Held while one command decides and writes: two never do so at once."""
        return self._locks.setdefault((namespace, swarm), asyncio.Lock())

    # -------------------------------------------------------------- places

    def _place(self, where: tuple[str, str], name: str) -> Optional[_Place]:
        line = self._lines.get(where)
        return None if line is None else line.places.get(name)

    def _leave(
        self, where: tuple[str, str], name: str, *, for_good: bool = True
    ) -> None:
        line = self._lines[where]
        place = line.places.pop(name)
        if place.changes:
            del line.order[bisect_left(line.order, place.order)]
        line.counts[place.requester] -= 1
        if not line.counts[place.requester]:
            del line.counts[place.requester]
        if for_good:
            line.stumbled.discard(place.uid)
            if not line.places:
                del self._lines[where]


def _line_of(command: SwarmCommand) -> tuple[str, str]:
    return command["metadata"]["namespace"], str(command["spec"].get("swarm"))
