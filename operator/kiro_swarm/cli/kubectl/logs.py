"""``kubectl swarm logs TASK|INSTANCE``: what the agent said, from the pod of the instance."""

from __future__ import annotations

from functools import partial
from typing import AsyncIterator, Callable, Optional

import click
from rich.text import Text
from typing_extensions import Unpack

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cli.kubectl.failure import DONE, Failure
from kiro_swarm.cli.kubectl.get import parts_of
from kiro_swarm.cli.kubectl.options import ClusterOptions, Target, cluster_options
from kiro_swarm.cli.kubectl.session import Session, named, run
from kiro_swarm.cli.kubectl.views.text import clean_lines
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.connection import Connection
from kiro_swarm.cluster.pod_logs import log_lines

_Read = Callable[[Connection, str, str, str], AsyncIterator[str]]


@click.command("logs")
@click.argument("name", metavar="TASK|INSTANCE")
@click.option("-f", "--follow", is_flag=True, help="Go on until the container ends.")
@click.option(
    "-p", "--previous", is_flag=True, help="Of the container that ran before."
)
@click.option(
    "-c",
    "--container",
    type=click.Choice(["agent", "runner"]),
    default="agent",
    show_default=True,
    help="Whose words: the agent's, or those of the runner beside it.",
)
@click.option("--tail", type=click.IntRange(0), default=None, help="The last N lines.")
@cluster_options
def logs(
    name: str,
    follow: bool,
    previous: bool,
    container: str,
    tail: Optional[int],
    **cluster: Unpack[ClusterOptions],
) -> None:
    """Print the log of an INSTANCE, or of the one that had a TASK last."""
    read = partial(log_lines, follow=follow, previous=previous, tail=tail)
    run(Target(**cluster), lambda session: _logs(session, name, container, read))


async def _logs(session: Session, wanted: str, container: str, read: _Read) -> int:
    _, instances, tasks = await parts_of(session)
    instance = named(instances, wanted)
    if instance is None:
        instance = _holder(wanted, instances, tasks, session)
    pod = status_of(instance).get("pod")
    if not pod:
        name = instance["metadata"]["name"]
        raise Failure(f"instance {name} has no pod: {_why(instance)}")
    if await session.pod_of(instance) is None:
        raise Failure(f"pod {pod} is gone, and its log with it")
    lines = read(session.connection, session.namespace, pod, container)
    try:
        async for line in lines:
            session.terminal.show(Text("\n".join(clean_lines(line.rstrip("\r")))))
    except errors.NotFound:
        raise Failure(f"pod {pod} is gone, and its log with it") from None
    return DONE


def _holder(
    wanted: str, instances: list[KiroInstance], tasks: list[KiroTask], session: Session
) -> KiroInstance:
    """The instance that has a task, or had it last."""
    task = next((item for item in tasks if item["spec"]["id"] == wanted), None)
    if task is None:
        hint = "kubectl swarm get tasks and get instances list them"
        raise Failure(f"there is no task and no instance '{wanted}'", hints=[hint])
    status = status_of(task)
    history = status.get("history")
    holder = status.get("instance") or (history[-1].get("instance") if history else "")
    if not holder:
        state = status.get("state", "Blocked")
        raise Failure(f"no instance has worked on task {wanted} yet: it is {state}")
    instance = named(instances, holder)
    if instance is None:
        raise Failure(f"task {wanted} was worked on by {holder}, which is gone")
    session.terminal.note(
        f"task {wanted}, attempt {status.get('attempt', 0)}: instance {holder}; "
        "its log holds its other tasks, too"
    )
    return instance


def _why(instance: KiroInstance) -> str:
    status = status_of(instance)
    return str(status.get("message") or status.get("phase") or "Pending")
