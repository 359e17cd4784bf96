"""Which task belongs to which group, and what an id in a dependency stands for.

Used by ``edges`` and ``parser``. A group is what other ids have as a prefix (``2`` for
``2.1``), whether it has a box of its own or only a heading; an id that says nothing by
itself (``CORE-1``) belongs to the numbered task that it is written inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Optional

from kiro_swarm.tasks.file import ids
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.nearest import Nearest, in_words
from kiro_swarm.tasks.file.phases import PHASE, phase_key

_CHECKPOINT: Final = re.compile(r"\W*(?:final\s+)?check-?point\b", re.IGNORECASE)


class Groups:
    """The drafts of a file as groups and leaves; leaves are numbered in file order."""

    def __init__(self, drafts: list[Draft]) -> None:
        self.drafts = {draft.id: draft for draft in drafts}
        self._inside = {draft.id: self._groups_of(draft) for draft in drafts}
        groups = {group for inside in self._inside.values() for group in inside}
        self.leaves = [draft for draft in drafts if draft.id not in groups]
        self._members: dict[str, list[int]] = {group: [] for group in groups}
        for index, leaf in enumerate(self.leaves):
            self._members[leaf.id] = [index]
            for group in self._inside[leaf.id]:
                self._members[group].append(index)
        self._nearest: Optional[Nearest] = None
        #: Leaves by the part whose heading they stand under, or whose group they are in.
        self._phases: dict[str, list[int]] = {}
        for index, leaf in enumerate(self.leaves):
            keys = dict.fromkeys(leaf.phases)
            for draft in self.with_groups(leaf):
                match = PHASE.match(draft.title)
                if match:
                    keys[phase_key(match)] = None
            for key in keys:
                self._phases.setdefault(key, []).append(index)

    @staticmethod
    def _groups_of(draft: Draft) -> list[str]:
        inside = ids.prefixes(draft.id)
        around = draft.enclosing
        # Only a number: numbers never lie inside each other in a circle.
        if around and ids.is_numeric(around) and not ids.is_numeric(draft.id):
            inside += [around, *ids.prefixes(around)]
        return inside

    def parent(self, draft: Draft) -> Optional[str]:
        """Id of the nearest group that has a box."""
        inside = self._inside[draft.id]
        return next((group for group in inside if group in self.drafts), None)

    def with_groups(self, draft: Draft) -> list[Draft]:
        """The draft and every group around it that has a box, inside out."""
        around = (self.drafts.get(group) for group in self._inside[draft.id])
        return [draft, *(group for group in around if group is not None)]

    def is_leaf(self, task_id: str) -> bool:
        """Whether an id is the unit of work itself."""
        return self._members.get(task_id) is not None and not self.is_group(task_id)

    def is_group(self, task_id: str) -> bool:
        """Whether other tasks belong to this id."""
        members = self._members.get(task_id)
        return members is not None and (
            len(members) != 1 or self.leaves[members[0]].id != task_id
        )

    def names(self) -> Iterable[str]:
        """All ids that stand for leaves."""
        return self._members.keys()

    def members(self, task_id: str) -> Optional[list[int]]:
        """Numbers of the leaves that an id stands for; None when it is not defined.

        A part of the plan (``phase 2``) stands for its leaves, too.
        """
        found = self._members.get(task_id)
        return self._phases.get(task_id) if found is None else found

    def nearest(self, task_id: str, but: str = "") -> str:
        """Words for what is nearest to an id that no task has: ``, the nearest is 2``."""
        if self._nearest is None:
            self._nearest = Nearest(self._members)
        return in_words(self._nearest.of(task_id, but))

    def is_checkpoint(self, draft: Draft) -> bool:
        """Whether a task is a barrier by its position: a top leaf named Checkpoint."""
        top = "." not in draft.id and not self._inside[draft.id]
        return top and self.is_leaf(draft.id) and bool(_CHECKPOINT.match(draft.title))
