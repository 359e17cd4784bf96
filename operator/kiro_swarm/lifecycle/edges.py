"""The edges of a KiroTask's life as data: from where to where, by whom, with which fields.

Read by ``guard``, by the tests that walk it and by the generator of docs/reference/task-life.md
and of the diagram in docs/architecture.md. ``attempts``, ``steps`` and ``notes`` make the
patches; what they make is an edge of this table, or ``guard`` refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Mapping, Optional

from kiro_swarm.api.meta import (
    BLOCKED,
    BOUND,
    DONE,
    FAILED,
    MERGED,
    READY,
    RUNNING,
    SKIPPED,
    TASK_STATES,
)
from kiro_swarm.lifecycle.fields import OF_THE_INSTANCE, PER_ATTEMPT
from kiro_swarm.lifecycle.reasons import (
    AGENT_STARTED,
    CANCELLED,
    CHECKED,
    DEFERRED,
    INSTANCE_LOST,
    MERGED_BEFORE,
    OPTIONAL,
    REASSIGNED,
    REJECTED,
    RUN_REQUESTED,
    SCRATCH_FULL,
    STOPPED,
    TICKED,
)

#: Who writes. A person's sentences are carried out by the operator, as what they are.
OPERATOR: Final = "operator"
RUNNER: Final = "runner"
INTEGRATE: Final = "integrate Job"
PERSON: Final = "person"
WRITERS: Final = (OPERATOR, RUNNER, INTEGRATE, PERSON)

_WORDS: Final = frozenset({"reason", "message"})
_ENDS: Final = _WORDS | {
    *("history", "runningSeconds", "readyAt", "finishedAt", "conditions"),
}
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


@dataclass(frozen=True)
class Edge:
    """One thing that may happen to a task.

    ``sources`` and ``targets`` are states; no target: an update within the state. ``sets``
    are the fields that it may write, ``resets`` those that it takes back if they are set.
    ``reasons``: the words it may give; None is any word, an empty one is no reason.
    ``ends``: the attempt is over and goes into the history. ``begins``: the next one.
    ``follows``: it is written because of what a person said, by somebody else.
    """

    name: str
    by: str
    sources: frozenset[str]
    targets: frozenset[str]
    about: str
    sets: frozenset[str]
    resets: Mapping[str, object]
    reasons: Optional[frozenset[str]] = frozenset({""})
    ends: bool = False
    begins: bool = False
    follows: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """Everything that a patch of this edge may contain."""
        state = {"state"} if self.targets else set[str]()
        return self.sets | set(self.resets) | state


def _edge(
    name: str,
    by: str,
    way: str,
    about: str,
    sets: frozenset[str],
    reasons: Optional[tuple[str, ...]] = ("",),
    *,
    resets: Mapping[str, object] = _NOTHING,
    ends: bool = False,
    begins: bool = False,
    follows: bool = False,
) -> Edge:
    sources, _, targets = way.partition(">")
    return Edge(
        name,
        by,
        frozenset(sources.split()),
        frozenset(targets.split()),
        about,
        sets,
        resets,
        None if reasons is None else frozenset(reasons),
        ends,
        begins,
        follows,
    )


def _only(*names: str) -> Mapping[str, object]:
    return {name: PER_ATTEMPT[name] for name in names}


_BINDS: Final = _WORDS | {
    *("attempt", "instance", "podUid", "branch", "readyAt", "boundAt"),
    "observedRunRequest",
}
_UNBOUND: Final = {k: v for k, v in PER_ATTEMPT.items() if k not in _BINDS}
_AT_WORK: Final = f"{BOUND} {RUNNING}"

EDGES: Final[tuple[Edge, ...]] = (
    _edge(
        *("ready", OPERATOR, f"{BLOCKED} > {READY}"),
        "all that it depends on is merged or skipped",
        _WORDS | {"readyAt"},
    ),
    _edge(
        *("ticked", OPERATOR, f"{BLOCKED} > {MERGED}"),
        "it was ticked in the task file",
        _WORDS | {"finishedAt"},
        (TICKED,),
    ),
    _edge(
        *("recognise", OPERATOR, f"{BLOCKED} {READY} > {MERGED}"),
        "the ledger has a merge of it: the KiroTask was deleted and made again",
        _WORDS | {"mergeCommit", "mergedAt"},
        (MERGED_BEFORE,),
    ),
    _edge(
        *("recognise its own", OPERATOR, f"{BLOCKED} {READY} {FAILED} > {MERGED}"),
        "the ledger has a merge of this very attempt, and the Job died before its report",
        _WORDS | {"mergeCommit", "mergedAt", "history", "conditions"},
    ),
    _edge(
        *("skip", OPERATOR, f"{BLOCKED} > {SKIPPED}"),
        "its mark in the task file leaves it out",
        _WORDS | {"finishedAt"},
        (DEFERRED, OPTIONAL),
    ),
    _edge(
        *("ask again", OPERATOR, f"{FAILED} {SKIPPED} > {READY} {BLOCKED}"),
        "`run task` or `retry task`, read from `spec.runRequest`",
        _WORDS
        | {"observedRunRequest", "failures", "forgiven", "programMissing", "readyAt"},
        (RUN_REQUESTED,),
        resets=_only("finishedAt"),
        follows=True,
    ),
    _edge(
        *("bind", OPERATOR, f"{READY} > {BOUND}"),
        "given to an idle instance: the next attempt",
        _BINDS,
        resets=_UNBOUND,
        begins=True,
    ),
    _edge(
        *("start", RUNNER, f"{BOUND} {RUNNING} > {RUNNING}"),
        "the branch is cut; from Running: the answer to the first report was lost",
        _WORDS | {"branch", "baseCommit", "startedAt"},
        (AGENT_STARTED,),
        resets=_only("progress"),
    ),
    _edge(
        *("finish", RUNNER, f"{RUNNING} > {DONE}"),
        "commits, clean tree, verification",
        _WORDS | {"branch", "baseCommit", "commit", "finishedAt", "runningSeconds"},
        (CHECKED,),
        resets=_only("progress"),
    ),
    _edge(
        *("merge", INTEGRATE, f"{DONE} > {MERGED}"),
        "no conflict, gates pass, the branch has moved",
        _WORDS | {"mergeCommit", "mergedAt", "conditions"},
    ),
    _edge(
        *("merge after all", INTEGRATE, f"{READY} {FAILED} > {MERGED}"),
        "a person ended the attempt while the branch was being moved",
        _WORDS | {"mergeCommit", "mergedAt", "history", "conditions"},
        follows=True,
    ),
    _edge(
        *("fail", RUNNER, f"{_AT_WORK} > {READY} {FAILED}"),
        "no evidence of work, or the agent was lost; with a brief",
        _ENDS | {"brief", "failures", "forgiven", "programMissing"},
        None,
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("lose", OPERATOR, f"{_AT_WORK} > {READY} {FAILED}"),
        "the pod is gone or its runner silent, or the agent filled it",
        _ENDS | {"brief", "failures"},
        (INSTANCE_LOST, SCRATCH_FULL),
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("move", OPERATOR, f"{_AT_WORK} > {BOUND}"),
        "late on a slow instance: the next attempt is a faster one's",
        (_ENDS - PER_ATTEMPT.keys()) | _BINDS | {"forgiven"},
        resets=_UNBOUND,
        ends=True,
        begins=True,
    ),
    _edge(
        *("send back", INTEGRATE, f"{DONE} > {READY} {FAILED}"),
        "a conflict, a red gate, or a proof that fails; with a brief",
        _ENDS | {"brief", "failures"},
        None,
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("take back", PERSON, f"{_AT_WORK} > {READY}"),
        "`stop` or `reassign`, of a task or an instance; it keeps its place in line",
        _ENDS | {"forgiven"},
        (REASSIGNED, STOPPED),
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("reject", PERSON, f"{DONE} > {READY}"),
        "`reject task`, with the reason as its brief",
        _ENDS | {"forgiven", "brief"},
        (REJECTED,),
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("cancel", PERSON, f"{_AT_WORK} {DONE} > {FAILED}"),
        "`cancel task`, whatever attempts are left",
        _ENDS | {"observedRunRequest"},
        (CANCELLED,),
        resets=OF_THE_INSTANCE,
        ends=True,
    ),
    _edge(
        *("give up", PERSON, f"{BLOCKED} {READY} {SKIPPED} > {FAILED}"),
        "`cancel task`, of one that nobody works on",
        _WORDS | {"observedRunRequest", "finishedAt"},
        (CANCELLED,),
    ),
    # What happens within a state.
    _edge(
        *("progress", RUNNER, RUNNING),
        "what the agent said last",
        frozenset({"progress"}),
    ),
    _edge(
        *("cycle", RUNNER, RUNNING),
        "a cycle of beast mode is over",
        frozenset({"progress", "cycles"}),
    ),
    _edge(
        *("look ahead", RUNNER, RUNNING),
        "whether its work would merge: `ConflictPredicted`",
        frozenset({"conditions"}),
    ),
    _edge(
        *("look again", INTEGRATE, DONE),
        "whether it still would, while a person is asked",
        frozenset({"conditions"}),
    ),
    _edge(
        *("late", OPERATOR, " ".join(TASK_STATES)),
        "`Late`, and that it is no longer",
        frozenset({"conditions"}),
    ),
)
