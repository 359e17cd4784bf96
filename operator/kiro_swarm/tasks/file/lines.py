"""Text -> lines that count: positions, indentation, code blocks and comments set apart.

Used by the parser only. An offset found here is an offset in the file; a place in the text of a
line is one in the file by ``Line.place``. Linear in the length of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Optional

from kiro_swarm.tasks.file.composed import compose, place_in

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_CONTENT: Final = re.compile(r"[^\n]+")
#: A comment that is a task, or the end of one.
TASK_COMMENT: Final = re.compile(r"<!--\s*@(?:end-?)?task\b", re.IGNORECASE)
_FENCE: Final = re.compile(
    r"(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)?(?P<mark>`{3,}(?=[^`]*\Z)|~{3,})(?P<info>.*)",
    re.DOTALL,
)


class Line(NamedTuple):
    """One line that is not blank."""

    number: int  #: from 1
    offset: int  #: of the first character of ``text`` in the file
    column: int  #: of the first character of ``text``, from 1
    indent: int  #: in columns, a tab reaches the next multiple of 4
    text: str  #: without the blanks around it; letters composed, see ``composed``
    code: bool  #: inside (or a fence of) a code block
    raw: str = ""  #: the same as it is written, where that is another text
    cuts: tuple[tuple[int, int], ...] = ()  #: from one to the other

    @property
    def written(self) -> str:
        """The text as it is written."""
        return self.raw or self.text

    def place(self, at: int) -> int:
        """The place in ``written`` of a place in ``text``."""
        return place_in(self.cuts, at)

    def as_written(self, part: str) -> str:
        """A part of ``text``, or some words of it, as they are written."""
        if not self.cuts or part.isascii():
            return part
        at = self.text.find(part)
        if at >= 0:
            return self.raw[self.place(at) : self.place(at + len(part))]
        return part.translate(self._letters())

    def _letters(self) -> dict[int, str]:
        """How each letter that was composed is written."""
        return {
            ord(self.text[end - 1]): self.raw[self.place(end - 1) : self.place(end)]
            for end, _ in self.cuts
        }


@dataclass
class Block:
    """A fenced code block."""

    line: int
    info: str
    lines: list[Line]

    @property
    def text(self) -> str:
        """The code."""
        return "\n".join(line.text for line in self.lines)


@dataclass
class Document:
    """The lines of a file. ``unclosed`` is what a missing end has swallowed, if so.

    ``comments`` are those that have an end and are no task.
    """

    lines: list[Line]
    blocks: list[Block]
    unclosed: Optional[Block]
    comments: list[Block] = field(default_factory=list)


def clean(text: str) -> str:
    """The text with a harmless character for each that no record could carry.

    One for one: offsets stay. A byte order mark becomes a blank, a lone carriage return
    a newline.
    """
    if text.startswith("\ufeff"):
        text = " " + text[1:]
    return _LONE_RETURN.sub("\n", _UNPRINTABLE.sub("\ufffd", text))


def _lines(text: str) -> list[Line]:
    found: list[Line] = []
    number, counted = 1, 0
    for match in _CONTENT.finditer(text):
        raw = match.group()
        content = raw.strip()
        if not content:
            continue
        number += text.count("\n", counted, match.start())
        counted = match.start()
        blanks = raw[: len(raw) - len(raw.lstrip())]
        composed = compose(content)
        found.append(
            Line(
                number,
                match.start() + len(blanks),
                len(blanks) + 1,
                len(blanks.expandtabs(4)),
                composed.text,
                False,
                content if composed.cuts else "",
                composed.cuts,
            )
        )
    return found


def _as_is(line: Line, text: str) -> Line:
    """A task in a comment, as it is written: what its attributes say is kept."""
    return line._replace(text=text, raw="", cuts=())


def read_lines(text: str) -> Document:
    """Lines of a cleaned text, in order; HTML comments are left out.

    A comment that is a task is kept as one line, over however many it is written.
    """
    kept: list[Line] = []
    blocks: list[Block] = []
    comments: list[Block] = []
    fence: Optional[str] = None
    comment: Optional[Block] = None
    begun: Optional[Line] = None
    for line in _lines(text):
        if comment is None and fence is None and line.text.startswith("<!--"):
            comment = Block(line.number, "comment", [])
            begun = line if TASK_COMMENT.match(line.text) else None
        if comment is not None:
            comment.lines.append(line)
            if "-->" in line.text:
                if begun is not None:
                    end = line.offset + len(line.written)
                    kept.append(_as_is(begun, text[begun.offset : end]))
                else:
                    comments.append(comment)
                comment = begun = None
        elif fence is not None:
            kept.append(line._replace(code=True))
            if line.text.strip(fence[0]) == "" and len(line.text) >= len(fence):
                fence = None
            else:
                blocks[-1].lines.append(line)
        else:
            maybe = "```" in line.text or "~~~" in line.text
            opening = _FENCE.match(line.text) if maybe else None
            if opening:
                fence = opening.group("mark")
                blocks.append(Block(line.number, opening.group("info").strip(), []))
                line = line._replace(code=True)
            kept.append(line)
    unclosed = blocks[-1] if fence is not None else comment
    if unclosed is comment and comment is not None:
        unclosed = Block(comment.line, comment.info, comment.lines[1:])
    return Document(kept, blocks, unclosed, comments)
