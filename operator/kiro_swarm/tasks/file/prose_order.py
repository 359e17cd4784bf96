"""Sentences that put tasks one after another or side by side.

Used by ``prose_grammar``. What is found::

    order  := name ":" list                  Order: 1, 2, 4; Critical path: Task 1 -> Task 3
            | [first] list {joint list}      first 1, then 2; 1 > 2; タスク 1 → タスク 3.1
    beside := name ":" list                  Parallel: 1, 2
            | list ... together              tasks 4 and 5 can be done in parallel

Arrows between bare ids are left to ``diagrams``. Mere numbers count with evidence alone: a name,
the word for a task, or a clause that has nothing else in it. Each token is looked at a bounded
number of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Optional

from kiro_swarm.tasks.file import arrows
from kiro_swarm.tasks.file import prose_order_words as order
from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.prose_lists import CLOSING, DECORATION, IdList, Lists

_ARROWS: Final = frozenset(arrows.RIGHT)
_COLONS: Final = frozenset(":：=")
_COMMAS: Final = frozenset(",;，、；.。")
_OPENED: Final = frozenset("(（:：")
_CLOSED: Final = frozenset(")）")
#: What a name, or the first word of an order, begins with.
BEGINS: Final = frozenset().union(
    *(phrases.first_words for phrases in (order.ORDER, order.BESIDE_NAME, order.FIRST)),
    *(phrases.first_words for phrases in (order.TOGETHER, order.IN_ORDER)),
)
_MOST_STEPS: Final = 50
#: Words of a step in front of its task.
_MOST_WORDS: Final = 10
#: Words between tasks and what is said of all of them.
_MOST_SAID: Final = 9


@dataclass(frozen=True)
class Order:
    """Steps one after another, or all of them ``beside`` each other; ``end`` is a place."""

    steps: tuple[tuple[str, ...], ...]
    end: int
    beside: bool = False


@dataclass
class _Chain:
    lists: list[IdList]
    end: int
    #: Whether each joint is an arrow between two bare ids.
    drawn: bool = True
    #: Whether a step is said to be the first.
    first: bool = False


class Orders:
    """Reads the orders of one line."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._tokens = lists.tokens

    def at_word(self, at: int) -> Optional[Order]:
        """The order whose name, or whose first word, stands at a place."""
        if self._tokens[at].text not in BEGINS:
            return None
        begun = self._starts(at) and (self._named(at) or self._first(at))
        return begun or self._adverb(at)

    def _adverb(self, at: int) -> Optional[Order]:
        """Tasks behind how they are done: ``in parallel (2.1, 2.2)``, ``依次执行任务 1-3``."""
        for adverbs, beside in ((order.TOGETHER, True), (order.IN_ORDER, False)):
            end = adverbs.end(self._tokens, at)
            if end is None:
                continue
            place = self._lists.past(end, _OPENED, most=1)
            found = self._lists.at(self._past_verbs(place))
            if found is None or len(found.ids) < 2:
                continue
            mere = any(name.isdigit() for name in found.ids)
            if (mere and not found.named) or not self._lists.closed(found.end):
                continue
            if not all(map(self._lists.known, found.ids)):
                continue
            if beside:
                return Order((tuple(found.ids),), found.end, beside=True)
            return Order(tuple((name,) for name in found.ids), found.end)
        return None

    def at_id(
        self, at: int, found: IdList, joined: tuple[str, ...], *, named: bool
    ) -> Optional[Order]:
        """The order that begins with the ids at a place.

        :param joined: those that an "and" joins to them.
        :param named: whether the word for a task stands in front of them.
        """
        together = self._together(found, joined, named=named)
        if together is not None:
            return together
        chain = self._chain(at, found)
        if chain is None or len(chain.lists) < 2:
            return None
        if chain.drawn:
            return None
        sure = named or any(one.named for one in chain.lists) or chain.first
        if not sure and not (self._starts(at) and self._lists.closed(chain.end)):
            return None
        return _order(chain)

    def _named(self, at: int) -> Optional[Order]:
        for names, beside in ((order.BESIDE_NAME, True), (order.ORDER, False)):
            end = names.end(self._tokens, at)
            if end is None:
                continue
            place = self._lists.past(end, DECORATION)
            colon = self._lists.past(place, _COLONS, most=1)
            if colon == place:
                continue
            chain = self._chain(self._lists.past(colon, DECORATION))
            if chain is None or not self._lists.closed(chain.end):
                continue
            ids = tuple(name for one in chain.lists for name in one.ids)
            if len(ids) < 2 or (chain.drawn and len(chain.lists) > 1):
                continue
            if beside:
                return Order((ids,), chain.end, beside=True)
            if len(chain.lists) == 1:
                return Order(tuple((name,) for name in ids), chain.end)
            return _order(chain)
        return None

    def _first(self, at: int) -> Optional[Order]:
        end = order.FIRST.end(self._tokens, at)
        chain = None if end is None else self._chain(end)
        if chain is None or len(chain.lists) < 2:
            return None
        return _order(chain)

    def _chain(self, at: int, found: Optional[IdList] = None) -> Optional[_Chain]:
        """The steps from a place on, the first of which may be read already."""
        chain = _Chain([], at)
        while len(chain.lists) < _MOST_STEPS:
            if found is None or chain.lists:
                found = self._lists.at(self._past_verbs(at))
            if found is None and chain.lists:
                found = self._further(at)
            if found is None or not all(map(self._lists.known, found.ids)):
                break
            chain.lists.append(found)
            chain.end = found.end
            chain.drawn &= len(found.ids) == 1
            if len(chain.lists) > 1:
                chain.drawn &= not found.named
            joined = self._joint(found.end, chain)
            if joined is None:
                break
            at = joined
        return chain if chain.lists else None

    def _further(self, at: int) -> Optional[IdList]:
        """A step that is said with words in front: ``→ the engine (Task 5)``."""
        for place in range(at, min(at + _MOST_WORDS, len(self._tokens))):
            if words.TASK.end(self._tokens, place) is not None:
                return self._lists.at(place)
            token = self._tokens[place]
            if token.kind == "id" or (
                token.kind == "sign" and token.text not in "(（-"
            ):
                return None
        return None

    def _joint(self, at: int, chain: _Chain) -> Optional[int]:
        """The place behind what joins two steps."""
        place = self._lists.past(at, CLOSING | _CLOSED)
        place = self._lists.past_aside(place)
        bare = place == at
        arrow = self._arrow(place)
        if arrow is not None:
            alone = arrow == place + 1 and self._tokens[place].text == ">"
            chain.drawn &= bare and not alone
            return arrow
        first = order.FIRST.end(self._tokens, place)
        place = self._lists.past(first or place, _COMMAS, most=1)
        then = order.THEN.end(self._tokens, place)
        if then is None:
            return None
        chain.first |= first is not None
        chain.drawn = False
        return self._lists.past(then, _COMMAS, most=1)

    def _arrow(self, at: int) -> Optional[int]:
        """The place behind an arrow."""
        place = at
        while place < min(at + 4, len(self._tokens)):
            text = self._tokens[place].text
            place += 1
            if text in _ARROWS or text == ">":
                return place
            if text not in "-=":
                return None
        return None

    def _past_verbs(self, at: int) -> int:
        for _ in range(4):
            end = order.DO.end(self._tokens, at) or words.BETWEEN.end(self._tokens, at)
            at = end or self._lists.past(at, DECORATION)
        return at

    def _together(
        self, found: IdList, joined: tuple[str, ...], *, named: bool
    ) -> Optional[Order]:
        """Ids of which is said that they run side by side."""
        ids = (*joined, *found.ids)
        mere = any(name.isdigit() for name in ids)
        beside = order.WITH.end(self._tokens, found.end)
        if beside is not None:  # `1と並行して`: beside the task that says so
            end = order.TOGETHER.end(self._tokens, beside)
            if end is None or self._denied(end):
                return None
            return Order((tuple(found.ids),), end, beside=True)
        if len(ids) < 2 or (mere and not (named or found.named)):
            return None
        if not all(map(self._lists.known, ids)):
            return None
        place = self._lists.past(found.end, CLOSING | _CLOSED)
        place = self._lists.past_aside(place)
        for _ in range(_MOST_SAID):
            if place >= len(self._tokens) or words.NOT.has(self._tokens[place]):
                return None
            if order.BESIDE.end(self._tokens, place) is not None:
                return None
            end = order.TOGETHER.end(self._tokens, place)
            one_by_one = order.IN_ORDER.end(self._tokens, place)
            if end is not None or one_by_one is not None:
                return self._manner(ids, end, one_by_one)
            if self._tokens[place].kind not in ("word", "character"):
                return None
            place += 1
        return None

    def _manner(
        self, ids: tuple[str, ...], together: Optional[int], one_by_one: Optional[int]
    ) -> Optional[Order]:
        """Ids side by side or one after another, as a word behind them says."""
        if together is not None:
            if self._denied(together):
                return None
            return Order((ids,), together, beside=True)
        end = one_by_one or 0
        if end < len(self._tokens) and self._tokens[end].text in ("of", "to"):
            return None  # `sorted in order of size`
        return Order(tuple((name,) for name in ids), end)

    def _denied(self, at: int) -> bool:
        """Whether what was said is not so: ``並行実行不可``."""
        following = self._tokens[at : at + 4]
        return any(token.text in "不無없" for token in following)

    def _starts(self, at: int) -> bool:
        """Whether a clause starts here, apart from verbs."""
        before = at - 1
        while before >= 0 and before > at - 4 and order.DO.has(self._tokens[before]):
            before -= 1
        return self._lists.leads(before + 1) or (
            self._tokens[before].text in DECORATION
        )


def _order(chain: _Chain) -> Optional[Order]:
    steps = tuple(tuple(dict.fromkeys(one.ids)) for one in chain.lists)
    return Order(steps, chain.end)
