"""The value of a dependency field -> what it refers to, and what of it says nothing.

Used by ``resolve``. Reads ids with words and comments around them ("Tasks 1.1 and 2.1",
"after 1.1 complete"), groups by wildcard (``3.x``), ranges (``1.1-1.4``), phases ("Phase 2
complete"), "all previous tasks", and tasks of other specs (``auth:2.1``). Knows nothing of
the tasks that there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, Optional

from kiro_swarm.tasks.file.ids import PATTERN, is_id
from kiro_swarm.tasks.file.phases import PHASE, phase_key
from kiro_swarm.tasks.file.values import NOTHING

_COMMENT: Final = re.compile(r"\([^()]*\)|（[^（）]*）")
_SEPARATOR: Final = re.compile(r"[,;&+、，；]|\s(?:and|und)\s")
_PLAIN: Final = re.compile(rf"{PATTERN}(?:, ?{PATTERN})*")
_LEADING: Final = re.compile(
    r"(?:(?:and|after|once|on|when|requires|needs|completion|of|the)\s+)+",
    re.IGNORECASE,
)
#: Words that say no more than that something must be done first.
_AROUND: Final = frozenset(
    {
        *("complete", "completed", "completes", "completion", "done", "finished"),
        *(
            "merged",
            "finishes",
            "first",
            "is",
            "are",
            "be",
            "must",
            "to",
            "have",
            "has",
        ),
        "been",
    }
)
_FILLERS: Final = frozenset({"", "task", "tasks", "and", "after"})
_PHASES: Final = re.compile(
    rf"(?:all\s+)?(?:tasks?\s+)?(?:(?:of|in|from)\s+)?(?:all\s+)?(?:{PHASE.pattern})",
    re.IGNORECASE,
)
_WILD: Final = re.compile(rf"(?:(?:all\s+)?tasks?\s+)?({PATTERN})\.(?:x|X|\*)")
_RANGE: Final = re.compile(
    rf"(?:tasks?\s+)?({PATTERN})\s?(?:-|–|—|\.\.\.?|…|to|through)\s?(?:tasks?\s+)?({PATTERN})",
    re.IGNORECASE,
)
_ABOVE: Final = re.compile(
    r"(?:all|everything|every)(?:\s+of)?(?:\s+the)?(?:\s+tasks?)?\s+"
    r"(?:previous|preceding|prior|earlier|above|before)(?:\s+(?:tasks?|this|it))*",
    re.IGNORECASE,
)
_SPEC: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*"
_EXTERNAL: Final = re.compile(
    rf"(?:spec\s+)?(?!(?i:tasks?|phase|group|step)\b)`?{_SPEC}`?\s?(?::|/|#|::)\s?(?:(?i:tasks?)\s+)?#?{PATTERN}`?"
    rf"|(?:the\s+)?specs?:?\s+`?{_SPEC}`?(?:\s+(?:(?i:tasks?)\s+)?{PATTERN})?"
    rf"|(?:the\s+)?`?{_SPEC}`?\s+spec(?:\s+(?:(?i:tasks?)\s+)?{PATTERN})?"
    rf"|`?(?:[\w.-]+/){{0,6}}\.kiro/specs/[\w./-]+`?(?:#?\s?(?:tasks?\s+)?{PATTERN})?"
)
_LONGEST: Final = 200


@dataclass(frozen=True)
class Reference:
    """One thing that is waited for.

    ``text``: the id (``task``), the first and ``last`` id (``range``), the phase as
    ``phase_key`` writes it, or the words as they stand (``above``, ``external``).
    """

    kind: Literal["task", "range", "phase", "above", "external"]
    text: str
    last: str = ""


@dataclass(frozen=True)
class References:
    """A dependency value; ``leftover`` are words that are neither ids nor comments."""

    found: tuple[Reference, ...]
    leftover: tuple[str, ...]


def read_references(value: str) -> References:
    """What a dependency value names. Comments in parentheses say nothing."""
    if _PLAIN.fullmatch(value):
        return References(_tasks(re.split(", ?", value)), ())
    text = value
    for _ in range(3):  # comments in comments, to a depth that people write
        text = _COMMENT.sub(" ", text)
    found: list[Reference] = []
    leftover: list[str] = []
    if text.strip().rstrip(".").lower() in NOTHING:
        return References((), ())
    for part in _SEPARATOR.split(text):
        whole = _whole(part)
        if whole is not None:
            found.append(whole)
        else:
            words = _words(part)
            found += words.found
            leftover += words.leftover
    return References(tuple(dict.fromkeys(found)), tuple(leftover))


def _tasks(names: list[str]) -> tuple[Reference, ...]:
    return tuple(Reference("task", name) for name in dict.fromkeys(names))


def _whole(part: str) -> Optional[Reference]:
    """The reference that a part is as a whole, or None."""
    if len(part) > _LONGEST:
        return None
    text = part.strip(" \t*_`[]")
    leading = _LEADING.match(text)
    words = text[leading.end() if leading else 0 :].split()
    while words and words[-1].lower().rstrip(".:") in _AROUND:
        words.pop()
    text = " ".join(words).strip("*_`").rstrip(".:")
    if is_id(text):
        return Reference("task", text)
    match = _WILD.fullmatch(" ".join(words).strip("_`"))
    if match:
        return Reference("task", match.group(1))
    match = _RANGE.fullmatch(text)
    if match:
        return Reference("range", match.group(1), match.group(2))
    match = _PHASES.fullmatch(text)
    if match:
        return Reference("phase", phase_key(match))
    if _ABOVE.fullmatch(text):
        return Reference("above", text)
    if _EXTERNAL.fullmatch(text):
        return Reference("external", text)
    return None


def _words(part: str) -> References:
    """Ids one after another, and the words between them."""
    found: list[str] = []
    leftover: list[str] = []
    before = ""
    for token in part.split():
        bare = token.strip("*_`#[]").rstrip(".:")
        if is_id(bare) and before.lower() in _FILLERS:
            found.append(bare)
        elif is_id(bare):  # `Version 2` is not task 2
            leftover.append(f"{leftover.pop()} {token}" if leftover else token)
        elif bare.lower() not in _FILLERS and not (found and bare.lower() in _AROUND):
            leftover.append(token)
        before = "" if is_id(bare) else bare
    return References(_tasks(found), tuple(leftover))
