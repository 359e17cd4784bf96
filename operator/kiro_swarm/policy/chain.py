"""A log of lines that each hold the hash of the line before: the chain, and its proof. Pure.

Role: two logs of a swarm are written so, into ConfigMaps with a key for each line
(``cluster/segments.py``): the audit log (``observe/audit.py``) and the integration ledger
(``jobs/ledger.py``).

Guarantees: an edited, missing or inserted line breaks the chain. Cutting lines off the end,
or writing the whole chain anew, does not: who must find that keeps the hash of the last line
where other rights are needed to write.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Iterable, Mapping

from kiro_swarm.api.bounded_json import BoundsError, read_object

Line = dict[str, object]

#: ``previous`` of the first line.
BEGINNING = "0" * 64
#: Lines in one ConfigMap: each has less than 8 KiB, an object of the API 1 MiB.
LINES_PER_SEGMENT = 100
_KEY_DIGITS = 8
#: What is longer or nested deeper is none of our lines, and is not looked into.
_LONGEST = 64 * 1024
_DEEPEST = 16
_MOST_VALUES = 16 * 1024


def key_of(sequence: int) -> str:
    """Key of a line in its ConfigMap: keys sort as lines do."""
    return f"{sequence:0{_KEY_DIGITS}d}"


def segment_of(sequence: int, lines: int = LINES_PER_SEGMENT) -> int:
    """Number of the ConfigMap that holds a line, from 1."""
    return (sequence - 1) // lines + 1


def chained(record: Mapping[str, object], sequence: int, previous: str) -> Line:
    """The finished line: with its number, the hash before it and its own."""
    line = {**record, "sequence": sequence, "previous": previous}
    return {**line, "hash": hash_of(line)}


def hash_of(record: Mapping[str, object]) -> str:
    """SHA-256 of a line without its own hash, as 64 hexadecimal digits."""
    bare = {name: value for name, value in record.items() if name != "hash"}
    return hashlib.sha256(write(bare).encode()).hexdigest()


def write(record: Mapping[str, object]) -> str:
    """A line as text: JSON with sorted names, ASCII, without spaces."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"))


def read(texts: Mapping[str, str]) -> list[Line]:
    """The lines that are stored under these keys, in order of their keys.

    A line that cannot be read becomes ``{"sequence": its key, "unreadable": text}``.
    """
    return [decode(key, texts[key]) for key in sorted(texts)]


def decode(key: str, text: str) -> Line:
    """One line, as ``read`` gives it."""
    with suppress(BoundsError):
        record = read_object(text, size=_LONGEST, depth=_DEEPEST, values=_MOST_VALUES)
        if key_of_record(record) == key:
            return record
    return {"sequence": _number_of(key), "unreadable": text}


def _number_of(key: str) -> int:
    """The number that a key stands for; 0 for one that we never write."""
    return int(key) if key.isdecimal() and len(key) <= 2 * _KEY_DIGITS else 0


def key_of_record(record: Mapping[str, object]) -> str:
    """The key that a line belongs under; empty when it has no number."""
    sequence = record.get("sequence")
    return key_of(sequence) if isinstance(sequence, int) else ""


def sequence_of(record: Mapping[str, object]) -> int:
    """The number of a line; 0 when it has none."""
    sequence = record.get("sequence")
    return sequence if isinstance(sequence, int) else 0


def follows(record: Mapping[str, object], sequence: int, previous: str) -> bool:
    """Whether a line is unchanged, and the next after one of this number and hash."""
    return (
        "unreadable" not in record
        and record.get("sequence") == sequence + 1
        and record.get("previous") == previous
        and record.get("hash") == hash_of(record)
    )


def problems_of(records: Iterable[Mapping[str, object]]) -> list[str]:
    """What is wrong with a chain, one sentence each; empty when nothing is."""
    problems: list[str] = []
    previous, expected = BEGINNING, 1
    for record in records:
        sequence = sequence_of(record)
        if "unreadable" in record:
            problems.append(f"line {sequence} cannot be read")
            expected, previous = sequence + 1, ""
            continue
        if sequence != expected:
            problems.append(_missing(expected, sequence))
        elif previous and record.get("previous") != previous:
            problems.append(
                f"line {sequence} does not follow from line {expected - 1}: one of "
                "them was changed"
            )
        if record.get("hash") != hash_of(record):
            problems.append(f"line {sequence} was changed after it was written")
        expected, previous = sequence + 1, str(record.get("hash"))
    return problems


def _missing(expected: int, found: int) -> str:
    if found <= expected:
        return f"line {found} stands where line {expected} belongs"
    last = found - 1
    lines = (
        f"line {expected} is" if last == expected else f"lines {expected}-{last} are"
    )
    return f"{lines} missing"


def unanchored(
    records: Iterable[Mapping[str, object]], lines: int, head: str, whole: str
) -> list[str]:
    """Where a chain is not what somebody else says that it was.

    :param lines: how many lines it had, with ``head`` the hash of the last of them.
    :param whole: what the chain is called in the sentences: ``the log``.
    """
    hashes = {
        sequence_of(record): record.get("hash")
        for record in records
        if "unreadable" not in record
    }
    if lines and lines not in hashes:
        return [
            f"{whole} ends at line {max(hashes, default=0)}, but the KiroSwarm counts "
            f"{lines}"
        ]
    if lines and hashes[lines] != head:
        return [f"line {lines} is not the one that the KiroSwarm names"]
    return []
