"""The published task graph: what the prepare Job tells the operator, in ConfigMaps.

Written by ``jobs.prepare`` and read by ``reconcile.swarms.prepare``, both through
``tasks.file.wire``, which packs it and refuses what is wrong. A field that this release does
not know is refused as well: the graph is of another release then, and the Job is run again,
by this one. What a task file says of a task is declared once, in ``api.task``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, with_config
from typing_extensions import Required

from kiro_swarm.api.common import STRICT, Model
from kiro_swarm.api.task import Paused, TaskFromFile, TaskId

#: Key of the ConfigMap that holds the packed graph, in its ``binaryData``.
GRAPH_KEY = "graph.json.gz"
#: Key, in its ``data``, of the names of the ConfigMaps with the rest of a long graph.
MORE_KEY = "more"


@with_config(STRICT)
class PublishedTask(TaskFromFile, total=False):
    """One leaf of the task file: of what its KiroTask is made."""

    id: Required[TaskId]
    paused: Paused


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

    def to_json(self) -> str:
        """The JSON that ``read_published`` reads."""
        return self.model_dump_json(by_alias=True, exclude_none=True)
