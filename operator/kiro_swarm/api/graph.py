"""The published task graph: what the prepare Job tells the operator, in ConfigMaps.

Written by ``jobs.prepare`` and read by ``reconcile.swarms.prepare``, both through
``tasks.file.wire``, which packs it and refuses what is wrong. A field that this release does
not know is refused as well: the graph is of another release then, and the Job is run again,
by this one. What a task file says of a task is declared once, in ``api.task``.

Whoever may write that ConfigMap must not be able to end the operator: every list and every
text has a bound, and the first item that is wrong ends the reading.
"""

from __future__ import annotations

from typing import Final, Literal, Optional

from pydantic import FailFast, Field, with_config
from typing_extensions import Annotated, Required, TypedDict

from kiro_swarm.api.common import STRICT, Model
from kiro_swarm.api.task import (
    MAX_DESCRIPTION,
    MAX_TITLE,
    Paused,
    TaskFromFile,
    TaskId,
)

#: Key of the ConfigMap that holds the packed graph, in its ``binaryData``.
GRAPH_KEY = "graph.json.gz"
#: Key, in its ``data``, of the names of the ConfigMaps with the rest of a long graph.
MORE_KEY = "more"
#: The most tasks that a task file may have; a swarm makes a KiroTask of each.
MAX_TASKS: Final = 25_000
#: Of remarks a few of each kind are kept; see ``tasks.file.model``.
MAX_REMARKS: Final = 5_000
MAX_MESSAGE: Final = 2_048


@with_config(STRICT)
class PublishedTask(TaskFromFile, total=False):
    """One leaf of the task file: of what its KiroTask is made."""

    id: Required[TaskId]
    paused: Paused


@with_config(STRICT)
class PublishedGroup(TypedDict, total=False):
    """A task with sub-tasks: its text is a part of theirs, and is published once."""

    id: Required[TaskId]
    title: Annotated[str, Field(max_length=MAX_TITLE)]
    description: Annotated[str, Field(max_length=MAX_DESCRIPTION)]
    parent: Optional[TaskId]


class PublishedDiagnostic(Model):
    """One remark about the file."""

    severity: Literal["error", "warning", "info"]
    code: str = Field(max_length=64)
    line: int = Field(ge=0, le=2**53)
    column: int = Field(ge=0, le=2**53)
    message: str = Field(max_length=MAX_MESSAGE)

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class PublishedGraph(Model):
    """All leaves of a file in file order, their groups, and what was said about it."""

    version: Literal[1] = 1
    spec_path: str = Field(max_length=4096)
    tasks: Annotated[list[PublishedTask], FailFast()] = Field(max_length=MAX_TASKS)
    # A release before groups were published wrote their text into the tasks.
    groups: Annotated[list[PublishedGroup], FailFast()] = Field(
        default_factory=list, max_length=MAX_TASKS
    )
    diagnostics: Annotated[list[PublishedDiagnostic], FailFast()] = Field(
        default_factory=list, max_length=MAX_REMARKS
    )

    @property
    def errors(self) -> list[PublishedDiagnostic]:
        """The remarks that make the graph unusable."""
        return [remark for remark in self.diagnostics if remark.severity == "error"]

    def to_json(self) -> str:
        """The JSON that ``read_published`` reads."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
