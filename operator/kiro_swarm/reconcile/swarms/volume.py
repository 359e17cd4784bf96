"""The volume of a swarm grows with ``spec.storage.size``.

Called by the reconcile of a swarm, after its foundations are laid. Level-triggered: what the
claim asks for is compared with what the spec says; nothing is written where it is enough, and
a claim that a person made larger stays so. Claims are not watched, for that would be all the
claims of a cluster for an edit that is rare: while a resize is under way its claim is read
again, less and less often. What is refused, or not answered, is told, tried again later, and
stops nothing.
"""

from __future__ import annotations

from typing import Final, Optional

from kiro_swarm.api.access import spec_of
from kiro_swarm.api.claims import PersistentVolumeClaim
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.events import emit
from kiro_swarm.cluster.resources import CLAIMS, SWARMS
from kiro_swarm.policy import naming
from kiro_swarm.policy.conditions import find
from kiro_swarm.policy.growth import (
    CONDITION,
    PENDING,
    REFUSED,
    RESIZED,
    Growth,
    growth_of,
)
from kiro_swarm.reconcile.engine.context import Context
from kiro_swarm.reconcile.engine.resizes import SOONEST, Resize
from kiro_swarm.reconcile.objects.manifests import is_owned
from kiro_swarm.reconcile.snapshot.view import View

#: Seconds until a claim is read again that is resized, or refused, for long.
_LATEST: Final = 300.0


def laid(ctx: Context, swarm: KiroSwarm, claim: PersistentVolumeClaim) -> None:
    """Remember a claim as it was made or found, so that it is not read once more."""
    spec = spec_of(swarm)
    uid = swarm["metadata"]["uid"]
    ctx.volumes.pop(uid, None)
    if spec and growth_of(claim, spec.storage.size).state == "settled":
        ctx.volumes[uid] = Resize(spec.storage.size)


def wait(ctx: Context, resize: Optional[Resize]) -> Optional[float]:
    """Seconds until the claim is to be read again; None for not before an edit."""
    if resize is None or resize.again is None:
        return None
    return max(0.1, resize.again - ctx.monotonic())


async def grow(ctx: Context, view: View) -> Optional[Resize]:
    """Let the claim ask for what the spec says; returns how far that is.

    None: nothing is known, for the foundations are not laid. They are, of a swarm that is
    being deleted: it may need room for its last Job.
    """
    known = ctx.volumes.get(view.uid)
    wanted = view.spec.storage.size
    laid_down = view.uid in ctx.ensured or view.swarm["metadata"].get(
        "deletionTimestamp"
    )
    if not laid_down or not _due(ctx, known, wanted):
        return known
    growth = await _ask(ctx, view, wanted)
    resize = _remembered(ctx, known, wanted, growth)
    ctx.volumes[view.uid] = resize
    before = find(view.status.get("conditions") or [], CONDITION)
    if resize.reason == REFUSED and (
        before is None
        or before["reason"] != REFUSED
        or before["message"] != resize.message
    ):
        await emit(
            ctx.client,
            SWARMS,
            view.swarm,
            reason=REFUSED,
            message=resize.message,
            now=ctx.now(),
            warning=True,
        )
    return resize


def told(ctx: Context, swarm: KiroSwarm) -> list[tuple[str, bool, str, str]]:
    """Type, status, reason and message of its condition, where the claim had to grow."""
    known = ctx.volumes.get(swarm["metadata"]["uid"])
    if known is None or not known.reason:
        return []
    return [(CONDITION, known.reason == RESIZED, known.reason, known.message)]


def _due(ctx: Context, known: Optional[Resize], wanted: str) -> bool:
    """Whether the claim is to be read: after an edit, or when its time has come."""
    if known is None or known.size != wanted:
        return True
    return known.again is not None and ctx.monotonic() >= known.again


async def _ask(ctx: Context, view: View, wanted: str) -> Growth:
    name = naming.claim_name(view.name)
    try:
        claim = await ctx.client.get(CLAIMS, view.namespace, name)
    except errors.NotFound:
        return Growth("refused", f"claim {name} is gone, and with it the work on it")
    except errors.ClusterError as error:
        return _unanswered(name, "read", error)
    if not is_owned(claim, view.swarm):
        return Growth("refused", f"claim {name} is not of this swarm")
    growth = growth_of(claim, wanted)
    if growth.state != "to ask":
        return growth
    patch = {
        "metadata": {"resourceVersion": claim["metadata"]["resourceVersion"]},
        "spec": {"resources": {"requests": {"storage": wanted}}},
    }
    try:
        claim = await ctx.client.patch(CLAIMS, view.namespace, name, patch)
    except errors.Conflict:
        return Growth("pending", f"claim {name} is written by somebody else as well")
    except (errors.Forbidden, errors.Invalid) as error:
        if (claim.get("status") or {}).get("phase") == "Pending":
            return Growth(
                "pending", f"claim {name} has no volume yet, which can grow then"
            )
        return Growth("refused", _refusal(name, wanted, error))
    except errors.ClusterError as error:
        return _unanswered(name, "written", error)
    return growth_of(claim, wanted)


def _unanswered(name: str, what: str, error: errors.ClusterError) -> Growth:
    """A volume that does not grow now keeps nobody from being told of everything else."""
    return Growth("pending", f"claim {name} cannot be {what} now: {error.message}")


def _refusal(name: str, wanted: str, error: errors.ClusterError) -> str:
    """Who refused it, and what to do; the work goes on in the size that there is."""
    said = error.message
    if "exceeded quota" in said:
        remedy = "raise the ResourceQuota"
    elif "storageclass" in said.lower() or "dynamically provisioned" in said:
        remedy = "its StorageClass needs allowVolumeExpansion: true"
    else:
        remedy = (
            "the operator needs the verb patch for claims, and the claim to be bound"
        )
    return f"spec.storage.size: claim {name} cannot grow to {wanted}; {remedy}: {said}"


def _remembered(
    ctx: Context, known: Optional[Resize], wanted: str, growth: Growth
) -> Resize:
    if growth.state == "settled":
        grown = known is None or known.size != wanted or bool(known.reason)
        return Resize(wanted, RESIZED if grown else "", growth.message)
    reason = REFUSED if growth.state == "refused" else PENDING
    same = known is not None and (known.size, known.reason) == (wanted, reason)
    pause = min(_LATEST, known.pause * 2) if known is not None and same else SOONEST
    return Resize(wanted, reason, growth.message[:1024], pause, ctx.monotonic() + pause)
