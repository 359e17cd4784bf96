"""``kubectl swarm open INSTANCE``: how to get to where an agent works."""

from __future__ import annotations

import click
from typing_extensions import Unpack

from kiro_swarm.cli.kubectl.failure import DONE, Failure
from kiro_swarm.cli.kubectl.get import parts_of
from kiro_swarm.cli.kubectl.options import ClusterOptions, Target, cluster_options
from kiro_swarm.cli.kubectl.session import Session, named, run
from kiro_swarm.cli.kubectl.views.attach import open_text


@click.command("open")
@click.argument("instance")
@cluster_options
def open_(instance: str, **cluster: Unpack[ClusterOptions]) -> None:
    """Print how to attach to INSTANCE: shell, editor, branch, colour."""
    run(Target(**cluster), lambda session: _open(session, instance))


async def _open(session: Session, wanted: str) -> int:
    swarm, instances, _ = await parts_of(session)
    instance = named(instances, wanted)
    if instance is None:
        names = ", ".join(item["metadata"]["name"] for item in instances) or "none"
        raise Failure(f"there is no instance '{wanted}'", hints=[f"there are: {names}"])
    pod = await session.pod_of(instance)
    session.terminal.show(open_text(instance, swarm, pod))
    return DONE
