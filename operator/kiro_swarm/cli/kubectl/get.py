"""``kubectl swarm get [KIND]``: what there is, as tables, a tree, or objects."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.api.access import status_of
from kiro_swarm.api.instance import KiroInstance
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.api.task import KiroTask
from kiro_swarm.cli.kubectl.failure import DONE
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.route import KINDS
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.views.commands import commands_table
from kiro_swarm.cli.kubectl.views.instances import instances_table
from kiro_swarm.cli.kubectl.views.swarms import swarms_table
from kiro_swarm.cli.kubectl.views.tasks import tasks_tree
from kiro_swarm.cli.kubectl.views.text import clean
from kiro_swarm.cluster.resources import COMMANDS, INSTANCES, SWARMS, TASKS, AnyResource

_RESOURCES: dict[str, AnyResource] = {
    "tasks": TASKS,
    "instances": INSTANCES,
    "commands": COMMANDS,
}


@click.command("get")
@click.argument("kind", type=click.Choice(KINDS), default="swarms")
@output_option("json", "yaml", "name", "wide")
@cluster_options
def get(kind: str, output: Optional[str], **cluster: Unpack[ClusterOptions]) -> None:
    """Show swarms, or the tasks, instances or commands of one."""
    run(Target(**cluster), lambda session: _get(session, kind, output))


async def _get(session: Session, kind: str, output: Optional[str]) -> int:
    if kind == "swarms":
        return await _swarms(session, output)
    swarm = await session.swarm()
    name = swarm["metadata"]["name"]
    found = await session.of_swarm(_RESOURCES[kind], swarm)
    if output in ("json", "yaml", "name"):
        session.terminal.dump(found, output)
        return DONE
    wide, now = output == "wide", datetime.now(timezone.utc)
    if not found:
        session.terminal.note(f"swarm {name} has no {kind}{_why(swarm, kind)}")
    elif kind == "tasks":
        session.terminal.show(tasks_tree(swarm, found, wide, now=now))
    elif kind == "commands":
        session.terminal.show(commands_table(found, wide, now=now))
    else:
        tasks = await session.of_swarm(TASKS, swarm)
        session.terminal.show(instances_table(swarm, found, tasks, wide, now=now))
    return DONE


def _why(swarm: KiroSwarm, kind: str) -> str:
    """Why a swarm has no tasks, in the words of its status; empty where it has none."""
    status = status_of(swarm)
    said = status.get("message")
    if kind != "tasks" or not said:
        return ""
    return clean(f"; it is {status.get('phase', 'Pending')}: {said}", 1200)


async def _swarms(session: Session, output: Optional[str]) -> int:
    if session.target.swarm:
        swarms = [await session.swarm()]
    else:
        swarms, _ = await session.client.list(SWARMS, session.namespace)
    if output in ("json", "yaml", "name"):
        session.terminal.dump(swarms, output)
    elif not swarms:
        session.terminal.note(f"there is no swarm in namespace {session.namespace}")
    else:
        now = datetime.now(timezone.utc)
        session.terminal.show(swarms_table(swarms, output == "wide", now=now))
    return DONE


async def parts_of(
    session: Session,
) -> tuple[KiroSwarm, list[KiroInstance], list[KiroTask]]:
    """The swarm, its instances and its tasks."""
    swarm = await session.swarm()
    instances, tasks = await asyncio.gather(
        session.of_swarm(INSTANCES, swarm), session.of_swarm(TASKS, swarm)
    )
    return swarm, instances, tasks
