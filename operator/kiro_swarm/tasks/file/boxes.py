"""One line -> a box: its mark, its id, its title. Knows nothing of other lines.

Used by ``outline``. What looks like an id and is none is said, never passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.tasks.file.ids import PATTERN, is_id
from kiro_swarm.tasks.file.labels import is_priority, read_labels
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import State

#: What stands between the brackets, and what it says.
MARKS: Final[dict[str, State]] = {
    "": "open",
    "x": "done",
    "X": "done",
    "-": "running",
    "~": "deferred",
    **dict.fromkeys("✓✔☑✅√ｘＸ", "done"),
}

#: Blanks of all kinds and what cannot be seen, in a box.
_BLANK: Final = " \t\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufe0e\ufe0f\ufeff"
_UNSEEN: Final = re.compile(f"[{_BLANK}]+")
# A formatter writes the optional star as `\*`. Without a bullet, or with one that Markdown
# does not know, it is a box all the same where a task follows: see ``read_box``.
_BOX: Final = re.compile(
    r"(?P<quote>(?:>[ \t]*)*)(?:[-*+][ \t]+(?=[-*+]))?"
    rf"(?P<bullet>[-*+](?P<gap>[{_BLANK}]*)|[0-9]{{1,9}}[.)][{_BLANK}]+|[•·‣◦–—－][{_BLANK}]*)?"
    rf"[\[［](?P<mark>[{_BLANK}]{{0,8}}[^\]］\[\n]?[{_BLANK}]{{0,8}})[\]］]"
    r"(?P<star>[ \t]*\\?\*(?!\*))?(?P<rest>.*)",
    re.DOTALL,
)
_BULLETS: Final = "-*+0123456789"
_HEAD: Final = re.compile(
    r"(?P<open>\*\*|__|~~|`|[\[(#【])?"
    r"(?P<word>(?:tasks?|aufgabe|tarea|tarefa|tâche|compito|taak|задача)\s+"
    r"|(?:任务|任務|タスク|작업|태스크)\s*)?(?P<token>[^\s]{1,80})",
    re.IGNORECASE,
)
_CLOSING: Final = "*_`]~】"
#: `1.1、Title`: what ends an id where no blank is written after it.
_GLUED: Final = re.compile(rf"(?P<id>{PATTERN})(?:[、。]|[:：](?=[^\W\d]))")
#: Digits and signs of double width are read as those of the keyboard.
_NARROW: Final = {
    **{0xFF10 + digit: 0x30 + digit for digit in range(10)},
    **{ord(wide): ord(plain) for wide, plain in zip("．（）：＃，", ".():#,")},
}
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
    #: Characters between the brackets.
    width: int
    #: The priority that a label in front of the id says, or empty.
    priority: str


def read_box(line: Line) -> Optional[Box]:
    """The box that a line is, or None. The brackets may hold any one character."""
    match = _BOX.match(line.text) if "[" in line.text or "［" in line.text else None
    if match is None:
        return None
    rest = match.group("rest")
    if rest and not rest[0].isspace() and rest[0] in "([:":
        return None  # a link: `- [a](https://...)`
    at = match.start("mark")
    rest, hidden = _without_comments(rest)
    (task_id, certain, attempt, title), priority = _read_labelled(rest.strip())
    plain = _PARALLEL.sub("", title) if "P" in title or "p)" in title else title
    mark = _UNSEEN.sub("", match.group("mark"))
    bullet = match.group("bullet") or ""
    usual = bullet[:1] in _BULLETS and bool(bullet) and match.group("gap") != ""
    if not (usual and mark in MARKS) and not (task_id and certain):
        return None
    if not bullet and mark not in MARKS:
        return None  # `[1] 2.1 ...`: a footnote
    return Box(
        mark=mark,
        offset=line.offset + line.place(at),
        column=line.column + at,
        optional=match.group("star") is not None or _starred(rest, task_id),
        quoted=bool(match.group("quote")),
        id=task_id,
        certain=certain,
        attempt=attempt,
        title=plain,
        parallel=plain != title,
        hidden=hidden,
        width=line.place(match.end("mark")) - line.place(at),
        priority=priority,
    )


def _read_labelled(text: str) -> tuple[tuple[str, bool, str, str], str]:
    """What ``read_head`` says behind the labels of a text, and their priority."""
    labels = read_labels(text)
    if labels.rest != text:
        task_id, certain, attempt, title = read_head(labels.rest)
        if task_id or attempt:
            return (task_id, certain, attempt, f"{labels.kept}{title}"), labels.priority
        if is_priority(text):
            return ("", False, "", text), ""
    return read_head(text), ""


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
    # As long as it was: what is found in one has its place in the other.
    head = _HEAD.match(text[:100].translate(_NARROW))
    if head is None:
        return "", False, "", text
    token = head.group("token")
    glued = _GLUED.match(token)
    if glued and is_id(glued.group("id")):
        rest = text[head.start("token") + glued.end() :].strip()
        return glued.group("id"), True, "", " ".join(rest.split())
    bare = token.rstrip(_CLOSING + ".:),")
    bare = bare or token
    rest = text[head.end() :].strip()
    if not is_id(bare):
        meant = _ATTEMPT.match(token) and not _MEASURE.fullmatch(token)
        attempt = token if meant else ""
        return "", False, attempt, text
    apart = bool(head.group("word")) or len(bare) < len(token)
    opened = head.group("open")
    if bare.isdigit() and (not apart or opened in ("(", "#")):
        return "", False, "", text  # `3 retries`, `(1) first`, `#7`: no task
    if opened in ("**", "__") and opened not in token:
        rest = rest.replace(opened, "", 1)  # `**2.1 Title**`
    if rest[:2] in ("- ", ": ") or rest[:2] in ("– ", "— "):
        rest = rest[2:].lstrip()
    return bare, apart or "." in bare, "", " ".join(rest.split())
