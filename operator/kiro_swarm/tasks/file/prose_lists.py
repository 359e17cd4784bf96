"""Ids in a row, as sentences have them: ``1, 2 and 3.1-3.4``, ``タスク1、2``.

Used by ``prose_grammar`` and ``prose_order``. Also where a clause begins and ends. Each token is
looked at a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, Final, Optional

from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.phases import is_phase
from kiro_swarm.tasks.file.prose_tokens import Token

_MOST_LISTED: Final = 50
#: Words in front of a list that say which tasks it is of.
_MOST_WORDS: Final = 6
DECORATION: Final = frozenset("`*_\"'“”‘’[]#(「」（")
QUOTES: Final = DECORATION - {"(", "（"}
CLOSING: Final = frozenset("`*_\"'“”‘’]#」")
ENDS: Final = frozenset(".;:!?)]}|—–,、。；：，）】")
STARTS: Final = frozenset(".;:!?([{|—–-*,、。；：，（【+>&")
_SEPARATORS: Final = frozenset(",;/&+-–—、，；")
_OPENING: Final = frozenset("(（")
_CLOSED: Final = frozenset(")）")
_LONGEST_ASIDE: Final = 24
#: Words between a task and what is said of it at last.
_MOST_SAID: Final = 16
_RANGES: Final = frozenset(("-", "–", "—", "to", "through", "bis"))


@dataclass
class IdList:
    """Ids in a row. ``listed``: as a field writes them, ranges as ranges: ``1, 3-5``."""

    ids: list[str]
    listed: str
    end: int
    #: The word for a task, or for a step, stands in front.
    named: bool = False
    step: bool = False


class Lists:
    """The lists of ids of one line."""

    def __init__(self, tokens: Sequence[Token], known: Callable[[str], bool]) -> None:
        self.tokens = tokens
        self.known = known

    def at(self, place: int) -> Optional[IdList]:
        """The list that begins at a place, if one does."""
        found = self._item(place, None)
        while found is not None and len(found.ids) < _MOST_LISTED:
            if self._item(self._past_separator(found.end), found) is None:
                break
        return found

    def worded(self, place: int) -> Optional[IdList]:
        """Tasks that are named and then listed: ``the frontend tasks (1, 2)``."""
        for at in range(place, min(place + _MOST_WORDS, len(self.tokens))):
            end = words.TASK.end(self.tokens, at)
            if end is not None:
                listed = end < len(self.tokens) and self.tokens[end].text in _OPENING
                return self.at(at) if listed else None
            if self.tokens[at].kind not in ("word", "character"):
                return None
        return None

    def in_parentheses(self, at: int) -> Optional[IdList]:
        """The ids of what is named by words: ``with the pages (2.1, 2.2)``."""
        for place in range(at, min(at + _MOST_WORDS, len(self.tokens))):
            if self.tokens[place].text in "(（":
                return self.at(place + 1)
            token = self.tokens[place]
            if token.kind not in ("word", "character") and token.text not in "/-`":
                return None
        return None

    def _past_separator(self, at: int) -> int:
        """The place of the next item: after a sign or a word, and after ``3.1 (Store)``."""
        at = self.past_aside(self.past(at, CLOSING))
        separated = self.past(at, _SEPARATORS, most=1)
        word = words.AND.end(self.tokens, separated)
        if word is None and separated == at:
            return len(self.tokens)
        return separated if word is None else word

    def _item(self, at: int, before: Optional[IdList]) -> Optional[IdList]:
        """The list with one more id, or None. Only the first one may be unknown."""
        at = self.past(at, QUOTES)
        task = words.TASK.end(self.tokens, at)
        step = words.STEP.end(self.tokens, at) if task is None else None
        at = self.past(task or step or at, QUOTES)
        if task is not None:  # `frontend tasks (1, 2)`
            at = self.past(at, _OPENING, most=1)
        if at >= len(self.tokens) or self.tokens[at].kind != "id":
            return None
        name = self.tokens[at].text
        if before is None:
            if not self.known(name) and task is None:
                return None
            named = task is not None or is_phase(name)
            return IdList([name], name, at + 1, named, step is not None)
        if not self.known(name):
            return None
        between = {token.text for token in self.tokens[before.end : at]}
        if between.isdisjoint(_RANGES):
            before.listed += f", {name}"
        else:
            first = before.ids[-1]
            inside = list(filter(self.known, _inside(first, name)))
            before.ids += inside
            if _is_range(first, name):
                before.listed += f"-{name}"
            else:  # no field has such a range
                before.listed += "".join(f", {one}" for one in (*inside, name))
        before.ids.append(name)
        before.end = at + 1
        return before

    def past(self, at: int, signs: frozenset[str], most: int = 3) -> int:
        """The place behind the signs that stand at a place."""
        stop = min(at + most, len(self.tokens))
        while at < stop and self.tokens[at].text in signs:
            at += 1
        return at

    def past_aside(self, at: int) -> int:
        """The place behind words in parentheses that begin at a place."""
        if at >= len(self.tokens) or self.tokens[at].text not in _OPENING:
            return at
        stop = min(at + _LONGEST_ASIDE, len(self.tokens))
        for place in range(at + 1, stop):
            if self.tokens[place].text in _CLOSED:
                return self.past(place + 1, CLOSING)
        return at

    def closed(self, at: int) -> bool:
        """Whether a clause ends here."""
        at = self.past(at, CLOSING)
        return at >= len(self.tokens) or self.tokens[at].text in ENDS

    def premise(self, at: int) -> Optional[int]:
        """Where a clause ends that says at last that an id is what the rest builds on."""
        start = words.SAYS.end(self.tokens, at)
        if start is None:
            return None
        for place in range(start, min(start + _MOST_SAID, len(self.tokens))):
            end = words.PREMISE.end(self.tokens, place)
            if end is not None:
                return end if self.closed(end) else None
            if self.tokens[place].kind not in ("character", "word", "id"):
                return None
        return None

    def leads(self, start: int) -> bool:
        """Whether nothing stands in front of a place but words that lead to an order."""
        at = start - 1
        while at >= 0 and at > start - 5 and words.LEAD.has(self.tokens[at]):
            at -= 1
        return at < 0 or self.tokens[at].text in STARTS

    def first(self, at: int) -> bool:
        """Whether only signs stand in front of a place."""
        return at < 9 and all(token.kind == "sign" for token in self.tokens[:at])


def _is_range(first: str, last: str) -> bool:
    """Whether a field can write both as a range: tasks that differ in their last number."""
    if not (first[-1].isdigit() and last[-1].isdigit()) or " " in first + last:
        return False
    head, other = first.rstrip("0123456789"), last.rstrip("0123456789")
    return head == other and int(first[len(head) :]) <= int(last[len(other) :])


def _inside(first: str, last: str) -> Iterator[str]:
    """The ids between two that differ in their last number: 3.1, 3.4 -> 3.2, 3.3."""
    joint = " " if is_phase(first) else "."
    head, _, low = first.rpartition(joint)
    other, _, high = last.rpartition(joint)
    if head == other and low.isdigit() and high.isdigit():
        for number in range(int(low) + 1, min(int(high), int(low) + _MOST_LISTED)):
            yield f"{head}{joint}{number}" if head else str(number)
