"""One swarm as it is seen at one moment: everything its decisions are made from.

Built from the cache at the start of a reconcile; the pure parts of ``swarm`` take it whole
and never look anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.kubernetes import Job, Pod
from kiro_swarm.api.meta import (
    COMPONENT_INTEGRATE,
    COMPONENT_PREPARE,
    COMPONENT_SYNC,
    FINAL_STATES,
    LABEL_COMPONENT,
    READY,
    SATISFIED_STATES,
)
from kiro_swarm.api.pieces import Pieces
from kiro_swarm.api.swarm import KiroSwarmSpec
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.api.task import KiroTask, State
from kiro_swarm.cluster.cache import Cache
from kiro_swarm.cluster.resources import INSTANCES, JOBS, PODS, SWARMS
from kiro_swarm.policy.ledger import Book
from kiro_swarm.policy.ownership import is_same, owned, owned_by_any
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.objects.pods import template_hash
from kiro_swarm.reconcile.snapshot.board import TaskIndex, board_of
from kiro_swarm.reconcile.snapshot.board import state_of as state_of
from kiro_swarm.reconcile.snapshot.ledger import book_of
from kiro_swarm.reconcile.snapshot.measured import Measured
from kiro_swarm.reconcile.snapshot.promised import NOTHING, Promised
from kiro_swarm.reconcile.snapshot.ready import TaskQueue
from kiro_swarm.tasks.plan.ranks import MOST_TASKS
from kiro_swarm.tasks.plan.strategies import STRATEGIES


@dataclass(frozen=True)
class View:
    """A swarm, its typed spec, and what belongs to it."""

    swarm: KiroSwarm
    spec: KiroSwarmSpec
    instances: list[KiroInstance]
    tasks: list[KiroTask]
    jobs: list[Job]
    pods: list[Pod]
    now: datetime
    known_index: Optional[TaskIndex] = None
    changes: int = -1
    """How often the cache had changed when this was made of it."""
    ledger: Book = field(default_factory=lambda: Book(""))
    promised: Promised = NOTHING
    """What is not known yet; see ``tasks/promised``."""

    @property
    def name(self) -> str:
        """Name of the swarm."""
        return self.swarm["metadata"]["name"]

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return self.swarm["metadata"]["namespace"]

    @property
    def uid(self) -> str:
        """Its uid."""
        return self.swarm["metadata"]["uid"]

    @property
    def status(self) -> KiroSwarmStatus:
        """Its status as it was written last."""
        return status_of(self.swarm)

    @property
    def spec_changed(self) -> bool:
        """Whether the status is about an earlier spec."""
        generation = self.swarm["metadata"].get("generation")
        return self.status.get("observedGeneration") != generation

    @cached_property
    def task_index(self) -> TaskIndex:
        """The tasks, sorted by what has to be looked at."""
        known = self.known_index
        return TaskIndex.of(self.tasks) if known is None else known

    @cached_property
    def template(self) -> str:
        """What the pods of its instances are made of, in a word that changes with it."""
        return template_hash(self.swarm, self.spec)

    @property
    def states(self) -> dict[str, State]:
        """Task id -> state."""
        return self.task_index.states

    @cached_property
    def measured(self) -> Measured:
        """What its tasks teach about times, chains and instances."""
        known, shape = self.task_index.measurements, self.task_index.shape
        return known.measured(self.tasks, self.spec.instances, shape, self.now)

    def measuring(self) -> Pieces[None]:
        """Learn it piece by piece, of a swarm so large that ``measured`` remembers it."""
        if len(self.tasks) > MOST_TASKS:
            known, shape = self.task_index.measurements, self.task_index.shape
            yield from known.measuring(self.tasks, self.spec.instances, shape, self.now)

    def learned(self, since: datetime) -> None:
        """What ``measuring`` learned of a view of ``since`` is good enough for this one."""
        self.task_index.measurements.learned(since, self.now)

    def ready_queue(self, only: Optional[list[KiroTask]] = None) -> TaskQueue:
        """The tasks that an instance may get, in their order; to be used at once.

        :param only: these of the ready ones, where it is not all of them.
        """
        strategy = STRATEGIES[self.spec.distribution.strategy]
        index = self.task_index
        if only is not None:
            return TaskQueue(only, self.measured, strategy)
        ready, version = index.by_state[READY], index.version
        return index.ready.queue(ready, version, self.measured, strategy)

    @cached_property
    def active(self) -> dict[str, KiroTask]:
        """Instance name -> the task that it has now."""
        return {task["status"]["instance"]: task for task in self.task_index.active}

    @cached_property
    def pods_by_uid(self) -> dict[str, Pod]:
        """Pod uid -> pod. A uid that was written into a task is that of one of ours."""
        return {pod["metadata"]["uid"]: pod for pod in self.pods}

    @cached_property
    def gone(self) -> int:
        """How many of the tasks that were made are not there: somebody deleted them."""
        made = (self.status.get("prepare") or {}).get("tasks") or 0
        return max(0, made - len(self.tasks))

    @cached_property
    def finished(self) -> bool:
        """Every task is where it stays, and there is at least one."""
        there = bool(self.tasks) and not self.gone
        return there and set(self.states.values()) <= FINAL_STATES

    @cached_property
    def complete(self) -> bool:
        """Every task is merged or skipped."""
        there = bool(self.tasks) and not self.gone
        return there and set(self.states.values()) <= SATISFIED_STATES

    def jobs_of(self, component: str) -> list[Job]:
        """The prepare or integrate Jobs, the latest first.

        What has another name than they have is none of them, whatever its labels say.
        """
        start = f"{self.name}-{component}-"
        found = [
            job
            for job in self.jobs
            if component_of(job) == component and is_numbered(job, start)
        ]
        return sorted(found, key=job_number, reverse=True)

    @property
    def prepare_jobs(self) -> list[Job]:
        """The prepare Jobs, the latest first."""
        return self.jobs_of(COMPONENT_PREPARE)

    @property
    def integrate_jobs(self) -> list[Job]:
        """The integrate Jobs, the latest first."""
        return self.jobs_of(COMPONENT_INTEGRATE)

    @property
    def sync_jobs(self) -> list[Job]:
        """The sync Jobs, in no order: each is named after its command."""
        return [job for job in self.jobs if component_of(job) == COMPONENT_SYNC]

    def pod_of_job(self, job: Job) -> Optional[Pod]:
        """The pod of a Job: with a backoff limit of 0 there is one."""
        for pod in self.pods:
            if is_owned(pod, job):
                return pod
        return None


def look(cache: Cache, swarm: KiroSwarm, spec: KiroSwarmSpec, now: datetime) -> View:
    """The view of a swarm from what the cache knows; foreign namesakes are left out.

    Of the pods those of its instances and Jobs, and those that a task of it was given to: an
    instance that somebody deleted leaves its pod behind for a moment.
    """
    namespace, name = swarm["metadata"]["namespace"], swarm["metadata"]["name"]
    uid = swarm["metadata"]["uid"]
    instances = owned(cache.of_swarm(INSTANCES, namespace, name), uid)
    jobs = owned(cache.of_swarm(JOBS, namespace, name), uid)
    # Whatever the order in which the cache learned of them: lists for people are stable.
    instances.sort(key=lambda item: item["spec"]["index"])
    task_index = board_of(cache, swarm).task_index()
    given = {task["status"].get("podUid") for task in task_index.active}
    parts = {item["metadata"]["uid"] for item in (*instances, *jobs)}
    labelled = cache.of_swarm(PODS, namespace, name)
    pods = [pod for pod in labelled if pod["metadata"]["uid"] in given]
    pods += [
        pod
        for pod in owned_by_any(labelled, parts)
        if pod["metadata"]["uid"] not in given
    ]
    return View(
        swarm,
        spec,
        instances,
        task_index.tasks,
        jobs,
        pods,
        now,
        task_index,
        cache.changes,
        book_of(cache, swarm),
    )


def look_again(cache: Cache, view: View, now: datetime) -> View:
    """The view as things are now: the same unless anything has changed since.

    By the spec as it is now, too: a swarm that was suspended while a reconcile waited for the
    API server must not be given another task by it. One that cannot be read is none.
    """
    if view.changes == cache.changes:
        return view
    swarm, spec = cache.get(SWARMS, view.namespace, view.name), view.spec
    if swarm is None or not is_same(swarm, view.uid):
        swarm = view.swarm
    elif swarm.get("spec") != view.swarm.get("spec"):
        spec = spec_of(swarm) or spec
    return look(cache, swarm, spec, now)


def component_of(job: Job) -> str:
    """Which kind of Job it is."""
    return str((job["metadata"].get("labels") or {}).get(LABEL_COMPONENT) or "")


def is_numbered(job: Job, start: str) -> bool:
    """Whether the name of a Job is ``start`` and a number."""
    name = job["metadata"]["name"]
    number = name[len(start) :]
    return name.startswith(start) and number.isascii() and number.isdigit()


def job_number(job: Job) -> int:
    """The number at the end of a Job's name."""
    return int(job["metadata"]["name"].rsplit("-", 1)[-1])


def job_outcome(job: Job) -> Optional[bool]:
    """True for complete, False for failed, None while it runs."""
    for item in status_of(job).get("conditions") or []:
        if item.get("status") == "True" and item.get("type") in ("Complete", "Failed"):
            return item["type"] == "Complete"
    return None
