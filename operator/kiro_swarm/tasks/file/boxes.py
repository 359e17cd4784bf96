"""One line -> a box: its mark, its id, its title. Knows nothing of other lines.

Used by ``outline``. What looks like an id and is none is said, never passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import State

#: What stands between the brackets, and what it says.
MARKS: Final[dict[str, State]] = {
    " ": "open",
    "x": "done",
    "X": "done",
    "-": "running",
    "~": "deferred",
}

# A formatter writes the optional star as `\*`.
_BOX: Final = re.compile(
    r"(?P<quote>(?:>[ \t]*)*)(?:[-*+]|[0-9]{1,9}[.)])[ \t]+"
    r"\[(?P<mark>[^\]\n]?)\](?P<star>[ \t]*\\?\*(?!\*))?(?P<rest>.*)",
    re.DOTALL,
)
_HEAD: Final = re.compile(
    r"(?P<open>\*\*|__|`|\[)?(?P<word>tasks?\s+)?(?P<token>[^\s]{1,80})", re.IGNORECASE
)
_CLOSING: Final = "*_`]"
# `1.1$(id)`, `1.2.x`, `9999999999.`: written as an id, but none.
_ATTEMPT: Final = re.compile(
    r"[0-9]+\.|[0-9][^\s]*[/\\;$`|&<>(){}'\"]|[A-Z]+-[0-9]+[^\w\s]"
)
# `99.9%`, `24/7`, `2.5GB`, `3.0.0-rc`: measures and versions, not meant as ids.
_MEASURE: Final = re.compile(
    r"(?:[0-9]+/[0-9]+|[0-9]+(?:[.,:][0-9]+)*"
    r"(?:[%‰°€$£]|/[a-zA-Z]{1,5}|[a-zA-Zµ]{2,8}|[-+][a-zA-Z]\w{0,15}))[.,;:)]?"
)
_PARALLEL: Final = re.compile(r"\A(?:\([Pp]\)|\[P\])\s*|\s*(?:\([Pp]\)|\[P\])\Z")
_COMMENT: Final = re.compile(r"\s*<!--(?P<text>.*?)-->")


@dataclass(frozen=True)
class Box:
    """A list item with a box. ``id`` is empty where the text after it names none."""

    mark: str
    offset: int
    column: int
    optional: bool
    quoted: bool
    id: str
    #: The id is set apart (``1.``, ``**T1**``, ``Task 1``) or has a dot: surely an id.
    certain: bool
    #: What stands where an id would, if it was meant as one and is not allowed.
    attempt: str
    title: str
    #: Carries the mark ``(P)``.
    parallel: bool
    #: What stands in HTML comments of the line.
    hidden: str


def read_box(line: Line) -> Optional[Box]:
    """The box that a line is, or None. The brackets may hold any one character."""
    match = _BOX.match(line.text) if "[" in line.text else None
    if match is None:
        return None
    rest = match.group("rest")
    if rest and not rest[0].isspace() and rest[0] in "([:":
        return None  # a link: `- [a](https://...)`
    at = match.start("mark")
    rest, hidden = _without_comments(rest)
    task_id, certain, attempt, title = read_head(rest.strip())
    plain = _PARALLEL.sub("", title) if "P" in title or "p)" in title else title
    if match.group("mark") not in MARKS and not (task_id and certain):
        return None
    return Box(
        mark=match.group("mark"),
        offset=line.offset + at,
        column=line.column + at,
        optional=match.group("star") is not None or _starred(rest, task_id),
        quoted=bool(match.group("quote")),
        id=task_id,
        certain=certain,
        attempt=attempt,
        title=plain,
        parallel=plain != title,
        hidden=hidden,
    )


def _without_comments(text: str) -> tuple[str, str]:
    if "<!--" not in text:
        return text, ""
    hidden = " ".join(match.group("text") for match in _COMMENT.finditer(text))
    return _COMMENT.sub("", text), hidden


def _starred(rest: str, task_id: str) -> bool:
    """Whether the star stands behind the id: ``- [ ] 1.4* Title``."""
    return bool(task_id) and rest.lstrip().startswith((f"{task_id}* ", f"{task_id}.* "))


def read_head(text: str) -> tuple[str, bool, str, str]:
    """(id, certain, attempt, title) of what follows a box, or of a heading."""
    head = _HEAD.match(text)
    if head is None:
        return "", False, "", text
    token = head.group("token")
    bare = token.rstrip(_CLOSING + ".:),")
    bare = bare or token
    rest = text[head.end() :].strip()
    if not is_id(bare):
        meant = _ATTEMPT.match(token) and not _MEASURE.fullmatch(token)
        attempt = token if meant else ""
        return "", False, attempt, text
    apart = bool(head.group("word")) or len(bare) < len(token)
    if bare.isdigit() and not apart:
        return "", False, "", text  # `3 retries`: a number, not a task
    opened = head.group("open")
    if opened in ("**", "__") and opened not in token:
        rest = rest.replace(opened, "", 1)  # `**2.1 Title**`
    if rest[:2] in ("- ", ": ") or rest[:2] in ("– ", "— "):
        rest = rest[2:].lstrip()
    return bare, apart or "." in bare, "", " ".join(rest.split())
