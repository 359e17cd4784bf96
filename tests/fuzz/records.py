"""What Jobs, runners and other releases leave behind for somebody else to read.

The targets ``graphs`` (the published task graph), ``reports`` (of Jobs), ``ledger`` (lines of the
chained logs), ``evidence`` (what the agent container says of its work) and ``json`` (the bounded
reader itself). Each parser takes any text for what it reads, or for its one error.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
from collections.abc import Coroutine, Mapping, Sequence
from typing import Optional, TypeVar

from kiro_swarm.api.bounded_json import BoundsError, read_json
from kiro_swarm.api.ledger import entry_of
from kiro_swarm.api.reports import (
    InspectReport,
    IntegrateReport,
    PrepareReport,
    ReportError,
    SyncReport,
    read_failure,
    read_report,
)
from kiro_swarm.api.task import MAX_DESCRIPTION
from kiro_swarm.policy import chain
from kiro_swarm.runner.worktree import Cut, Worktree, WorktreeError
from kiro_swarm.sandbox.port import ExecResult, OnOutput
from kiro_swarm.tasks.file.parser import parse
from kiro_swarm.tasks.file.wire import (
    describe,
    graph_of,
    pack,
    publish,
    unpack,
)
from tests.fuzz.engine import Target

T = TypeVar("T")

#: A message for people is one line, and does not grow with what it is about.
LONGEST_MESSAGE = 1_000
_SHA = "0123456789abcdef0123456789abcdef01234567"
_PLAN = "- [ ] 1. G\n  - text\n  - [ ] 1.1 A\n  - [x] 1.2 B\n    - _Depends: 1.1_\n"


def check_graph(text: str) -> str:
    """A graph that can be carried out and is read back the same, or ValueError."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        graph = unpack(base64.b64encode(gzip.compress(data, 1)).decode())
    except ValueError as error:
        _short(error)
        return str(error)[:60]
    described = describe(graph)
    for task in graph.tasks:
        if len(described(task).get("description", "")) > MAX_DESCRIPTION:
            raise AssertionError("a description that no KiroTask can carry")
    if unpack(pack(graph)) != graph or graph_of(graph).find_cycle() is not None:
        raise AssertionError("what is published again is another graph")
    return f"{len(graph.tasks)} tasks, {len(graph.groups)} groups"


def check_report(text: str) -> str:
    """A report of each kind, a failure, or the one error that holds nothing of the text."""
    kinds = []
    for kind in (PrepareReport, IntegrateReport, SyncReport, InspectReport):
        try:
            kinds.append(f"{len(read_report(text, kind))} keys")
        except ReportError as error:
            _short(error)
            kinds.append("none")
    try:
        kinds.append(read_failure(text)["reason"])
    except ReportError as error:
        _short(error)
    return " ".join(kinds)


def check_line(text: str) -> str:
    """A line of a log that can be judged and written again, or an unreadable one."""
    line = chain.decode("00000001", text)
    problems = chain.problems_of([line])
    entry = entry_of({k: v for k, v in line.items() if k not in _CHAINED})
    json.dumps(line)
    if "unreadable" not in line and chain.read({"00000001": chain.write(line)}) != [
        line
    ]:
        raise AssertionError("a line that is another one when it is written again")
    return f"{len(problems)} {entry is not None} {'unreadable' in line}"


_CHAINED = ("sequence", "previous", "hash")


class _Says:
    """An agent container in which every command prints the same."""

    def __init__(self, text: str) -> None:
        self._result = ExecResult(0, None, "Exited", 0.1, "", text[-65536:], text)

    async def exec(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Optional[Mapping[str, str]] = None,
        stdin: str = "",
        timeout_seconds: float,
        idle_timeout_seconds: Optional[float] = None,
        on_output: Optional[OnOutput] = None,
    ) -> ExecResult:
        return self._result

    async def renew(self) -> str:
        return ""


def _done(work: Coroutine[object, object, T]) -> T:
    """As asyncio.run, which takes away the loop that a test has left to the next one."""
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(work)


def check_evidence(text: str) -> str:
    """What an agent container claims, in fields of their form, or WorktreeError."""
    tree = Worktree(_Says(text), "demo-1")
    try:
        made = _done(tree.cut("swarm/demo/1/1", "swarm/demo/integration"))
        found = _done(tree.evidence(Cut(made.base, "b"), "uid/1", "T"))
    except WorktreeError as error:
        _short(error)
        return "refused"
    if "\n" in found.reason + found.message or len(found.message) > LONGEST_MESSAGE:
        raise AssertionError(f"words for nobody: {found}")
    return f"{found.commit is None} {min(found.files, 3)} {bool(found.message)}"


def check_json(text: str) -> str:
    """A value that can be written again, or BoundsError."""
    try:
        value = read_json(text, size=20_000, depth=16, values=5_000)
    except BoundsError as error:
        _short(error)
        return str(error)[:20]
    json.dumps(value, ensure_ascii=False).encode()
    return type(value).__name__


def _short(error: Exception) -> None:
    if "\n" in str(error) or len(str(error)) > LONGEST_MESSAGE:
        raise AssertionError(f"an error for nobody: {error!r}") from error


def records() -> tuple[Target, ...]:
    """All of these targets."""
    graph = publish(parse(_PLAN), "tasks.md").to_json()
    move = {
        **{
            "kind": "merge",
            "before": _SHA,
            "after": _SHA,
            "time": "2026-01-01T00:00:00Z",
        },
        **{
            "tasks": [{"id": "1.1", "uid": "u", "attempt": 1}],
            "swarm": "s",
            "job": "j",
        },
        **{"gates": [{"name": "g", "passed": True, "seconds": 1.5}], "command": ""},
    }
    answers = (
        {"base": _SHA, "commit": _SHA, "tree": _SHA, "files": ["a"], "reason": "Done"},
        {"base": _SHA, "commit": None, "reason": "NoChanges", "message": "nothing"},
        {"error": {"message": "no"}},
    )
    reports = (
        {
            "base": _SHA,
            "head": _SHA,
            "tasksFile": "t",
            "tasks": 1,
            "diagnostics": ["d"],
        },
        {"head": _SHA, "message": "m", "ledger": 3, "pushed": _SHA},
        {"reason": "TaskFileInvalid", "message": "m", "diagnostics": []},
    )
    return (
        Target("graphs", [graph], (*_JSON, '"groups":', '"parent":"1"'), check_graph),
        Target("reports", [json.dumps(r) for r in reports], _JSON, check_report),
        Target(
            "ledger",
            [chain.write(chain.chained(move, 1, chain.BEGINNING)), chain.write(move)],
            (*_JSON, '"sequence":1', '"hash":'),
            check_line,
        ),
        Target("evidence", [json.dumps(a) for a in answers], _JSON, check_evidence),
        Target("json", [graph, json.dumps(reports)], _JSON, check_json),
    )


_JSON = (
    *("{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "\\ud800", "null", "true", "NaN"),
    *(
        "1e999",
        "-",
        "0",
        "9" * 70,
        "[" * 40,
        '{"a":' * 30,
        "{},",
        '"id":"1.1"',
        '"id":',
    ),
    *(
        "\n",
        "\r",
        "\x00",
        "\u2028",
        "\ud800",
        "🎉",
        "é",
        "-Infinity",
        "1.5",
        "[]",
        "{}",
    ),
)
