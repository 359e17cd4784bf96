"""``kubectl swarm ledger``: every move of the integration branch, and whether all is there.

Only reads: a role that may view is enough. Of ConfigMaps that are not of this very swarm, or
of another name than a ledger has, nothing is shown; of a chain that is broken what is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

import click
from typing_extensions import Unpack

from kiro_swarm.api.kubernetes import KubernetesObject
from kiro_swarm.api.ledger import entry_of
from kiro_swarm.api.meta import COMPONENT_LEDGER
from kiro_swarm.cli.kubectl.failure import DONE, Failure
from kiro_swarm.cli.kubectl.options import (
    ClusterOptions,
    Target,
    cluster_options,
    output_option,
)
from kiro_swarm.cli.kubectl.session import Session, run
from kiro_swarm.cli.kubectl.views.ledger import ledger_table
from kiro_swarm.policy import chain, naming
from kiro_swarm.policy.ledger import Book


@click.command("ledger")
@output_option("json", "yaml")
@cluster_options
def ledger(output: Optional[str], **cluster: Unpack[ClusterOptions]) -> None:
    """Show every move of the integration branch, with its tasks and gates."""
    run(Target(**cluster), lambda session: _ledger(session, output))


async def _ledger(session: Session, output: Optional[str]) -> int:
    swarm = await session.swarm()
    name, uid = swarm["metadata"]["name"], swarm["metadata"]["uid"]
    found = await session.records(swarm, COMPONENT_LEDGER)
    believed, problems = read(uid, (item for item in found if _is_named(item, name)))
    if output is not None:
        session.terminal.dump(believed, output)
    elif believed:
        session.terminal.show(ledger_table(believed))
    elif not problems:
        session.terminal.note(f"nothing was merged in swarm {name} yet")
    if problems:
        raise Failure("the ledger is not what was written", hints=problems)
    return DONE


def _is_named(item: KubernetesObject, swarm: str) -> bool:
    """Whether a ConfigMap has the name of a part of the ledger of a swarm."""
    return naming.is_ledger_segment(swarm, item["metadata"]["name"])


def read(
    uid: str, segments: Iterable[Mapping[str, object]]
) -> tuple[list[chain.Line], list[str]]:
    """The entries that are believed, in order, and what is wrong with the others."""
    texts: dict[str, str] = {}
    for segment in segments:
        data = segment.get("data")
        if isinstance(data, dict):
            texts.update(data)
    lines, book = chain.read(texts), Book(uid)
    believed: list[chain.Line] = []
    for line in lines:
        if book.add(line) is None:
            break
        believed.append(line)
    problems = chain.problems_of(lines)
    if not problems and len(believed) < len(lines):
        wrong = lines[len(believed)]
        if entry_of(wrong) is None:
            problems = [f"line {chain.sequence_of(wrong)} is no entry of a ledger"]
    return believed, problems
