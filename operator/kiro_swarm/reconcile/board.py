"""The tasks of one swarm, sorted by what has to be looked at next.

Follows the cache, so that a change of one task costs that task and those that wait for it,
however many the swarm has. Nothing is in here that is not in the tasks: a board that is
made anew, after a restart, of the tasks as they are says the same.

Role: ``view.look`` asks it for the tasks of a view; ``LineUp.of`` makes the same without a
cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Optional

from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    BOUND,
    DONE,
    FAILED,
    READY,
    RUNNING,
    SATISFIED_STATES,
    SKIPPED,
)
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.reconcile.manifests import is_owned

Object = dict[str, Any]
#: The states in which something may have to be done for a task.
_OPEN = (READY, BOUND, RUNNING, DONE, FAILED, SKIPPED)
#: Marks in the task file that may decide about a task that still waits for others.
_MARKS = ("ticked", "deferred", "optional")


@dataclass(frozen=True)
class LineUp:
    """The tasks of a swarm at one moment, all lists in file order.

    ``tasks``: all of them. ``states``: task id -> state. ``by_state``: of each state but
    Blocked and Merged. ``may_start``: the blocked ones that wait for nothing, and those
    whose mark in the task file may decide.
    """

    tasks: list[Object]
    states: dict[str, str]
    by_state: dict[str, list[Object]]
    may_start: list[Object]

    @classmethod
    def of(cls, tasks: Iterable[Object]) -> LineUp:
        """The same, made of the tasks themselves."""
        board = Board("")
        for task in tasks:
            board.put(task)
        return board.line_up()


class Board:
    """A follower (``cluster.cache``) of the tasks that a swarm owns; ``""``: of any."""

    def __init__(self, swarm_uid: str) -> None:
        self._owner = {"metadata": {"uid": swarm_uid}} if swarm_uid else None
        self._tasks: dict[str, Object] = {}
        self._states: dict[str, str] = {}
        # In file order, and where each name is in it; None: to be sorted again.
        self._line: list[Object] = []
        self._place: Optional[dict[str, int]] = None
        self._open: dict[str, set[str]] = {state: set() for state in _OPEN}
        # A blocked task may start, or is listed under one thing that it waits for. When
        # that is there it is looked at again: most of what happens does not concern it.
        self._may_start: set[str] = set()
        self._waiting: dict[str, set[str]] = {}
        self._listed_in: dict[str, set[str]] = {}

    def put(self, item: Object) -> None:
        """A task is new or has changed."""
        if self._owner and not is_owned(item, self._owner):
            self.remove(item)
            return
        name = item["metadata"]["name"]
        before = self._tasks.get(name)
        self._tasks[name] = item
        if before is None or _order(before) != _order(item):
            self._place = None
        elif self._place is not None:
            self._line[self._place[name]] = item
        self._set_state(item["spec"]["id"], state_of(item))
        self._enter(name)

    def remove(self, item: Object) -> None:
        """A task is gone."""
        name = item["metadata"]["name"]
        gone = self._tasks.pop(name, None)
        if gone is not None:
            self._place = None
            self._leave(name)
            self._set_state(gone["spec"]["id"], None)

    def active(self) -> dict[str, Object]:
        """Instance name -> the task that it has now."""
        return {
            self._tasks[name]["status"]["instance"]: self._tasks[name]
            for state in ACTIVE_STATES
            for name in self._open[state]
        }

    def line_up(self) -> LineUp:
        """The tasks as they are now."""
        if self._place is None:
            self._line = sorted(self._tasks.values(), key=_order)
            names = [task["metadata"]["name"] for task in self._line]
            self._place = {name: place for place, name in enumerate(names)}
        places = self._place

        def listed(names: set[str]) -> list[Object]:
            return [self._tasks[name] for name in sorted(names, key=places.__getitem__)]

        return LineUp(
            tasks=list(self._line),
            states=dict(self._states),
            by_state={state: listed(names) for state, names in self._open.items()},
            may_start=listed(self._may_start),
        )

    def _set_state(self, task_id: str, state: Optional[str]) -> None:
        """Remember a state; who waits for the task, or waited, is looked at again."""
        before = self._states.pop(task_id, None)
        if state is not None:
            self._states[task_id] = state
        was, now = before in SATISFIED_STATES, state in SATISFIED_STATES
        if now and not was:
            concerned = self._waiting.pop(task_id, set())
        elif was and not now:
            concerned = self._may_start
        else:
            return
        for name in list(concerned):
            self._enter(name)

    def _enter(self, name: str) -> None:
        self._leave(name)
        task = self._tasks[name]
        state = state_of(task)
        if state == BLOCKED:
            self._list(name, self._waiting_room(task["spec"]))
        elif state in self._open:
            self._list(name, self._open[state])

    def _waiting_room(self, spec: Object) -> set[str]:
        if any(spec.get(mark) for mark in _MARKS):
            return self._may_start
        for needed in spec.get("dependencies") or ():
            if self._states.get(needed) not in SATISFIED_STATES:
                return self._waiting.setdefault(needed, set())
        return self._may_start

    def _list(self, name: str, names: set[str]) -> None:
        names.add(name)
        self._listed_in[name] = names

    def _leave(self, name: str) -> None:
        self._listed_in.pop(name, set()).discard(name)


def board_of(cache: Cache, swarm: Object) -> Board:
    """The board of a KiroSwarm, kept by the cache."""
    metadata = swarm["metadata"]
    return cache.follower(
        TASKS, metadata["namespace"], metadata["name"], metadata["uid"], Board
    )


def state_of(task: Object) -> str:
    """State of a task; one without a status is Blocked."""
    return str((task.get("status") or {}).get("state") or BLOCKED)


def _order(task: Object) -> int:
    return int(task["spec"].get("order") or 0)
