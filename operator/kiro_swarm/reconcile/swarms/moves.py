"""The tasks of a swarm, a step on: states that follow from others, bindings, slow instances.

Called by the reconcile of a swarm. Guarantees: a task whose status the API server does not take,
and a pod that it does not let go, hold up that task and nobody else's: its instance is given
another one, and nobody is called silent by Leases that could not be read. Only where it is not
known what became of a binding, or of the end of a pod, that instance is given no other one:
the same binding is asked for again.
"""

from __future__ import annotations

from functools import partial
from typing import Optional

from kiro_swarm.api.kubernetes import Pod
from kiro_swarm.api.meta import READY
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cluster.resources import PODS
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.steps import Steps
from kiro_swarm.reconcile.snapshot.view import View, look_again
from kiro_swarm.reconcile.tasks import hand_out, limits, slow, transitions
from kiro_swarm.reconcile.tasks.promised import with_promised

#: How often instances are given others, where the tasks that they got cannot be written: the
#: next reconcile knows which those are, and begins with others.
_ROUNDS = 5


async def move_tasks(ctx: Context, view: View, steps: Steps) -> View:
    """Everything that tasks can do now; returns the view afterwards."""
    await limits.follow(ctx, view, steps)
    view = look_again(ctx.cache, view, ctx.now())
    silence = transitions.silence_of(ctx, view)
    claimed = transitions.claimed_by(ctx, view)
    refresh = partial(transitions.refresh_leases, ctx, view, silence)
    heard = not await steps.take("list the Leases of its instances", refresh, False)
    unmoved: set[str] = set()
    for pod in [] if heard else transitions.silent_pods(view, silence):
        # Before its task is taken back: who dies in between finds the pod on its way out.
        left: Optional[Pod] = await steps.take(
            f"delete Pod {pod['metadata']['name']}",
            partial(ctx.delete, PODS, pod),
            pod,
            weight="work",
        )
        if left is not None:
            unmoved.add(pod["metadata"]["uid"])

    def quiet(task: KiroTask) -> float:
        """Its silence, as far as anything may follow from that now."""
        kept = heard or task["status"].get("podUid") in unmoved
        return 0.0 if kept else silence(task)

    while True:
        patches = transitions.transitions(view, quiet, claimed)
        if not patches:
            break
        written = await transitions.write(ctx, patches, steps)
        view = look_again(ctx.cache, view, ctx.now())
        if not written:
            break
    view = await _hand_out(ctx, view, steps)
    for move in (False, True):
        decided = slow.moves(with_promised(ctx, view)) if move else slow.flags(view)
        if decided and await transitions.write(ctx, decided, steps):
            view = look_again(ctx.cache, view, ctx.now())
    return view


async def _hand_out(ctx: Context, view: View, steps: Steps) -> View:
    """Bind ready tasks; whose task could not be written gets another one."""
    failed: set[str] = set()

    def barred(task: KiroTask) -> bool:
        step = transitions.step_of(task)
        return step in failed or not steps.may(step)

    if steps.troubled():
        # Whether or not anybody is idle: they are ready.
        for task in view.task_index.by_state[READY]:
            steps.want(transitions.step_of(task))
    asked_before = hand_out.again(with_promised(ctx, view))
    if asked_before:
        await transitions.write(ctx, asked_before, steps)
        failed.update(transitions.step_of(task) for task, _ in asked_before)
        view = look_again(ctx.cache, view, ctx.now())
    for _ in range(_ROUNDS):
        seen = with_promised(ctx, view)
        if failed or steps.troubled():
            decided = hand_out.bindings(seen, barred)
        else:
            decided = hand_out.bindings(seen)
        if not decided:
            break
        written = await transitions.write(ctx, decided, steps)
        bound = {task["metadata"]["name"] for task in written}
        if bound:
            view = look_again(ctx.cache, view, ctx.now())
        failed.update(
            transitions.step_of(task)
            for task, _ in decided
            if task["metadata"]["name"] not in bound
        )
        if len(bound) == len(decided):
            break
    return view
