"""The wave graph of a Kiro task file: the JSON block with ``"waves"``.

Used by ``edges``. Read in every shape met: objects with ``id`` or ``wave``, bare lists,
``depends_on`` between waves, before or after the tasks, numbers for strings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.api.bounded_json import check_json
from kiro_swarm.tasks.file.ids import PATTERN
from kiro_swarm.tasks.file.lines import Block, Document, Line
from kiro_swarm.tasks.file.model import Remarks

MAX_WAVES: Final = 5000
_DEEPEST: Final = 16
_MOST_VALUES: Final = 500_000


@dataclass(frozen=True)
class Wave:
    """Tasks that may run side by side. ``after``: indices of earlier waves, if given."""

    tasks: tuple[str, ...]
    after: Optional[tuple[int, ...]]


@dataclass(frozen=True)
class Waves:
    """A wave graph and where its block starts."""

    line: int
    waves: tuple[Wave, ...]


_ENTRY: Final = re.compile(rf"(?:tasks?\s+)?({PATTERN})(?:[.:)\s].*)?", re.I | re.S)
_TASKS: Final = ("tasks", "taskIds", "task_ids", "ids", "items")
_AFTER: Final = ("depends_on", "dependsOn", "dependencies", "after")


def read_waves(document: Document, remarks: Remarks) -> Optional[Waves]:
    """The wave graph of a file, or None. Problems become remarks at the block."""
    found: Optional[Waves] = None
    blocks = document.blocks
    if not any('"waves"' in line.text for block in blocks for line in block.lines):
        blocks = _loose(document.lines)
    for block in blocks:
        text = block.text
        if '"waves"' not in text:
            continue
        if found is not None:
            remarks.add(
                "error",
                "second-wave-graph",
                block.line,
                f"there is a wave graph at line {found.line} already; keep one",
            )
            continue
        try:
            found = Waves(block.line, _decode(text))
        except (ValueError, RecursionError) as problem:
            where = problem.lineno if isinstance(problem, json.JSONDecodeError) else 0
            at = block.lines[where - 1].number if where else block.line
            remarks.add(
                "error", "bad-wave-graph", at, f"cannot read the wave graph: {problem}"
            )
            found = Waves(block.line, ())
    return found


def _loose(lines: list[Line]) -> list[Block]:
    """The JSON of a wave graph that stands in the text without a fence, if any."""
    key = next((n for n, x in enumerate(lines) if '"waves"' in x.text), None)
    if key is None:
        return []
    start = next(
        (n for n in range(key, max(-1, key - 4), -1) if lines[n].text.startswith("{")),
        None,
    )
    if start is None:
        return []
    block = Block(lines[start].number, "json", [])
    depth = 0
    for line in lines[start:]:
        block.lines.append(line)
        depth += line.text.count("{") - line.text.count("}")
        if depth <= 0 or line.text.startswith("#"):
            break
    return [block]


def _decode(text: str) -> tuple[Wave, ...]:
    # Numbers stay as written: 1.10 is the id of a task, and no digits are too many.
    check_json(text, depth=_DEEPEST, values=_MOST_VALUES)
    data = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    entries = data.get("waves") if isinstance(data, dict) else None
    if isinstance(entries, dict):  # {"1": ["1.1"], "2": [...]}
        entries = [_named(name, entry) for name, entry in entries.items()]
    if not isinstance(entries, list):
        raise ValueError('"waves" must be a list of waves')
    if len(entries) > MAX_WAVES:
        raise ValueError(f"more than {MAX_WAVES} waves")
    names = [_name(entry, index) for index, entry in enumerate(entries)]
    if len(set(names)) < len(names):
        raise ValueError("two waves have the same id")
    # The number of a wave says when it runs, whatever the order in the list.
    order = list(range(len(entries)))
    if all(name.isdigit() for name in names):
        order.sort(key=lambda index: (len(names[index].lstrip("0")), names[index]))
    place = {names[index]: position for position, index in enumerate(order)}
    return tuple(_wave(entries[index], place) for index in order)


def _named(name: str, entry: object) -> dict[str, object]:
    return {"id": name, **(entry if isinstance(entry, dict) else {"tasks": entry})}


def _name(entry: object, index: int) -> str:
    if isinstance(entry, dict):
        for key in ("id", "wave", "name"):
            if isinstance(entry.get(key), str):
                return str(entry[key])
    return str(index)


def _wave(entry: object, place: dict[str, int]) -> Wave:
    if isinstance(entry, dict):
        tasks = next((entry[key] for key in _TASKS if key in entry), None)
        after = next((entry[key] for key in _AFTER if key in entry), None)
    else:
        tasks, after = entry, None
    if not isinstance(tasks, list):
        raise ValueError("a wave must be a list of task ids or have a list 'tasks'")
    if after is None:
        return Wave(tuple(map(_task, tasks)), None)
    if isinstance(after, str):
        after = [after]
    if not isinstance(after, list):
        raise ValueError("'depends_on' of a wave must be a list of waves")
    for name in after:
        if not isinstance(name, str) or name not in place:
            raise ValueError(f"'depends_on' names wave {str(name)[:40]}, which is none")
    return Wave(tuple(map(_task, tasks)), tuple(place[name] for name in after))


def _task(entry: object) -> str:
    """The id that an entry is or begins with (``Task 1.1: Title``), else its text."""
    if isinstance(entry, dict):
        entry = entry.get("id", entry.get("task"))
    if not isinstance(entry, str):
        raise ValueError("a task in a wave must be an id")
    match = _ENTRY.fullmatch(entry.strip())
    return match.group(1) if match else entry.strip().rstrip(".")
