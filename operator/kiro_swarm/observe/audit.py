"""The audit log: one hash-chained line for each command that may change a swarm. Pure.

Written by the operator (``reconcile/engine/audit.py``) into ConfigMaps of the swarm, a key for each
line; read and verified by ``kubectl swarm audit``. Each line holds the hash of the line
before, so an edited, missing or inserted line breaks the chain. The end of the chain is
anchored in ``KiroSwarm.status.audit`` and in the status of each command, which other
rights are needed for: cutting lines off the end, or writing the whole chain anew, is found.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Mapping, Optional

Record = dict[str, Any]

#: ``previous`` of the first line.
BEGINNING = "0" * 64
#: Lines in one ConfigMap: each has less than 8 KiB, an object of the API 1 MiB.
LINES_PER_SEGMENT = 100
_MOST_CHANGES_BYTES = 4096
_KEY_DIGITS = 8


def key_of(sequence: int) -> str:
    """Key of a line in its ConfigMap: keys sort as lines do."""
    return f"{sequence:0{_KEY_DIGITS}d}"


def segment_of(sequence: int) -> int:
    """Number of the ConfigMap that holds a line, from 1."""
    return (sequence - 1) // LINES_PER_SEGMENT + 1


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


def chained(record: Mapping[str, Any], sequence: int, previous: str) -> Record:
    """The finished line: with its number, the hash before it and its own."""
    line = {**record, "sequence": sequence, "previous": previous}
    return {**line, "hash": hash_of(line)}


def hash_of(record: Mapping[str, Any]) -> str:
    """SHA-256 of a line without its own hash, as 64 hexadecimal digits."""
    bare = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(write(bare).encode()).hexdigest()


def write(record: Mapping[str, Any]) -> str:
    """A line as text: JSON with sorted names, ASCII, without spaces."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def read(config_maps: Iterable[Mapping[str, Any]]) -> list[Record]:
    """The lines of the ConfigMaps of one swarm, in order of their keys.

    A line that cannot be read becomes ``{"sequence": its key, "unreadable": text}``.
    """
    texts: dict[str, str] = {}
    for config_map in config_maps:
        texts.update(config_map.get("data") or {})
    return [_decode(key, texts[key]) for key in sorted(texts)]


def _decode(key: str, text: str) -> Record:
    try:
        record = json.loads(text)
    except ValueError:
        record = None
    if isinstance(record, dict) and key_of_record(record) == key:
        return record
    return {"sequence": int(key) if key.isdecimal() else 0, "unreadable": text}


def key_of_record(record: Mapping[str, Any]) -> str:
    """The key that a line belongs under; empty when it has no number."""
    sequence = record.get("sequence")
    return key_of(sequence) if isinstance(sequence, int) else ""


def verify(
    records: Iterable[Record],
    anchor: Optional[Mapping[str, Any]] = None,
    commands: Iterable[Mapping[str, Any]] = (),
) -> list[str]:
    """What is wrong with a log, one sentence each; empty when nothing is.

    :param anchor: ``KiroSwarm.status.audit``: ``lines`` and ``head``.
    :param commands: SwarmCommands of the swarm, each with its ``status.audit``.
    """
    problems: list[str] = []
    previous, expected = BEGINNING, 1
    hashes: dict[int, str] = {}
    for record in records:
        sequence = record.get("sequence")
        if "unreadable" in record:
            problems.append(f"line {sequence} cannot be read")
            expected, previous = int(sequence or 0) + 1, ""
            continue
        if sequence != expected:
            problems.append(_missing(expected, int(sequence or 0)))
        elif previous and record.get("previous") != previous:
            problems.append(
                f"line {sequence} does not follow from line {expected - 1}: one of "
                "them was changed"
            )
        if record.get("hash") != hash_of(record):
            problems.append(f"line {sequence} was changed after it was written")
        expected, previous = int(sequence or 0) + 1, str(record.get("hash"))
        hashes[expected - 1] = previous
    return problems + _unanchored(hashes, anchor or {}, commands)


def _missing(expected: int, found: int) -> str:
    if found <= expected:
        return f"line {found} stands where line {expected} belongs"
    last = found - 1
    lines = (
        f"line {expected} is" if last == expected else f"lines {expected}-{last} are"
    )
    return f"{lines} missing"


def _unanchored(
    hashes: Mapping[int, str],
    anchor: Mapping[str, Any],
    commands: Iterable[Mapping[str, Any]],
) -> list[str]:
    """Where the log is not what other objects say that it was."""
    problems = []
    lines = int(anchor.get("lines") or 0)
    if lines and lines not in hashes:
        problems.append(
            f"the log ends at line {max(hashes, default=0)}, but the KiroSwarm counts "
            f"{lines}"
        )
    elif lines and hashes[lines] != anchor.get("head"):
        problems.append(f"line {lines} is not the one that the KiroSwarm names")
    for command in commands:
        said = (command.get("status") or {}).get("audit")
        if said and hashes.get(said["sequence"]) != said["hash"]:
            name = command["metadata"]["name"]
            problems.append(
                f"line {said['sequence']} is not the one that SwarmCommand {name} names"
            )
    return problems
