"""A sentence to a swarm: parsed here first, sent as a SwarmCommand, its answer awaited.

Called by ``main`` for whatever is no view, and by the views ``diff`` and ``explain``, which
are sentences. What is not understood is never sent. Waiting is a watch: nothing is polled.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.api.command import SwarmCommand, SwarmCommandSpec
from kiro_swarm.cli.kubectl.answer import Progress, finished, tell
from kiro_swarm.cli.kubectl.failure import (
    DONE,
    NO_CLUSTER,
    TIMED_OUT,
    Failure,
)
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Duration,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.sentence import sentence_of, understood
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.spoken import Spoken
from kiro_swarm.cluster import errors, identity
from kiro_swarm.cluster.resources import COMMANDS
from kiro_swarm.commands.action import Action
from kiro_swarm.policy.ownership import is_same

_CORRELATION = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
#: An operator that is alive gives its own answer within this time of the deadline.
_GRACE = 3.0
#: So long without a sign of the operator is worth a word.
_SILENCE = 10.0
_RETRY = 1.0


@dataclass(frozen=True)
class Order:
    """What to say and how."""

    sentence: str
    dry_run: bool = False
    wait: bool = True
    timeout: float = 600.0
    correlation_id: str = ""
    output: Optional[str] = None

    def body(self, swarm: str, requested_by: str) -> SwarmCommand:
        """The SwarmCommand."""
        spec: SwarmCommandSpec = {
            "swarm": swarm,
            "command": self.sentence,
            "requestedBy": requested_by,
            "timeoutSeconds": max(1, math.ceil(self.timeout)),
        }
        if self.correlation_id:
            spec["correlationId"] = self.correlation_id
        if self.dry_run:
            spec["dryRun"] = True
        return {
            "apiVersion": COMMANDS.api_version,
            "kind": COMMANDS.kind,
            "metadata": {"generateName": "say-"},
            "spec": spec,
        }


def _correlation(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if value and not _CORRELATION.match(value):
        raise click.BadParameter("use letters, digits and ._:- (max 128)", ctx, param)
    return value


@click.command(
    "kubectl swarm [SWARM] SENTENCE...",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--dry-run", is_flag=True, help="Say what it would do; change nothing.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the answer.")
@click.option(
    "--timeout",
    type=Duration(),
    default="600s",
    show_default=True,
    help="Longest time to wait; the command itself has no longer, either.",
)
@click.option(
    "--correlation-id",
    default="",
    callback=_correlation,
    help="Ties the command to other records. Default: its uid.",
)
@output_option("json", "yaml", "name", "wide")
@cluster_options
def sentence(
    words: tuple[str, ...],
    dry_run: bool,
    no_wait: bool,
    timeout: float,
    correlation_id: str,
    output: Optional[str],
    **cluster: Unpack[ClusterOptions],
) -> None:
    """Say a sentence to a swarm and wait for the answer."""
    for word in words:
        if word.startswith("-") and not word[1:2].isdigit():
            raise click.NoSuchOption(word)
    if timeout <= 0:
        raise click.BadParameter("must be longer than 0", param_hint="--timeout")
    order = Order(
        sentence_of(words), dry_run, not no_wait, timeout, correlation_id, output
    )
    target = Target(**cluster)
    action = understood(order.sentence, spoken())
    run(target, lambda session: say(session, order, action))


def spoken() -> Spoken:
    """How the line of the shell began, as ``main`` noted it."""
    found = click.get_current_context().obj
    return found if isinstance(found, Spoken) else Spoken()


async def say(session: Session, order: Order, action: Action) -> int:
    """Send it, follow it, tell the answer; the exit status."""
    terminal = session.terminal
    swarm, user = await asyncio.gather(
        session.swarm(), identity.user_name(session.connection)
    )
    body = order.body(swarm["metadata"]["name"], user)
    if action.normalized != order.sentence:
        terminal.note(f"understood as: {action.normalized}")
    made = await session.client.create(COMMANDS, session.namespace, body)
    if not order.wait:
        if order.output in ("json", "yaml", "name"):
            terminal.dump(made, order.output)
        else:
            terminal.show(f"swarmcommand/{made['metadata']['name']} created")
        return DONE
    answered = await _wait(session, order, made)
    return await tell(session, answered, action, order.output)


async def _wait(session: Session, order: Order, made: SwarmCommand) -> SwarmCommand:
    """The command once it is answered."""
    name = made["metadata"]["name"]
    goes_on = [
        f"the command goes on; its answer: kubectl get swarmcommand {name} -o yaml"
        f" -n {session.namespace}",
        f"to cancel it: kubectl swarm -n {session.namespace} cancel command {name}",
    ]
    with Progress(session.terminal, order.sentence) as progress:
        silence = asyncio.get_running_loop().call_later(_SILENCE, progress.silent)
        try:
            return await asyncio.wait_for(
                _answer(session, made, progress), order.timeout + _GRACE
            )
        except asyncio.TimeoutError:
            raise Failure(
                f"no answer to {name} after {order.timeout:g} s", TIMED_OUT, goes_on
            ) from None
        except asyncio.CancelledError:  # Ctrl-C
            progress.stop()
            for line in goes_on:
                session.terminal.note(line, style="")
            raise
        finally:
            silence.cancel()


async def _answer(
    session: Session, made: SwarmCommand, progress: Progress
) -> SwarmCommand:
    """Watch the command until it is finished; a server that is away comes back."""
    name, uid = made["metadata"]["name"], made["metadata"]["uid"]
    while True:
        try:
            watch = session.client.watch(
                COMMANDS, session.namespace, fields=f"metadata.name={name}"
            )
            async for kind, item in watch:
                if kind == "GONE" or not is_same(item, uid):
                    raise Failure(f"{name} was deleted before it was answered")
                progress.show(item)
                if finished(item):
                    return item
        except errors.Forbidden as error:
            hint = f"{name} was sent, but its answer may not be read"
            raise Failure(error.message, NO_CLUSTER, [hint]) from error
        except errors.Unavailable:
            progress.lost()
        await asyncio.sleep(_RETRY)
