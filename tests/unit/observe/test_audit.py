"""The audit log: whatever is done to it afterwards is found."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_swarm.observe import audit
from kiro_swarm.policy import chain

Records = list[audit.Record]


def command(number: int, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": f"say-{number}", "uid": f"uid-{number}"},
        "spec": {"swarm": "demo", "command": "scale instances 3", **spec},
    }


def an_entry(number: int, changes: int = 1, message: str = "scaled") -> audit.Record:
    change = {
        "object": "kiroswarm/demo",
        "says": "kiroswarm/demo: spec.instances 1 -> 3",
        "before": '{"spec":{"instances":1}}',
        "after": '{"spec":{"instances":3}}',
    }
    return audit.entry(
        command(number, requestedBy="ann"),
        what="scale instances 3",
        permission="scale",
        changes=[change] * changes,
        outcome="Succeeded",
        message=message,
        time="2026-01-01T00:00:00.000000Z",
    )


def a_log(lines: int) -> Records:
    records: Records = []
    previous = chain.BEGINNING
    for number in range(1, lines + 1):
        records.append(chain.chained(an_entry(number), number, previous))
        previous = records[-1]["hash"]
    return records


def stored(records: Records) -> list[dict[str, Any]]:
    """The ConfigMaps that hold these lines."""
    maps: dict[int, dict[str, str]] = {}
    for record in records:
        number = record["sequence"]
        lines = maps.setdefault(chain.segment_of(number), {})
        lines[chain.key_of(number)] = chain.write(record)
    return [{"data": lines} for _, lines in sorted(maps.items(), reverse=True)]


def test_a_line_says_who_what_when_and_what_it_changed() -> None:
    (line,) = a_log(1)
    assert line["who"] == "ann"
    assert line["what"] == "scale instances 3"
    assert line["correlationId"] == "uid-1"
    assert line["changes"] == [
        {
            "object": "kiroswarm/demo",
            "before": '{"spec":{"instances":1}}',
            "after": '{"spec":{"instances":3}}',
        }
    ]
    assert (line["sequence"], line["previous"]) == (1, chain.BEGINNING)


@pytest.mark.parametrize("lines", [0, 1, 99, 100, 101, 250])
def test_what_was_written_is_read_in_order_and_verifies(lines: int) -> None:
    log = a_log(lines)
    read = audit.read(stored(log))
    assert read == log
    anchor = {"lines": lines, "head": log[-1]["hash"]} if log else None
    assert audit.verify(read, anchor) == []


def test_a_log_may_be_ahead_of_its_anchor() -> None:
    log = a_log(5)
    assert audit.verify(log, {"lines": 3, "head": log[2]["hash"]}) == []


def edited(log: Records) -> Records:
    log[2] = {**log[2], "who": "eve"}
    return log


def edited_and_rehashed(log: Records) -> Records:
    bare = {name: value for name, value in log[2].items() if name != "hash"}
    bare["who"] = "eve"
    log[2] = {**bare, "hash": chain.hash_of(bare)}
    return log


def without_one(log: Records) -> Records:
    del log[2]
    return log


def without_some(log: Records) -> Records:
    del log[1:4]
    return log


def without_the_first(log: Records) -> Records:
    return log[1:]


def cut_off(log: Records) -> Records:
    return log[:4]


def emptied(log: Records) -> Records:
    return []


def twice(log: Records) -> Records:
    return [*log[:3], log[2], *log[3:]]


def written_anew(log: Records) -> Records:
    previous = chain.BEGINNING
    forged = []
    for record in log:
        entry = {**record, "who": "eve"}
        entry.pop("hash")
        forged.append(chain.chained(entry, record["sequence"], previous))
        previous = str(forged[-1]["hash"])
    return forged


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (edited, "line 3 was changed after it was written"),
        (edited_and_rehashed, "line 4 does not follow from line 3"),
        (without_one, "line 3 is missing"),
        (without_some, "lines 2-4 are missing"),
        (without_the_first, "line 1 is missing"),
        (cut_off, "the log ends at line 4, but the KiroSwarm counts 6"),
        (emptied, "the log ends at line 0, but the KiroSwarm counts 6"),
        (twice, "line 3 stands where line 4 belongs"),
        (written_anew, "line 6 is not the one that the KiroSwarm names"),
    ],
)
def test_tampering_is_found(tamper: Callable[[Records], Records], found: str) -> None:
    log = a_log(6)
    anchor = {"lines": 6, "head": log[-1]["hash"]}
    problems = audit.verify(tamper(log), anchor)
    assert any(found in problem for problem in problems), problems


def test_each_command_anchors_its_own_line() -> None:
    log = a_log(3)
    status = {"audit": {"sequence": 2, "hash": log[1]["hash"]}}
    said = {**command(2), "status": status}
    silent = command(3)
    assert audit.verify(log, None, [said, silent]) == []
    assert audit.verify(written_anew(log), None, [said]) == [
        "line 2 is not the one that SwarmCommand say-2 names"
    ]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"sequence": 1}', "null"])
def test_a_line_that_is_no_line_is_named(text: str) -> None:
    maps = stored(a_log(3))
    maps[0]["data"][chain.key_of(2)] = text
    problems = audit.verify(audit.read(maps))
    assert problems == ["line 2 cannot be read"]


def test_a_foreign_key_is_not_overlooked() -> None:
    maps = stored(a_log(1))
    maps[0]["data"]["note"] = "{}"
    assert "line 0 cannot be read" in audit.verify(audit.read(maps))


@given(
    changes=st.integers(0, 64),
    message=st.text(max_size=4096),
    number=st.integers(1, 10_000_000),
)
def test_a_line_is_never_too_long(changes: int, message: str, number: int) -> None:
    entry = an_entry(number, changes, message)
    line = chain.write(chain.chained(entry, number, chain.BEGINNING))
    assert len(line) < 8192
    assert entry["changesInAll"] == changes
    assert len(entry["changes"]) == min(changes, len(entry["changes"]))
    assert json.loads(line)["message"] in message or not entry["message"]
