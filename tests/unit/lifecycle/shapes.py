"""One state of the model, as values that can be compared and remembered."""

from __future__ import annotations

from typing import Any, FrozenSet, Optional, Tuple

from typing_extensions import NamedTuple

from kiro_swarm.api.meta import FINAL_STATES


class Hand(NamedTuple):
    """A patch on its way: of which task, made from which status; both by number."""

    task: int
    read: int
    patch: int


class Process(NamedTuple):
    """A runner. ``phase``: idle, cut, work, good, bad, restarted; then ``attempt`` of ``task``."""

    instance: int
    pod: int
    phase: str = "idle"
    task: int = -1
    attempt: int = 0
    hand: Optional[Hand] = None


class Work(NamedTuple):
    """What the Job is at: a task as it read it; ``said``: what git has said about it.

    ``fresh``: nobody has written since; ``hand``: its report, none when it came too late.
    """

    task: int
    read: int
    said: str = ""
    fresh: bool = True
    hand: Optional[Hand] = None


class Swarm(NamedTuple):
    """One state of the swarm. ``left``: mishaps that may still come.

    ``tasks``: statuses by number; ``runners``: of both instances, and one of a pod that is
    gone; ``late``: what the operator wrote and the API server has not got yet; ``job``: the
    integrate Job at work, ``unsure``: one died, and none has looked at all since; ``branch``:
    attempts that were merged; ``begun``: attempts whose agent was started.
    """

    tasks: Tuple[int, ...]
    pods: Tuple[int, ...]
    runners: Tuple[Optional[Process], ...]
    late: Optional[Hand]
    job: Optional[Work]
    unsure: bool
    branch: FrozenSet[Tuple[int, int]]
    begun: FrozenSet[Tuple[int, int]]
    left: int


Status = Any
_NONE = "none"
_WORDS = frozenset(
    {
        *("reason", "message", "brief", "runningSeconds", "observedRunRequest"),
        *("readyAt", "boundAt", "startedAt", "finishedAt", "mergedAt", "mergeCommit"),
    }
)


def now(swarm: Swarm, place: int, runner: Optional[Process]) -> Swarm:
    return swarm._replace(runners=put(swarm.runners, place, runner))


def idle(runner: Process) -> Process:
    return Process(runner.instance, runner.pod)


def put(items: Tuple[Any, ...], place: int, item: Any) -> Tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])


def unless(hand: Optional[Hand], task: int) -> Optional[Hand]:
    return None if hand is not None and hand.task == task else hand


def has(branch: FrozenSet[Tuple[int, int]], task: int) -> bool:
    return any(merged == task for merged, _ in branch)


def told(status: Status) -> Status:
    """A status without what nobody decides anything by: words, times, outcomes."""
    kept = {k: v for k, v in status.items() if k not in _WORDS}
    if kept.get("history"):
        kept["history"] = [{"attempt": item["attempt"]} for item in kept["history"]]
    if kept["state"] in FINAL_STATES:
        for name in ("instance", "podUid"):
            kept.pop(name, None)
    return kept


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((name, frozen(item)) for name, item in value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(frozen(item) for item in value)
    return value if value is not None else _NONE
