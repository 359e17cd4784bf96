"""Commands that have no answer yet, and whose turn it is.

Fed by every change of a SwarmCommand (``Context.wake``), asked by the command reconcile.
Guarantees: commands that may change a swarm do so in the order in which they were created, by the
version of the store and by no clock (two API servers may have two), unless somebody wrote into
one before we saw it (``Line.in_order``): each when those before it
have their answer or only wait for an outcome; who only looks, or tries dry, waits for nobody.
What stops work waits for nobody who is stuck (``held_up``), and what was said before it to start
the same is not done after it (``overtaken_by``). A command that says again what one before it
said, with its correlation id, holds nobody up: it gets the answer of the first. Who cannot even
say how it is, because its status cannot be written, is passed over after a while (``pass_over``);
who begins before it says so in its own status, and the one passed over is not carried out any
more (``overtaken_by``). A name stands in line once: a command that was made anew under it takes
the place of the one before, whatever of the two is heard first.

A new process has the same order, and says the same of what is overtaken: the version of a
command at its creation is in its status from the first write on, for every write changes the
version of the object itself.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from dataclasses import replace
from itertools import takewhile
from typing import Optional
from weakref import WeakValueDictionary

from kiro_swarm.api.access import status_of
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
    looks_up,
    may_change,
    overtaken_names,
    phase_of,
    requester_of,
    scope_of,
    target_of,
)
from kiro_swarm.reconcile.engine.places import (
    MOST_PASSED,
    Halt,
    Line,
    Place,
    Said,
    line_of,
)


class Backlog:
    """The unanswered commands of every swarm."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Line] = {}
        #: As long as anybody holds one, or waits for it.
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock]
        self._locks = WeakValueDictionary()
        #: The latest command that ended work of each object, and has begun: order and name;
        #: of those whose version is known, and of the others, which only times compare with.
        self._halts: dict[tuple[str, str], dict[tuple[Target, bool], Halt]] = {}
        #: Names of those of them that are gone: with the line goes what they ended.
        self._gone: dict[tuple[str, str], set[str]] = {}
        #: Name of a command -> the one that began before it because it had to be passed over.
        self._passed_by: dict[tuple[str, str], dict[str, Halt]] = {}

    def note(self, command: SwarmCommand, at: float = 0.0) -> None:
        """A command is new or has changed.

        :param at: the time (monotonic).
        """
        metadata, spec, where = command["metadata"], command["spec"], line_of(command)
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
        version, said = now if recorded is None else recorded, Said(
            recorded or 0, created
        )
        if known is not None:
            version, said = known.version, known.said
        if has_halted(command):
            halt = said, name
            halts = self._halts.setdefault(where, {})
            about = target_of(spec), bool(said.version)
            halts[about] = max(halts.get(about, halt), halt)
            self._gone.get(where, set()).discard(name)
        for other in overtaken_names(command):
            passed_by = self._passed_by.setdefault(where, {})
            passed_by[other] = said, name
        if phase_of(command) in FINISHED:
            self._passed_by.get(where, {}).pop(name, None)
            self._end(command)
            return
        line = self._lines.setdefault(where, Line())
        status, passed = status_of(command), False
        if known is not None and known.status == status:
            passed = known.passed
        elif known is not None:
            line.unwritten.pop(uid, None)
            line.passed_in_a_row.clear()  # one is written, so the server is there
        if known is not None:
            changes, scope, excess = known.changes, known.scope, known.excess
            starts, target, at = known.starts, known.target, known.seen
            looked_up = known.looks_up
            self._leave(where, name, for_good=False)
        else:
            changes = may_change(spec)
            starts = changes and first_permission(spec["command"]) in STARTING
            target = target_of(spec) if starts else None
            scope = scope_of(spec, changes)
            looked_up = looks_up(spec)
            excess = line.is_full(requester_of(spec), looked_up)
        begun = phase_of(command) == "Running"
        place = Place(
            *(
                begun,
                said,
                version,
                name,
                uid,
                is_waiting(command),
                changes,
            ),
            *(starts, target, scope, requester_of(spec), at, excess and not begun),
            *(looked_up, status, passed),
        )
        line.places[name] = place
        line.counts[place.requester, looked_up] += 1
        if changes:
            insort(line.order, place.order)

    def _end(self, command: SwarmCommand) -> None:
        """A command is answered or gone."""
        where = line_of(command)
        known = self._place(where, command["metadata"]["name"])
        if known is not None and known.uid == command["metadata"]["uid"]:
            self._leave(where, known.name)
        if where not in self._lines:
            gone, halts = self._gone.pop(where, set()), self._halts.get(where, {})
            for about in [one for one, halt in halts.items() if halt[1] in gone]:
                del halts[about]

    def forget(self, command: SwarmCommand) -> None:
        """A command is gone. What it ended, and whom it passed, is known as long as there is
        any that this concerns, though a new process would not know it."""
        where, name = line_of(command), command["metadata"]["name"]
        if any(halt[1] == name for halt in self._halts.get(where, {}).values()):
            self._gone.setdefault(where, set()).add(name)
        self._end(command)
        passed_by = self._passed_by.get(where, {})
        for other in [name, *(o for o, halt in passed_by.items() if halt[1] == name)]:
            if self._place(where, other) is None:
                passed_by.pop(other, None)

    def forget_line(self, namespace: str, swarm: str) -> None:
        """A swarm is gone, and all that was said to it."""
        self._halts.pop((namespace, swarm), None)
        self._gone.pop((namespace, swarm), None)
        self._passed_by.pop((namespace, swarm), None)

    def turn(self, command: SwarmCommand) -> bool:
        """Whether no command that was said before this one holds it up."""
        if is_waiting(command):
            return True
        return self.next(*line_of(command)) in (None, command["metadata"]["name"])

    def next(self, namespace: str, swarm: str) -> Optional[str]:
        """Name of the command whose turn it is, of those that may change the swarm."""
        said: set[Scope] = set()
        where = namespace, swarm
        line = self._lines.get(where, Line())
        for name in line.in_order():
            place = line.places[name]
            if self._passed_by_one(where, place) is not None:
                continue  # it is not carried out any more
            if place.blocks and place.scope not in said:
                return name
            if place.scope is not None:
                said.add(place.scope)
        return None

    def said_again(self, command: SwarmCommand) -> list[str]:
        """Names of the unanswered commands that say the same as this one, in order."""
        if not command["spec"].get("correlationId"):
            return []
        line = self._lines.get(line_of(command), Line())
        wanted = scope_of(command["spec"], may_change(command["spec"]))
        places = [place for place in line.places.values() if place.scope == wanted]
        return [place.name for place in sorted(places, key=lambda place: place.order)]

    def first_said(self, command: SwarmCommand) -> str:
        """Name of the first unanswered command that says the same as this one."""
        return next(iter(self.said_again(command)), command["metadata"]["name"])

    def not_blocking(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that nobody waits for: they wait for an outcome, only look, or
        were passed over."""
        line = self._lines.get((namespace, swarm), Line())
        return [place.name for place in line.places.values() if not place.blocks]

    # -------------------------------------------------------------- who is stuck

    def stumble(self, command: SwarmCommand) -> None:
        """A write of a command failed: it may be about to hold everybody up."""
        line = self._lines.get(line_of(command))
        if line is not None:
            line.stumbled.add(command["metadata"]["uid"])

    def unwritten(self, command: SwarmCommand, since: float) -> float:
        """Since when (monotonic) nothing can be written into a command; now it is known."""
        line = self._lines.get(line_of(command))
        if line is None:
            return since
        return line.unwritten.setdefault(command["metadata"]["uid"], since)

    def tried(self, command: SwarmCommand) -> bool:
        """Whether a command is known for a status that cannot be written."""
        line = self._lines.get(line_of(command), Line())
        return command["metadata"]["uid"] in line.unwritten

    def is_passing(self, command: SwarmCommand) -> bool:
        """Whether one was passed over, and nothing shows yet that others are better off."""
        line = self._lines.get(line_of(command))
        return line is not None and bool(line.passed_in_a_row)

    def pass_over(self, command: SwarmCommand) -> Optional[str]:
        """Nothing can be written into a command: others need not wait for that.

        Returns whose turn it is now. When nobody is left to be tried, the API server is away for
        all of them: nobody is passed over then, and the order is what it was.
        """
        where, name = line_of(command), command["metadata"]["name"]
        known = self._place(where, name)
        if known is None or known.uid != command["metadata"]["uid"]:
            return self.next(*where)
        line = self._lines[where]
        line.places[name] = replace(known, passed=True)
        if name not in line.passed_in_a_row:
            line.passed_in_a_row.append(name)
        following = self.next(*where)
        if following is None or len(line.passed_in_a_row) > MOST_PASSED:
            for one in line.passed_in_a_row:
                if one in line.places:
                    line.places[one] = replace(line.places[one], passed=False)
            line.passed_in_a_row.clear()
            return None
        return following

    def passed_over(self, command: SwarmCommand) -> bool:
        """Whether others do not wait for a command whose status cannot be written."""
        known = self._place(line_of(command), command["metadata"]["name"])
        return known is not None and known.passed

    def passed(self, command: SwarmCommand) -> list[str]:
        """Names of those said before a command that were passed over, so that it may begin."""
        where = line_of(command)
        place = self._place(where, command["metadata"]["name"])
        if place is None:
            return []
        line = self._lines[where]
        before = takewhile(lambda name: name != place.name, line.in_order())
        return [name for name in before if line.places[name].passed]

    def held_up(self, command: SwarmCommand) -> bool:
        """Whether one before this command is stuck."""
        line = self._lines.get(line_of(command), Line())
        for name in line.in_order():
            if name == command["metadata"]["name"]:
                return False
            place = line.places[name]
            if place.blocks and place.uid in line.stumbled | line.unwritten.keys():
                return True
        return False

    def seen(self, command: SwarmCommand) -> Optional[float]:
        """Since when this process knows of a command (monotonic)."""
        known = self._place(line_of(command), command["metadata"]["name"])
        return None if known is None else known.seen

    def excess(self, command: SwarmCommand) -> bool:
        """Whether its requester had too many without an answer when this one came."""
        known = self._place(line_of(command), command["metadata"]["name"])
        return known is not None and known.excess

    def created_at(self, command: SwarmCommand) -> Optional[int]:
        """Version of a command at its creation, to be recorded; None: nobody knows it."""
        known = self._place(line_of(command), command["metadata"]["name"])
        if known is None or known.uid != command["metadata"]["uid"]:
            return creation_version(command)
        return known.said.version or None

    def overtaken_by(self, command: SwarmCommand) -> Optional[str]:
        """The command that was said later and done already, where this one would undo it."""
        place = self._place(line_of(command), command["metadata"]["name"])
        if place is None or is_waiting(command):
            return None
        halt = self._halt(line_of(command), place)
        return None if halt is None else halt[1]

    def overtaken(self, namespace: str, swarm: str) -> list[str]:
        """Names of the commands that end as overtaken when it is their turn."""
        where = namespace, swarm
        line = self._lines.get(where, Line())
        return [
            one.name
            for one in line.places.values()
            if one.changes and not one.waits and self._halt(where, one) is not None
        ]

    def _halt(self, where: tuple[str, str], place: Place) -> Optional[Halt]:
        """The last that was said after a command and ended work that it would start."""
        passed_by = self._passed_by_one(where, place)
        if passed_by is not None:
            return passed_by
        halts = self._halts.get(where)
        if not halts or not place.starts:
            return None
        later = [
            halt
            for (target, _), halt in halts.items()
            if place.target is None or target in (None, place.target)
            if place.said.is_before(halt[0])
        ]
        return max(later, default=None)

    def _passed_by_one(self, where: tuple[str, str], place: Place) -> Optional[Halt]:
        """The command that has begun before one that had to be passed over."""
        passed_by = self._passed_by.get(where, {}).get(place.name)
        earlier = passed_by is not None and place.said.is_before(passed_by[0])
        return passed_by if earlier else None

    def lock(self, namespace: str, swarm: str) -> asyncio.Lock:
        """Held while one command decides and writes: two never do so at once."""
        return self._locks.setdefault((namespace, swarm), asyncio.Lock())

    # -------------------------------------------------------------- places

    def _place(self, where: tuple[str, str], name: str) -> Optional[Place]:
        line = self._lines.get(where)
        return None if line is None else line.places.get(name)

    def _leave(
        self, where: tuple[str, str], name: str, *, for_good: bool = True
    ) -> None:
        line = self._lines[where]
        place = line.places.pop(name)
        if place.changes:
            del line.order[bisect_left(line.order, place.order)]
        counted = place.requester, place.looks_up
        line.counts[counted] -= 1
        if not line.counts[counted]:
            del line.counts[counted]
        if for_good:
            line.stumbled.discard(place.uid)
            line.unwritten.pop(place.uid, None)
            if name in line.passed_in_a_row:
                line.passed_in_a_row.remove(name)
            if not line.places:
                del self._lines[where]
