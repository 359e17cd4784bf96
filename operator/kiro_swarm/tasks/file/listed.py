"""Orders over several lines: a numbered list of tasks, a table with a column of dependencies.

Used by ``diagrams``. Neither is read; it is told where the edges of the file do not say the same,
once a list or a table. Each line is looked at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Optional

from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.edges import Edges
from kiro_swarm.tasks.file.groups import Groups
from kiro_swarm.tasks.file.lines import Line
from kiro_swarm.tasks.file.model import Remarks
from kiro_swarm.tasks.file.names import kind_of
from kiro_swarm.tasks.file.phases import below, of_task, with_phases
from kiro_swarm.tasks.file.prose_lists import Lists
from kiro_swarm.tasks.file.prose_tokens import Token, tokens_of

_ITEM: Final = re.compile(r"[0-9]{1,4}[.)、]\s{0,8}(?P<text>.*)", re.DOTALL)
#: What says of a list that its order is meant: in its heading, or in the line above it.
_ORDER: Final = re.compile(
    r"\border\b|sequence|critical path|\bsteps\b|roadmap|reihenfolge|ablauf|\bordre\b|\borden\b"
    r"|\bordem\b|ordine|порядок|顺序|順序|実行順|実装順|着手順|作業順|순서",
    re.IGNORECASE,
)
#: A part of a plan that has a number: `**Day 2 (3 hours):**`, `- Wave 1: tasks 1, 2`.
_STAGE: Final = re.compile(
    r"(?:[-*+]\s{1,4})?[#*_\s]{0,8}(?P<word>day|week|month|wave|sprint|phase|stage|batch|round"
    r"|iteration|step|tag|woche|schritt|jour|semaine|étape|día|semana|paso|dia|fase|giorno"
    r"|settimana|день|неделя|этап|шаг|第|阶段|階段|ステップ|フェーズ|단계)\s?(?P<number>[0-9]{1,3})"
    r"(?![0-9.])(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_RULE: Final = re.compile(r"[\s|:-]+")
_DEPENDS: Final = re.compile(
    r"depend|prereq|predecess|blocked by|requires|waits? for|^after$|voraussetz|abhäng|dépend"
    r"|prérequis|завис|依赖|依賴|依存|前置|前提|先行|의존|선행",
    re.IGNORECASE,
)
_BLOCKS: Final = re.compile(r"blocks|enables|unlocks|unblocks", re.IGNORECASE)
_LAST: Final = frozenset(".*_;。")
_LONGEST: Final = 1_000
_MOST: Final = 20
#: So many words may stand in front of the tasks of a line.
_FAR: Final = 12


class Listed:
    """Looks for lists and tables of an order that the edges of a file do not have."""

    def __init__(
        self, groups: Groups, edges: Edges, remarks: Remarks, told: Collection[int]
    ) -> None:
        self._groups = groups
        self._edges = edges
        self._remarks = remarks
        self._told = told

    def report(self, lines: Sequence[Line], tasks: Collection[int]) -> Iterator[int]:
        """The numbers of the lines that something was said about.

        :param tasks: numbers of the lines that are of a task.
        """
        yield from self._stages(lines, tasks)
        heading = ""
        before: Optional[tuple[Line, list[str]]] = None
        header: Optional[list[str]] = None
        wrong = False
        for line in lines:
            if line.code or line.number in tasks:
                before, header = None, None
                continue
            if line.text.startswith("|"):
                header, wrong = self._row(line, header, wrong)
                if wrong and header is not None:
                    yield line.number
                continue
            header, wrong = None, False
            item = _ITEM.match(line.text)
            if item is None:
                if line.indent == 0 or line.text.endswith((":", "：")):
                    heading, before = line.text[:300], None
                continue
            if before is not None and line.indent != before[0].indent:
                continue  # an item of an item
            names = self._names(item.group("text"))
            if before is not None and _ORDER.search(heading):
                pair = self._missing(before[1], names)
                if pair is not None and line.number not in self._told:
                    yield line.number
                    self._say(line, *pair, "numbered list")
                    heading = ""
            before = (line, names) if names else None

    def _stages(self, lines: Sequence[Line], tasks: Collection[int]) -> Iterator[int]:
        """Parts of a plan, by number, and the tasks of each."""
        word, number, told = "", 0, False
        earlier: list[str] = []
        names: list[str] = []
        for line in lines:
            if line.code or line.number in tasks or line.text.startswith("|"):
                word, earlier, names = "", [], []
                continue
            text = line.text[:_LONGEST]
            stage = _STAGE.match(text)
            if stage is not None:
                text = stage.group("rest")
                if stage.group("word").lower() != word:
                    word, earlier, names, told = (
                        stage.group("word").lower(),
                        [],
                        [],
                        False,
                    )
                elif int(stage.group("number")) > number:
                    earlier, names = names or earlier, []
                elif int(stage.group("number")) < number:
                    earlier, names = [], []
                number = int(stage.group("number"))
            elif not word:
                continue
            elif text.startswith("#"):
                word, earlier, names = "", [], []
                continue
            found = self._names(text) or (self._only(text) if stage else [])
            names = [*names, *found][:_MOST]
            pair = None if told else self._missing(earlier, found)
            if pair is not None and line.number not in self._told:
                told = True
                yield line.number
                self._say(line, *pair, "plan")

    def _row(
        self, line: Line, header: Optional[list[str]], wrong: bool
    ) -> tuple[Optional[list[str]], bool]:
        """The header of the table that a row is of, and whether something was said of it."""
        cells = line.text[:_LONGEST].strip("|").split("|")
        if header is None:
            return cells, False
        if wrong or _RULE.fullmatch(line.text):
            return header, wrong
        column = next(
            (at for at, cell in enumerate(header) if at and _is_about(cell)), None
        )
        if column is None or column >= len(cells):
            return header, wrong
        own = next(
            (names for cell in cells[:column] if (names := self._names(cell, True))),
            [],
        )
        needed = self._names(cells[column], True)
        blocks = _BLOCKS.search(header[column]) is not None
        pair = self._missing(own, needed) if blocks else self._missing(needed, own)
        if pair is not None and line.number not in self._told:
            self._say(line, *pair, "table")
            return header, True
        return header, wrong

    def _names(self, text: str, cell: bool = False) -> list[str]:
        """The tasks that a text begins with; in a cell of a table it says nothing else."""
        tokens = with_phases(tokens_of(text[:_LONGEST]), text[:_LONGEST], self._known)
        lists = Lists(tokens, self._known)
        for at, token in enumerate(tokens[:_FAR]):
            found = None if words.OTHER.has(token) else lists.at(at)
            if found is None:
                if words.OTHER.has(token):
                    break
                if token.kind == "id":
                    break
                continue
            sure = found.named or cell or not found.ids[0].isdigit()
            known = all(map(lists.known, found.ids)) and not _is_measure(
                tokens, found.end
            )
            ends = not cell or lists.closed(lists.past_aside(found.end))
            return found.ids[:_MOST] if sure and known and (ends or found.named) else []
        return []

    def _only(self, text: str) -> list[str]:
        """The tasks that are all that the rest of a line says: ``**Wave 1:** 1, 3``."""
        tokens = tokens_of(text)
        lists = Lists(tokens, self._known)
        at = 0
        while at < len(tokens) and tokens[at].kind == "sign":
            at += 1
        found = lists.at(at)
        ends = found is not None and lists.past(found.end, _LAST) == len(tokens)
        colon = any(token.text in ":：" for token in tokens[:at])
        return found.ids[:_MOST] if found is not None and ends and colon else []

    def _known(self, name: str) -> bool:
        return self._groups.members(name) is not None

    def _missing(
        self, before: list[str], after: list[str]
    ) -> Optional[tuple[str, str]]:
        for name in after:
            for needed in before:
                if self._edges.overlap(needed, name):
                    continue
                if not self._edges.is_before(needed, name, implied=True):
                    return needed, name
        return None

    def _say(self, line: Line, needed: str, name: str, what: str) -> None:
        self._remarks.add(
            "warning",
            "diagram",
            line.number,
            f"this {what} sets {of_task(needed)} before {of_task(name)} and is not read; "
            f"write '_Depends: {needed}_' below {below(name)} to make it wait",
            line.column,
        )


def _is_measure(tokens: Sequence[Token], at: int) -> bool:
    """Whether a word behind a number says what is counted: ``2.5 hours``."""
    return at < len(tokens) and words.UNITS.has(tokens[at])


def _is_about(cell: str) -> bool:
    """Whether the name of a column says that what is in it is waited for, or waits."""
    name = cell.strip(" *_`")
    about = _DEPENDS.search(name) or _BLOCKS.search(name) or kind_of(name) == "depends"
    return bool(about)
