"""What the next attempt must know, in words, and how git's trial merge is read.

Role: the merge train writes its verdicts with these. Pure.

Guarantees: a brief has at most 8 KiB (UTF-8) and says what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAXIMUM_BYTES = 8 * 1024
#: Of more files in conflict than these a brief says only how many there are.
FILES = 20
_CONTEXT_LINES = 60
_NAME = 120
_ADVICE = (
    "What to do: your new worktree begins at the integration branch as it is now, with the"
    " work of the others in it. Bring your idea to that state; change only what your task"
    " needs."
)


@dataclass(frozen=True)
class TrialMerge:
    """The answer of ``git merge-tree --write-tree -z --name-only``.

    ``remark``: what a person should know of how it was merged.
    """

    tree: str
    conflicts: Sequence[str]
    messages: Sequence[str]
    remark: str = ""


def read_trial(stdout: bytes) -> TrialMerge:
    """Tree id, files in conflict, git's remarks on them."""
    fields = stdout.decode("utf-8", "replace").split("\0")
    end = fields.index("", 1) if "" in fields[1:] else len(fields)
    remarks = (text.strip() for text in fields[end:])
    return TrialMerge(
        tree=fields[0].strip(),
        conflicts=tuple(dict.fromkeys(fields[1:end])),
        messages=tuple(r for r in remarks if r.startswith("CONFLICT") and ": " in r),
    )


def conflict_hunks(text: str) -> str:
    """The parts of a file that are between conflict markers, with line numbers."""
    shown: list[str] = []
    inside = False
    for number, ended in enumerate(text.split("\n"), start=1):
        line = ended.rstrip("\r")
        if line.startswith("<<<<<<< "):
            inside = True
            shown.append(f"@@ line {number} @@")
        if inside:
            shown.append(line)
        if line.startswith(">>>>>>> "):
            inside = False
    if len(shown) > _CONTEXT_LINES:
        shown = [
            *shown[:_CONTEXT_LINES],
            f"... {len(shown) - _CONTEXT_LINES} more lines",
        ]
    return "\n".join(shown)


def conflict_brief(
    branch: str,
    head: str,
    messages: Sequence[str],
    files: Sequence[str],
    hunks: Mapping[str, str],
) -> str:
    """Why the branch does not merge: file by file, with both sides of each hunk.

    :param files: those in conflict; ``hunks``: of the first ``FILES`` of them.
    """
    text = [
        f"Branch {branch} conflicts with the integration branch at {head[:12]}"
        f" in {len(files)} file(s): {', '.join(files[:FILES])}.",
        _ADVICE,
        *messages[:FILES],
    ]
    text += [f"--- {path}\n{hunk}" for path, hunk in hunks.items() if hunk]
    return bounded("\n".join(text))


def gate_brief(branch: str, head: str, gate: str, output: str) -> str:
    """What a gate said about the merged result; the end of its output is kept."""
    opening = (
        f"Gate {gate!r} failed on branch {branch} merged with the integration branch at"
        f" {head[:12]}. {_ADVICE}\nThe end of its output:\n"
    )
    room = MAXIMUM_BYTES - len(opening.encode("utf-8", "replace"))
    tail = output.encode("utf-8", "replace")[-room:].decode("utf-8", "ignore")
    return opening + tail


def bounded(text: str) -> str:
    """The text cut to the limit, never inside a character."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAXIMUM_BYTES:
        return data.decode("utf-8")
    note = "\n... (cut)"
    return data[: MAXIMUM_BYTES - len(note)].decode("utf-8", "ignore") + note


def shown_name(name: str) -> str:
    """A name that somebody else has made, in one printable line of 120 signs at most."""
    shown = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in name)
    return shown if len(shown) <= _NAME else f"{shown[: _NAME - 3]}..."
