"""Names that git takes and Windows or macOS cannot check out. Pure.

Role: evidence.py and train.py tell a person of new ones. They are merged all the same: most
repositories are checked out on Linux alone, and who has chosen such a name may have to.

What two names have to do with each other is in collisions.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kiro_swarm.workspace.briefs import shown_name

#: Windows opens a device whatever stands behind a dot, a colon or blanks.
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *([.:].*)?",
    re.IGNORECASE | re.DOTALL,
)
_NEVER = re.compile('[<>:"|?*\\\\]')
_CONTROL = re.compile("[\x00-\x1f]")
#: Of a path, without ``core.longPaths``.
_LONGEST_PATH = 259
_SHOWN = 3


def objection(path: bytes) -> str:
    """Why a path cannot be checked out everywhere, in a few words; mostly nothing."""
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8, which macOS refuses"
    # As Windows counts them: a character beyond the first 65,536 is two.
    if len(text) + sum(c > "\uffff" for c in text) > _LONGEST_PATH:
        return f"more than {_LONGEST_PATH} characters, too long for Windows"
    return next(filter(None, map(_objection, text.split("/"))), "")


def _objection(name: str) -> str:
    if _DEVICE.fullmatch(name):
        return "a device to Windows"
    stray = _NEVER.search(name)
    if stray is not None:
        return f"has {stray[0]}, which Windows refuses"
    if _CONTROL.search(name):
        return "has a control character, which Windows refuses"
    if name.endswith((" ", ".")):
        return "ends with a blank or a dot, which Windows drops"
    return ""


def remark(paths: Iterable[bytes]) -> str:
    """What is to be said of new paths, in one line; a few of them by name."""
    found = [(path, said) for path, said in zip(paths, map(objection, paths)) if said]
    if not found:
        return ""
    shown = ", ".join(
        f"'{shown_name(path.decode('utf-8', 'surrogateescape'))}' ({said})"
        for path, said in found[:_SHOWN]
    )
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"new names that not everybody can check out: {shown}{more}"
