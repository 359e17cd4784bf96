"""The integrate Job: the merge train over the Done tasks of a swarm, then the push.

One task after another, in the order in which they became ready, within priority; where the
swarm asks for approval, only what a person approved. After the last one it waits a little
for more, so that a busy swarm does not pay a pod start for every merge. Killed anywhere, the
next Job goes on: what is merged already is known by its trailer. Each merge is in the ledger
before its task says so. What is wrong with one task is told on it, or in the Job's reason if
not even that can be written; the others are merged all the same. So it is with a push that
fails or takes long: it stops no merge, is tried once more at the end, and then told.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timezone
from functools import partial
from typing import Optional

from kiro_swarm.api.access import spec_of, status_of
from kiro_swarm.api.meta import DONE, FAILED, READY
from kiro_swarm.api.reports import IntegrateReport
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.client import Client
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.jobs.alone import alone
from kiro_swarm.jobs.candidates import candidate_of
from kiro_swarm.jobs.environment import JobEnvironment
from kiro_swarm.jobs.gates import CHECKOUT_FAILED, GATE_FAILED, GATE_TIMED_OUT
from kiro_swarm.jobs.merging import Held, Merging, WorkLeft, report_of
from kiro_swarm.jobs.owned import selector, swarm_of, task_of, tasks_of
from kiro_swarm.jobs.pushing import Pushing
from kiro_swarm.jobs.rescue import rescued
from kiro_swarm.jobs.tries import Tries
from kiro_swarm.jobs.upkeep import keep_up, make_room, room_made, tell_use
from kiro_swarm.jobs.waiting import tell_waiting
from kiro_swarm.lifecycle.attempts import after_failure
from kiro_swarm.lifecycle.edges import INTEGRATE
from kiro_swarm.lifecycle.fields import Patch, attempt_of
from kiro_swarm.lifecycle.guard import IllegalEdgeError, checked
from kiro_swarm.lifecycle.reasons import STATUS_INVALID
from kiro_swarm.lifecycle.steps import merged, merged_after_all
from kiro_swarm.policy.approval import asks_person, may_merge
from kiro_swarm.policy.ownership import belongs_to
from kiro_swarm.workspace.errors import (
    BranchEndsJobs,
    BranchHinders,
    Doubtful,
    InvalidName,
)
from kiro_swarm.workspace.limits import limits_of
from kiro_swarm.workspace.mirror import integration_head
from kiro_swarm.workspace.outcomes import (
    Conflict,
    GateFailed,
    GatePort,
    Merged,
    Outcome,
    Unproven,
)

log = logging.getLogger(__name__)
_GATE_SAID = {
    GATE_FAILED: "gate {} is red on the merged result",
    GATE_TIMED_OUT: "gate {} did not end in its time on the merged result",
    CHECKOUT_FAILED: "the merged result cannot be checked out for the gates",
}
#: Uid and attempt of a task.
Key = tuple[str, int]
#: A write that is refused now is refused the next time as well.
_REFUSALS = (IllegalEdgeError, errors.Invalid, errors.Forbidden)


class Integration:
    """One run of the Job."""

    def __init__(self, merging: Merging, gates: GatePort) -> None:
        self._merging = merging
        self._client = merging.client
        self._env = merging.env
        self._approval = merging.spec.integration.approval
        branch, plan = merging.branch, merging.plan
        self._tries = Tries(
            self._env, branch, plan, gates, merging.limits, merging.gates_digest
        )
        self._held: dict[Key, Held] = {}
        #: Those of them that only wait for another branch.
        self._of_the_branch: set[Key] = set()
        self._pushing = Pushing(
            merging.send,
            merging.ledger.catch_up,
            partial(integration_head, self._env.mirror, branch),
        )
        self._merged = 0
        self._returned = 0

    async def run(self) -> IntegrateReport:
        """Merge until nothing comes any more, push as the policy says; the report."""
        try:
            while await self._round():
                pass
            await self._pushing.settled()
        finally:
            await self._pushing.leave()
        report: IntegrateReport = {
            "head": integration_head(self._env.mirror, self._merging.branch),
            "message": f"merged {self._merged}, sent back {self._returned}",
        }
        tell_use(self._env, report)
        if self._pushing.pushed:
            report["pushed"] = self._pushing.pushed
        if self._held or self._pushing.error is not None:
            # What a person has to mend first: no other Job does.
            raise WorkLeft(
                sorted(
                    self._held.values(),
                    key=lambda held: held.reason != BranchHinders.reason,
                ),
                self._pushing.error,
            )
        return report

    async def _round(self) -> bool:
        """Merge what there is and push it; whether more came while it was pushed."""
        while await self._some() or await self._more(await self._patience()):
            pass
        await self._tries.tidy()
        await keep_up(self._merging)
        if not await self._merging.push_is_due():
            return False
        self._pushing.begin()
        return await self._more(0.0)

    async def _some(self) -> bool:
        """Merge what waits now, and begin to push it; whether anything did."""
        waiting = await self._done_tasks()
        for listed in waiting:
            task = await self._fresh(listed)
            if task is not None:
                await self._one(task)
        if waiting:
            always = self._merging.spec.integration.push == "Always"
            # One that failed is tried again at the end.
            if always and self._pushing.error is None:
                self._pushing.begin()
            await tell_waiting(self._merging, await self._for_a_person())
        return bool(waiting)

    async def _patience(self) -> float:
        """How long to wait for another task to merge."""
        finished = await self._merging.finished()
        return 0.0 if finished else self._env.limits.linger_seconds

    async def _done_tasks(self) -> list[KiroTask]:
        """Those to be merged, in order."""
        tasks = await self._done()
        wanted = [task for task in tasks if self._is_wanted(task)]
        return sorted(wanted, key=self._train_order)

    def _is_wanted(self, task: KiroTask) -> bool:
        return may_merge(task, self._approval) and _key(task) not in self._held

    def _train_order(self, task: KiroTask) -> tuple[bool, int, str, int]:
        """What an earlier Job was stopped at comes last, whatever its priority."""
        uid, attempt = _key(task)
        spec, ready = task["spec"], str(task["status"].get("readyAt") or "")
        priority, order = int(spec.get("priority") or 0), int(spec.get("order") or 0)
        return (self._tries.later(f"{uid}/{attempt}"), -priority, ready, order)

    async def _for_a_person(self) -> list[KiroTask]:
        """Those that a person is asked about first."""
        if self._approval != "Required":
            return []
        return [
            task for task in await self._done() if asks_person(task, self._approval)
        ]

    async def _done(self) -> list[KiroTask]:
        return await tasks_of(self._client, self._env, DONE)

    async def _fresh(self, task: KiroTask) -> Optional[KiroTask]:
        """The task as it is right before its merge; None when it is not to be merged.

        Merges take their time: a person may have rejected it since it was listed, or
        begun to ask for approvals.
        """
        spec = spec_of(await swarm_of(self._client, self._env))
        if spec is not None:
            self._approval = spec.integration.approval
            self._tries.allow(limits_of(spec.integration.max_file_size))
        try:
            now = await task_of(self._client, self._env, task["metadata"]["name"])
        except errors.NotFound:
            return None
        return now if now is not None and self._is_wanted(now) else None

    async def _more(self, seconds: float) -> bool:
        """Whether another task to merge comes: for so long, and while a push is under way."""
        if not seconds and self._pushing.under_way is None:
            return False
        first = asyncio.ensure_future(self._first())
        try:
            await asyncio.wait({first}, timeout=seconds)
            while not first.done() and self._pushing.under_way is not None:
                either = {first, self._pushing.under_way}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                return False
            away = isinstance(first.exception(), errors.ClusterError)
            if not away or self._pushing.under_way is None:
                return first.result()
            # What is merged is pushed all the same, and whoever comes has the next Job.
            await self._pushing.settled()
            return False
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    async def _first(self) -> bool:
        fields, uid = selector(self._env, DONE), self._env.uid
        watch = self._client.watch(TASKS, self._env.namespace, fields=fields)
        async for kind, task in watch:
            if kind == "SET" and belongs_to(task, uid) and self._is_wanted(task):
                return True
        return False

    async def _one(self, task: KiroTask) -> None:
        """Merge one task and write what came of it."""
        self._merging.ledger.check_room()
        await self._tries.adopt()
        try:
            outcome = await self._outcome(task)
        except BranchEndsJobs:
            raise
        except (Doubtful, BranchHinders) as error:
            self._hold(task, error.reason, error.message)
            if isinstance(error, BranchHinders):
                self._of_the_branch.add(_key(task))
            return
        if isinstance(outcome, Merged):
            await self._merging.ledger.catch_up()
            self._merged += 1
            # It may be what the branch lacked.
            for key in self._of_the_branch:
                self._held.pop(key, None)
            self._of_the_branch.clear()
        else:
            self._returned += 1
        try:
            patch = status_after(task, outcome, datetime.now(timezone.utc))
            checked(task, patch, INTEGRATE)
        except Exception as error:
            # The guard, or a status that no runner has written: it is about this task.
            log.exception("task %s: no status can say it", task["spec"]["id"])
            self._refused(task, outcome, error)
            return
        log.info("task %s: %s", task["spec"]["id"], patch["message"])
        await self._write(task, patch, outcome)

    async def _write(self, task: KiroTask, patch: Patch, outcome: Outcome) -> None:
        metadata = task["metadata"]
        try:
            await self._client.patch_status(
                TASKS,
                metadata["namespace"],
                metadata["name"],
                patch,
                version=metadata["resourceVersion"],
            )
        except (errors.Conflict, errors.NotFound):
            # Somebody changed the task: it is listed again, and if it still is Done with
            # this attempt the train answers with the very same merge.
            log.info("task %s changed while it was merged", task["spec"]["id"])
            if isinstance(outcome, Merged):
                await self._after_all(task, outcome.commit)
        except _REFUSALS as error:
            self._refused(task, outcome, error)

    def _refused(self, task: KiroTask, outcome: Outcome, error: Exception) -> None:
        what = "it is merged" if isinstance(outcome, Merged) else "it goes back"
        said = f"{what}, and its status cannot say so: {error}"
        self._hold(task, "WriteRefused", said)

    async def _outcome(self, task: KiroTask) -> Outcome:
        """What the train says; of a status that nobody can have written, too."""
        try:
            candidate = candidate_of(task, self._env)
        except InvalidName as error:
            return Unproven(STATUS_INVALID, error.message)
        return await self._tries.merge(candidate)

    def _hold(self, task: KiroTask, reason: str, message: str) -> None:
        """Leave a task alone in this Job, and tell of it at its end."""
        held = Held(task["spec"]["id"], reason, message)
        log.warning("task %s: %s: %s", *held)
        self._held[_key(task)] = held

    async def _after_all(self, merged_task: KiroTask, commit: str) -> None:
        """Say Merged of a task that a person took back while the branch was moved."""
        namespace, name = self._env.namespace, merged_task["metadata"]["name"]
        while True:
            try:
                task = await self._client.get(TASKS, namespace, name)
                if not ended_meanwhile(merged_task, task):
                    return
                patch = merged_after_all(
                    task["status"], datetime.now(timezone.utc), commit
                )
                await self._client.patch_status(
                    TASKS,
                    namespace,
                    name,
                    checked(task, patch, INTEGRATE),
                    version=task["metadata"]["resourceVersion"],
                )
                return
            except errors.Conflict:
                continue
            except errors.NotFound:
                return
            except _REFUSALS as error:
                self._hold(task, "WriteRefused", f"it is merged after all: {error}")
                return


def _key(task: KiroTask) -> Key:
    return task["metadata"]["uid"], attempt_of(status_of(task))


def ended_meanwhile(before: KiroTask, now: KiroTask) -> bool:
    """Whether the attempt that was Done is over, and no other one has begun. Pure."""
    same = before["metadata"]["uid"] == now["metadata"]["uid"]
    status = status_of(now)
    return (
        same
        and status.get("state") in (READY, FAILED)
        and attempt_of(status) == attempt_of(before["status"])
    )


def status_after(task: KiroTask, outcome: Outcome, now: datetime) -> Patch:
    """The status merge patch of a task after the train has dealt with it. Pure."""
    if isinstance(outcome, Merged):
        return merged(task["status"], now, outcome.commit, outcome.said)
    if isinstance(outcome, Conflict):
        reason = "MergeConflict"
        message = f"conflicts with merged work in {', '.join(outcome.files[:5])}"
    elif isinstance(outcome, GateFailed):
        reason = outcome.reason
        message = f"{_GATE_SAID[reason].format(outcome.gate)} {outcome.said}".strip()
    else:
        reason, message = outcome.reason, outcome.brief.partition("\n")[0]
    return after_failure(
        task["status"],
        task["spec"],
        reason=reason,
        message=message,
        brief=outcome.brief,
        now=now,
    )


async def integrate(client: Client, env: JobEnvironment) -> int:
    """Run the Job; returns the exit status. The answer is in the termination message."""

    async def work(merging: Merging) -> IntegrateReport:
        async with alone(env):
            await make_room(merging)
            return await made(merging)

    async def made(merging: Merging) -> IntegrateReport:
        async with room_made(merging):
            if merging.deleting:
                return await rescued(merging)
            return await Integration(merging, await merging.gates()).run()

    return await report_of(client, env, work)
