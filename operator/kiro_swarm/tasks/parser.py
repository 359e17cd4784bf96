"""Text of a ``tasks.md`` -> tasks and remarks.

Called by the prepare Job and by ``edit``. Never raises on any text, never breaks a cycle,
never takes an unknown dependency for a met one: what cannot be read is a diagnostic with
line and column. Takes time in proportion to the length of the text.
"""

from __future__ import annotations

from typing import Optional

from kiro_swarm.tasks import fields
from kiro_swarm.tasks.boxes import read_box
from kiro_swarm.tasks.edges import Edges
from kiro_swarm.tasks.groups import Groups
from kiro_swarm.tasks.lines import Document, clean, read_lines
from kiro_swarm.tasks.model import Remarks, SpecTask, TaskFile
from kiro_swarm.tasks.outline import Draft, Outline
from kiro_swarm.tasks.waves import read_waves


def parse(text: str) -> TaskFile:
    """Read a Kiro task file. Line and column of everything count from 1."""
    remarks = Remarks()
    document = read_lines(clean(text))
    outline = Outline(remarks)
    drafts = outline.read(document.lines)
    groups = Groups(drafts)
    _report_structure(document, outline, groups, remarks)
    edges = Edges(groups, remarks)
    edges.connect(read_waves(document.blocks, remarks))
    written = _by_id(groups, edges.written)
    implied = _by_id(groups, edges.implied)
    tasks = tuple(
        _task(draft, groups, written, implied, remarks)
        for draft in groups.drafts.values()
    )
    return TaskFile(tasks, remarks.sorted())


def _by_id(groups: Groups, edges: list[set[int]]) -> dict[str, tuple[str, ...]]:
    leaves = groups.leaves
    return {
        leaf.id: tuple(leaves[needed].id for needed in sorted(edges[index]))
        for index, leaf in enumerate(leaves)
    }


def _report_structure(
    document: Document, outline: Outline, groups: Groups, remarks: Remarks
) -> None:
    if document.unclosed is not None:
        block = document.unclosed
        hidden = sum(1 for line in block.lines if read_box(line))
        remarks.add(
            "error" if hidden else "warning",
            "unclosed-block",
            block.line,
            f"the code block or comment that starts here has no end; {hidden} boxes "
            "below it are not read",
        )
    for line, column, first in outline.duplicates:
        # Sub-tasks decide about a group, so a second box of it changes nothing.
        harmless = groups.is_group(first.id)
        remarks.add(
            "warning" if harmless else "error",
            "duplicate-id",
            line,
            f"task id {first.id} is already defined at line {first.line}",
            column,
        )
    if not outline.drafts:
        remarks.add(
            "error",
            "no-tasks",
            1,
            "there is no task in this file; a task is a line such as '- [ ] 1. Title'",
        )
    stale: set[str] = set()
    for leaf in groups.leaves:
        for group in groups.with_groups(leaf)[1:]:
            wrong = group.state == "done" and leaf.state != "done"
            if wrong and group.id not in stale:
                stale.add(group.id)
                remarks.add(
                    "info",
                    "stale-group-tick",
                    group.line,
                    f"task {group.id} is ticked but {leaf.id} (line {leaf.line}) "
                    "is not; the sub-tasks decide",
                    group.column,
                )


def _task(
    draft: Draft,
    groups: Groups,
    written: dict[str, tuple[str, ...]],
    implied: dict[str, tuple[str, ...]],
    remarks: Remarks,
) -> SpecTask:
    values = _values(draft, remarks)
    return SpecTask(
        id=draft.id,
        title=draft.title,
        description="\n".join(draft.body),
        state=draft.state,
        optional=draft.optional,
        leaf=groups.is_leaf(draft.id),
        checkpoint=groups.is_checkpoint(draft),
        parent=groups.parent(draft),
        dependencies=written.get(draft.id, ()),
        implied=implied.get(draft.id, ()),
        requirements=tuple(dict.fromkeys(values["requirements"])),
        files=tuple(dict.fromkeys(values["files"])),
        boundary=tuple(dict.fromkeys(values["boundary"])),
        estimate_seconds=_estimate(draft, remarks),
        line=draft.line,
        column=draft.column,
        offset=draft.offset,
    )


def _values(draft: Draft, remarks: Remarks) -> dict[str, list[str]]:
    """The lists that a task's fields give; problems become remarks."""
    values: dict[str, list[str]] = {"requirements": [], "files": [], "boundary": []}
    for entry in draft.fields:
        if entry.kind == "requirements":
            values["requirements"] += fields.read_requirements(entry.value)
        elif entry.kind == "boundary":
            values["boundary"] += fields.read_names(entry.value)
        elif entry.kind == "files":
            for path in fields.read_names(entry.value):
                inside = fields.inside_repository(path)
                if inside is not None:
                    values["files"].append(inside)
                    continue
                remarks.add(
                    "warning",
                    "path-outside",
                    entry.line,
                    f"the file '{path[:80]}' of task {draft.id} is outside the "
                    "repository; write a path relative to its root",
                    entry.column,
                )
        elif entry.kind == "blocks":
            remarks.add(
                "error",
                "unsupported-field",
                entry.line,
                f"'Blocks' of task {draft.id} is not read; write '_Depends: {draft.id}_' "
                "at the tasks that it blocks",
                entry.column,
            )
    return values


def _estimate(draft: Draft, remarks: Remarks) -> Optional[int]:
    for entry in draft.fields:
        if entry.kind == "estimate":
            seconds = fields.read_seconds(entry.value)
            if seconds is not None:
                return seconds
            remarks.add(
                "warning",
                "bad-estimate",
                entry.line,
                f"cannot read the estimate '{entry.value[:40]}' of task {draft.id}; "
                "write it as '30min', '1h 30min' or '90s'",
                entry.column,
            )
    return None
