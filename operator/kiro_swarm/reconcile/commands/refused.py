"""A write of a command that is refused, or does not succeed: how long it is tried.

Called by the command reconcile. Guarantees: nobody waits longer than half a minute and two
tries for what is refused, and the command ends with the words of the API server.

Not by ``engine/steps``: a step that is refused is in nobody's way and is tried for ever, later and
later. Commands are carried out in an order, so one that is refused is in the way of all behind it,
and has to end (docs/decisions, 0019).
"""

from __future__ import annotations

import logging

from kiro_swarm.cluster import errors
from kiro_swarm.reconcile.commands.answer.write import answer, stuck
from kiro_swarm.reconcile.commands.executors.plan import Outcome, failed
from kiro_swarm.reconcile.commands.run import CommandRun
from kiro_swarm.reconcile.engine.command_facts import WAITING, WORKING

log = logging.getLogger(__name__)
#: A change of objects that is refused is tried so long, while others wait for it: an API
#: server that has just started refuses what it allows a moment later.
_CHANGE_PATIENCE = 30.0
_AGAIN_SECONDS = 2.0


def has_moved(run: CommandRun, outcome: Outcome, error: errors.ClusterError) -> bool:
    """Whether a write came too late for its object; not when it does so again and again."""
    moved = isinstance(error, (errors.Conflict, errors.NotFound))
    if not moved or isinstance(error, errors.NameTaken) or _is_aside(outcome):
        return False
    left = _patience(run)
    run.ctx.queue.add_after(run.key, max(0.0, left))  # then, not after a long delay
    return left > 0


def _is_aside(outcome: Outcome) -> bool:
    """Whether all that is left to do is to make objects with names of its own."""
    return all(effect.verb == "create" for effect in outcome.effects)


def _patience(run: CommandRun) -> float:
    """How long others still wait for a command whose writes fail; this one begins to count."""
    uid, now = run.command["metadata"]["uid"], run.ctx.monotonic()
    since = run.ctx.refused.setdefault(uid, now)
    return min(run.seconds_left, _CHANGE_PATIENCE - (now - since))


async def held_up(
    run: CommandRun, outcome: Outcome, error: errors.ClusterError
) -> None:
    """A write was refused, or the API server cannot do it now: try again, for a while.

    What only makes objects with names of its own holds nobody up meanwhile and has until its
    deadline. What changes objects of others must not be done after what is said later: the
    others wait for it, so it has less time. That begins when its own status could be written:
    an API server that is away for all refuses nobody.
    """
    ctx, uid = run.ctx, run.command["metadata"]["uid"]
    ctx.backlog.stumble(run.command)
    refused = not isinstance(error, errors.Unavailable)
    left = run.seconds_left
    aside = _is_aside(outcome)
    if not aside and (refused or uid in ctx.refused):
        left = _patience(run)
    why = f"the API server refuses a write: {error.message}"
    if not refused:
        why = f"a write does not succeed: {error.message}"
    if left <= 0:
        late = failed(f"given up: {why}")
        over = not refused and run.seconds_left <= 0
        await answer(run, late, reason="DeadlineExceeded" if over else "Refused")
        ctx.refused.pop(uid, None)
        return
    log.info("%s: %s", run.key.name, why)
    await stuck(run, outcome, why, WAITING if aside else WORKING)
    if not aside:
        left = _patience(run)
    pause = max(_AGAIN_SECONDS, error.retry_after or 0.0)
    ctx.queue.add_after(run.key, max(0.0, min(left, pause)))
