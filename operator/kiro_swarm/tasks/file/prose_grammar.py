"""Sentences in which one task waits for another: a small grammar over the tokens of a line.

Used by ``prose``, which knows the tasks. What is found::

    sentence := opener [":"] {between | end-of} list [tail]      needs 1; after the end of 2
              | list behind                                      1 must be done first; 1完成后
    list     := item {("," | ";" | "/" | "-" | and) item}
    item     := [task | step] id

An opener that can mean something else (``after``, ``needs``) counts with evidence alone: the word
for a task, that its end is meant, a colon, or a clause that has nothing else in it. One pass, each
token looked at a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Callable, Final, Optional

from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.prose_lists import (
    CLOSING,
    DECORATION,
    ENDS,
    QUOTES,
    IdList,
    Lists,
)
from kiro_swarm.tasks.file.prose_tokens import Token

_OPENERS: Final = (
    # (phrases, says it all, what follows waits)
    (words.AHEAD_SURE, True, True),
    (words.SURE, True, False),
    (words.AHEAD_MAYBE, False, True),
    (words.MAYBE, False, False),
)
_MOST_BETWEEN: Final = 6
_MOST_SAID: Final = 16


@dataclass(frozen=True)
class Sentence:
    """One task or several that are waited for. ``ahead``: they are what waits.

    ``start`` and ``end`` are places in the text; ``named``: the word for a task is there.
    """

    ids: tuple[str, ...]
    #: As a field writes them, ranges as ranges: `1, 3-5`.
    listed: str
    ahead: bool
    named: bool
    start: int
    end: int


def sentences(
    tokens: Sequence[Token], known: Callable[[str], bool], *, steps: bool
) -> Iterator[Sentence]:
    """All sentences of a line.

    :param known: whether an id is a task of the file.
    :param steps: whether a step is a task here, not one of something else.
    """
    return _Reader(tokens, known, steps).read()


class _Reader:
    def __init__(
        self, tokens: Sequence[Token], known: Callable[[str], bool], steps: bool
    ) -> None:
        self._tokens = tokens
        self._lists = Lists(tokens, known)
        self._steps = steps

    def read(self) -> Iterator[Sentence]:
        at = 0
        while at < len(self._tokens):
            found, at = (
                self._behind(at) if self._tokens[at].kind == "id" else self._opened(at)
            )
            if found is not None:
                yield found

    def _opened(self, at: int) -> tuple[Optional[Sentence], int]:
        """The sentence that an opener at ``at`` begins, and where to go on."""
        for phrases, sure, ahead in _OPENERS:
            after = phrases.end(self._tokens, at)
            if after is not None:
                found = self._after_opener(at, after, sure=sure, ahead=ahead)
                return found or (None, after)
        return None, at + 1

    def _after_opener(
        self, start: int, at: int, *, sure: bool, ahead: bool
    ) -> Optional[tuple[Sentence, int]]:
        at, colon, meant = self._between(at, DECORATION if sure else QUOTES)
        found = self._lists.at(at)
        if found is None:
            return None
        done, end = self._tail(found.end)
        if ahead and done and self._denied(start):
            ahead = False  # `not before 2 is done`
        if found.step and (ahead or not self._steps):
            return None  # of something else; `before step 1` is a place in a text
        leads = self._lists.leads(start) or self._ordered(start)
        named = found.named or (found.step and (sure or leads))
        if not (named or done) and not self._ends_well(found, sure or meant):
            return None
        if not sure and not (named or done or meant or colon):
            # Behind another verb a mere number counts something: `stops after 3`.
            mere = len(found.ids) == 1 and found.ids[0].isdigit()
            if not self._lists.closed(found.end) or (mere and not leads):
                return None
        return self._sentence(found, ahead, start, end), end

    def _between(self, at: int, signs: frozenset[str]) -> tuple[int, bool, bool]:
        """Past what stands between a verb and its ids: (place, a colon, its end is meant)."""
        colon = meant = False
        for _ in range(_MOST_BETWEEN):
            if at == len(self._tokens):
                break
            after = words.BETWEEN.end(self._tokens, at)
            ending = words.END_OF.end(self._tokens, at) or words.DONE.end(
                self._tokens, at
            )
            if ending is not None:
                at, meant = ending, True
            elif after is not None:
                at = after
            elif self._tokens[at].text in (":", "："):
                at, colon = at + 1, True
            elif self._tokens[at].text in signs:
                at += 1
            else:
                break
        return at, colon, meant

    def _tail(self, at: int) -> tuple[bool, int]:
        """Whether it is said that the tasks are done, and where that ends."""
        at = start = self._lists.past(at, CLOSING)
        for _ in range(3):
            at = words.IS.end(self._tokens, at) or at
        done = words.DONE.end(self._tokens, at)
        return (False, start) if done is None else (True, done)

    def _ends_well(self, found: IdList, sure: bool) -> bool:
        """Whether what follows lets the ids be tasks, not the number of something."""
        at = self._lists.past(found.end, CLOSING)
        if at >= len(self._tokens):
            return True
        follows = self._tokens[at]
        if follows.text in ENDS:
            return True
        if follows.kind == "sign" or words.UNITS.has(follows):
            return False
        mere = found.ids[-1].isdigit() or not sure
        return not mere or words.GOES_ON.has(follows) or self._is_and(at)

    def _is_and(self, at: int) -> bool:
        return words.AND.end(self._tokens, at) is not None

    def _ordered(self, start: int) -> bool:
        """Whether what is in front of a place speaks of an order: ``starts after``, a task."""
        if start > 1 and self._tokens[start - 1].kind == "id":
            return words.after_task(self._tokens, start - 1) is not None
        return start > 0 and words.ORDERED.has(self._tokens[start - 1])

    def _denied(self, start: int) -> bool:
        before = self._tokens[max(0, start - 6) : start]
        return any(words.NOT.has(token) for token in before)

    def _behind(self, at: int) -> tuple[Optional[Sentence], int]:
        """The sentence of ids and of what stands behind them."""
        found = self._lists.at(at)
        if found is None:
            return None, at + 1
        after = self._lists.past(found.end, CLOSING)
        end = words.BEHIND.end(self._tokens, after) or self._premise(after)
        task = words.after_task(self._tokens, at)
        begin = at if task is None else task
        # `3.1 is the foundation` is of a task where nothing stands in front of it.
        found.named |= task is not None or (
            "." in found.ids[0] and self._lists.first(at)
        )
        if end is None or (begin > 0 and words.OTHER.has(self._tokens[begin - 1])):
            return None, found.end
        mere = any(name.isdigit() for name in found.ids) and not found.named
        if mere and self._tokens[after].kind == "word":
            said = end - after > 2 or self._lists.leads(begin)
            if not said or not self._lists.closed(end):
                return None, found.end
        other, further = self._opened(end) if end < len(self._tokens) else (None, end)
        if other is not None and other.ahead:
            return other, further  # `task 1 must come before task 2`
        return self._sentence(found, False, begin, end), end

    def _premise(self, at: int) -> Optional[int]:
        """Where a clause ends that says at last that an id is what the rest builds on."""
        start = words.SAYS.end(self._tokens, at)
        if start is None:
            return None
        for place in range(start, min(start + _MOST_SAID, len(self._tokens))):
            end = words.PREMISE.end(self._tokens, place)
            if end is not None:
                return end if self._lists.closed(end) else None
            if self._tokens[place].kind not in ("character", "word", "id"):
                return None
        return None

    def _sentence(self, found: IdList, ahead: bool, start: int, end: int) -> Sentence:
        return Sentence(
            tuple(dict.fromkeys(found.ids)),
            found.listed,
            ahead,
            found.named,
            self._tokens[start].start,
            self._tokens[max(end, found.end) - 1].end,
        )
