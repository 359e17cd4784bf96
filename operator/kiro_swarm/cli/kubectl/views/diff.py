"""``kubectl swarm diff TASK``: a unified diff in colours under a summary by file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kiro_swarm.cli.kubectl.views.grid import Cell, Grid, Lines, Part
from kiro_swarm.cli.kubectl.views.text import clean, clean_lines, plural

_HUNK: Final = re.compile(r"@@ -[0-9]+(?:,([0-9]+))? \+[0-9]+(?:,([0-9]+))? @@")
_GIT: Final = re.compile(r'diff --git "?a/(.*?)"? "?b/(.*?)"?\Z')
_BAR: Final = 24


@dataclass
class Change:
    """What a diff does to one file."""

    path: str
    added: int = 0
    removed: int = 0
    binary: bool = False


def diff_text(text: str) -> Lines:
    """The whole diff; long lines are wrapped by the terminal and never cut."""
    changes: list[Change] = []
    body: list[Cell] = []
    old = new = 0  # lines that the current hunk still has
    for line in clean_lines(text.rstrip("\n")):
        sign = line[:1]
        if (old > 0 or new > 0) and sign in ("", " ", "+", "-", "\\"):
            old -= sign in (" ", "-", "")
            new -= sign in (" ", "+", "")
            body.append(_hunk_line(line, changes))
            continue
        old = new = 0
        hunk = _HUNK.match(line)
        if hunk:
            old, new = int(hunk.group(1) or 1), int(hunk.group(2) or 1)
            at = hunk.end()
            body.append([(line[:at], "cyan"), (line[at:], "dim")])
            continue
        _file_line(line, changes)
        style = "bold" if line.startswith(("diff ", "--- ", "+++ ")) else "dim"
        body.append([(line, style)])
    if not text.strip():
        return Lines([[("no changes", "dim")]])
    return Lines([*_summary(changes), "", *body], whole=True)


def _hunk_line(line: str, changes: list[Change]) -> Cell:
    if line.startswith("+"):
        if changes:
            changes[-1].added += 1
        return [(line, "green")]
    if line.startswith("-"):
        if changes:
            changes[-1].removed += 1
        return [(line, "red")]
    return [(line, "dim" if line.startswith("\\") else "")]


def _file_line(line: str, changes: list[Change]) -> None:
    found = _GIT.match(line)
    if found:
        changes.append(Change(clean(found.group(2), 512)))
    elif line.startswith("--- ") and (not changes or _counted(changes[-1])):
        changes.append(Change(clean(line[4:].split("\t")[0], 512)))
    elif line.startswith("+++ ") and changes and line != "+++ /dev/null":
        path = clean(line[4:].split("\t")[0], 512)
        changes[-1].path = path[2:] if path.startswith("b/") else path
    elif line.startswith(("Binary files ", "GIT binary patch")) and changes:
        changes[-1].binary = True


def _counted(change: Change) -> bool:
    """Whether the hunks of this file have begun: the next head is of another."""
    return bool(change.added or change.removed)


def _summary(changes: list[Change]) -> list[list[Part]]:
    most = max((change.added + change.removed for change in changes), default=0)
    rows: list[list[Cell]] = []
    for change in changes:
        total = change.added + change.removed
        scale = min(1.0, _BAR / most) if most else 0.0
        plus, minus = (_length(n, scale) for n in (change.added, change.removed))
        count = "binary" if change.binary else str(total)
        rows.append([change.path, count, [("+" * plus, "green"), ("-" * minus, "red")]])
    added = sum(change.added for change in changes)
    removed = sum(change.removed for change in changes)
    total_line: list[Part] = [
        (f"{plural(len(changes), 'file')} changed, ", "bold"),
        (f"+{added}", "green"),
        (" ", ""),
        (f"-{removed}", "red"),
    ]
    if not rows:
        return [total_line]
    return [*Grid(["", "", ""], rows, right=[1]).lines(), total_line]


def _length(count: int, scale: float) -> int:
    return max(1, round(count * scale)) if count else 0
