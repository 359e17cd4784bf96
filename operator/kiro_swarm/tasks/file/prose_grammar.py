"""Sentences in which one task waits for another: a small grammar over the tokens of a line.

Used by ``prose``, which knows the tasks. What is found::

    sentence := [subject] opener [":"] {between | end-of} what [tail]   2 needs 1; after all above
              | list behind [opener what]            1 must be done first; 1完成后; 1 comes before 2
    what     := list | above | rest | it
    list     := item {("," | ";" | "/" | "-" | and) item}
    item     := [task | step] id

and the orders of ``prose_order``.

An opener that can mean something else (``after``, ``needs``) counts with evidence alone: the word
for a task, that its end is meant, a colon, or a clause that has nothing else in it. One pass, each
token looked at a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Callable, Final, Literal, Optional

from kiro_swarm.tasks.file import prose_order_words as order
from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.prose_denied import is_allowed, is_denied, not_there
from kiro_swarm.tasks.file.prose_lists import (
    CLOSING,
    DECORATION,
    ENDS,
    QUOTES,
    IdList,
    Lists,
)
from kiro_swarm.tasks.file.prose_order import BEGINS, Order, Orders
from kiro_swarm.tasks.file.prose_subjects import Subjects
from kiro_swarm.tasks.file.prose_tokens import Token

_OPENERS: Final = (
    # (phrases, says it all, what follows waits)
    (words.AHEAD_SURE, True, True),
    (words.SURE, True, False),
    (words.AHEAD_MAYBE, False, True),
    (words.MAYBE, False, False),
)
#: No sentence begins with another word.
_BEGINS: Final = frozenset().union(
    *(phrases.first_words for phrases, _, _ in _OPENERS),
    *(phrases.first_words for phrases in (order.ABOVE, order.BESIDE, order.SOURCE)),
    BEGINS,
)
_MOST_BETWEEN: Final = 6


@dataclass(frozen=True)
class Sentence:
    """One task or several that are waited for. ``ahead``: they are what waits.

    ``start`` and ``end`` are places in the text; ``named``: the word for a task is there;
    ``subject``: the tasks that the sentence is about, where it names them. ``what`` is waited
    for: the ``ids``, ``above``: all tasks above, ``previous``: the nearest one, ``rest``: all
    others. Of an ``order`` the ``steps`` wait for each other one after another; ``beside``:
    nothing waits, all of it runs side by side.
    """

    ids: tuple[str, ...]
    #: As a field writes them, ranges as ranges: `1, 3-5`.
    listed: str
    ahead: bool
    named: bool
    start: int
    end: int
    subject: tuple[str, ...] = ()
    what: Literal["ids", "above", "previous", "rest"] = "ids"
    kind: Literal["waits", "order", "beside"] = "waits"
    steps: tuple[tuple[str, ...], ...] = ()
    #: Only that something comes from a task: any edge between them answers it.
    weak: bool = False
    #: Words stand in front that may be what the sentence is about: `a meeting after 1`.
    loose: bool = False


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
        self._orders = Orders(self._lists)
        self._steps = steps
        self._subjects = Subjects(self._lists)
        #: The place behind the last sentence.
        self._read = 0

    def read(self) -> Iterator[Sentence]:
        at = 0
        while at < len(self._tokens):
            found, at = (
                self._behind(at) if self._tokens[at].kind == "id" else self._opened(at)
            )
            if found is not None:
                self._read = at
                yield found

    def _opened(self, at: int) -> tuple[Optional[Sentence], int]:
        """The sentence that an opener at ``at`` begins, and where to go on."""
        if self._tokens[at].text not in _BEGINS:
            return None, at + 1
        ordered = self._orders.at_word(at)
        if ordered is not None:
            return self._order(ordered, at), ordered.end
        above = self._above_behind(at)
        if above is not None:
            return above
        beside = order.BESIDE.end(self._tokens, at)
        if beside is not None:
            return self._beside(at, beside)
        for phrases, sure, ahead in _OPENERS:
            after = phrases.end(self._tokens, at)
            if after is None or (not ahead and is_denied(self._tokens, at)):
                continue
            if ahead and not_there(self._tokens, at):
                ahead = False  # `4 must not begin before 3`
            if ahead and not sure and is_allowed(self._tokens, at):
                return None, after
            found = (
                self._everything(at, after, ahead=ahead, sure=sure)
                or self._after_opener(at, after, sure=sure, ahead=ahead)
                or (self._it(at, after) if sure and not ahead else None)
            )
            return found or (None, after)
        source = order.SOURCE.end(self._tokens, at)
        if source is not None:
            return self._source(at, source)
        return None, at + 1

    def _order(self, found: Order, start: int) -> Sentence:
        ids = tuple(name for step in found.steps for name in step)
        return Sentence(
            ids,
            ", ".join(ids),
            False,
            True,
            self._tokens[start].start,
            self._tokens[found.end - 1].end,
            kind="beside" if found.beside else "order",
            steps=found.steps,
        )

    def _beside(self, start: int, at: int) -> tuple[Optional[Sentence], int]:
        """What runs beside ids: ``in parallel with 3.1``."""
        at, _, _ = self._between(at, DECORATION)
        found = self._lists.at(at) or self._lists.in_parentheses(at)
        if found is None or not all(map(self._lists.known, found.ids)):
            return None, at
        if self._denied(start) or not self._ends_well(found, sure=False):
            return None, found.end
        mere = any(name.isdigit() for name in found.ids)
        if mere and not (found.named or self._lists.closed(found.end)):
            return None, found.end
        sentence = self._sentence(found, False, start, found.end)
        return replace(sentence, kind="beside"), found.end

    def _everything(
        self, start: int, at: int, *, ahead: bool, sure: bool
    ) -> Optional[tuple[Sentence, int]]:
        """An opener and words for all tasks above, for the one above, for all others."""
        for _ in range(_MOST_BETWEEN):
            rest = order.REST.end(self._tokens, at) if ahead else None
            above = None if ahead else order.ABOVE.end(self._tokens, at)
            one = None if ahead else order.ONE_ABOVE.end(self._tokens, at)
            end = rest or above or one
            if end is not None:
                done, tail = self._tail(end)
                if not (sure or done or self._lists.closed(end)):
                    return None
                sentence = Sentence(
                    (),
                    "",
                    ahead,
                    True,
                    self._tokens[start].start,
                    self._tokens[tail - 1].end,
                    self._subjects.of(start),
                    "rest" if rest else "above" if above else "previous",
                )
                return sentence, tail
            further = words.BETWEEN.end(self._tokens, at) or words.END_OF.end(
                self._tokens, at
            )
            at = further or self._lists.past(at, QUOTES, most=1)
        return None

    def _above_behind(self, at: int) -> Optional[tuple[Sentence, int]]:
        """Words for all tasks above, and behind them that they are waited for."""
        above = order.ABOVE.end(self._tokens, at)
        end = None if above is None else words.BEHIND.end(self._tokens, above)
        if end is None or words.DENIED.end(self._tokens, end) is not None:
            return None
        start = self._tokens[at].start
        stop = self._tokens[end - 1].end
        return Sentence((), "", False, True, start, stop, (), "above"), end

    def _it(self, start: int, at: int) -> Optional[tuple[Sentence, int]]:
        """``3.1 is there; 3.2 builds on it``."""
        end = order.IT.end(self._tokens, at)
        subject = self._subjects.of(start)
        if end is None or not subject or self._subjects.earlier is None:
            return None
        sentence = self._sentence(self._subjects.earlier, False, start, end)
        return replace(sentence, subject=subject), end

    def _source(self, start: int, at: int) -> tuple[Optional[Sentence], int]:
        """What comes from a task: ``the client from task 1``."""
        place = self._lists.past(words.BETWEEN.end(self._tokens, at) or at, QUOTES)
        found = self._lists.at(place)
        told = start > 0 and words.IS.has(self._tokens[start - 1])
        if found is None or told:
            return None, at  # `it is made in task 3` says it of something else
        # Without the word for a task it may be a version, but not in `3.5 uses what is new in 3.6`.
        if not found.named and not (self._subjects.headed and "." in found.ids[0]):
            return None, at
        sentence = self._sentence(found, False, start, found.end)
        return replace(sentence, weak=True), found.end

    def _after_opener(
        self, start: int, at: int, *, sure: bool, ahead: bool
    ) -> Optional[tuple[Sentence, int]]:
        at, colon, meant = self._between(at, DECORATION if sure else QUOTES)
        found = self._lists.at(at) or self._lists.worded(at)
        if found is None:
            return None if ahead else self._moment(start, at)
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
        loose = not (sure or leads or done or meant or colon or ahead)
        return replace(self._sentence(found, ahead, start, end), loose=loose), end

    def _moment(self, start: int, at: int) -> Optional[tuple[Sentence, int]]:
        """A thing that is named before its task: ``until the spike (2.1) passes``."""
        if words.MOMENT.end(self._tokens, start) is None:
            return None
        found = self._lists.in_parentheses(at)
        if found is None or not all(map(self._lists.known, found.ids)):
            return None
        closed = found.end < len(self._tokens) and self._tokens[found.end].text in ")）"
        mere = any(name.isdigit() for name in found.ids) and not found.named
        if mere or not closed:
            return None
        sentence = self._sentence(found, False, start, found.end)
        return replace(sentence, weak=True), found.end

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
        at = self._lists.past_aside(self._lists.past(found.end, CLOSING))
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
            return bool(self._subjects.of(start))
        return start > 0 and words.ORDERED.has(self._tokens[start - 1])

    def _denied(self, start: int) -> bool:
        before = self._tokens[max(0, start - 6) : start]
        return any(words.NOT.has(token) for token in before)

    def _behind(self, at: int) -> tuple[Optional[Sentence], int]:
        """The sentence of ids and of what stands behind them."""
        task = words.after_task(self._tokens, at)
        found = self._lists.at(at if task is None else task)
        if found is None:
            return None, at + 1
        # A word that ends another sentence begins none.
        begin = at if task is None or task < self._read else task
        if begin > 0 and words.OTHER.has(self._tokens[begin - 1]):
            return None, found.end
        joined = self._subjects.joined(begin)
        there = all(map(self._lists.known, found.ids))
        ordered = (
            self._orders.at_id(at, found, joined, named=task is not None)
            if there
            else None
        )
        if ordered is not None:
            return self._order(ordered, begin), ordered.end
        after = self._lists.past_aside(self._lists.past(found.end, CLOSING))
        source = order.SOURCE_BEHIND.end(self._tokens, after)
        end = (
            source
            or words.BEHIND.end(self._tokens, after)
            or self._lists.premise(after)
        )
        # `3.1 is the foundation` is of a task where nothing stands in front of it.
        found.named |= task is not None or (
            "." in found.ids[0] and self._lists.first(at)
        )
        self._subjects.see(found, begin)
        if end is None:
            return None, found.end
        if words.DENIED.end(self._tokens, end) is not None:
            return None, end
        if source is not None:
            if not found.named or task is None:
                return None, found.end
            return replace(self._sentence(found, False, begin, end), weak=True), end
        mere = any(name.isdigit() for name in found.ids) and not found.named
        if mere and self._tokens[after].kind == "word":
            said = end - after > 2 or self._lists.leads(begin)
            if not said or not self._lists.closed(end):
                return None, found.end
        if self._tokens[end - 1].text == "before":
            end -= 1  # `must be done before task 2`
        other, further = self._opened(end) if end < len(self._tokens) else (None, end)
        if other is not None and other.ahead:
            # `task 1 must come before task 2`
            return replace(other, subject=tuple(found.ids)), further
        return self._sentence(found, False, begin, end), end

    def _sentence(self, found: IdList, ahead: bool, start: int, end: int) -> Sentence:
        return Sentence(
            tuple(dict.fromkeys(found.ids)),
            found.listed,
            ahead,
            found.named,
            self._tokens[start].start,
            self._tokens[max(end, found.end) - 1].end,
            self._subjects.of(start),
        )
