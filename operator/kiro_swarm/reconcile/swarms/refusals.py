"""What the API server refuses of a swarm, told on the KiroSwarm itself.

Called by the reconcile of a swarm when a write ended it: a quota, a policy or a field that is not
allowed keeps a claim, a Job, an account or an instance from being made. Guarantees: message,
condition and Event say which object it is and why, in the words of the API server; nothing is
written where they are said already. The first reconcile that gets through writes the status anew.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from kiro_swarm.api.access import status_of
from kiro_swarm.api.common import Condition
from kiro_swarm.api.swarm_status import KiroSwarm, KiroSwarmStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import SWARMS
from kiro_swarm.policy.conditions import condition, find, is_true
from kiro_swarm.policy.words import one_line
from kiro_swarm.reconcile.engine.context import Context, Key
from kiro_swarm.reconcile.instances.instance import REFUSED
from kiro_swarm.reconcile.swarms.status import differs

#: Seconds after which a person has to act: a quota that is full for a moment needs nobody.
PATIENCE: Final = 60.0


async def tell(ctx: Context, key: Key, error: errors.ClusterError) -> None:
    """Say it, and look again when it has lasted. What cannot be written now is written later."""
    swarm = ctx.cache.get(SWARMS, key.namespace, key.name)
    if swarm is None or swarm["metadata"].get("deletionTimestamp"):
        return
    since = ctx.refused.setdefault(swarm["metadata"]["uid"], ctx.monotonic())
    left = since + PATIENCE - ctx.monotonic()
    if left > 0:
        ctx.queue.add_after(key, left)
    status = _status(ctx, swarm, error, lasting=left <= 0)
    before = status_of(swarm)
    if not differs(before, status):
        return
    with suppress(errors.ClusterError):
        if before.get("message") != status["message"]:
            await emit(
                *(ctx.client, SWARMS, swarm),
                reason=REFUSED,
                message=status["message"],
                now=ctx.now(),
                warning=True,
            )
        await ctx.patch_status(SWARMS, swarm, status)


def got_through(ctx: Context, key: Key) -> None:
    """Nothing of this swarm is refused now."""
    swarm = ctx.cache.get(SWARMS, key.namespace, key.name)
    if swarm is not None:
        ctx.refused.pop(swarm["metadata"]["uid"], None)


def _status(
    ctx: Context, swarm: KiroSwarm, error: errors.ClusterError, *, lasting: bool
) -> KiroSwarmStatus:
    before = status_of(swarm)
    message = one_line(f"refused by the API server: {error.message}")
    generation = swarm["metadata"].get("generation", 0)
    known = before.get("conditions") or []

    def make(kind: str, status: bool, reason: str, text: str = message) -> Condition:
        return condition(
            known, kind, status, reason, text, generation=generation, now=ctx.now()
        )

    made = [make("Ready", False, REFUSED)]
    stalled = find(known, "Stalled")
    if lasting and not is_true(known, "Stalled"):
        made += [make("Stalled", True, REFUSED), make("Reconciling", False, "Idle")]
    elif stalled is not None and stalled["reason"] == REFUSED:
        made.append(make("Stalled", True, REFUSED))
    elif not known:
        made.append(make("Stalled", False, "Progressing", ""))
        made.append(make("Reconciling", True, "Preparing"))
    changed = {one["type"]: one for one in made}
    kept = [changed.pop(one["type"], one) for one in known]
    return {
        **before,
        "observedGeneration": generation,
        "phase": before.get("phase") or "Preparing",
        "message": message,
        "conditions": [*kept, *changed.values()],
    }
