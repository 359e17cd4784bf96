"""``kubectl swarm diff TASK`` and ``explain TASK``: sentences with a shape of their own.

The operator answers them, as it does ``diff task TASK``: who asks needs no rights on pods.
"""

from __future__ import annotations

from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Duration,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.say import Order, say, spoken
from kiro_swarm.cli.kubectl.sentence import sentence_of, understood
from kiro_swarm.cli.kubectl.session import run

_TIMEOUT = click.option(
    "--timeout",
    type=Duration(),
    default="60s",
    show_default=True,
    help="Longest time to wait for the answer.",
)


@click.command("diff")
@click.argument("task")
@_TIMEOUT
@output_option("json", "yaml", "name", "wide")
@cluster_options
def diff(
    task: str, timeout: float, output: Optional[str], **cluster: Unpack[ClusterOptions]
) -> None:
    """Show what TASK changed."""
    _ask("diff", task, timeout, output, Target(**cluster))


@click.command("explain")
@click.argument("task")
@_TIMEOUT
@output_option("json", "yaml", "name", "wide")
@cluster_options
def explain(
    task: str, timeout: float, output: Optional[str], **cluster: Unpack[ClusterOptions]
) -> None:
    """Say why TASK is where it is, and what it waits for."""
    _ask("explain", task, timeout, output, Target(**cluster))


def _ask(
    verb: str, task: str, timeout: float, output: Optional[str], target: Target
) -> None:
    if timeout <= 0:
        raise click.BadParameter("must be longer than 0", param_hint="--timeout")
    order = Order(sentence_of([verb, "task", task]), timeout=timeout, output=output)
    action = understood(order.sentence, spoken())
    run(target, lambda session: say(session, order, action))
