"""The published task graph: what the prepare Job tells the operator.

The prepare Job packs ``publish(...)`` into a ConfigMap, or into several where one cannot
hold it; the operator unpacks it with ``unpack`` and makes KiroTasks of it. The shape is
checked on both sides: what is in the file comes from the repository, so it is as long and
as strange as somebody likes.
"""

from __future__ import annotations

import base64
import gzip
import zlib

from pydantic import ValidationError

from kiro_swarm.api.graph import PublishedDiagnostic, PublishedGraph, PublishedTask
from kiro_swarm.api.task import (
    MAX_CAPABILITIES,
    MAX_CAPABILITY,
    MAX_CRITERIA,
    MAX_CRITERION,
    MAX_DESCRIPTION,
    MAX_ITEMS,
    MAX_PATH,
    MAX_REQUIREMENT,
    MAX_TITLE,
)
from kiro_swarm.tasks.file.model import Diagnostic, SpecTask, TaskFile
from kiro_swarm.tasks.plan.graph import TaskGraph

#: A ConfigMap takes 1 MiB, and its bytes travel as base64. Divisible by 4, so that each
#: part of a text is base64 by itself.
PART_CHARACTERS = 900 * 1024
MOST_PARTS = 8
_GZIP = 16 + zlib.MAX_WBITS
#: What a graph may be unpacked: a few bytes can be made to unpack to any number.
MOST_BYTES = 64 * 1024 * 1024


class GraphTooLargeError(ValueError):
    """A graph that nobody would unpack."""


def publish(file: TaskFile, spec_path: str) -> PublishedGraph:
    """What to tell the operator about a parsed file.

    A group is not a task, so its text stands in front of the text of its leaves. What is
    longer than a KiroTask can carry is cut, with a remark: the agent has the file itself.
    """
    groups = {task.id: task for task in file.tasks if not task.leaf}
    remarks = list(file.diagnostics)
    tasks = [
        _task(leaf, order, groups, remarks) for order, leaf in enumerate(file.leaves)
    ]
    return PublishedGraph(
        spec_path=spec_path,
        tasks=tasks,
        diagnostics=[
            PublishedDiagnostic(
                severity=remark.severity,
                code=remark.code,
                line=remark.line,
                column=remark.column,
                message=remark.message,
            )
            for remark in remarks
        ],
    )


def _task(
    leaf: SpecTask, order: int, groups: dict[str, SpecTask], remarks: list[Diagnostic]
) -> PublishedTask:
    description = leaf.description
    group = groups.get(leaf.parent or "")
    while group is not None:
        head = f"Part of {group.id}. {group.title}".rstrip()
        description = "\n".join(
            part for part in (head, group.description, description) if part
        )
        group = groups.get(group.parent or "")
    files = (*leaf.files, *leaf.boundary)
    long = (
        len(leaf.title) > MAX_TITLE
        or len(description) > MAX_DESCRIPTION
        or max(len(leaf.requirements), len(files)) > MAX_ITEMS
        or any(len(item) > MAX_REQUIREMENT for item in leaf.requirements)
        or any(len(item) > MAX_PATH for item in files)
        or len(leaf.acceptance_criteria) > MAX_CRITERIA
        or any(len(text) > MAX_CRITERION for text in leaf.acceptance_criteria)
        or len(leaf.capabilities) > MAX_CAPABILITIES
        or any(len(name) > MAX_CAPABILITY for name in leaf.capabilities)
    )
    if long:
        text = f"the text of task {leaf.id} is too long for a KiroTask and was cut"
        remarks.append(Diagnostic("warning", "cut", leaf.line, leaf.column, text))
    task: PublishedTask = {
        "id": leaf.id,
        "title": leaf.title[:MAX_TITLE],
        "description": description[:MAX_DESCRIPTION],
        "requirements": [r[:MAX_REQUIREMENT] for r in leaf.requirements[:MAX_ITEMS]],
        "dependencies": list(leaf.waits_for),
        "optional": leaf.optional,
        "ticked": leaf.state == "done",
        "deferred": leaf.state == "deferred",
        "checkpoint": leaf.checkpoint,
        "order": order,
        "line": leaf.line,
        "files": [name[:MAX_PATH] for name in files[:MAX_ITEMS]],
        "priority": leaf.priority,
        "capabilities": [
            name[:MAX_CAPABILITY] for name in leaf.capabilities[:MAX_CAPABILITIES]
        ],
        "acceptanceCriteria": [
            text[:MAX_CRITERION] for text in leaf.acceptance_criteria[:MAX_CRITERIA]
        ],
        # Nobody here sees when a task of another spec is done: a person says it.
        "paused": bool(leaf.external) and leaf.state != "done",
    }
    if leaf.estimate_seconds is not None:
        task["estimateSeconds"] = leaf.estimate_seconds
    if leaf.parent is not None:
        task["parent"] = leaf.parent
    if leaf.complexity is not None:
        task["complexity"] = leaf.complexity
    return task


def graph_of(published: PublishedGraph) -> TaskGraph:
    """The graph; task ``i`` is ``tasks[i]``. Raises ValueError for an unknown id."""
    tasks = published.tasks
    place = {task["id"]: index for index, task in enumerate(tasks)}
    for task in tasks:
        for needed in task.get("dependencies") or ():
            if needed not in place:
                raise ValueError(
                    f"task {task['id']} depends on {needed}, which is not defined"
                )
    return TaskGraph(
        [
            [place[needed] for needed in task.get("dependencies") or ()]
            for task in tasks
        ],
        [task.get("estimateSeconds") for task in tasks],
    )


def read_published(text: str) -> PublishedGraph:
    """A published graph from its JSON.

    Raises ValueError that names the field for a wrong shape, an id that occurs twice, a
    dependency on nothing, and a cycle.
    """
    try:
        published = PublishedGraph.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ValueError(
            f"the published task graph is wrong at {where or 'its start'}: {first['msg']}"
        ) from None
    for number, task in enumerate(published.tasks):
        if task.get("order") != number:
            raise ValueError(
                f"the published task graph is wrong at tasks.{number}.order: "
                "it is not the place of the task"
            )
    names = [task["id"] for task in published.tasks]
    if len(set(names)) < len(names):
        raise ValueError("the published task graph has a task id twice")
    if not published.errors:
        graph_of(published).topological_order()
    return published


def pack(graph: PublishedGraph) -> str:
    """A graph as ``binaryData`` of a ConfigMap takes it; the same graph, the same text.

    Raises GraphTooLargeError: nobody would unpack it.
    """
    plain = graph.to_json().encode()
    if len(plain) > MOST_BYTES:
        raise GraphTooLargeError(
            f"{len(graph.tasks)} tasks make a graph of {len(plain)} bytes; at most "
            f"{MOST_BYTES} can be published"
        )
    return base64.b64encode(gzip.compress(plain, mtime=0)).decode()


def parts(packed: str) -> list[str]:
    """What ``pack`` gave, in pieces that a ConfigMap can hold: joined they are the whole."""
    return [
        packed[start : start + PART_CHARACTERS]
        for start in range(0, len(packed), PART_CHARACTERS)
    ]


def unpack(text: str) -> PublishedGraph:
    """The graph that ``pack`` packed. Raises ValueError, see ``read_published``."""
    try:
        reader = zlib.decompressobj(wbits=_GZIP)
        plain = reader.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
        if not reader.eof or reader.unused_data:
            raise ValueError("it is cut short, or larger than any that is published")
        whole = plain.decode()
    except (ValueError, zlib.error) as error:
        raise ValueError(
            f"the published task graph cannot be unpacked: {error}"
        ) from None
    return read_published(whole)
