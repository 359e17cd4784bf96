"""A swarm small enough to be searched whole: three tasks, two instances, all that write.

The statuses are real ones, made by the functions of ``kiro_swarm.lifecycle`` and asked of
its guard, with one moment for all times; what nobody decides anything by is left out of them
(``shapes.told``). Where a write can be overtaken it has two steps, as in a cluster: a status
is read and a patch made from it (a *hand*); the API server takes the patch if nobody has
written since.

Bound: ``mishaps`` is how much may go wrong in one life of the swarm, in any mixture: a runner
restarts; a pod is lost, and its old process may live on; an instance is called lost that is
not; the task of a slow one is moved; an agent fails; a merge conflicts; a write of operator or
runner is under way for so long that others come between (so does a deposed leader's), or its
answer is lost; the Job takes its time between reading a task and asking git; it dies after git
has spoken; a person stops, cancels or retries. Free, any number of times: the operator dies (it
decides anew), the process of a lost pod writes, lets go or ends. Left out: approval with its
``reject``, the marks of a task file, conditions.
"""

from __future__ import annotations

from typing import Any, FrozenSet, Iterator, Optional, Tuple

from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    DONE,
    FAILED,
    FINAL_STATES,
    MERGED,
    READY,
    RUNNING,
    SATISFIED_STATES,
)
from kiro_swarm.lifecycle.edges import INTEGRATE, OPERATOR, PERSON, RUNNER
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.runner.ports import Identity, is_bound_to
from tests.unit.lifecycle import patches
from tests.unit.lifecycle.patches import Status, instance_name, pod_uid
from tests.unit.lifecycle.search import Violation
from tests.unit.lifecycle.shapes import (
    Hand,
    Process,
    Swarm,
    Work,
    has,
    idle,
    now,
    put,
)
from tests.unit.lifecycle.store import Store, stale

INSTANCES = (0, 1)


class SwarmModel(Store):
    """See the module. ``Model`` of ``search``."""

    # -------------------------------------------------------------- what may happen

    def first(self) -> Swarm:
        """Nothing has begun."""
        blank = self._number({"state": BLOCKED})
        runners = (Process(0, 0), Process(1, 0), None)
        nothing: FrozenSet[Tuple[int, int]] = frozenset()
        return Swarm(
            (blank,) * len(self.needs),
            (0, 0),
            runners,
            None,
            None,
            False,
            nothing,
            nothing,
            self._mishaps,
        )

    def steps(self, swarm: Swarm) -> Iterator[Tuple[str, Swarm]]:
        """Everything that may happen next."""
        yield from self._operator(swarm)
        for place, runner in enumerate(swarm.runners):
            if runner is not None:
                yield from self._runner(swarm, place, runner)
        yield from self._integrate(swarm)

    def _operator(self, swarm: Swarm) -> Iterator[Tuple[str, Swarm]]:
        if swarm.late is not None:
            free = swarm._replace(late=None)
            yield f"the late write to {swarm.late.task}", self._write(free, swarm.late)
            yield "the late write is lost", free
        for task in range(len(swarm.tasks)):
            for name, cost, hand in self._decisions(swarm, task):
                if swarm.left < cost:
                    continue
                less = swarm._replace(left=swarm.left - cost)
                yield name, self._write(less, hand)
                if less.left and swarm.late is None:
                    later = less._replace(left=less.left - 1, late=hand)
                    yield f"{name}, written late", later

    def _decisions(self, swarm: Swarm, task: int) -> Iterator[Tuple[str, int, Hand]]:
        state, status = self.state(swarm, task), self.status(swarm, task)
        there = not self.rules.waits_for_needs or all(
            self.state(swarm, needed) in SATISFIED_STATES for needed in self.needs[task]
        )
        if state == BLOCKED and there:
            yield f"{task} is ready", 0, self._hand(
                swarm, task, OPERATOR, patches.ready
            )
        elif state == READY:
            for place in self._free(swarm):
                hand = self._hand(swarm, task, OPERATOR, patches.bind, task, *place)
                yield f"bind {task} to {place}", 0, hand
        elif state == FAILED:
            hand = self._hand(swarm, task, OPERATOR, patches.ask_again, there)
            yield f"{task} is tried again", 1, hand
        elif state in ACTIVE_STATES:
            lost = status["podUid"] not in {
                pod_uid(i, swarm.pods[i]) for i in INSTANCES
            }
            if lost and self.rules.finds_lost:
                yield f"{task} is lost", 0, self._hand(
                    swarm, task, OPERATOR, patches.lose
                )
            elif not lost:
                hand = self._hand(swarm, task, OPERATOR, patches.lose)
                yield f"{task} is thought lost", 1, hand
                for place in self._free(swarm):
                    hand = self._hand(swarm, task, OPERATOR, patches.move, task, *place)
                    yield f"move {task} to {place}", 1, hand

        if state in ACTIVE_STATES:
            yield f"stop {task}", 1, self._hand(swarm, task, PERSON, patches.take_back)
        unsure = swarm.unsure and self.rules.cancel_waits_for_job
        merging = swarm.job is not None or unsure
        if state not in FINAL_STATES and not (state == DONE and merging):
            yield f"cancel {task}", 1, self._hand(swarm, task, PERSON, patches.cancel)

    def _free(self, swarm: Swarm) -> Iterator[Tuple[int, int]]:
        busy = {
            self.status(swarm, task)["instance"]
            for task in range(len(swarm.tasks))
            if self.state(swarm, task) in ACTIVE_STATES
        }
        for instance in INSTANCES:
            if instance_name(instance) not in busy:
                yield instance, swarm.pods[instance]

    def _holds(self, swarm: Swarm, runner: Process) -> bool:
        """Whether the task still is at this attempt of this instance."""
        status = self.status(swarm, runner.task)
        return self._is_for(status, runner) and attempt_of(status) == runner.attempt

    def _is_for(self, status: Status, runner: Process) -> bool:
        """What the runner itself asks; one that does not know its pod cannot tell."""
        pod = pod_uid(runner.instance, runner.pod) if self.rules.knows_its_pod else ""
        me = Identity(instance_name(runner.instance), pod)
        task: Any = {"metadata": {}, "status": status}
        return is_bound_to(task, me)

    def _runner(
        self, swarm: Swarm, place: int, runner: Process
    ) -> Iterator[Tuple[str, Swarm]]:
        yield from self._trouble(swarm, place, runner)
        who = f"runner {runner.instance}.{runner.pod}"
        if runner.phase == "idle":
            for task in range(len(swarm.tasks)):
                taken = self._take(swarm, task, runner)
                if taken is not None:
                    yield from self._reports(swarm, place, taken)
        elif runner.phase == "work":
            yield from self._reports(swarm, place, runner._replace(phase="good"))
            if swarm.left:
                less = swarm._replace(left=swarm.left - 1)
                yield from self._reports(less, place, runner._replace(phase="bad"))
            if not self._holds(swarm, runner):
                yield f"{who} lets go", now(swarm, place, idle(runner))
        else:
            yield from self._reports(swarm, place, runner)

    def _trouble(
        self, swarm: Swarm, place: int, runner: Process
    ) -> Iterator[Tuple[str, Swarm]]:
        who = f"runner {runner.instance}.{runner.pod}"
        if place == 2:
            yield f"{who} is gone", now(swarm, place, None)
        elif swarm.left:
            less = swarm._replace(left=swarm.left - 1)
            if runner.phase != "idle":
                yield f"{who} restarts", now(less, place, idle(runner))
            yield f"pod of {who} is lost", self._without_pod(less, place, runner)

    def _reports(
        self, swarm: Swarm, place: int, runner: Process
    ) -> Iterator[Tuple[str, Swarm]]:
        """Write what the phase says, of the status as it is or as it was read."""
        who, task = f"runner {runner.instance}.{runner.pod}", runner.task
        hand = runner.hand
        if hand is None:
            mine = not self.rules.fenced or self._holds(swarm, runner)
            if not mine or self.state(swarm, task) not in ACTIVE_STATES:
                yield f"{who} is superseded", now(swarm, place, idle(runner))
                return
            hand = self._in_hand(swarm, runner)
            if swarm.left:
                later = now(swarm, place, runner._replace(hand=hand))
                yield f"{who} writes late", later._replace(left=swarm.left - 1)
        what = f"{who} writes {runner.phase} of {task}"
        again = runner._replace(hand=None)
        written = self._write(now(swarm, place, again), hand)
        if swarm.left:
            yield f"{what}, unheard", written._replace(left=swarm.left - 1)
        if runner.phase != "cut":
            yield what, now(written, place, idle(runner))
            return
        attempt = (task, runner.attempt)
        if attempt in swarm.begun:
            raise Violation(f"attempt {attempt} is run twice")
        if any(not has(swarm.branch, needed) for needed in self.needs[task]):
            raise Violation(f"{task} begins before what it needs is merged")
        work = now(written, place, again._replace(phase="work"))
        yield what, work._replace(begun=swarm.begun | {attempt})

    def _take(self, swarm: Swarm, task: int, runner: Process) -> Optional[Process]:
        status, state = self.status(swarm, task), self.state(swarm, task)
        if not self._is_for(status, runner):
            return None
        ends = state == RUNNING and self.rules.restart_ends
        phase = "restarted" if ends else "cut"
        return runner._replace(phase=phase, task=task, attempt=attempt_of(status))

    def _in_hand(self, swarm: Swarm, runner: Process) -> Hand:
        make = {"cut": patches.start, "good": patches.finish}.get(
            runner.phase, patches.fail
        )
        more: Tuple[Any, ...] = (runner.task, runner.attempt)
        if make is patches.fail:
            word = "NoChanges" if runner.phase == "bad" else "RunnerRestarted"
            more = (word,)
        return self._hand(swarm, runner.task, RUNNER, make, *more)

    def _without_pod(self, swarm: Swarm, place: int, runner: Process) -> Swarm:
        pod = swarm.pods[place] + 1
        runners = put(swarm.runners, place, Process(place, pod))
        if runners[2] is None:
            runners = put(runners, 2, runner)
        return swarm._replace(pods=put(swarm.pods, place, pod), runners=runners)

    def _integrate(self, swarm: Swarm) -> Iterator[Tuple[str, Swarm]]:
        job = swarm.job
        if job is None:
            if swarm.unsure and not any(
                self.state(swarm, task) == DONE for task in range(len(swarm.tasks))
            ):
                yield "the Job has looked at all", swarm._replace(unsure=False)
            for task in range(len(swarm.tasks)):
                if self.state(swarm, task) == DONE:
                    taken = Work(task, swarm.tasks[task])
                    yield from self._trial(swarm._replace(job=taken), taken)
                    if swarm.left:
                        less = swarm._replace(job=taken, left=swarm.left - 1)
                        yield f"the Job takes {task} and its time", less
            return
        free = swarm._replace(job=None)
        if swarm.left:
            dead = free._replace(unsure=True, left=swarm.left - 1)
            yield "the Job dies", dead
        if job.hand is not None:
            yield f"the Job reports {job.task}", self._write(free, job.hand)
        elif job.said:
            yield f"the Job reads {job.task} again", self._again(swarm, job)
        else:
            yield from self._trial(swarm, job)

    def _trial(self, swarm: Swarm, job: Work) -> Iterator[Tuple[str, Swarm]]:
        """What git says; the status that was read says which attempt is meant."""
        attempt = attempt_of(self._values[job.read])
        if self.rules.merges_older:
            attempt = max(1, attempt - 1)
        merged = [a for task, a in swarm.branch if task == job.task]
        if merged and self.rules.knows_merged:
            word = "merge" if attempt in merged else "send back"
            yield f"the Job finds {job.task} merged", self._said(swarm, job, word)
            return
        if merged:
            raise Violation(f"{job.task} is merged twice")
        if any(not has(swarm.branch, needed) for needed in self.needs[job.task]):
            raise Violation(f"{job.task} is merged before what it needs")
        moved = swarm._replace(branch=swarm.branch | {(job.task, attempt)})
        yield f"the Job merges {job.task}", self._said(moved, job, "merge")
        if swarm.left:
            less = swarm._replace(left=swarm.left - 1)
            yield f"{job.task} conflicts", self._said(less, job, "send back")

    def _said(self, swarm: Swarm, job: Work, word: str) -> Swarm:
        """Git has spoken: the Job has its report in hand, unless it comes too late."""
        hand = None
        if job.fresh:
            make = {"merge": patches.merge, "send back": patches.send_back}[word]
            hand = self._hand(swarm, job.task, INTEGRATE, make)
        return swarm._replace(job=job._replace(said=word, hand=hand))

    def _again(self, swarm: Swarm, job: Work) -> Swarm:
        """Its report came too late: what it says to the task as it is by now."""
        status = self.status(swarm, job.task)
        state = status["state"]
        same = attempt_of(status) == attempt_of(self._values[job.read])
        ended = job.said == "merge" and same and state in (READY, FAILED)
        if not ended or not self.rules.merges_after_all:
            return swarm._replace(job=None)
        hand = self._hand(swarm, job.task, INTEGRATE, patches.merge_after_all)
        return swarm._replace(job=job._replace(hand=hand))

    # -------------------------------------------------------------- what must hold

    def wrong(self, swarm: Swarm) -> Optional[str]:
        """What must never be, of every task and of the swarm."""
        for task, number in enumerate(swarm.tasks):
            key = (task, number)
            if key not in self._wrong:
                self._wrong[key] = stale(task, self._values[number])
            if self._wrong[key]:
                return self._wrong[key]
            status = self._values[number]
            merged = (task, attempt_of(status)) in swarm.branch
            if status.get("state") == MERGED and not merged:
                return f"{task} is called Merged with attempt {attempt_of(status)}"
        at_work = [
            (runner.task, runner.attempt)
            for runner in swarm.runners
            if runner is not None and runner.phase == "work"
        ]
        if len(set(at_work)) < len(at_work):
            return f"two instances are active on one of {at_work}"
        if swarm.job is None and self.final(swarm):
            for task, _ in swarm.branch:
                if self.state(swarm, task) != MERGED:
                    return (
                        f"{task} is on the branch and stays {self.state(swarm, task)}"
                    )
        return None

    def final(self, swarm: Swarm) -> bool:
        """Every task is where it stays."""
        states = [self.state(swarm, task) for task in range(len(swarm.tasks))]
        return all(
            state in FINAL_STATES
            or (state == BLOCKED and any(states[n] == FAILED for n in self.needs[task]))
            for task, state in enumerate(states)
        )
