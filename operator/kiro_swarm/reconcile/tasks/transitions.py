"""The way of a task, as far as the operator walks it: ready, lost, reopened.

``transitions`` is pure: it takes a view and returns status patches. Readiness follows the
edges of the graph. Who gets a ready task is decided in ``hand_out``.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Callable, Iterable, Optional

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import KubernetesObject, Pod
from kiro_swarm.api.meta import (
    ACTIVE_STATES,
    BLOCKED,
    BOUND,
    FAILED,
    LABEL_SWARM,
    READY,
    SATISFIED_STATES,
    SKIPPED,
)
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, LEASES, SWARMS, TASKS
from kiro_swarm.lifecycle.attempts import after_failure
from kiro_swarm.lifecycle.edges import OPERATOR
from kiro_swarm.lifecycle.fields import attempt_of
from kiro_swarm.lifecycle.guard import IllegalEdgeError, checked
from kiro_swarm.lifecycle.reasons import INSTANCE_LOST, SCRATCH_FULL
from kiro_swarm.lifecycle.steps import (
    asked_again,
    merged_after_all,
    ready,
    recognised,
    skipped,
    ticked,
)
from kiro_swarm.policy.asked import asked_of, same_work
from kiro_swarm.policy.ownership import is_record, is_same, said_to
from kiro_swarm.policy.times import parse
from kiro_swarm.policy.words import harmless
from kiro_swarm.reconcile.engine.command_facts import is_working
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.engine.unanswered import is_over
from kiro_swarm.reconcile.snapshot.reports import used_too_much
from kiro_swarm.reconcile.snapshot.view import View, state_of

log = logging.getLogger(__name__)

Patch = tuple[KiroTask, KiroTaskStatus]
Silence = Callable[[KiroTask], float]
Claimed = Callable[[KiroTask], bool]


def _nothing_claimed(_: KiroTask) -> bool:
    return False


def transitions(
    view: View, silence: Silence, claimed: Claimed = _nothing_claimed
) -> list[Patch]:
    """Every state change that follows from what is seen, except bindings.

    :param silence: seconds since the last heartbeat of an active task's runner.
    :param claimed: whether a sentence under way has recorded that it changes a task.
    """
    task_index = view.task_index
    concerned = [
        *(*task_index.by_state[FAILED], *task_index.by_state[SKIPPED]),
        *(*task_index.active, *task_index.may_start),
        *_ready_and_merged(view),
    ]
    patches = []
    for task in concerned:
        patch = _transition(view, task, silence)
        # ``restart instance`` deletes a pod and takes its task back. Who sees the one
        # before the other must not charge the instance with what a person did.
        if patch is None or (patch.get("reason") == INSTANCE_LOST and claimed(task)):
            continue
        patches.append((task, patch))
    return patches


def _ready_and_merged(view: View) -> list[KiroTask]:
    """The ready tasks that the ledger has: most often none, of thousands of either."""
    ready, merged = view.task_index.by_state[READY], view.ledger.merged
    states = (view.states.get(task_id) for task_id in merged)
    # The shorter of the two is gone through.
    if len(merged) < len(ready) and READY not in states:
        return []
    return [task for task in ready if task["spec"]["id"] in merged]


def claimed_by(ctx: Context, view: View) -> Claimed:
    """Whether a sentence under way has recorded that it changes a task.

    Asked for lost tasks only. Who ends without having changed it claims nothing any more.
    """

    def claimed(task: KiroTask) -> bool:
        name = f"{TASKS.kind.lower()}/{task['metadata']['name']}"
        commands = ctx.cache.of_swarm(COMMANDS, view.namespace, view.name)
        return any(
            change["object"] == name
            for command in commands
            if is_working(command) and said_to(command, view.swarm)
            for change in status_of(command).get("changes") or ()
        )

    return claimed


def _transition(
    view: View, task: KiroTask, silence: Silence
) -> Optional[KiroTaskStatus]:
    spec, status, state = task["spec"], status_of(task), state_of(task)
    request = spec.get("runRequest") or ""
    asked = bool(request) and request != (status.get("observedRunRequest") or "")
    known = view.ledger.merged.get(spec["id"])
    if known is not None and state in (BLOCKED, READY, FAILED):
        if known.uid != task["metadata"]["uid"]:
            if state != FAILED and same_work(known.asked, asked_of(spec)):
                return recognised(known.commit, known.time)
        elif known.attempt == attempt_of(status):
            # Ended while it was merged, and the Job died before it could say so.
            at = parse(known.time) or view.now
            return merged_after_all(status, at, known.commit)
    if state in (FAILED, SKIPPED) and asked:
        there = satisfied(view, task)
        return asked_again(status, view.now, request, satisfied=there)
    if state == BLOCKED:
        return _start(view, task, asked)
    if state in ACTIVE_STATES:
        pod = view.pods_by_uid.get(status.get("podUid") or "")
        if used_too_much(pod):
            return _filled(view, task, pod)
        trouble = _lost(view, task, silence)
        if trouble:
            return after_failure(
                status,
                spec,
                reason=INSTANCE_LOST,
                message=trouble,
                brief=status.get("brief") or "",
                now=view.now,
            )
    return None


def _filled(view: View, task: KiroTask, pod: Optional[Pod]) -> KiroTaskStatus:
    """The kubelet ended the pod for what was written in it: that is the attempt's."""
    words = harmless(status_of(pod).get("message") or "").strip() if pod else ""
    said = f"the pod of the instance was ended for what it had written: {words[:400]}"
    return after_failure(
        task["status"],
        task["spec"],
        reason=SCRATCH_FULL,
        message=said,
        brief=f"{said}\n\nWrite less into the home folder and /tmp: caches, downloads and"
        " build results count, and what is in the worktree does not.",
        now=view.now,
    )


def _start(view: View, task: KiroTask, asked: bool) -> Optional[KiroTaskStatus]:
    """From Blocked to where the task begins, or None while it has to wait."""
    spec = task["spec"]
    if spec.get("ticked"):
        return ticked(view.now)
    skip_optional = spec.get("optional") and view.spec.tasks.optional == "Skip"
    asked = asked or bool(status_of(task).get("observedRunRequest"))
    if (spec.get("deferred") or skip_optional) and not asked:
        return skipped(view.now, deferred=bool(spec.get("deferred")))
    return ready(view.now) if satisfied(view, task) else None


def satisfied(view: View, task: KiroTask) -> bool:
    """Whether everything that a task depends on is merged or skipped."""
    return all(
        view.states.get(needed) in SATISFIED_STATES
        for needed in task["spec"].get("dependencies") or []
    )


def waiting_for(view: View, task: KiroTask) -> list[str]:
    """What a blocked task waits for: ids of its unsatisfied dependencies."""
    return [
        needed
        for needed in task["spec"].get("dependencies") or []
        if view.states.get(needed) not in SATISFIED_STATES
    ]


def _lost(view: View, task: KiroTask, silence: Silence) -> str:
    """Why the instance of an active task cannot finish it, or an empty string."""
    status = task["status"]
    name, limit = status["instance"], view.spec.recovery.lost_after_seconds
    if status.get("podUid") not in view.pods_by_uid:
        return f"the pod of instance {name} is gone"
    pod = view.pods_by_uid[status["podUid"]]
    phase = status_of(pod).get("phase")
    if phase in ("Failed", "Succeeded"):
        return f"the pod of instance {name} ended: {phase}"
    quiet = silence(task)
    if quiet > limit:
        return f"instance {name} gave no heartbeat for {quiet:.0f} s"
    return ""


def silent_pods(view: View, silence: Silence) -> list[Pod]:
    """Pods whose runner gave no heartbeat for too long.

    They have to go: a ready pod whose runner hangs would get the next task as well.
    """
    limit = view.spec.recovery.lost_after_seconds
    pods = [
        view.pods_by_uid.get(task["status"].get("podUid") or "")
        for task in view.active.values()
        if silence(task) > limit
    ]
    return [
        pod
        for pod in pods
        if pod is not None and not pod["metadata"].get("deletionTimestamp")
    ]


def silence_of(ctx: Context, view: View) -> Silence:
    """Seconds since an active task's runner was last heard of, by our own clock.

    Heard of means: its Lease changed, or the task's status did. Clocks of nodes are not
    compared; what counts is when *we* saw a new value. While the API server was away
    nobody could be heard: that time does not count.
    """

    uids = {
        item["metadata"]["name"]: item["metadata"]["uid"] for item in view.instances
    }

    def silence(task: KiroTask) -> float:
        name = task["status"]["instance"]
        lease = ctx.cache.get(LEASES, view.namespace, name)
        signs: list[KubernetesObject] = [task]
        if lease is not None and is_record(lease, uids.get(name, ""), view.name):
            signs.append(lease)
        seen = max(ctx.last_seen(sign) for sign in signs)
        return ctx.monotonic() - max(seen, ctx.listening_since)

    return silence


async def refresh_leases(ctx: Context, view: View, silence: Silence) -> bool:
    """Read the Leases before somebody is called silent: it may be our watch that is stuck."""
    limit = view.spec.recovery.lost_after_seconds
    if all(silence(task) <= limit for task in view.active.values()):
        return True
    leases, _ = await ctx.client.list(
        LEASES, view.namespace, labels=f"{LABEL_SWARM}={view.name}"
    )
    for lease in leases:
        ctx.remember(LEASES, lease)
    return True


def step_of(task: KiroTask) -> str:
    """The step that writes the status of a task."""
    return f"write the status of KiroTask {task['metadata']['name']}"


async def write(ctx: Context, patches: Iterable[Patch], steps: Steps) -> list[KiroTask]:
    """Write status patches side by side, each on its own; returns those that are written.

    A conflict means that the runner or the merge train was faster: their write wakes the
    swarm again, or a second does, and the next decision is made from it. One that the life of a
    task does not allow is a defect of ours: it holds up this task, and no other one.
    """

    async def one(task: KiroTask, patch: KiroTaskStatus) -> Optional[KiroTask]:
        try:
            patch = checked(task, patch, OPERATOR)
            if patch.get("state") == BOUND:
                return await _bind(ctx, task, patch, steps)
            return await ctx.patch_status(TASKS, task, patch)
        except (errors.Conflict, errors.NotFound):
            meta, swarm = task["metadata"], task["spec"]["swarm"]
            ctx.queue.add_after(ctx.key(SWARMS, meta["namespace"], swarm), 1.0)
            return None
        except IllegalEdgeError:
            log.exception("%s is left as it is", task["metadata"]["name"])
            return None

    written = await side_by_side(
        partial(
            steps.take,
            step_of(task),
            partial(one, task, patch),
            None,
            weight="work",
        )
        for task, patch in patches
    )
    return [task for task in written if task is not None]


async def _bind(
    ctx: Context, task: KiroTask, patch: KiroTaskStatus, steps: Steps
) -> KiroTask:
    """Write that a task is given to an instance; what is not answered stays noted."""
    before = steps.bindings.begin(task, patch["instance"])
    try:
        made = await ctx.patch_status(TASKS, task, patch)
    except errors.Conflict:
        raise  # the version that is there now will be seen
    except errors.ClusterError as error:
        if error.status and (before or not is_over(error)):
            # Whatever it says of this request: has the task, now or by one before it?
            meta = task["metadata"]
            named = f"metadata.name={meta['name']}"
            found, _ = await ctx.client.list(TASKS, meta["namespace"], fields=named)
            for there in found:
                if is_same(there, meta["uid"]):
                    ctx.remember(TASKS, there)
        if error.status:
            steps.bindings.end(task)
        raise
    steps.bindings.end(task)
    return made


def next_ready_or_lost(view: View, silence: Silence) -> Optional[float]:
    """Seconds until an active task may have to be called lost; None without one."""
    limit = view.spec.recovery.lost_after_seconds
    left = [limit - silence(task) for task in view.active.values()]
    return max(0.5, min(left) + 0.1) if left else None


def first_start(view: View) -> Optional[str]:
    """When the first task of the swarm started, as far as the statuses tell."""
    times = []
    for task in view.tasks:
        status = status_of(task)
        for record in [status, *(status.get("history") or [])]:
            if parse(record.get("startedAt")):
                times.append(str(record["startedAt"]))
    return min(times, default=None)
