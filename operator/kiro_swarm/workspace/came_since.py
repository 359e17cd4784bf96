"""What came into the integration branch since a gate passed on it, in words.

Role: the integrate Job says it of a branch whose own gates are red (jobs/machine.py), so that a
person knows what to look at.

Guarantees: by the branch's own line of first parents, and what our merges on it say of their
gates; git is only read.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.workspace.git import Git
from kiro_swarm.workspace.moves import Step, move_of, steps

_MOST_NAMED = 6
_SHORT = 12


def came_since(git: Git, start: Optional[str], head: str, gate: str) -> str:
    """One sentence. ``gate``: its name; empty for any."""
    if start is None or start == head:
        return f"Nothing was merged since the swarm began there, at {head[:_SHORT]}"
    taken = steps(git, start, head)
    passed = [n for n, step in enumerate(taken, 1) if _passed(step, gate)]
    came = [_named(step) for step in taken[passed[-1] if passed else 0 :]]
    if not came:
        return (
            f"It passed when {head[:_SHORT]} was made, so what changed is none of the"
            " branch: look at the image, and at what the gate reaches beside it"
        )
    last = (
        f"it passed last, at {taken[passed[-1] - 1].commit[:_SHORT]}"
        if passed
        else f"the swarm began, at {start[:_SHORT]}, where nobody has seen it pass"
    )
    more = f" and {len(came) - _MOST_NAMED} more" if len(came) > _MOST_NAMED else ""
    return f"Since {last}, came {', '.join(came[-_MOST_NAMED:])}{more}"


def _passed(step: Step, gate: str) -> bool:
    """Whether a merge of ours says that it passed there."""
    move = move_of(step)
    names = [] if move is None else [run["name"] for run in move["gates"]]
    return gate in names if gate else bool(names)


def _named(step: Step) -> str:
    move, commit = move_of(step), step.commit[:_SHORT]
    if move is None:
        return f"commit {commit}, which is none of the swarm's"
    if move["kind"] == "sync":
        return f"the sync {commit}"
    ids = ", ".join(task["id"] or task["uid"] for task in move["tasks"])
    return f"task {ids} ({commit})"
