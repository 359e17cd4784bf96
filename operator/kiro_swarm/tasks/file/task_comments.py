"""Comments ``<!-- @task id="A-1" status="pending" -->``: tasks without a box.

Used by ``outline``. The state is the attribute ``status``; the title is the heading below
the comment; everything down to ``<!-- @endtask -->`` is text of the task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.tasks.file.composed import compose
from kiro_swarm.tasks.file.fields import Field
from kiro_swarm.tasks.file.ids import ALLOWED, is_id
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks, State
from kiro_swarm.tasks.file.names import Kind, kind_of

_ATTRIBUTE: Final = re.compile(
    r"(?P<name>[A-Za-z][\w-]{0,40})\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')"
)
_END: Final = re.compile(r"<!--\s*@end", re.IGNORECASE)
_STATES: Final[dict[str, State]] = {
    **dict.fromkeys(("", "pending", "open", "todo", "ready", "planned"), "open"),
    **dict.fromkeys(("new", "not started", "blocked", "queued"), "open"),
    **dict.fromkeys(("running", "in progress", "started", "active"), "running"),
    **dict.fromkeys(("done", "completed", "complete", "finished", "closed"), "done"),
    **dict.fromkeys(("deferred", "postponed", "skipped", "cancelled"), "deferred"),
}


@dataclass(frozen=True)
class TaskComment:
    """What a comment says. ``offset`` and ``width``: the value of its status."""

    id: str
    title: str
    state: State
    #: The word for the state, as it is written.
    word: str
    optional: bool
    offset: int
    width: int
    #: What to write there when the task is done; ``{}`` stands for the word.
    mark: str
    fields: tuple[Field, ...]
    #: Attributes that mean nothing to us, as lines of text.
    text: tuple[str, ...]


def ends_task(line: Line) -> bool:
    """Whether a comment is the end of a task."""
    return _END.match(line.text) is not None


def read_task_comment(line: Line, remarks: Remarks) -> Optional[TaskComment]:
    """The task that a comment starts; None, with a remark, when it cannot be one."""
    found = {
        match.group("name").lower(): match for match in _ATTRIBUTE.finditer(line.text)
    }
    values = {
        name: match.group("double") or match.group("single") or ""
        for name, match in found.items()
    }
    task_id = values.pop("id", "").strip()
    if not is_id(task_id):
        shown = task_id[:40].encode("unicode_escape").decode("ascii")
        _refuse(remarks, line, f"its id is '{shown}': {ALLOWED}")
        return None
    key = "status" if "status" in found or "state" not in found else "state"
    word = values.pop(key, "")
    state = _STATES.get(" ".join(re.split(r"[\s_-]+", word.strip().lower())))
    if state is None:
        known = ", ".join(sorted(filter(None, _STATES)))
        _refuse(remarks, line, f"its status '{word[:40]}' is none of {known}")
    mark, at = "{}", found.get(key)
    if at is None:
        mark, offset = f' {key}="{{}}"', found["id"].end()
    else:
        offset = at.start("double" if at.group("double") is not None else "single")
    return TaskComment(
        id=task_id,
        title=values.pop("title", "").strip(),
        state=state or "open",
        word=word,
        optional=values.pop("optional", "").lower() in ("true", "yes"),
        offset=line.offset + offset,
        width=len(word),
        mark=mark,
        fields=tuple(
            Field(kind, _compared(kind, value), True, line.number, line.column)
            for name, value in values.items()
            for kind in [kind_of(name)]
            if kind is not None
        ),
        text=tuple(
            f"{name}: {' '.join(value.split())}"
            for name, value in values.items()
            if kind_of(name) is None
        ),
    )


def _compared(kind: Kind, value: str) -> str:
    return compose(value).text if kind in ("depends", "blocks") else value


def _refuse(remarks: Remarks, line: Line, why: str) -> None:
    text = f"this comment cannot be read as a task: {why}"
    remarks.add("error", "bad-task-comment", line.number, text, line.column)
