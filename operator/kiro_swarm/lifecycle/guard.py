"""Whether a write of a KiroTask's status is an edge of its life: asked at every write.

Called right before the API server is asked, with the task as read; the write names the
version that was read, so what is legal for the one is legal for the other. A refusal is a
defect of ours and never a person's mistake: it is raised, nothing is written, the task stays
as it was. Some microseconds, so it is on always, not in tests alone.
"""

from __future__ import annotations

from typing import Final, Iterator

from kiro_swarm.api.access import status_of
from kiro_swarm.api.meta import BLOCKED
from kiro_swarm.api.task import KiroTask
from kiro_swarm.lifecycle.edges import EDGES, Edge
from kiro_swarm.lifecycle.fields import (
    PER_ATTEMPT,
    Patch,
    Status,
    after,
    attempt_of,
    is_empty,
)
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.conflicts import CONFLICT_PREDICTED

_FROM: Final = {
    (state, edge.by): tuple(
        other for other in EDGES if other.by == edge.by and state in other.sources
    )
    for edge in EDGES
    for state in edge.sources
}


class IllegalEdgeError(Exception):
    """A write that would leave the life of a task; says which and why."""


def checked(task: KiroTask, patch: Patch, by: str) -> Patch:
    """The patch, if ``by`` may write it to the task as it was read.

    :param by: one of ``edges.WRITERS``.

    Raises IllegalEdgeError: otherwise.
    """
    edge_of(status_of(task), patch, by)
    return patch


def edge_of(status: Status, patch: Patch, by: str) -> Edge:
    """The edge that a patch is.

    Raises IllegalEdgeError: it is none.
    """
    state = str(status.get("state") or BLOCKED)
    objections = []
    for edge in _FROM.get((state, by), ()):
        if _is_meant(edge, patch):
            objection = next(_objections(edge, status, patch), None)
            if objection is None:
                return edge
            objections.append(f"{edge.name}: {objection}")
    target = patch.get("state", state)
    why = "; ".join(objections) or "there is no such edge"
    raise IllegalEdgeError(
        f"the {by} may not write {sorted(patch)} from {state} to {target}: {why}"
    )


def _is_meant(edge: Edge, patch: Patch) -> bool:
    if not edge.targets:
        return "state" not in patch
    return patch.get("state") in edge.targets


def _objections(edge: Edge, status: Status, patch: Patch) -> Iterator[str]:
    unknown = patch.keys() - edge.fields
    if unknown:
        yield f"does not write {sorted(unknown)}"
    reasons = edge.reasons
    if edge.targets and reasons is not None and patch.get("reason") not in reasons:
        yield f"does not give the reason {patch.get('reason')!r}"
    result = after(status, patch)
    left = [name for name in edge.resets if not is_empty(result.get(name))]
    if left:
        yield f"leaves {sorted(left)}"
    attempt = attempt_of(status)
    if attempt_of(result) != attempt + edge.begins:
        yield f"goes from attempt {attempt} to {attempt_of(result)}"
    if edge.begins:
        given = edge.sets & PER_ATTEMPT.keys()
        if not all(result.get(name) for name in given):
            yield f"does not say all of {sorted(given)}"
    if edge.ends:
        history = result.get("history") or []
        if not history or history[-1]["attempt"] != attempt:
            yield f"does not record attempt {attempt}"
        if len(history) <= len(status.get("history") or []) < 10:
            yield "loses a record"
        if find(result.get("conditions") or [], CONFLICT_PREDICTED):
            yield "keeps a prediction about work that is gone"
