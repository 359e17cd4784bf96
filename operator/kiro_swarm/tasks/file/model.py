"""What a task file says: tasks, and everything that is wrong with it.

Made by ``parser.parse``; read by ``wire`` and by whoever shows problems to people.
Guarantees: tasks are in file order, ids are unique, every id in ``dependencies`` and
``implied`` is the id of a leaf of the same file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal, Optional

from kiro_swarm.api.graph import MAX_MESSAGE
from kiro_swarm.tasks.file.codes import Code

State = Literal["open", "running", "done", "deferred"]
Severity = Literal["error", "warning", "info"]
Complexity = Literal["Low", "Medium", "High"]

#: Of one kind of problem at most so many are kept; the rest is one line with a number.
MAX_PER_CODE: Final = 50


@dataclass(frozen=True)
class Diagnostic:
    """One remark about a file. ``line`` and ``column`` count from 1, in characters."""

    severity: Severity
    code: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass(frozen=True)
class SpecTask:
    """One box of a task file.

    A *leaf* is the unit of work; a task with sub-tasks is a group and is never worked
    on itself. ``dependencies`` are the edges that the file writes (with groups replaced
    by their leaves), ``implied`` those that follow from positions: checkpoints, the
    sequence of a file without edges, and bridges over tasks that may be skipped.
    """

    id: str
    title: str
    description: str
    state: State
    optional: bool
    leaf: bool
    checkpoint: bool
    parent: Optional[str]
    dependencies: tuple[str, ...]
    implied: tuple[str, ...]
    requirements: tuple[str, ...]
    files: tuple[str, ...]
    boundary: tuple[str, ...]
    estimate_seconds: Optional[int]
    line: int
    column: int
    #: Characters from the start of the text to the mark: what the brackets of the box
    #: hold, or the status of a comment `@task`.
    offset: int
    #: Characters of the mark, 1 for a box, and what stands there when the task is done.
    width: int = 1
    ticked_mark: str = "x"
    #: Carries the mark ``(P)``: may run beside its neighbours.
    parallel: bool = False
    #: Dependencies on other specs, as they are written.
    external: tuple[str, ...] = ()
    priority: int = 0
    complexity: Optional[Complexity] = None
    capabilities: tuple[str, ...] = ()
    acceptance_criteria: tuple[str, ...] = ()

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Ids of all leaves that must be merged first."""
        written = set(self.dependencies)
        return self.dependencies + tuple(i for i in self.implied if i not in written)


@dataclass(frozen=True)
class TaskFile:
    """A parsed file. With ``errors`` its graph must not be used."""

    tasks: tuple[SpecTask, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The remarks that make the file unusable."""
        return tuple(d for d in self.diagnostics if d.severity == "error")

    @property
    def leaves(self) -> tuple[SpecTask, ...]:
        """The units of work, in file order."""
        return tuple(task for task in self.tasks if task.leaf)


class Remarks:
    """Collects diagnostics while a file is read; bounded for hostile files."""

    def __init__(self) -> None:
        self._kept: list[Diagnostic] = []
        self._count: Counter[tuple[Severity, str]] = Counter()

    def add(
        self, severity: Severity, code: Code, line: int, message: str, column: int = 1
    ) -> None:
        """Keep one remark, unless there are many of its kind already."""
        self._count[(severity, code)] += 1
        if self._count[(severity, code)] <= MAX_PER_CODE:
            short = message[:MAX_MESSAGE]
            self._kept.append(Diagnostic(severity, code, line, column, short))

    def sorted(self) -> tuple[Diagnostic, ...]:
        """All remarks by position, and how many of which kind were left out."""
        kept = list(self._kept)
        for (severity, code), count in self._count.items():
            if count > MAX_PER_CODE:
                last = [d for d in self._kept if d.code == code][-1]
                text = f"... and {count - MAX_PER_CODE} more of the kind {code}"
                kept.append(Diagnostic(severity, code, last.line, last.column, text))
        return tuple(sorted(kept, key=lambda d: (d.line, d.column)))
