"""Characters of a title that nobody sees, or that turn its words round: told, shown escaped.

Used by ``parser`` and, so that a title stays the same title, by ``edit``. What writing needs is
left as it is: joiners and marks of direction of Arabic, Persian and Indic words, parts of emoji.
"""

from __future__ import annotations

import re
from typing import Final

from kiro_swarm.tasks.file.draft import Draft
from kiro_swarm.tasks.file.model import Remarks

#: Overrides and isolates of direction, blanks without width, soft hyphens, tags.
_UNSEEN: Final = re.compile(
    "[\x80-\x9f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def shown(title: str) -> str:
    """The title with each such character as ``\\uXXXX``; done twice it is the same."""
    if title.isascii():
        return title
    return _UNSEEN.sub(_escaped, title)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def report_unseen(draft: Draft, remarks: Remarks) -> None:
    """A remark for a title that has some."""
    if draft.title.isascii():
        return
    found = dict.fromkeys(_UNSEEN.findall(draft.title))
    if found:
        names = ", ".join(f"U+{ord(sign):04X}" for sign in list(found)[:5])
        remarks.add(
            "warning",
            "unseen-characters",
            draft.line,
            f"the title of task {draft.id} has characters that cannot be seen or that turn "
            f"its words round ({names}); they are shown escaped; remove them",
            draft.column,
        )
