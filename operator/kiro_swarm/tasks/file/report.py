"""What ``kiro-swarm tasks`` says about parsed files: for people, for programs, as SARIF.

Pure: called by the command line with files that it has read. The JSON is a promise to
people's pipelines: no key of it is renamed or dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kiro_swarm.api.meta import BLOCKED, MERGED, READY, RUNNING, SKIPPED
from kiro_swarm.tasks.file.codes import CODES
from kiro_swarm.tasks.file.model import Diagnostic, SpecTask, TaskFile

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}
_STATES: Final = {"done": MERGED, "running": RUNNING, "deferred": SKIPPED}


def as_json(file: TaskFile) -> dict[str, object]:
    """``{"tasks": [...], "diagnostics": [...]}``, both in the order of the file.

    ``dependencies`` are ids of leaves, as the file (or its wave graph) writes them; what
    follows from positions alone is not among them.
    """
    return {
        "tasks": [
            {
                "id": task.id,
                "title": task.title,
                "state": task.state,
                "optional": task.optional,
                "leaf": task.leaf,
                "parent": task.parent,
                "dependencies": list(task.dependencies),
                "requirements": list(task.requirements),
                "line": task.line,
            }
            for task in file.tasks
        ],
        "diagnostics": [
            {
                "severity": remark.severity,
                "code": remark.code,
                "line": remark.line,
                "column": remark.column,
                "message": remark.message,
            }
            for remark in file.diagnostics
        ],
    }


def as_sarif(files: Mapping[str, TaskFile], version: str) -> dict[str, object]:
    """A SARIF 2.1.0 log of one run.

    :param files: by relative address: ``/`` between the parts, escaped as in a URI.
    """
    places: dict[str, int] = {code: index for index, code in enumerate(CODES)}
    driver = {
        "name": "kiro-swarm tasks check",
        "semanticVersion": version,
        "rules": [
            {"id": code, "shortDescription": {"text": text}}
            for code, text in CODES.items()
        ],
    }
    results = [
        _result(path, remark, places)
        for path, file in files.items()
        for remark in file.diagnostics
    ]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(
    path: str, remark: Diagnostic, places: Mapping[str, int]
) -> dict[str, object]:
    region = {"startLine": remark.line, "startColumn": remark.column}
    return {
        "ruleId": remark.code,
        "ruleIndex": places[remark.code],
        "level": _LEVELS[remark.severity],
        "message": {"text": remark.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": path},
                    "region": region,
                }
            }
        ],
    }


def summary(file: TaskFile) -> str:
    """``12 tasks: 3 done, 9 open; 1 error, 2 warnings``."""
    leaves = file.leaves
    counts = [
        f"{count} {state}"
        for state in ("done", "running", "deferred", "open")
        for count in [sum(leaf.state == state for leaf in leaves)]
        if count
    ]
    said = [
        _plural(count, word)
        for word in ("error", "warning")
        for count in [sum(d.severity == word for d in file.diagnostics)]
        if count
    ]
    states = f": {', '.join(counts)}" if counts else ""
    return f"{_plural(len(leaves), 'task')}{states}; {', '.join(said) or 'no problems'}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def as_objects(file: TaskFile) -> Sequence[dict[str, object]]:
    """The leaves as KiroTasks as far as the views of a graph look at them."""
    satisfied = {t.id for t in file.leaves if t.state in ("done", "deferred")}
    return [
        {
            "metadata": {"name": task.id},
            "spec": {
                "id": task.id,
                "title": task.title,
                "order": order,
                "dependencies": list(task.waits_for),
            },
            "status": {"state": _state(task, satisfied)},
        }
        for order, task in enumerate(file.leaves)
    ]


def _state(task: SpecTask, satisfied: set[str]) -> str:
    if task.state != "open":
        return _STATES[task.state]
    ready = not task.external and satisfied.issuperset(task.waits_for)
    return READY if ready else BLOCKED
