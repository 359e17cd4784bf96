"""``kubectl swarm graph`` and ``timeline``: the tasks of a swarm as pictures."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.cli.kubectl.failure import DONE
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cluster.resources import TASKS


@click.command("graph")
@output_option("mermaid", "dot", "svg")
@cluster_options
def graph(output: Optional[str], **cluster: Unpack[ClusterOptions]) -> None:
    """Draw the task graph; as mermaid, dot or SVG for other programs."""
    run(Target(**cluster), lambda session: _graph(session, output))


async def _graph(session: Session, output: Optional[str]) -> int:
    swarm = await session.swarm()
    tasks = await session.of_swarm(TASKS, swarm)
    if output is None:
        from kiro_swarm.cli.kubectl.views.graph import graph_terminal

        session.terminal.show(graph_terminal(tasks, session.terminal.out.width))
        return DONE
    from kiro_swarm.cli.kubectl.views.graph_svg import graph_svg
    from kiro_swarm.cli.kubectl.views.graph_text import graph_dot, graph_mermaid

    write = {"mermaid": graph_mermaid, "dot": graph_dot, "svg": graph_svg}[output]
    click.echo(write(tasks).rstrip("\n"))
    return DONE


@click.command("timeline")
@output_option("svg")
@cluster_options
def timeline(output: Optional[str], **cluster: Unpack[ClusterOptions]) -> None:
    """Draw who did what when; as SVG for a browser."""
    run(Target(**cluster), lambda session: _timeline(session, output))


async def _timeline(session: Session, output: Optional[str]) -> int:
    swarm = await session.swarm()
    tasks = await session.of_swarm(TASKS, swarm)
    now = datetime.now(timezone.utc)
    if output is None:
        from kiro_swarm.cli.kubectl.views.timeline import timeline_terminal

        width = session.terminal.out.width
        session.terminal.show(timeline_terminal(swarm, tasks, now, width))
        return DONE
    from kiro_swarm.cli.kubectl.views.timeline_svg import timeline_svg

    click.echo(timeline_svg(swarm, tasks, now).rstrip("\n"))
    return DONE
