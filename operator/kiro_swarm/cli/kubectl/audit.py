"""``kubectl swarm audit``: who changed what, and whether the log is whole."""

from __future__ import annotations

from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.api.access import status_of
from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.meta import COMPONENT_AUDIT
from kiro_swarm.cli.kubectl.failure import DONE, Failure
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.views.audit import audit_table
from kiro_swarm.cli.kubectl.views.text import plural
from kiro_swarm.cluster.resources import COMMANDS
from kiro_swarm.observe.audit import read, verify
from kiro_swarm.policy import naming


@click.command("audit")
@click.option("--verify", "check", is_flag=True, help="Look for lines that changed.")
@output_option("json", "yaml")
@cluster_options
def audit(
    check: bool, output: Optional[str], **cluster: Unpack[ClusterOptions]
) -> None:
    """Show every command that may have changed the swarm, and who gave it."""
    run(Target(**cluster), lambda session: _audit(session, check, output))


async def _audit(session: Session, check: bool, output: Optional[str]) -> int:
    swarm = await session.swarm()
    name = swarm["metadata"]["name"]
    # Before the log: whatever is in it refers to lines that are there by then.
    commands = await session.of_swarm(COMMANDS, swarm) if check else []
    found = await session.records(swarm, COMPONENT_AUDIT)
    records: list[dict[str, object]] = list(
        read(item for item in found if _is_named(item, name))
    )
    if check:
        anchor = status_of(swarm).get("audit")
        _verified(session, records, verify(map(dict, records), anchor, commands))
    elif output is not None:
        session.terminal.dump(records, output)
    elif not records:
        session.terminal.note(f"nobody has changed swarm {name} by a command yet")
    else:
        session.terminal.show(audit_table(records))
    return DONE


def _is_named(item: KubernetesObject, swarm: str) -> bool:
    """Whether a ConfigMap has the name of a part of the log of a swarm."""
    return naming.audit_number(swarm, item["metadata"]["name"]) is not None


def _verified(
    session: Session, records: list[dict[str, object]], problems: list[str]
) -> None:
    if problems:
        raise Failure("the audit log is not what was written", hints=problems)
    if not records:
        session.terminal.note("nothing has been recorded yet, so nothing can be broken")
        return
    session.terminal.show(f"{plural(len(records), 'line')}, unbroken")
