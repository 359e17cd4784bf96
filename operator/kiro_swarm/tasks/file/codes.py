"""Every kind of remark about a task file: its stable code and what it means in a line.

Used by whoever adds a remark, so that a type check knows all codes, by the rules of
``report.sarif`` and by the test that compares them with the table in docs/task-files.md. A
code is never given another meaning: people silence and search by it.
"""

from __future__ import annotations

from typing import Final

from typing_extensions import Literal

Code = Literal[
    "bad-complexity",
    "bad-estimate",
    "bad-id",
    "bad-priority",
    "bad-task-comment",
    "bad-wave-graph",
    "box-without-id",
    "checklist-box",
    "comment-field",
    "cross-spec-dependency",
    "cut",
    "cycle",
    "dependency-text",
    "diagram",
    "duplicate-id",
    "looks-like-task",
    "no-tasks",
    "no-title",
    "not-in-waves",
    "odd-nesting",
    "orphan-field",
    "path-outside",
    "phase-as-group",
    "prose-dependency",
    "quoted-box",
    "second-wave-graph",
    "self-dependency",
    "sequential",
    "stale-group-tick",
    "task-in-two-waves",
    "too-large",
    "too-many-edges",
    "unclosed-block",
    "unclosed-task",
    "unknown-dependency",
    "unknown-in-waves",
    "unknown-mark",
    "unread-field",
    "unreadable-dependency",
    "wave-across-checkpoint",
]

#: Code -> what it says, in one line.
CODES: Final[dict[Code, str]] = {
    "bad-complexity": "A complexity that is no word or number of the scale.",
    "bad-estimate": "An estimate that cannot be read as a time.",
    "bad-id": "What stands where an id would is not allowed as one.",
    "bad-priority": "A priority that is no word or number of the scale.",
    "bad-task-comment": "A comment `@task` whose id or status cannot be read.",
    "bad-wave-graph": "The JSON of the wave graph cannot be read.",
    "box-without-id": "A box without an id, outside of a task, is not a task.",
    "checklist-box": "A box below the heading of a checklist is not a task.",
    "comment-field": "A field inside an HTML comment is not read.",
    "cross-spec-dependency": "A task waits for one of another spec, so it is paused.",
    "cut": "The text of a task is longer than a KiroTask can carry.",
    "cycle": "Tasks wait for each other in a circle.",
    "dependency-text": "Words among dependencies that name no task.",
    "diagram": "A drawing, a block or a section that orders tasks is not read.",
    "duplicate-id": "Two boxes have the same id.",
    "looks-like-task": "A line looks like a task, but has no box that can be read.",
    "no-tasks": "The file has no task.",
    "no-title": "A task has no title.",
    "not-in-waves": "A task is in no wave of the wave graph.",
    "odd-nesting": "A task is written inside another than its number says.",
    "orphan-field": "A field outside of every task belongs to nobody.",
    "path-outside": "A file of a task lies outside of the repository.",
    "phase-as-group": "A phase without a heading was read as the group of its number.",
    "prose-dependency": "A dependency in the words of a task is not read as one.",
    "quoted-box": "A box inside a quotation or a code block is not a task.",
    "second-wave-graph": "The file has more than one wave graph.",
    "self-dependency": "A task waits for itself or for a part of itself.",
    "sequential": "Without dependencies and waves, tasks run one after another.",
    "stale-group-tick": "A group is ticked though one of its sub-tasks is not.",
    "task-in-two-waves": "The wave graph names a task twice.",
    "too-large": "More tasks, or more text in them together, than can be carried.",
    "too-many-edges": "More dependencies than can be carried.",
    "unclosed-block": "A code block or a comment has no end.",
    "unclosed-task": "A comment `@task` has no `@endtask`.",
    "unknown-dependency": "A dependency names a task that is not defined.",
    "unknown-in-waves": "The wave graph names a task that is not defined.",
    "unknown-mark": "A box holds another mark than the four that are known.",
    "unread-field": "A field that names tasks, of a name that is not known.",
    "unreadable-dependency": "A dependency that cannot be understood.",
    "wave-across-checkpoint": "A wave contradicts a checkpoint; the checkpoint decides.",
}
