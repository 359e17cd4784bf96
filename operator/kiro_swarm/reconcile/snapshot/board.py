"""The tasks of one swarm, sorted by what has to be looked at next.

Follows the cache, so that a change of one task costs that task and those that wait for it,
however many the swarm has. Nothing is in here that is not in the tasks: a board that is
made anew, after a restart, of the tasks as they are says the same.

Role: ``view.look`` asks it for the tasks of a view; ``TaskIndex.of`` makes the same
without a cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Optional, Union

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    BOUND,
    DONE,
    FAILED,
    MERGED,
    READY,
    RUNNING,
    SATISFIED_STATES,
    SKIPPED,
)
from kiro_swarm.api.pieces import Pieces
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.task import Attempt, KiroTask, KiroTaskSpec, KiroTaskStatus, State
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy import naming
from kiro_swarm.policy.tidying import Use
from kiro_swarm.policy.times import seconds_between
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.snapshot.faults import Faults
from kiro_swarm.reconcile.snapshot.measured import MeasurementCache
from kiro_swarm.reconcile.snapshot.ready import ReadyCache
from kiro_swarm.reconcile.snapshot.wear import Wear

#: The states in which something may have to be done for a task.
_OPEN = (READY, BOUND, RUNNING, DONE, FAILED, SKIPPED)
_ACTIVE = (BOUND, RUNNING)
#: The states of a task that counts for the load of its instance.
_WORKED_ON = ACTIVE_STATES | {DONE, MERGED}
#: Marks in the task file that may decide about a task that still waits for others.
_MARKS = ("ticked", "deferred", "optional")


@dataclass(frozen=True)
class InstanceLoad:
    """``assigned`` and ``seconds``: attempts that an instance has had, and their seconds.
    ``turn``: how many attempts there were in all."""

    assigned: Counter[str]
    seconds: dict[str, float]
    turn: int


@dataclass(frozen=True)
class TaskIndex:
    """The tasks of a swarm at one moment, all lists in file order.

    ``tasks``: all of them. ``states``: task id -> state. ``by_state``: of each state but
    Blocked and Merged. ``may_start``: the blocked ones that wait for nothing, and those
    whose mark in the task file may decide. ``noted``: those with a condition that is True.
    ``load``: who has had which. ``measurements``: what they taught; asked with the
    ``shape``, which is another one when tasks came or went or a spec of one has changed.
    ``ready``: puts the ready ones in line, for it is asked with the ``version``.
    ``use``: when they have used the volume last. ``faults``: on which pods they have failed.
    """

    tasks: list[KiroTask]
    states: dict[str, State]
    by_state: dict[str, list[KiroTask]]
    may_start: list[KiroTask]
    noted: list[KiroTask]
    load: InstanceLoad
    measurements: MeasurementCache = field(compare=False)
    ready: ReadyCache = field(compare=False)
    shape: int = field(compare=False)
    version: int = field(compare=False)
    use: Use = field(compare=False, default=Use())
    faults: Faults = field(compare=False, default_factory=Faults)

    @property
    def active(self) -> list[KiroTask]:
        """The tasks that an instance has now."""
        return [task for state in _ACTIVE for task in self.by_state[state]]

    @classmethod
    def of(cls, tasks: Iterable[KiroTask]) -> TaskIndex:
        """The same, made of the tasks themselves."""
        board = Board("")
        for task in tasks:
            board.put(task)
        return board.task_index()


class LoadCounter:
    """Who has had which tasks, counted as they change, in whatever order they come.

    ``hand_out`` gives tasks in turn and evens out loads by it. ``add`` and ``drop`` of the same
    task are inverse.
    """

    def __init__(self) -> None:
        self._assigned: Counter[str] = Counter()
        # Whole numbers: what was added can be taken away without a rest.
        self._microseconds: Counter[str] = Counter()
        self._turn = 0

    def add(self, task: KiroTask, times: int = 1) -> None:
        """Count a task and the attempts that it remembers."""
        status = status_of(task)
        self._turn += times * (status.get("attempt") or 0)
        for record in status.get("history") or []:
            self._count(record, times)
        if status.get("state") in _WORKED_ON:
            self._count(status, times)

    def _count(self, record: Union[KiroTaskStatus, Attempt], times: int) -> None:
        name = record.get("instance") or ""
        if name:
            worked = seconds_between(record.get("startedAt"), record.get("finishedAt"))
            self._assigned[name] += times
            self._microseconds[name] += times * round(worked * 1e6)

    def drop(self, task: KiroTask) -> None:
        """Take back what ``add`` has counted of a task."""
        self.add(task, -1)

    def load(self) -> InstanceLoad:
        """What is counted now."""
        assigned = +self._assigned
        seconds = {name: self._microseconds[name] / 1e6 for name in assigned}
        return InstanceLoad(assigned, seconds, self._turn)


class Board:
    """A follower (``cluster.cache``) of the tasks that a swarm owns; ``""``: of any."""

    def __init__(self, swarm_uid: str) -> None:
        self._owner: Optional[KubernetesObject] = None
        if swarm_uid:
            self._owner = {"metadata": {"uid": swarm_uid}}
        self._tasks: dict[str, KiroTask] = {}  # by id, as everything here
        self._states: dict[str, State] = {}
        # In file order, and where each task is in it; None: to be sorted again.
        self._line: list[KiroTask] = []
        self._place: Optional[dict[str, int]] = None
        self._open: dict[str, set[str]] = {state: set() for state in _OPEN}
        # A blocked task may start, or is listed under one thing that it waits for. When
        # that is there it is looked at again: most of what happens does not concern it.
        self._may_start: set[str] = set()
        self._waiting: dict[str, set[str]] = {}
        self._listed_in: dict[str, set[str]] = {}
        self._noted: set[str] = set()
        self._loads = LoadCounter()
        self.faults = Faults()
        self._wear = Wear()
        self._measurements = MeasurementCache()
        self._ready = ReadyCache()
        self._shape = 0

    def put(self, item: KiroTask) -> None:
        """A task is new or has changed."""
        if self._owner and not self._is_ours(item, self._owner):
            self.remove(item)
            return
        task_id = item["spec"]["id"]
        before = self._tasks.get(task_id)
        self._tasks[task_id] = item
        self._loads.add(item)
        self._wear.note(item)
        if before is not None:
            self._loads.drop(before)
            self.faults.drop(before)
        self.faults.add(item)
        if before is None or before["spec"] != item["spec"]:
            self._shape += 1
        if before is None or _order(before) != _order(item):
            self._place = None
        elif self._place is not None:
            self._line[self._place[task_id]] = item
        if _is_noted(item):
            self._noted.add(task_id)
        else:
            self._noted.discard(task_id)
        state = state_of(item)
        self._ready.note(task_id, item if state == READY else None)
        self._enter(task_id)
        self._set_state(task_id, state)

    def remove(self, item: KiroTask) -> None:
        """A task is gone: of this name, for another may say that it has the same id."""
        task_id = item["spec"]["id"]
        gone = self._tasks.get(task_id)
        if gone is not None and gone["metadata"]["name"] == item["metadata"]["name"]:
            del self._tasks[task_id]
            self._place = None
            self._shape += 1
            self._loads.drop(gone)
            self.faults.drop(gone)
            self._ready.note(task_id, None)
            self._leave(task_id)
            self._noted.discard(task_id)
            self._set_state(task_id, None)

    @staticmethod
    def _is_ours(item: KiroTask, owner: KubernetesObject) -> bool:
        """Whether it is of this swarm, and the one that was made of the task of its id."""
        spec = item["spec"]
        named = naming.task_name(spec["swarm"], spec["id"]) == item["metadata"]["name"]
        return named and is_owned(item, owner)

    def active(self) -> dict[str, KiroTask]:
        """Instance name -> the task that it has now."""
        return {
            self._tasks[task_id]["status"]["instance"]: self._tasks[task_id]
            for state in _ACTIVE
            for task_id in self._open[state]
        }

    def task_index(self) -> TaskIndex:
        """The tasks as they are now."""
        if self._place is None:
            self._line = sorted(self._tasks.values(), key=_order)
            self._states = {task["spec"]["id"]: state_of(task) for task in self._line}
            self._place = {task_id: at for at, task_id in enumerate(self._states)}
        places = self._place

        def listed(ids: set[str]) -> list[KiroTask]:
            return [self._tasks[i] for i in sorted(ids, key=places.__getitem__)]

        return TaskIndex(
            tasks=list(self._line),
            states=dict(self._states),
            by_state={state: listed(ids) for state, ids in self._open.items()},
            may_start=listed(self._may_start),
            noted=listed(self._noted),
            load=self._loads.load(),
            measurements=self._measurements,
            ready=self._ready,
            shape=self._shape,
            version=self._ready.version,
            use=self._wear.use(),
            faults=self.faults,
        )

    def _set_state(self, task_id: str, state: Optional[State]) -> None:
        """Remember a state; who waits for the task, or waited, is looked at again."""
        was = self._states.get(task_id) in SATISFIED_STATES
        if state:
            self._states[task_id] = state
        else:
            self._states.pop(task_id, None)
        now, concerned = state in SATISFIED_STATES, set[str]()
        if now and not was:
            concerned = self._waiting.pop(task_id, concerned)
        elif was and not now:
            concerned = self._may_start
        for other in list(concerned):
            self._enter(other)

    def _enter(self, task_id: str) -> None:
        self._leave(task_id)
        task = self._tasks[task_id]
        state = state_of(task)
        ids = self._open.get(state)
        if state == BLOCKED:
            ids = self._waiting_room(task["spec"])
        if ids is not None:
            ids.add(task_id)
            self._listed_in[task_id] = ids

    def _waiting_room(self, spec: KiroTaskSpec) -> set[str]:
        if any(spec.get(mark) for mark in _MARKS):
            return self._may_start
        for needed in spec.get("dependencies") or ():
            if self._states.get(needed) not in SATISFIED_STATES:
                return self._waiting.setdefault(needed, set())
        return self._may_start

    def _leave(self, task_id: str) -> None:
        self._listed_in.pop(task_id, set()).discard(task_id)


def board_of(cache: Cache, swarm: KiroSwarm) -> Board:
    """The board of a KiroSwarm, kept by the cache."""
    metadata = swarm["metadata"]
    return cache.follower(
        TASKS, metadata["namespace"], metadata["name"], metadata["uid"], Board
    )


def filling(cache: Cache, swarm: KiroSwarm) -> Pieces[Board]:
    """The same piece by piece, where it is not there yet."""
    metadata = swarm["metadata"]
    return cache.following(
        TASKS, metadata["namespace"], metadata["name"], metadata["uid"], Board
    )


def state_of(task: KiroTask) -> State:
    """State of a task; one without a status is Blocked."""
    return status_of(task).get("state") or BLOCKED


def _is_noted(task: KiroTask) -> bool:
    conditions = status_of(task).get("conditions") or ()
    return any(item["status"] == "True" for item in conditions)


def _order(task: KiroTask) -> int:
    return task["spec"].get("order") or 0
