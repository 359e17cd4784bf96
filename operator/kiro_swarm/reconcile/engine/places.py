"""Where commands stand in line: what the backlog is made of.

Data alone; ``backlog`` decides by it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, takewhile
from typing import NamedTuple, Optional

from kiro_swarm.api.command import SwarmCommand, SwarmCommandStatus
from kiro_swarm.reconcile.engine.command_facts import Scope, Target

#: Commands of one requester to one swarm that may be without an answer at a time.
MOST_UNANSWERED = 1000
#: The same of those that a Job looks something up for, two at a time.
MOST_LOOKED_UP = 20
#: Commands that are passed over in a row, while none shows that the API server is there for
#: others; whoever passes them names all of them in its status.
MOST_PASSED = 32


class Said(NamedTuple):
    """When a command was said: sorts what was said, of an older release first.

    ``version``: of the object at its creation, which grows with each, whatever the clocks of the
    API servers say; 0: nobody knows it (``creation_version``). ``created``:
    by such a clock, to a second.
    """

    version: int
    created: str

    def is_before(self, other: Said) -> bool:
        """Whether it was said before another, as far as anybody knows."""
        if self.version and other.version:
            return self.version < other.version
        return self.created < other.created


#: Sorts places.
Order = tuple[bool, Said, str]
#: When a command was said that others are behind of, and its name.
Halt = tuple[Said, str]


@dataclass(frozen=True)
class Place:
    """Where a command stands in line.

    Who has begun was first before that.
    """

    begun: bool
    said: Said
    #: That at its creation, or a later one where nobody knows it.
    version: int
    name: str
    uid: str
    #: Whether it has done what it does, and waits for the outcome.
    waits: bool
    changes: bool
    starts: bool
    #: What it is about: kind and name; None: all of the swarm.
    target: Target
    scope: Optional[Scope]
    requester: str
    seen: float
    excess: bool
    #: Whether it waits for a Job that looks something up.
    looks_up: bool
    #: As it was written last, to see that it was written again.
    status: SwarmCommandStatus = field(compare=False)
    #: Whether others need not wait for it, though it has no answer.
    passed: bool = False

    @property
    def blocks(self) -> bool:
        """Whether others wait for it."""
        return self.changes and not self.waits and not self.passed

    @property
    def order(self) -> Order:
        """Sorts places as the commands were created."""
        return not self.begun, self.said, self.name


@dataclass
class Line:
    """The unanswered commands of one swarm."""

    places: dict[str, Place] = field(default_factory=dict)
    #: Of those that may change something: in order, for only they hold anybody up.
    order: list[Order] = field(default_factory=list)
    #: Requester, and whether they wait for a Job that looks something up -> how many.
    counts: Counter[tuple[str, bool]] = field(default_factory=Counter)
    #: Of those whose writes fail: uids.
    stumbled: set[str] = field(default_factory=set)
    #: Since when the status of a command cannot be written, by its uid (monotonic).
    unwritten: dict[str, float] = field(default_factory=dict)
    #: Those that were passed over since the last status was written: names.
    passed_in_a_row: list[str] = field(default_factory=list)

    def in_order(self) -> Iterator[str]:
        """Names of those that may change something, as they were said.

        Whose version nobody knows comes before the first of the others that was made in a later
        second, or after what was last written into it.
        """
        waiting = bisect_left(self.order, (True,))
        for group in (self.order[:waiting], self.order[waiting:]):
            yield from self._merged(group)

    def _merged(self, group: list[Order]) -> Iterator[str]:
        """The same of those that have all begun, or of those that have not."""
        unsure = list(takewhile(lambda order: not order[1].version, group))
        # What comes before a version does so with all that come before it.
        bounds = [self.places[name].version for *_, name in unsure]
        latest = list(accumulate(reversed(bounds), min))
        latest.reverse()
        at = 0
        for _, said, name in group[len(unsure) :]:
            while at < len(unsure) and (
                said.created > unsure[at][1].created or said.version > latest[at]
            ):
                yield unsure[at][2]
                at += 1
            yield name
        for *_, name in unsure[at:]:
            yield name

    def is_full(self, requester: str, looked_up: bool) -> bool:
        """Whether a requester has as many without an answer as there may be."""
        waiting = self.counts.get((requester, True), 0)
        if looked_up and waiting >= MOST_LOOKED_UP:
            return True
        return waiting + self.counts.get((requester, False), 0) >= MOST_UNANSWERED


def line_of(command: SwarmCommand) -> tuple[str, str]:
    """Namespace and name of the swarm that a command is said to."""
    return command["metadata"]["namespace"], str(command["spec"].get("swarm"))
