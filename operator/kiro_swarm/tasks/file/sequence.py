"""The order of a file that says nothing but its sequence and the marks ``(P)``.

Used by ``edges``. Each task waits for the one before it. Neighbours that carry the mark
``(P)`` stand side by side: they wait for the same tasks, and what comes next waits for
all of them; the heading of a phase or layer between them parts them. A group with the mark
stands beside its marked neighbours as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Optional

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.groups import Groups


@dataclass
class _Node:
    """A leaf, or a run of neighbours that belong to one group."""

    draft: Optional[Draft]
    leaf: int = -1
    children: list[_Node] = field(default_factory=list)

    @property
    def parallel(self) -> bool:
        return self.draft is not None and self.draft.parallel


def sequence(groups: Groups) -> Iterator[tuple[int, int]]:
    """(leaf, leaf it waits for) of all leaves."""
    if not any(draft.parallel for draft in groups.drafts.values()):
        yield from ((leaf, leaf - 1) for leaf in range(1, len(groups.leaves)))
        return
    root = _Node(None)
    path = [root]
    for index, leaf in enumerate(groups.leaves):
        around = list(reversed(groups.with_groups(leaf)[1:]))
        same = 0
        while same < min(len(path) - 1, len(around)) and (
            path[same + 1].draft is around[same]
        ):
            same += 1
        del path[same + 1 :]
        for group in around[same:]:
            path.append(_Node(group))
            path[-2].children.append(path[-1])
        path[-1].children.append(_Node(leaf, index))
    yield from _chain(root.children, [], [])


def _beside(node: _Node, other: _Node) -> bool:
    """Whether two neighbours stand side by side: a phase ends with its last task."""
    one, two = node.draft, other.draft
    if one is None or two is None or not (node.parallel and other.parallel):
        return False
    return one.phases == two.phases


def _chain(
    nodes: Sequence[_Node], before: list[int], ends: list[int]
) -> Iterator[tuple[int, int]]:
    """Edges of ``nodes`` after ``before``; adds what the next waits for to ``ends``."""
    at = 0
    while at < len(nodes):
        stop = at + 1
        while stop < len(nodes) and _beside(nodes[at], nodes[stop]):
            stop += 1
        last: list[int] = []
        for node in nodes[at:stop]:
            if node.children:
                yield from _chain(node.children, before, last)
            else:
                yield from ((node.leaf, needed) for needed in before)
                last.append(node.leaf)
        before, at = last, stop
    ends += before
