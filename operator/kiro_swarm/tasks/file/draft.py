"""A task while its file is read: what is known of it before anything is connected.

Made and filled by ``outline``; read by ``groups``, ``edges`` and ``parser``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional

from kiro_swarm.tasks.file.fields import Field
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import State


@dataclass
class Draft:
    """A task while the file is read."""

    id: str
    title: str
    state: State
    optional: bool
    line: int
    column: int
    offset: int
    indent: int
    enclosing: Optional[str]
    body: list[str] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)
    last_line: int = 0
    width: int = 1
    mark: str = "x"
    #: The word for the state where it is a word, else empty.
    word: str = ""
    parallel: bool = False
    #: What a label in front of the id says of its priority, or empty.
    priority: str = ""
    #: The title as it is written, where that is another text than the one that is compared.
    written: str = ""
    phases: tuple[str, ...] = ()
    criteria: list[str] = field(default_factory=list)
    #: Indentation of the line that says that criteria follow, and whether it is a bullet.
    heads_criteria: Optional[tuple[int, bool]] = None

    def add(self, line: Line) -> None:
        """One more line of its text, with its place kept relative to the task."""
        if self.body and line.number > self.last_line + 1:
            self.body.append("")
        self.body.append(" " * max(0, line.indent - self.indent - 2) + line.written)
        self.last_line = line.number
