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
from typing import Literal, Optional

from pydantic import Field, ValidationError
from typing_extensions import Annotated

from kiro_swarm.api.common import Model
from kiro_swarm.api.task import Complexity, TaskId
from kiro_swarm.tasks.file.model import Diagnostic, SpecTask, TaskFile
from kiro_swarm.tasks.plan.graph import TaskGraph

#: Key of the ConfigMap that holds the packed graph, in its ``binaryData``.
GRAPH_KEY = "graph.json.gz"
#: Key, in its ``data``, of the names of the ConfigMaps with the rest of a long graph.
MORE_KEY = "more"
#: A ConfigMap takes 1 MiB, and its bytes travel as base64. Divisible by 4, so that each
#: part of a text is base64 by itself.
PART_CHARACTERS = 900 * 1024
MOST_PARTS = 8
MAX_TITLE = 1024
MAX_DESCRIPTION = 65536
MAX_ITEMS = 256
MAX_REQUIREMENT = 256
MAX_PATH = 1024
MAX_CRITERIA = 64
MAX_CRITERION = 1024
MAX_CAPABILITIES = 32
MAX_CAPABILITY = 63


class PublishedTask(Model):
    """One leaf, with the fields of KiroTask.spec that come from the file."""

    id: TaskId
    title: str = Field(default="", max_length=MAX_TITLE)
    description: str = Field(default="", max_length=MAX_DESCRIPTION)
    requirements: list[Annotated[str, Field(max_length=MAX_REQUIREMENT)]] = Field(
        default_factory=list, max_length=MAX_ITEMS
    )
    dependencies: list[TaskId] = Field(default_factory=list, max_length=2000)
    optional: bool = False
    ticked: bool = False
    deferred: bool = False
    checkpoint: bool = False
    order: int = Field(ge=0)
    line: int = Field(ge=0)
    estimate_seconds: Optional[int] = Field(default=None, ge=0)
    files: list[Annotated[str, Field(max_length=MAX_PATH)]] = Field(
        default_factory=list, max_length=MAX_ITEMS
    )
    parent: Optional[TaskId] = None
    priority: int = Field(default=0, ge=-1000, le=1000)
    complexity: Optional[Complexity] = None
    capabilities: list[Annotated[str, Field(max_length=MAX_CAPABILITY)]] = Field(
        default_factory=list, max_length=MAX_CAPABILITIES
    )
    acceptance_criteria: list[Annotated[str, Field(max_length=MAX_CRITERION)]] = Field(
        default_factory=list, max_length=MAX_CRITERIA
    )
    paused: bool = False


class PublishedDiagnostic(Model):
    """One remark about the file."""

    severity: Literal["error", "warning", "info"]
    code: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class PublishedGraph(Model):
    """All leaves of a file in file order, and what was said about it."""

    version: Literal[1] = 1
    spec_path: str
    tasks: list[PublishedTask]
    diagnostics: list[PublishedDiagnostic] = Field(default_factory=list)

    @property
    def errors(self) -> list[PublishedDiagnostic]:
        """The remarks that make the graph unusable."""
        return [remark for remark in self.diagnostics if remark.severity == "error"]

    def graph(self) -> TaskGraph:
        """The graph; task ``i`` is ``tasks[i]``. Raises ValueError for an unknown id."""
        place = {task.id: index for index, task in enumerate(self.tasks)}
        for task in self.tasks:
            for needed in task.dependencies:
                if needed not in place:
                    raise ValueError(
                        f"task {task.id} depends on {needed}, which is not defined"
                    )
        return TaskGraph(
            [[place[needed] for needed in task.dependencies] for task in self.tasks],
            [task.estimate_seconds for task in self.tasks],
        )

    def to_json(self) -> str:
        """The JSON that ``read_published`` reads."""
        return self.model_dump_json(by_alias=True, exclude_none=True)


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
    return PublishedTask(
        id=leaf.id,
        title=leaf.title[:MAX_TITLE],
        description=description[:MAX_DESCRIPTION],
        requirements=[r[:MAX_REQUIREMENT] for r in leaf.requirements[:MAX_ITEMS]],
        dependencies=list(leaf.waits_for),
        optional=leaf.optional,
        ticked=leaf.state == "done",
        deferred=leaf.state == "deferred",
        checkpoint=leaf.checkpoint,
        order=order,
        line=leaf.line,
        estimate_seconds=leaf.estimate_seconds,
        files=[name[:MAX_PATH] for name in files[:MAX_ITEMS]],
        parent=leaf.parent,
        priority=leaf.priority,
        complexity=leaf.complexity,
        capabilities=[
            name[:MAX_CAPABILITY] for name in leaf.capabilities[:MAX_CAPABILITIES]
        ],
        acceptance_criteria=[
            text[:MAX_CRITERION] for text in leaf.acceptance_criteria[:MAX_CRITERIA]
        ],
        # Nobody here sees when a task of another spec is done: a person says it.
        paused=bool(leaf.external) and leaf.state != "done",
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
    names = [task.id for task in published.tasks]
    if len(set(names)) < len(names):
        raise ValueError("the published task graph has a task id twice")
    if not published.errors:
        published.graph().topological_order()
    return published


def pack(graph: PublishedGraph) -> str:
    """A graph as ``binaryData`` of a ConfigMap takes it; the same graph, the same text."""
    return base64.b64encode(gzip.compress(graph.to_json().encode(), mtime=0)).decode()


def parts(packed: str) -> list[str]:
    """What `pack` gave, in pieces that a ConfigMap can hold: joined they are the whole."""
    return [
        packed[start : start + PART_CHARACTERS]
        for start in range(0, len(packed), PART_CHARACTERS)
    ]


def unpack(text: str) -> PublishedGraph:
    """The graph that ``pack`` packed. Raises ValueError, see ``read_published``."""
    try:
        plain = gzip.decompress(base64.b64decode(text, validate=True)).decode()
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise ValueError(
            f"the published task graph cannot be unpacked: {error}"
        ) from None
    return read_published(plain)
