"""Arrows between task ids, in a drawing or in prose: not read, but never passed over.

Used by ``parser``. A mermaid or ASCII graph beside the tasks often contradicts them, so it
is no source of edges; whoever drew it is told so, once a drawing.
"""

from __future__ import annotations

import re
from typing import Final

from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks

_ARROW: Final = re.compile(
    rf"(?<![\w.-])(?P<from>{PATTERN})(?:\[[^\]\n]{{0,80}}\]|\([^)\n]{{0,80}}\))?"
    rf"\s{{0,4}}(?:-{{1,4}}>|=+>|→|⟶)\s{{0,4}}(?P<to>{PATTERN})(?![\w-])"
)


def report_diagrams(lines: list[Line], groups: Groups, remarks: Remarks) -> None:
    """One remark for each run of lines in which an arrow joins two tasks."""
    before = -1
    for line in lines:
        if ">" not in line.text and "→" not in line.text and "⟶" not in line.text:
            continue
        if line.number <= before + 1:
            before = line.number
            continue
        for match in _ARROW.finditer(line.text):
            names = match.group("from"), match.group("to")
            if any(groups.members(name) is None for name in names):
                continue
            before = line.number
            remarks.add(
                "warning",
                "diagram",
                line.number,
                f"the arrow from {names[0]} to {names[1]} is not read; write "
                f"'_Depends: {names[0]}_' at task {names[1]} to make it a dependency",
                line.column + match.start(),
            )
            break
