"""Carries out the effects of a command, in their order.

Called by the command reconcile. Guarantees: neighbours of the same kind go side by side, a
different kind waits for those before it; an effect that is there already is a success.
"""

from __future__ import annotations

import itertools
import json
from functools import partial
from typing import Iterable, Mapping, Sequence, cast

from kiro_swarm.api.command import Change
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.task import KiroTask, KiroTaskStatus
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import TASKS
from kiro_swarm.lifecycle.edges import PERSON
from kiro_swarm.lifecycle.guard import checked
from kiro_swarm.reconcile.commands.executors.plan import Effect
from kiro_swarm.reconcile.engine.context import Context, side_by_side
from kiro_swarm.reconcile.engine.owned import must_be_ours

_SHOWN = 256
#: A request that is so long without an answer is not begun for others of the same command.
_HANGS = 10.0
#: What a status patch of another object is about, of all that it sets.
_TELLING = ("state", "phase", "reason")


async def carry_out(ctx: Context, namespace: str, effects: Sequence[Effect]) -> None:
    """Do all of them.

    Raises errors.Conflict: something has changed meanwhile: decide again.
    Raises errors.Unavailable: one does not succeed; where it hangs, no other is begun.
    Raises errors.Invalid: the API server refuses one; those before it are done.
    Raises errors.NameTaken: one is to be made where somebody else's is.
    Raises IllegalEdgeError: one is no step of a task's life; that one is not done.
    """
    written: dict[str, KubernetesObject] = {}
    hung: list[errors.Unavailable] = []

    async def one(effect: Effect) -> None:
        if hung:
            raise hung[0]  # each of a thousand would hang as long
        began = ctx.monotonic()
        try:
            await _one(ctx, namespace, effect, written)
        except errors.Unavailable as error:
            if ctx.monotonic() - began >= _HANGS:
                hung.append(error)
            raise

    for _, group in itertools.groupby(effects, key=lambda effect: effect.verb):
        await side_by_side(partial(one, effect) for effect in group)


async def _one(
    ctx: Context, namespace: str, effect: Effect, written: dict[str, KubernetesObject]
) -> None:
    """``written``: by uid, what effects of before made of their objects."""
    body = dict(effect.body)
    uid = (effect.item.get("metadata") or {}).get("uid", "")
    item = written.get(uid, effect.item)
    if effect.verb == "patch":
        written[uid] = await ctx.patch(effect.resource, item, body)
    elif effect.verb == "patch_status":
        # ``writes`` has seen to it that kind, object and status belong together.
        status, of = cast(KiroTaskStatus, body), cast(KiroTask, item)
        if effect.resource is TASKS:
            checked(of, status, PERSON)
        written[uid] = await ctx.patch_status(effect.resource, of, status)
    elif effect.verb == "delete":
        await ctx.delete(effect.resource, item)
    elif await ctx.create(effect.resource, namespace, effect.item) is None:
        await must_be_ours(ctx, effect.resource, namespace, effect.item)


def changes(effects: Iterable[Effect]) -> list[Change]:
    """The effects as ``SwarmCommand.status.changes``: object, before, after, words."""
    return [_change(effect) for effect in effects]


def _change(effect: Effect) -> Change:
    name = f"{effect.resource.kind.lower()}/{effect.name}"
    if effect.verb == "create":
        before, after = "absent", "created"
    elif effect.verb == "delete":
        before, after = "present", "deleted"
    else:
        wanted = effect.body
        if effect.verb == "patch_status":
            wanted = {key: wanted[key] for key in _TELLING if key in wanted}
            wanted = {"status": wanted}
        before, after = _shown(_as_in(wanted, effect.item)), _shown(wanted)
    return {"object": name, "says": effect.says[:256], "before": before, "after": after}


def _as_in(wanted: Mapping[str, object], item: object) -> dict[str, object]:
    """The values that ``item`` has where ``wanted`` has some."""
    found: dict[str, object] = {}
    for key, value in wanted.items():
        now = item.get(key) if isinstance(item, Mapping) else None
        found[key] = _as_in(value, now) if isinstance(value, Mapping) else now
    return found


def _shown(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))[:_SHOWN]
