"""Labels between a box and the id of its task: ``[P0] 1.1 Title``, ``✅ 1.1 Title``.

Used by ``boxes``. People mark priority, state or owner there. A label is one only where an id
follows; what says a priority becomes one, the rest stays in the title.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kiro_swarm.tasks.file.ids import is_id
from kiro_swarm.tasks.file.values import read_priority

_LABEL: Final = re.compile(
    r"(?:\*\*|__)?(?:"
    r"\[(?P<square>[^\[\]\n]{1,24})\]|\((?P<round>[^()\n]{1,24})\)"
    r"|【(?P<cornered>[^【】\n]{1,24})】"
    r"|(?P<word>P[0-9]|(?i:critical|high|medium|low|urgent|blocker|todo|wip|done))(?=[\s:：*_])"
    # An emoji or another sign, no letter and nothing that Markdown or an id is made of.
    r"|(?P<sign>[^\w\s\[\](){}<>【】（）*`~#\"'.,;:!?/\\|&$%+=@^-]{1,4})"
    r")(?:\*\*|__)?[:：]?\s+"
)
_MOST: Final = 4
#: In brackets it is a priority and never an id.
_PRIORITY: Final = re.compile(r"(?:\*\*|__)?[\[【(]\s?P[0-9]\s?[\])】]")


class Labels(NamedTuple):
    """The labels in front of ``rest``: as they stand, without a priority, and that."""

    rest: str
    kept: str
    priority: str


def read_labels(text: str) -> Labels:
    """The labels that a text begins with, if any."""
    at, kept, priority = 0, "", ""
    for _ in range(_MOST):
        match = _LABEL.match(text, at)
        if match is None:
            break
        said = next((word for word in match.groups() if word), "").strip()
        if match.group("square") and is_id(said) and not _PRIORITY.match(match.group()):
            break  # `[T001] Title` is an id in brackets
        if not priority and read_priority(said) is not None:
            priority = said
        else:
            kept += match.group()
        at = match.end()
    return Labels(text[at:], kept, priority)


def is_priority(text: str) -> bool:
    """Whether a text begins with a priority in brackets."""
    return _PRIORITY.match(text) is not None
