"""The board of a swarm says, after any story, what its tasks say when they are looked at."""

from __future__ import annotations

from collections import Counter
from typing import Any, Optional

from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.api.meta import SATISFIED_STATES, TASK_STATES
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.policy.times import seconds_between
from kiro_swarm.reconcile.snapshot.board import (
    Board,
    InstanceLoad,
    TaskIndex,
    board_of,
    filling,
)
from kiro_swarm.reconcile.snapshot.measured import MeasurementCache
from kiro_swarm.reconcile.snapshot.ready import ReadyCache

Object = Any
IDS = [str(number) for number in range(8)]
MARKS = ("ticked", "deferred", "optional")
NOTE = {"type": "Late", "status": "True"}
OVER = {"type": "Late", "status": "False"}
#: (id, state or None for gone, what it waits for, a mark, another place in the file,
#: a condition)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.one_of(st.none(), st.sampled_from(TASK_STATES)),
        st.lists(st.sampled_from([*IDS, "nowhere"]), max_size=4),
        st.one_of(st.none(), st.sampled_from(MARKS)),
        st.booleans(),
        st.sampled_from([None, NOTE, OVER]),
    ),
    max_size=40,
)


def task(
    task_id: str,
    state: str,
    needs: list[str],
    mark: Optional[str] = None,
    version: int = 1,
    uid: str = "mine",
    order: Optional[int] = None,
) -> Object:
    return {
        "metadata": {
            "name": f"demo.{task_id}",
            "namespace": "team",
            "uid": f"{task_id} {uid}",
            "resourceVersion": str(version),
            "ownerReferences": [{"uid": uid}],
        },
        "spec": {
            "swarm": "demo",
            "id": task_id,
            "order": int(task_id) if order is None else order,
            "dependencies": needs,
            **({mark: True} if mark else {}),
        },
        "status": {
            "state": state,
            "attempt": version,
            "instance": f"demo-{len(needs)}",
            "startedAt": "2026-11-22T10:00:00.000000Z",
            "finishedAt": f"2026-11-22T10:00:0{len(needs)}.250000Z",
            "history": [{"instance": "demo-9", "startedAt": None}] * (version - 1),
        },
    }


def swarm(uid: str) -> Object:
    return {"metadata": {"namespace": "team", "name": "demo", "uid": uid}}


def counted(tasks: list[Object]) -> InstanceLoad:
    """Who has had which, counted one after another."""
    assigned: Counter[str] = Counter()
    loads: dict[str, float] = {}
    for item in tasks:
        status = item["status"]
        records = list(status["history"])
        if status["state"] in ("Bound", "Running", "Done", "Merged"):
            records.append(status)
        for record in records:
            name, ended = record["instance"], record.get("finishedAt")
            assigned[name] += 1
            loads.setdefault(name, 0.0)
            loads[name] += seconds_between(record["startedAt"], ended)
    return InstanceLoad(
        assigned, loads, sum(item["status"]["attempt"] for item in tasks)
    )


def looked_at(tasks: list[Object]) -> TaskIndex:
    """The line-up as it is meant: every task is looked at, and all that it waits for."""
    line = sorted(tasks, key=lambda item: item["spec"]["order"])
    states = {item["spec"]["id"]: item["status"]["state"] for item in line}

    def may_start(item: Object) -> bool:
        marked = any(item["spec"].get(mark) for mark in MARKS)
        needs = item["spec"]["dependencies"]
        free = all(states.get(needed) in SATISFIED_STATES for needed in needs)
        return item["status"]["state"] == "Blocked" and (marked or free)

    return TaskIndex(
        tasks=line,
        states=states,
        by_state={
            state: [item for item in line if item["status"]["state"] == state]
            for state in TASK_STATES
            if state not in ("Blocked", "Merged")
        },
        may_start=[item for item in line if may_start(item)],
        noted=[item for item in line if item["status"].get("conditions") == [NOTE]],
        load=counted(line),
        measurements=MeasurementCache(),
        ready=ReadyCache(),
        shape=0,
        version=0,
    )


@given(STEPS, st.integers(0, 40))
def test_what_is_kept_is_what_is_there(steps: Any, looks_at: int) -> None:
    board = Board("mine")
    there: dict[str, Object] = {}
    for number, (task_id, state, needs, mark, moved, note) in enumerate(steps):
        order = int(task_id) + (100 if moved else 0)
        attempt = number % 3 + 1
        item = task(task_id, state or "Blocked", needs, mark, attempt, order=order)
        item["status"].update(conditions=[note] if note else [])
        if state is None:
            there.pop(task_id, None)
            board.remove(item)
        else:
            there[task_id] = item
            board.put(item)
        if number == looks_at:
            board.task_index()  # to be asked in between changes nothing
    assert board.task_index() == looked_at(list(there.values()))
    assert TaskIndex.of(there.values()) == looked_at(list(there.values()))


def test_a_task_index_is_of_its_moment() -> None:
    board = Board("mine")
    board.put(task("1", "Merged", []))
    board.put(task("2", "Blocked", ["1"]))
    before = board.task_index()
    board.put(task("2", "Ready", ["1"]))
    assert [item["spec"]["id"] for item in before.may_start] == ["2"]
    assert before.states == {"1": "Merged", "2": "Blocked"}
    assert before.tasks[1]["status"]["state"] == "Blocked"


def test_tasks_of_a_namesake_are_not_on_the_board() -> None:
    board = Board("mine")
    board.put(task("1", "Ready", [], uid="of an earlier swarm"))
    assert board.task_index().tasks == []
    board.put(task("1", "Ready", []))
    board.put(task("1", "Ready", [], uid="somebody else's now"))
    assert board.task_index() == looked_at([])


def test_the_cache_tells_the_board_of_every_change() -> None:
    cache = Cache()
    cache.put(TASKS, task("1", "Ready", []))
    board = board_of(cache, swarm("mine"))
    cache.put(TASKS, task("1", "Merged", [], version=2))
    cache.put(TASKS, task("1", "Failed", [], version=1))
    cache.put(TASKS, task("2", "Blocked", ["1"], version=3))
    assert board.task_index().states == {"1": "Merged", "2": "Blocked"}
    assert board_of(cache, swarm("mine")) is board
    assert board_of(cache, swarm("the next one")).task_index().tasks == []
    mine = board_of(cache, swarm("mine"))
    assert mine.task_index() == board.task_index()
    for number in ("1", "2"):
        cache.remove(TASKS, task(number, "Merged", [], version=4))
    assert mine.task_index().tasks == []
    fresh = board_of(cache, swarm("mine"))
    assert fresh is not mine, "the cache keeps nothing of a swarm without tasks"


def test_a_board_that_is_filled_in_pieces_knows_what_happened_meanwhile() -> None:
    """And nobody is given it before it knows everything."""
    cache = Cache()
    for number in range(1000):
        cache.put(TASKS, task(str(number), "Ready", []))
    work = filling(cache, swarm("mine"))
    next(work)
    cache.put(TASKS, task("5", "Merged", [], version=2))  # is in it already
    cache.put(TASKS, task("999", "Merged", [], version=2))  # is to come
    cache.put(TASKS, task("1000", "Ready", []))
    for gone in ("7", "998"):
        cache.remove(TASKS, task(gone, "Ready", [], version=3))
    assert len(list(work)) == 4
    board = board_of(cache, swarm("mine"))
    states = board.task_index().states
    assert states == {
        item["spec"]["id"]: item["status"]["state"] for item in cache.all(TASKS)
    }
    assert len(states) == 999
    assert states["5"] == states["999"] == "Merged"
    cache.put(TASKS, task("3", "Merged", [], version=9))
    assert board.task_index().states["3"] == "Merged"
    assert list(filling(cache, swarm("mine"))) == []
