"""``kubectl swarm top`` and ``events``: how the parts of a swarm are doing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.api.kubernetes import Event, KubernetesObject
from kiro_swarm.api.swarm_status import KiroSwarm
from kiro_swarm.cli.kubectl.failure import DONE
from kiro_swarm.cli.kubectl.get import parts_of
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.views.top import events_table, top_table
from kiro_swarm.cluster import errors
from kiro_swarm.cluster.resources import COMMANDS, EVENTS, JOBS, POD_METRICS, PODS
from kiro_swarm.policy.ownership import owned, owned_by_any


@click.command("top")
@cluster_options
def top(**cluster: Unpack[ClusterOptions]) -> None:
    """Show processors, memory and task of each instance."""
    run(Target(**cluster), _top)


async def _top(session: Session) -> int:
    swarm, instances, tasks = await parts_of(session)
    parts = {item["metadata"]["uid"] for item in instances}
    pods = owned_by_any(await session.labelled(PODS, swarm), parts)
    metrics = await _metrics(session, swarm)
    now = datetime.now(timezone.utc)
    session.terminal.show(top_table(instances, pods, metrics, tasks, now))
    return DONE


async def _metrics(session: Session, swarm: KiroSwarm) -> list[KubernetesObject]:
    """What was measured, of whatever pods; nothing where nobody measures."""
    try:
        return await session.labelled(POD_METRICS, swarm)
    except (errors.NotFound, errors.Forbidden, errors.Unavailable):
        return []


@click.command("events")
@output_option("json", "yaml")
@cluster_options
def events(output: Optional[str], **cluster: Unpack[ClusterOptions]) -> None:
    """Show the Events of the swarm, its instances, tasks, commands, pods and Jobs."""
    run(Target(**cluster), lambda session: _events(session, output))


async def _events(session: Session, output: Optional[str]) -> int:
    swarm, instances, tasks = await parts_of(session)
    name, uid = swarm["metadata"]["name"], swarm["metadata"]["uid"]
    commands, labelled, all_jobs, (found, _) = await asyncio.gather(
        session.of_swarm(COMMANDS, swarm),
        session.labelled(PODS, swarm),
        session.labelled(JOBS, swarm),
        session.client.list(EVENTS, session.namespace),
    )
    jobs = owned(all_jobs, uid)
    parts = {item["metadata"]["uid"] for item in (*instances, *jobs)}
    pods = owned_by_any(labelled, parts)
    ours = {
        (item["kind"], item["metadata"]["uid"])
        for item in [swarm, *instances, *tasks, *commands, *pods, *jobs]
    }
    about = [item for item in found if _about(item) in ours]
    if output is not None:
        session.terminal.dump(about, output)
    elif not about:
        session.terminal.note(f"no events of swarm {name} in the last hour")
    else:
        session.terminal.show(events_table(about, datetime.now(timezone.utc)))
    return DONE


def _about(event: Event) -> tuple[str, str]:
    """Which object: an earlier one of its name was another."""
    involved = event.get("involvedObject") or {}
    return str(involved.get("kind")), str(involved.get("uid"))
