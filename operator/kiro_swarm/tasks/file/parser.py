"""Text of a ``tasks.md`` -> tasks and remarks.

Called by the prepare Job, by ``edit`` and by ``kiro-swarm tasks``. Never raises on any text,
never breaks a cycle, never takes an unknown dependency for a met one: what cannot be read
is a diagnostic with line and column. Takes time in proportion to the length of the text.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

from kiro_swarm.tasks.file.boxes import read_box
from kiro_swarm.tasks.file.commented import report_comments
from kiro_swarm.tasks.file.details import Details, read_details
from kiro_swarm.tasks.file.diagrams import Diagrams
from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import TASK_COMMENT, Document, clean, read_lines
from kiro_swarm.tasks.file.looks import report_looks
from kiro_swarm.tasks.file.model import Diagnostic, Remarks, SpecTask, TaskFile
from kiro_swarm.tasks.file.named_sections import report_sections
from kiro_swarm.tasks.file.near_fields import report_near_fields
from kiro_swarm.tasks.file.outline import Outline
from kiro_swarm.tasks.file.prose import report_prose
from kiro_swarm.tasks.file.texts import report_sizes
from kiro_swarm.tasks.file.unseen import report_unseen, shown
from kiro_swarm.tasks.file.waves import read_waves


def parse(text: str) -> TaskFile:
    """Read a Kiro task file. Line and column of everything count from 1."""
    remarks = Remarks()
    document = read_lines(clean(text))
    outline = Outline(remarks)
    groups = Groups(outline.read(document.lines))
    _report_structure(document, outline, groups, remarks)
    edges = Edges(groups, remarks)
    waves = read_waves(document, remarks)
    edges.connect(waves)
    report_looks(document.lines, groups, remarks)
    report_comments(document.comments, groups, remarks)
    told = report_near_fields(document.lines, outline.owners, groups, remarks)
    told = report_prose(document, outline.owners, groups, edges, remarks, told)
    told |= report_sections(document.lines, groups, edges, remarks, told)
    of_tasks = {*outline.owners, *(draft.line for draft in groups.drafts.values())}
    Diagrams(document, groups, edges, remarks).report(
        of_tasks, told, sections=waves is None
    )
    tasks = _tasks(groups, edges, remarks)
    report_sizes(tasks, remarks)
    for draft in groups.drafts.values():
        report_unseen(draft, remarks)
    return TaskFile(tasks, _as_written(document, remarks.sorted()))


def _as_written(
    document: Document, found: tuple[Diagnostic, ...]
) -> tuple[Diagnostic, ...]:
    """The remarks with their places in the file."""
    hidden = chain(*(comment.lines for comment in document.comments))
    lines = {line.number: line for line in chain(document.lines, hidden) if line.cuts}
    if not lines:
        return found
    return tuple(
        (
            replace(
                remark, column=line.column + line.place(remark.column - line.column)
            )
            if (line := lines.get(remark.line)) and remark.column > line.column
            else remark
        )
        for remark in found
    )


def _tasks(groups: Groups, edges: Edges, remarks: Remarks) -> tuple[SpecTask, ...]:
    drafts = groups.drafts.values()
    details = {draft.id: read_details(draft, remarks) for draft in drafts}
    written = _by_id(groups, edges.written)
    implied = _by_id(groups, edges.implied)
    done = _word_for_done(groups)
    return tuple(
        SpecTask(
            id=draft.id,
            title=shown(draft.written or draft.title),
            description="\n".join(draft.body),
            state=draft.state,
            optional=draft.optional,
            leaf=groups.is_leaf(draft.id),
            checkpoint=groups.is_checkpoint(draft),
            parent=groups.parent(draft),
            dependencies=written.get(draft.id, ()),
            implied=implied.get(draft.id, ()),
            requirements=found.requirements,
            files=found.files,
            boundary=found.boundary,
            estimate_seconds=found.estimate_seconds,
            line=draft.line,
            column=draft.column,
            offset=draft.offset,
            width=draft.width,
            ticked_mark=draft.mark.replace("{}", done),
            parallel=draft.parallel,
            external=edges.external(draft),
            priority=priority,
            complexity=found.complexity,
            capabilities=capabilities,
            acceptance_criteria=found.acceptance_criteria,
        )
        for draft, found in zip(drafts, details.values())
        for priority, capabilities in [_inherited(draft, groups, details)]
    )


def _inherited(
    draft: Draft, groups: Groups, details: dict[str, Details]
) -> tuple[int, tuple[str, ...]]:
    """Priority and capabilities of a task.

    The priority is its own, else that of the nearest group that has one; capabilities are
    its own and those of its groups.
    """
    owners = [details[owner.id] for owner in groups.with_groups(draft)]
    priorities = (owner.priority for owner in owners if owner.priority is not None)
    capabilities = dict.fromkeys(
        name for owner in owners for name in owner.capabilities
    )
    return next(priorities, 0), tuple(capabilities)


def _word_for_done(groups: Groups) -> str:
    """What comments of this file call a task that is done."""
    words = (d.word for d in groups.drafts.values() if d.word and d.state == "done")
    return next(words, "done")


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
        hidden = sum(
            1 for line in block.lines if read_box(line) or TASK_COMMENT.match(line.text)
        )
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
    outline.boxes.report(set(groups.names()) | set(groups.drafts), remarks)
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
