"""`kubectl swarm audit`: who changed what, and whether the log is whole."""

from __future__ import annotations

from typing import Any, Optional

import click

from kiro_swarm.api.meta import LABEL_COMPONENT, LABEL_SWARM
from kiro_swarm.cli.kubectl.failure import DONE, Failure
from kiro_swarm.cli.kubectl.options import Target, cluster_options, output_option
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.terminal import Object
from kiro_swarm.cli.kubectl.views.audit import audit_table
from kiro_swarm.cli.kubectl.views.text import plural
from kiro_swarm.cluster.resources import COMMANDS, CONFIG_MAPS
from kiro_swarm.observe.audit import read, verify


@click.command("audit")
@click.option("--verify", "check", is_flag=True, help="Look for lines that changed.")
@output_option("json", "yaml")
@cluster_options
def audit(check: bool, output: Optional[str], **cluster: Any) -> None:
    """Show every command that may have changed the swarm, and who gave it."""
    run(Target(**cluster), lambda session: _audit(session, check, output))


async def _audit(session: Session, check: bool, output: Optional[str]) -> int:
    swarm = await session.swarm()
    name = swarm["metadata"]["name"]
    labels = f"{LABEL_SWARM}={name},{LABEL_COMPONENT}=audit"
    segments, _ = await session.client.list(
        CONFIG_MAPS, session.namespace, labels=labels
    )
    records: list[Object] = list(read(segments))
    if check:
        commands = await session.of_swarm(COMMANDS, name)
        anchor = (swarm.get("status") or {}).get("audit")
        _verified(session, records, verify(map(dict, records), anchor, commands))
    elif output is not None:
        session.terminal.dump(records, output)
    elif not records:
        session.terminal.note(f"nobody has changed swarm {name} by a command yet")
    else:
        session.terminal.show(audit_table(records))
    return DONE


def _verified(session: Session, records: list[Object], problems: list[str]) -> None:
    if problems:
        raise Failure("the audit log is not what was written", hints=problems)
    session.terminal.show(f"{plural(len(records), 'line')}, unbroken")
