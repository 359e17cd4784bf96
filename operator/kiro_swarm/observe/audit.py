"""The audit log: one hash-chained line for each command that may change a swarm. Pure.

Written by the operator (``reconcile/engine/audit.py``) into ConfigMaps of the swarm, a key for each
line; read and verified by ``kubectl swarm audit``. How the lines are chained is in
``policy/chain.py``. The end of the chain is anchored in ``KiroSwarm.status.audit`` and in
the status of each command, which other rights are needed for: cutting lines off the end, or
writing the whole chain anew, is found.
"""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping, Optional

from kiro_swarm.policy import chain

Record = dict[str, Any]

_MOST_CHANGES_BYTES = 4096


def entry(
    command: Mapping[str, Any],
    *,
    what: str,
    permission: str,
    changes: Iterable[Mapping[str, Any]],
    outcome: str,
    message: str,
    time: str,
) -> Record:
    """What is logged of a SwarmCommand, before its place in the chain is known.

    :param what: the normalized sentence.
    :param outcome: the phase that the command ends in.
    :param time: RFC 3339 UTC.
    """
    spec, metadata = command["spec"], command["metadata"]
    made = [
        {"object": item["object"], "before": item["before"], "after": item["after"]}
        for item in changes
    ]
    shown = list(made)
    while len(json.dumps(shown)) > _MOST_CHANGES_BYTES:
        shown.pop()
    return {
        "time": time,
        "who": spec.get("requestedBy") or "",
        "swarm": spec["swarm"],
        "what": _cut(what, 1024),
        "permission": permission,
        "command": metadata["name"],
        "uid": metadata["uid"],
        "correlationId": spec.get("correlationId") or metadata["uid"],
        "changes": shown,
        "changesInAll": len(made),
        "outcome": outcome,
        "message": _cut(message, 512),
    }


def _cut(text: str, most: int) -> str:
    """The beginning of a text that takes at most ``most`` bytes as JSON."""
    while len(json.dumps(text)) > most:
        text = text[: len(text) * 3 // 4]
    return text


def read(config_maps: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The lines of the ConfigMaps of one swarm, in order of their keys.

    A line that cannot be read becomes ``{"sequence": its key, "unreadable": text}``.
    """
    texts: dict[str, str] = {}
    for config_map in config_maps:
        texts.update(config_map.get("data") or {})
    return chain.read(texts)


def verify(
    records: Iterable[Record],
    anchor: Optional[Mapping[str, Any]] = None,
    commands: Iterable[Mapping[str, Any]] = (),
) -> list[str]:
    """What is wrong with a log, one sentence each; empty when nothing is.

    :param anchor: ``KiroSwarm.status.audit``: ``lines`` and ``head``.
    :param commands: SwarmCommands of the swarm, each with its ``status.audit``.
    """
    records, anchor = list(records), anchor or {}
    lines, head = int(anchor.get("lines") or 0), str(anchor.get("head"))
    problems = chain.problems_of(records)
    problems += chain.unanchored(records, lines, head, "the log")
    hashes = {
        record["sequence"]: record.get("hash")
        for record in records
        if "unreadable" not in record
    }
    for command in commands:
        said = (command.get("status") or {}).get("audit")
        if said and hashes.get(said["sequence"]) != said["hash"]:
            name = command["metadata"]["name"]
            problems.append(
                f"line {said['sequence']} is not the one that SwarmCommand {name} names"
            )
    return problems
