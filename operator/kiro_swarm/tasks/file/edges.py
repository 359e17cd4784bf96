"""Who waits for whom: what the file writes, else its waves, else its sequence.

Used by ``parser``. The rules, in this order:

1. Written dependencies (``_Depends: 1.1_``, ``_Blocks: 2_``) are edges. An id of a group
   stands for all its leaves; what a group waits for, all its leaves wait for.
2. Where no task of the file writes any, a wave graph gives edges between consecutive waves.
   Where both are there, waves are no edges: they only say what may run side by side.
3. Where neither is there, each leaf waits for the leaf before it. Such files were written
   to be worked on from top to bottom; anything else would be a guess. Neighbours with the
   mark ``(P)`` run side by side.
4. A checkpoint waits for everything above it, everything below waits for it.
5. What waits for a task that may be skipped also waits for what that one waits for,
   so that skipping never lets anything start earlier.

Nothing is resolved by guessing: an unknown id, a cycle or an unreadable value is an error.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Optional

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.phases import is_phase
from kiro_swarm.tasks.file.resolve import Resolver, TooManyReferences
from kiro_swarm.tasks.file.sequence import sequence
from kiro_swarm.tasks.file.wave_edges import WaveEdges
from kiro_swarm.tasks.file.waves import Waves
from kiro_swarm.tasks.plan.graph import TaskGraph

#: As many as one KiroTask may have; also what bounds the work on a hostile file.
MAX_DEPENDENCIES: Final = 2000
MAX_EDGES: Final = 1_000_000
#: So many edges are looked at for all questions whether a task is before another.
_LOOKED_AT: Final = 2_000_000
_MAX_CYCLES: Final = 10
_SHOWN: Final = 12


class _TooManyEdges(Exception):
    """The file would have more edges than we carry."""


class Edges:
    """Edges between leaves by number: ``written[i]`` and ``implied[i]`` of leaf ``i``."""

    def __init__(self, groups: Groups, remarks: Remarks) -> None:
        self.written: list[set[int]] = [set() for _ in groups.leaves]
        self.implied: list[set[int]] = [set() for _ in groups.leaves]
        #: Whether the tasks simply run one after another.
        self.sequential = False
        self._groups = groups
        self._leaves = groups.leaves
        self._remarks = remarks
        self._resolver = Resolver(groups, remarks)
        self._count = 0
        self._left = _LOOKED_AT
        self._parts: dict[str, frozenset[int]] = {}

    def connect(self, waves: Optional[Waves]) -> None:
        """Fill ``written`` and ``implied``."""
        try:
            explicit = self._connect_written()
            if waves is not None:
                graph = WaveEdges(
                    self._groups, waves, self._remarks, alone=not explicit
                )
                if not explicit:
                    self._connect_waves(graph)
            elif not explicit and len(self._leaves) > 1:
                self._connect_sequence()
            self._connect_checkpoints()
            if not self._report_cycles():
                self._bridge()
        except (_TooManyEdges, TooManyReferences) as problem:
            self._remarks.add("error", "too-many-edges", 1, str(problem))

    def _add(self, kind: list[set[int]], leaf: int, needed: int) -> None:
        if needed in kind[leaf] or needed in self.written[leaf]:
            return
        known = len(self.written[leaf]) + len(self.implied[leaf])
        if known == MAX_DEPENDENCIES or self._count == MAX_EDGES:
            draft = self._leaves[leaf]
            raise _TooManyEdges(
                f"too many dependencies at task {draft.id} (line {draft.line}): "
                f"at most {MAX_DEPENDENCIES} for a task and {MAX_EDGES} for a file"
            )
        kind[leaf].add(needed)
        self._count += 1

    def _connect_written(self) -> bool:
        """Rule 1. Returns whether the file writes dependencies at all."""
        needs: dict[str, dict[int, None]] = {}
        blockers: dict[int, dict[str, None]] = {}
        explicit = False
        for draft in self._groups.drafts.values():
            for entry in draft.fields:
                if entry.kind == "depends":
                    found = self._resolver.resolve(draft, entry)
                    explicit = explicit or found is not None
                    needs.setdefault(draft.id, {}).update(dict.fromkeys(found or ()))
                elif entry.kind == "blocks":
                    found = self._resolver.resolve(draft, entry)
                    explicit = explicit or bool(found)
                    for blocked in found or ():
                        blockers.setdefault(blocked, {})[draft.id] = None
        for index, leaf in enumerate(self._leaves):
            for owner in self._groups.with_groups(leaf):
                for needed in needs.get(owner.id, ()):
                    self._add(self.written, index, needed)
            for blocker in blockers.get(index, ()):
                for needed in self._groups.members(blocker) or ():
                    self._add(self.written, index, needed)
        return explicit

    def is_before(self, name: str, other: str, *, implied: bool) -> bool:
        """Whether all of ``other`` waits for all that ``name`` stands for, however far the way.

        Costs little however often it is asked: False at last where nobody looked any more.

        :param implied: edges that follow from positions count, too.
        """
        leaves = self._groups.members(other) or ()
        wanted = self._groups.members(name) or ()
        return self.all_before(wanted, leaves, implied=implied)

    def all_before(
        self, wanted: Collection[int], leaves: Collection[int], *, implied: bool = True
    ) -> bool:
        """Whether all ``leaves`` wait for all ``wanted``; False where nobody looked."""
        self._left -= len(wanted) * len(leaves)
        if not leaves or not wanted or self._left < 0:
            return False
        return all(self._reaches(leaf, set(wanted), implied=implied) for leaf in leaves)

    def overlap(self, name: str, other: str) -> bool:
        """Whether two names stand for a common leaf, so that neither is before the other.

        True at last where nobody looked any more: of such two nothing is said.
        """
        if (
            name == other
            or name.startswith(f"{other}.")
            or other.startswith(f"{name}.")
        ):
            return True
        if not (is_phase(name) or is_phase(other)):
            return False
        members = [self._groups.members(each) or [] for each in (name, other)]
        few, part = (
            (members[0], other)
            if len(members[0]) < len(members[1])
            else (members[1], name)
        )
        self._left -= len(few)
        return self._left < 0 or not self._set_of(part).isdisjoint(few)

    def _set_of(self, name: str) -> frozenset[int]:
        """The leaves that a name stands for: made once, for a part may have all of them."""
        known = self._parts.get(name)
        if known is None:
            known = self._parts[name] = frozenset(self._groups.members(name) or ())
        return known

    def is_after(self, name: str, other: str) -> bool:
        """Whether a leaf of ``name`` waits for a leaf of ``other``; unlooked at, it does not."""
        leaves = self._groups.members(name) or ()
        wanted = self._groups.members(other) or ()
        if not leaves or not wanted or self._left < 0:
            return False
        return self._reaches(leaves[-1], {wanted[0]}, implied=True)

    def is_after_above(self, name: str, *, nearest: bool) -> bool:
        """Whether a task waits for all leaves above it, or for the ``nearest`` of them."""
        leaves = self._groups.members(name)
        if not leaves or leaves[0] == 0:
            return True
        first = leaves[0] - 1 if nearest else 0
        self._left -= leaves[0] - first
        return self._left >= 0 and self._reaches(
            leaves[0], set(range(first, leaves[0])), implied=True
        )

    def is_before_rest(self, names: Collection[str]) -> bool:
        """Whether all other leaves wait for all that ``names`` stand for."""
        first = {leaf for name in names for leaf in self._groups.members(name) or ()}
        return all(
            self._left > 0 and self._reaches(leaf, set(first), implied=True)
            for leaf in range(len(self._leaves))
            if leaf not in first
        )

    def _reaches(self, leaf: int, wanted: set[int], *, implied: bool) -> bool:
        seen: set[int] = set()
        waiting = [leaf]
        while waiting and self._left > 0:
            at = waiting.pop()
            further = self.written[at] | (self.implied[at] if implied else set())
            self._left -= 1 + len(further)
            waiting += further - seen
            seen |= further
            wanted -= further
            if not wanted:
                return True
        return False

    def external(self, draft: Draft) -> tuple[str, ...]:
        """What a task and its groups wait for in other specs."""
        found = self._resolver.external
        if not found:
            return ()
        owners = self._groups.with_groups(draft)
        return tuple(
            dict.fromkeys(text for owner in owners for text in found.get(owner.id, ()))
        )

    def _connect_waves(self, graph: WaveEdges) -> None:
        """Rule 2."""
        for leaf, needed in graph.edges():
            self._add(self.written, leaf, needed)
        for leaf in graph.missing:
            if leaf > 0:
                self._add(self.implied, leaf, leaf - 1)

    def _connect_sequence(self) -> None:
        """Rule 3."""
        self.sequential = True
        self._remarks.add(
            "info",
            "sequential",
            self._leaves[0].line,
            "no dependencies and no wave graph: the tasks run one after another; "
            "write '_Depends: ..._' or '_Depends: none_' to let them run side by side",
            self._leaves[0].column,
        )
        for leaf, needed in sequence(self._groups):
            self._add(self.implied, leaf, needed)

    def _connect_checkpoints(self) -> None:
        """Rule 4. A checkpoint that may be skipped holds nothing."""
        start, barrier = 0, -1
        for index, leaf in enumerate(self._leaves):
            if barrier >= 0:
                self._add(self.implied, index, barrier)
            if self._groups.is_checkpoint(leaf) and not _skippable(leaf):
                for above in range(start, index):
                    self._add(self.implied, index, above)
                start, barrier = index + 1, index

    def _report_cycles(self) -> bool:
        """Whether there is a cycle; each one found becomes an error with its path."""
        needed = [
            sorted(a | b) for a, b in zip(self.written, self.implied)  # same length
        ]
        for found in range(_MAX_CYCLES):
            cycle = TaskGraph(needed).find_cycle()
            if cycle is None:
                return found > 0
            drafts = [self._leaves[leaf] for leaf in cycle]
            steps = [f"{draft.id} (line {draft.line})" for draft in drafts]
            if len(steps) > _SHOWN:
                steps[_SHOWN - 1 : -1] = [f"... {len(steps) - _SHOWN} more ..."]
            path = " -> ".join([*steps, drafts[0].id])
            self._remarks.add(
                "error",
                "cycle",
                drafts[0].line,
                f"dependency cycle: {path}",
                drafts[0].column,
            )
            for leaf in cycle:  # to find the next one; the edges stay in the result
                needed[leaf] = []
        return True

    def _bridge(self) -> None:
        """Rule 5."""
        needed = [sorted(a | b) for a, b in zip(self.written, self.implied)]
        for leaf in TaskGraph(needed).topological_order():
            for other in needed[leaf]:
                if _skippable(self._leaves[other]):
                    for further in self.written[other] | self.implied[other]:
                        self._add(self.implied, leaf, further)


def _skippable(draft: Draft) -> bool:
    return draft.optional or draft.state == "deferred"
