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
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Union

from kiro_swarm.api.bounded_json import BoundsError, check_json
from kiro_swarm.api.graph import (
    MAX_TASKS,
    PublishedDiagnostic,
    PublishedGraph,
    PublishedGroup,
    PublishedTask,
)
from kiro_swarm.api.pieces import Pieces, whole
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
from kiro_swarm.tasks.file.model import MAX_PER_CODE, Diagnostic, SpecTask, TaskFile
from kiro_swarm.tasks.file.reading import linking, reading
from kiro_swarm.tasks.file.texts import is_cut, with_groups
from kiro_swarm.tasks.plan.graph import TaskGraph

#: A ConfigMap takes 1 MiB, and its bytes travel as base64. Divisible by 4, so that each
#: part of a text is base64 by itself.
PART_CHARACTERS = 900 * 1024
MOST_PARTS = 8
_GZIP = 16 + zlib.MAX_WBITS
#: What a graph may be unpacked: a few bytes can be made to unpack to any number.
MOST_BYTES = 32 * 1024 * 1024
#: Values of its JSON: its reader makes an object of each before it looks at any bound.
MOST_VALUES = 2_000_000
_MOST_MEMBERS = 30 * MAX_TASKS
#: Bytes of a text in JSON: a character is 12 at most.
_LONGEST = 12 * MAX_DESCRIPTION
_BOUNDS = {
    "depth": 8,
    "values": MOST_VALUES,
    "members": _MOST_MEMBERS,
    "longest": _LONGEST,
}
#: Bytes that are unpacked at a time.
_PIECE = 256 * 1024


class GraphTooLargeError(ValueError):
    """A graph that nobody would unpack."""


def publish(file: TaskFile, spec_path: str) -> PublishedGraph:
    """What to tell the operator about a parsed file.

    A group is not a task: its text is published once, and ``describe`` puts it in front of
    that of its leaves. What is longer than a KiroTask can carry is cut, with a remark: the
    agent has the file itself.
    """
    groups = [_group(task) for task in file.tasks if not task.leaf]
    by_id = {group["id"]: group for group in groups}
    remarks = list(file.diagnostics)
    cut = 0
    tasks = []
    for order, leaf in enumerate(file.leaves):
        if _is_long(leaf, by_id):
            cut += 1
            if cut <= MAX_PER_CODE:
                remarks.append(_cut(leaf))
        tasks.append(_task(leaf, order))
    if cut > MAX_PER_CODE:
        last = remarks[-1]
        text = f"... and {cut - MAX_PER_CODE} more of the kind cut"
        remarks.append(replace(last, message=text))
    return PublishedGraph(
        spec_path=spec_path,
        tasks=tasks,
        groups=groups,
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


def describe(graph: PublishedGraph) -> Callable[[PublishedTask], PublishedTask]:
    """What makes of a published task what its KiroTask says: with the text of its groups.

    One task after another, so that the texts of a large file are never all there at once.
    """
    groups = {group["id"]: group for group in graph.groups}

    def described(task: PublishedTask) -> PublishedTask:
        text = with_groups(task.get("description", ""), task.get("parent"), groups)
        return {**task, "description": text}

    return described


def _group(task: SpecTask) -> PublishedGroup:
    group: PublishedGroup = {
        "id": task.id,
        "title": task.title[:MAX_TITLE],
        "description": task.description[:MAX_DESCRIPTION],
    }
    if task.parent is not None:
        group["parent"] = task.parent
    return group


def _is_long(leaf: SpecTask, groups: dict[str, PublishedGroup]) -> bool:
    """Whether a KiroTask cannot carry all of what the file says of a leaf."""
    files = (*leaf.files, *leaf.boundary)
    return (
        len(leaf.title) > MAX_TITLE
        or len(leaf.description) > MAX_DESCRIPTION
        or is_cut(leaf.description, leaf.parent, groups)
        or max(len(leaf.requirements), len(files)) > MAX_ITEMS
        or any(len(item) > MAX_REQUIREMENT for item in leaf.requirements)
        or any(len(item) > MAX_PATH for item in files)
        or len(leaf.acceptance_criteria) > MAX_CRITERIA
        or any(len(text) > MAX_CRITERION for text in leaf.acceptance_criteria)
        or len(leaf.capabilities) > MAX_CAPABILITIES
        or any(len(name) > MAX_CAPABILITY for name in leaf.capabilities)
    )


def _cut(leaf: SpecTask) -> Diagnostic:
    text = f"the text of task {leaf.id} is too long for a KiroTask and was cut"
    return Diagnostic("warning", "cut", leaf.line, leaf.column, text)


def _task(leaf: SpecTask, order: int) -> PublishedTask:
    files = (*leaf.files, *leaf.boundary)
    task: PublishedTask = {
        "id": leaf.id,
        "title": leaf.title[:MAX_TITLE],
        "description": leaf.description[:MAX_DESCRIPTION],
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
    return whole(linking(published))


def read_published(text: Union[str, bytes]) -> PublishedGraph:
    """A published graph from its JSON.

    Raises ValueError that names the field for a wrong shape, more than is ever published, an
    id that occurs twice, a dependency on nothing, and a cycle.
    """
    return whole(_read(text if isinstance(text, bytes) else text.encode()))


def _read(text: bytes) -> Pieces[PublishedGraph]:
    if len(text) > MOST_BYTES:
        raise ValueError(f"the published task graph is longer than {MOST_BYTES}")
    return (yield from reading(text, **_BOUNDS))


def _check(text: Union[str, bytes]) -> None:
    """Raise BoundsError for more than is ever published, whatever it says."""
    check_json(text, **_BOUNDS)


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
    try:
        _check(plain)
    except BoundsError as error:
        raise GraphTooLargeError(
            f"{len(graph.tasks)} tasks make a graph that nobody would read: {error}"
        ) from None
    return base64.b64encode(gzip.compress(plain, mtime=0)).decode()


def parts(packed: str) -> list[str]:
    """What ``pack`` gave, in pieces that a ConfigMap can hold: joined they are the whole."""
    return [
        packed[start : start + PART_CHARACTERS]
        for start in range(0, len(packed), PART_CHARACTERS)
    ]


def unpack(text: str) -> PublishedGraph:
    """The graph that ``pack`` packed, to be carried out.

    Raises ValueError, see ``read_published``; also for a graph with errors.
    """
    return whole(unpacking([text]))


def unpacking(texts: Sequence[str]) -> Pieces[PublishedGraph]:
    """The same piece by piece, of the texts that ``parts`` gave.

    Raises ValueError as ``unpack`` does.
    """
    try:
        plain = yield from _unzipping(texts)
    except (ValueError, zlib.error) as error:
        raise ValueError(
            f"the published task graph cannot be unpacked: {error}"
        ) from None
    graph = yield from _read(plain)
    if graph.errors:
        raise ValueError(f"the published task graph has errors: {graph.errors[0]}")
    return graph


def _unzipping(texts: Sequence[str]) -> Pieces[bytes]:
    """The bytes; no more than are ever published."""
    reader = zlib.decompressobj(wbits=_GZIP)
    plain, size = [], 0
    for text in texts:
        for start in range(0, len(text), _PIECE):
            packed = base64.b64decode(text[start : start + _PIECE], validate=True)
            while packed and size <= MOST_BYTES:
                plain.append(reader.decompress(packed, _PIECE))
                size += len(plain[-1])
                packed = reader.unconsumed_tail
                yield
    if not reader.eof or reader.unused_data or size > MOST_BYTES:
        raise ValueError("it is cut short, or larger than any that is published")
    return b"".join(plain)
