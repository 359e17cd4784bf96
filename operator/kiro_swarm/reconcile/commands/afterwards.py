"""What is left to do for a SwarmCommand that has its answer: its line in the audit log where
that could not be written, and its end.

Called by the command reconcile. A command that changed nothing takes up room and can be said
again: it goes by itself, after a day, and sooner where one person left too many. A command that
changed something stays, for whoever says it again with its correlation id.
"""

from __future__ import annotations

from kiro_swarm.api.access import status_of
from kiro_swarm.api.command import SwarmCommand
from kiro_swarm.cluster.resources import COMMANDS
from kiro_swarm.commands.parser import parse
from kiro_swarm.policy.times import parse as parse_time
from kiro_swarm.reconcile.commands.answer.write import log_afterwards
from kiro_swarm.reconcile.commands.run import CommandRun
from kiro_swarm.reconcile.engine.answered import changed_nothing
from kiro_swarm.reconcile.engine.command_facts import (
    FINISHED,
    LOOK,
    is_proof,
    phase_of,
    unlogged,
)

#: Answers to commands that changed nothing, where they do not say how long they stay: for a
#: day; of the long ones, the last of each person.
_ANSWER_SECONDS = 86400
_MOST_ANSWERS = 20
#: Before the audit log is tried again that could not be written.
_LOG_AGAIN_SECONDS = 30.0
#: Before a command is deleted that had to stay for those that it overtakes.
_ASK_AGAIN_SECONDS = 2.0


async def afterwards(run: CommandRun) -> None:
    """What is left to do for a command that has its answer."""
    view = run.look() if unlogged(run.command) else None
    if view is None:
        await _expire(run)
    elif not await log_afterwards(run, parse(run.spec["command"]), view.swarm):
        run.ctx.queue.add_after(run.key, _LOG_AGAIN_SECONDS)
    # Else its own write wakes it.


async def _expire(run: CommandRun) -> None:
    """Delete a command when its time is up; what it left goes with it."""
    finished = parse_time(run.status.get("finishedAt"))
    ttl = run.spec.get("ttlSecondsAfterFinished")
    if run.ctx.answered.is_too_many(run.command):
        await run.ctx.delete(COMMANDS, run.command)
        return
    if ttl is None and changed_nothing(run.command):
        ttl = _ANSWER_SECONDS
        if _holds_an_answer(run.command):
            await _drop_older_answers(run)
    if ttl is None or finished is None:
        return
    left = run.seconds_kept(ttl)
    if left > 0:
        run.ctx.queue.add_after(run.key, left)
    elif is_proof(run.command) and _overtakes(run):
        run.ctx.queue.add_after(run.key, _ASK_AGAIN_SECONDS)
    else:
        await run.ctx.delete(COMMANDS, run.command)


def _overtakes(run: CommandRun) -> bool:
    """Whether some command is still to say that it is overtaken.

    A process that begins anew finds what overtook it among the commands.
    """
    return bool(run.ctx.backlog.overtaken(run.key.namespace, run.spec["swarm"]))


def _holds_an_answer(command: SwarmCommand) -> bool:
    """Whether a command that only looked has a long answer, which takes up room.

    Nothing is lost with it: it can be asked again.
    """
    status = status_of(command)
    action = status.get("action")
    looked = action is not None and action.get("permission") == LOOK
    return looked and bool(status.get("dataRef")) and phase_of(command) in FINISHED


async def _drop_older_answers(run: CommandRun) -> None:
    """Delete what one person asked for longest ago, where it is more than some."""
    who = run.spec.get("requestedBy")
    held = [
        item
        for item in run.ctx.cache.of_swarm(
            COMMANDS, run.key.namespace, run.spec["swarm"]
        )
        if item["spec"].get("requestedBy") == who
        and item["spec"].get("ttlSecondsAfterFinished") is None
        and _holds_an_answer(item)
        and not item["metadata"].get("deletionTimestamp")
    ]
    held.sort(key=run.ctx.answered.order)
    for item in held[: max(0, len(held) - _MOST_ANSWERS)]:
        await run.ctx.delete(COMMANDS, item)
