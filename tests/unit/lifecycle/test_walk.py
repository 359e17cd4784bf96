"""The life of a task, walked at random: all writers, old reads, repeats, deaths.

Goes further than ``test_model`` and sees less of it at once: any number of mishaps, all edges
of the table with notes, marks and approval, and a status that is checked against the API.
A writer reads a task and keeps the patch; the patch is delivered later, or twice, or never.
That this walk can take every edge is shown by ways that are written down, not by chance:
what hypothesis draws, even derandomized, depends on which modules are imported beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Tuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import TypeAdapter

from kiro_swarm.api.meta import ACTIVE_STATES, BLOCKED, DONE, MERGED, READY, RUNNING
from kiro_swarm.api.task import KiroTaskStatus
from kiro_swarm.lifecycle import attempts, notes, steps
from kiro_swarm.lifecycle.edges import (
    EDGES,
    INTEGRATE,
    OPERATOR,
    PERSON,
    RUNNER,
    Edge,
)
from kiro_swarm.lifecycle.fields import after, attempt_of
from kiro_swarm.lifecycle.guard import edge_of
from kiro_swarm.lifecycle.reasons import TICKED
from kiro_swarm.policy.conditions import condition
from kiro_swarm.policy.conflicts import with_prediction
from kiro_swarm.policy.times import stamp
from tests.support.sizes import sized

BEGIN = datetime(2026, 11, 22, 10, 0, tzinfo=timezone.utc)
SPEC: Any = {"maxAttempts": 3}
VALID = TypeAdapter(KiroTaskStatus)
TASKS = st.integers(0, 2)
INSTANCES = st.sampled_from(["demo-1", "demo-2"])


@dataclass(frozen=True)
class Hand:
    """A patch that was made of a task as it was read; ``runner``: the process it is of."""

    task: int
    version: int
    by: str
    edge: str
    patch: Any
    runner: int = 0


def sha(task: int, attempt: int, what: str) -> str:
    return f"{what}{task:x}{attempt:x}".ljust(40, "0")


class Life(RuleBasedStateMachine):
    """Three tasks, two instances, an API server that compares versions."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: List[Any] = [{"state": BLOCKED}] * 3
        self.versions = [0, 0, 0]
        self.hands: List[Hand] = []
        self.taken: List[str] = []
        self.processes = {"demo-1": 1, "demo-2": 2}
        self.begun: Dict[Tuple[int, int], int] = {}
        self.branch: Dict[int, int] = {}
        self.now = BEGIN

    def _hand(self, task: int, by: str, patch: Any, runner: int = 0) -> None:
        edge = edge_of(self.statuses[task], patch, by).name
        self.hands.append(Hand(task, self.versions[task], by, edge, patch, runner))

    def _place(self, task: int, instance: str) -> steps.Place:
        attempt = attempt_of(self.statuses[task]) + 1
        pod = f"pod-{self.processes[instance]}"
        return steps.Place(instance, pod, f"branch-{task}-{attempt}")

    def _failed(self, status: Any, reason: str) -> Any:
        return attempts.after_failure(
            status, SPEC, reason=reason, message="it failed", brief="why", now=self.now
        )

    @initialize(far=st.lists(st.integers(0, 4), min_size=3, max_size=3))
    def tasks_have_come_so_far(self, far: List[int]) -> None:
        """Where the walk begins: not every one begins at the very beginning."""
        for task, steps_taken in enumerate(far):
            instance = "demo-1" if task else "demo-2"
            for who in (OPERATOR, OPERATOR, RUNNER, RUNNER)[:steps_taken]:
                if self.statuses[task]["state"] != MERGED:
                    self.somebody_acts(task, who, 4 if task < 2 else 3, instance, 1)

    @rule(
        task=TASKS,
        who=st.sampled_from([OPERATOR] * 3 + [RUNNER] * 4 + [INTEGRATE] * 3 + [PERSON]),
        choice=st.integers(0, 5),
        instance=INSTANCES,
        at_once=st.integers(0, 3),
    )
    def somebody_acts(
        self, task: int, who: str, choice: int, instance: str, at_once: int
    ) -> None:
        """Three of four writes arrive before anything else happens."""
        known = len(self.hands)
        if who == OPERATOR:
            self._operator_decides(task, instance, choice % 3)
        elif who == RUNNER:
            self._runner_reports(task, choice)
        elif who == INTEGRATE:
            self._the_job_asks_git(task, choice)
        else:
            self._a_person_speaks(task, choice % 2)
        if at_once and len(self.hands) > known:
            self._deliver(self.hands[-1], heard=True)

    def _operator_decides(self, task: int, instance: str, choice: int) -> None:
        status = self.statuses[task]
        state, now = status["state"], self.now
        known = self.branch.get(task) == attempt_of(
            status
        )  # as the ledger says, in time
        if known and choice == 2 and state in (BLOCKED, READY, "Failed"):
            patch: Any = steps.merged_after_all(status, now, "a" * 40)
        elif state == BLOCKED:
            marks = [
                steps.ready(now),
                steps.ticked(now),
                steps.skipped(now, deferred=True),
            ]
            patch = marks[choice if task == 2 else 0]
            if task == 1 and choice == 2 and not attempt_of(status):
                patch = steps.recognised("a" * 40, stamp(now))
        elif state == READY:
            patch = steps.bound(status, now, self._place(task, instance), "")
        elif state in ACTIVE_STATES and choice == 0:
            patch = self._failed(status, "InstanceLost")
        elif state in ACTIVE_STATES and choice == 1:
            place = self._place(task, instance)
            patch = attempts.moved(status, now, place, "", "it is slow")
        elif state in ("Failed", "Skipped"):
            patch = steps.asked_again(status, now, "uid", satisfied=choice > 0)
        else:
            sign = self._sign(task)
            late = condition([], "Late", True, "Slow", sign, generation=1, now=now)
            patch = notes.observed([late])
        self._hand(task, OPERATOR, patch)

    def _sign(self, task: int) -> str:
        return f"attempt {attempt_of(self.statuses[task])}"

    def _runner_reports(self, task: int, choice: int) -> None:
        status, now = self.statuses[task], self.now
        process = self.processes.get(str(status.get("instance")), 0)
        mine = status.get("podUid") == f"pod-{process}" and process
        if status["state"] not in ACTIVE_STATES or not mine:
            return
        attempt = attempt_of(status)
        branch, base = f"branch-{task}-{attempt}", sha(task, attempt, "ba")
        if status["state"] != RUNNING:
            patch: Any = steps.started(now, branch=branch, base=base)
        elif self.begun.get((task, attempt)) != process or choice == 0:
            patch = self._failed(status, "RunnerRestarted")
        elif choice == 1:
            patch = notes.progress(self._sign(task), now)
        elif choice == 2:
            record: Any = {"attempt": attempt, "cycle": 1, "outcome": "Red"}
            patch = notes.cycle(status, record, self._sign(task), now)
        elif choice == 3:
            whole: Any = {"metadata": {"generation": 1}, "status": status}
            found = with_prediction(whole, [self._sign(task)], 1, [], now)
            patch = notes.observed(found)
        else:
            commit = sha(task, attempt, "c0")
            patch = steps.done(
                status, now, branch=branch, base=base, commit=commit, message="done"
            )
        self._hand(task, RUNNER, patch, process)

    def _the_job_asks_git(self, task: int, choice: int) -> None:
        status, now = self.statuses[task], self.now
        merged = self.branch.get(task)
        ended = merged == attempt_of(status) and status["state"] in ("Ready", "Failed")
        if ended:
            self._hand(task, INTEGRATE, steps.merged_after_all(status, now, "a" * 40))
        if status["state"] != DONE:
            return
        if choice == 0:
            self._hand(task, INTEGRATE, notes.observed([]))
            return
        if merged is None and choice > 1:
            assert task not in self.branch, "merged twice"
            merged = self.branch[task] = attempt_of(status)
            if choice == 2:
                return  # and dies before it says so
        if merged == attempt_of(status):
            self._hand(task, INTEGRATE, steps.merged(status, now, "a" * 40))
        else:
            self._hand(task, INTEGRATE, self._failed(status, "MergeConflict"))

    def _a_person_speaks(self, task: int, choice: int) -> None:
        status, now = self.statuses[task], self.now
        if status["state"] in ACTIVE_STATES and choice:
            patch: Any = attempts.taken_back(status, now, "Stopped", "stopped")
        elif status["state"] == DONE and choice:
            patch = attempts.rejected(status, now, "no tests")
        elif status["state"] not in (MERGED, "Failed"):
            patch = attempts.cancelled(status, SPEC, now, "me")
        else:
            return
        self._hand(task, PERSON, patch)

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 9), heard=st.booleans())
    def the_server_takes_one(self, number: int, heard: bool) -> None:
        """Unheard: the writer does not know, and says it again."""
        self._deliver(self.hands[number % len(self.hands)], heard=heard)

    def _deliver(self, hand: Hand, *, heard: bool) -> None:
        if heard:
            self.hands.remove(hand)
        if hand.version != self.versions[hand.task]:
            return
        before = self.statuses[hand.task]
        self.statuses[hand.task] = status = after(before, hand.patch)
        self.versions[hand.task] += 1
        self.taken.append(hand.edge)
        alive = hand.runner in self.processes.values()
        starts = before["state"] == "Bound" and status["state"] == RUNNING
        if hand.by == RUNNER and starts and heard and alive:
            key = (hand.task, attempt_of(status))
            assert key not in self.begun, f"attempt {key} is run twice"
            self.begun[key] = hand.runner

    @precondition(lambda self: self.hands)
    @rule(number=st.integers(0, 9))
    def a_writer_dies(self, number: int) -> None:
        del self.hands[number % len(self.hands)]

    @rule(instance=INSTANCES, chance=st.integers(0, 5))
    def a_pod_is_replaced(self, instance: str, chance: int) -> None:
        if chance < 5:
            return
        self.processes[instance] = max(self.processes.values()) + 1

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def nothing_is_lost_and_nothing_is_old(self) -> None:
        for task, status in enumerate(self.statuses):
            VALID.validate_python(status)
            attempt, state = attempt_of(status), status["state"]
            own = {"branch": f"branch-{task}-{attempt}"}
            own["commit"] = sha(task, attempt, "c0")
            own["baseCommit"] = sha(task, attempt, "ba")
            for name, value in own.items():
                assert status.get(name) in (None, "", value), (name, status)
            shown = [item.get("message", "") for item in status.get("conditions") or []]
            shown.append((status.get("progress") or {}).get("message", ""))
            assert all(not m or f"attempt {attempt}" in m for m in shown), status
            listed = [item["attempt"] for item in status.get("history") or []]
            # One that was asked for again and then ticked has only attempts that ended.
            by_attempt = state == MERGED and attempt and status.get("reason") != TICKED
            there = state in (*ACTIVE_STATES, DONE) or by_attempt
            numbers = list(range(1, attempt + 1))
            expected = numbers[:-1] if there else numbers
            assert listed == expected[-10:], status
            if state != MERGED:  # one that was merged after all has no pod any more
                at_work = state in (*ACTIVE_STATES, DONE)
                assert bool(status.get("podUid")) == at_work, status
            if by_attempt:
                assert self.branch[task] == attempt, status


#: From the beginning to Running, to Done.
_BEGUN = [(OPERATOR, 0), (OPERATOR, 0), (RUNNER, 0)]
_DONE = [*_BEGUN, (RUNNER, 4)]
#: How each edge is walked: of which task (only one has marks, one was merged before), and
#: who acts with which choice, as ``somebody_acts`` has them. The edge is the last of it.
WAYS: Dict[str, Tuple[int, List[Tuple[str, int]]]] = {
    "ready": (0, _BEGUN[:1]),
    "ticked": (2, [(OPERATOR, 1)]),
    "recognise": (1, [(OPERATOR, 2)]),
    # The Job dies after it has moved the branch; the attempt is cancelled meanwhile.
    "recognise its own": (0, [*_DONE, (INTEGRATE, 2), (PERSON, 0), (OPERATOR, 2)]),
    "skip": (2, [(OPERATOR, 2)]),
    "ask again": (0, [(PERSON, 0), (OPERATOR, 1)]),
    "bind": (0, _BEGUN[:2]),
    "start": (0, _BEGUN),
    "finish": (0, _DONE),
    "merge": (0, [*_DONE, (INTEGRATE, 3)]),
    # The Job dies after it has moved the branch; the attempt is rejected meanwhile.
    "merge after all": (0, [*_DONE, (INTEGRATE, 2), (PERSON, 1), (INTEGRATE, 3)]),
    "fail": (0, [*_BEGUN, (RUNNER, 0)]),
    "lose": (0, [*_BEGUN, (OPERATOR, 0)]),
    "move": (0, [*_BEGUN, (OPERATOR, 1)]),
    "send back": (0, [*_DONE, (INTEGRATE, 1)]),
    "take back": (0, [*_BEGUN, (PERSON, 1)]),
    "reject": (0, [*_DONE, (PERSON, 1)]),
    "cancel": (0, [*_DONE, (PERSON, 0)]),
    "give up": (0, [(PERSON, 0)]),
    "progress": (0, [*_BEGUN, (RUNNER, 1)]),
    "cycle": (0, [*_BEGUN, (RUNNER, 2)]),
    "look ahead": (0, [*_BEGUN, (RUNNER, 3)]),
    "look again": (0, [*_DONE, (INTEGRATE, 0)]),
    "late": (0, [*_BEGUN, (OPERATOR, 2)]),
}


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: str(edge.name))
def test_the_walk_can_take_every_edge(edge: Edge) -> None:
    life = Life()
    task, way = WAYS[edge.name]
    for who, choice in way:
        before = life.statuses[task]["state"]
        life.somebody_acts(task, who, choice, "demo-1", 1)
        life.nothing_is_lost_and_nothing_is_old()
    assert life.taken[-1:] == [edge.name], life.taken
    assert life.statuses[task]["state"] in (edge.targets or {before})


def test_a_task_that_has_failed_may_be_asked_for_again_and_then_ticked() -> None:
    life = Life()
    for who, choice in [*_BEGUN, (PERSON, 0), (OPERATOR, 0), (OPERATOR, 1)]:
        life.somebody_acts(2, who, choice, "demo-1", 1)
        life.nothing_is_lost_and_nothing_is_old()
    assert life.taken[-3:] == ["cancel", "ask again", "ticked"]


def test_no_order_of_writes_makes_a_wrong_status() -> None:
    many = settings(
        max_examples=sized(150, 5_000),
        stateful_step_count=60,
        deadline=None,
        derandomize=sized(True, False),
    )
    run_state_machine_as_test(Life, settings=many)
