"""Words of others, made harmless: the one place that says how. Pure.

What a container, a file, a kubelet or a server says reaches messages, conditions, Events and
people's terminals. NUL is refused by API servers; escape sequences move a cursor, colour or answer
a terminal; direction overrides and invisible characters make a text read as what it is not.

Called where such words enter (reports of Jobs, what is said of pods, errors of the API server),
before any status or Event is written, and by ``kubectl swarm`` before anything is shown.
"""

from __future__ import annotations

import re
from typing import Final, cast

from typing_extensions import TypeVar

T = TypeVar("T")
#: Whole control sequences of terminals: CSI, OSC and other strings, two-character ones.
SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[PX^_\]]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
#: What is left of controls, direction marks and overrides, invisible and lone halves.
CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
#: Of a value: as deep as anything that we write, and more than any.
_DEEPEST = 32


def harmless(text: str) -> str:
    """A text without what does something to whoever shows it; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return CONTROLS.sub("", SEQUENCES.sub("", text.replace("\r\n", "\n")))


def one_line(text: str, longest: int = 1024) -> str:
    """The same on one line, with a mark where it was cut."""
    line = " ".join(harmless(text.replace("\r", "\n")).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def all_harmless(value: T) -> T:
    """A JSON value with every text in it made harmless; what is harmless is shared."""
    return cast(T, _made_harmless(value, 0))


def _made_harmless(value: object, depth: int) -> object:
    if isinstance(value, str):
        return harmless(value)
    if depth > _DEEPEST:
        return value
    if isinstance(value, dict):
        return {key: _made_harmless(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_made_harmless(item, depth + 1) for item in value]
    return value
