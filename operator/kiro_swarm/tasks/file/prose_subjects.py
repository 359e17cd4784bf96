"""The tasks that a sentence is about: ``task 2`` of ``task 2 must wait for task 1``.

Used by ``prose_grammar``, which shows it the ids of a line one after another.
"""

from __future__ import annotations

from typing import Final, Optional

from kiro_swarm.tasks.file import prose_order_words as order
from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.prose_lists import CLOSING, IdList, Lists

_LINKING: Final = (
    words.IS,
    words.LEAD,
    words.DONE,
    order.MODAL,
    words.NOT,
    words.WITHOUT,
)
_LINKS: Final = CLOSING | {")", "）"}
_PARTING: Final = frozenset(".;:!?|。；：")
#: Words between a task and the verb of what it is the subject of.
_MOST_LINKED: Final = 10


class Subjects:
    """The subjects of the sentences of one line."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._tokens = lists.tokens
        self._last: Optional[IdList] = None
        #: The ids before the last ones: what a pronoun stands for.
        self.earlier: Optional[IdList] = None
        #: Whether the line begins with a task.
        self.headed = False

    def see(self, found: IdList, begin: int) -> None:
        """Ids that may be the subject of what follows."""
        mere = any(name.isdigit() for name in found.ids)
        verb = begin > 0 and order.DO.has(self._tokens[begin - 1])
        if begin > 0 and words.OTHER.has(self._tokens[begin - 1]):
            return
        self.headed |= not mere and self._lists.first(begin)
        if found.named or not mere or verb or self._lists.leads(begin):
            self.earlier, self._last = self._last, found

    def joined(self, begin: int) -> tuple[str, ...]:
        """The ids in front of others: ``types (1.1) and views (1.2) can ...``."""
        if self._last is None or not 0 < begin - self._last.end <= _MOST_LINKED:
            return ()
        between = self._tokens[self._last.end : begin]
        if not any(words.AND.has(token) for token in between) or any(
            token.text in _PARTING for token in between
        ):
            return ()
        return tuple(self._last.ids)

    def of(self, start: int) -> tuple[str, ...]:
        """The tasks that stand in front of a verb with nothing else between."""
        if self._last is None:
            return ()
        at = self._last.end
        for _ in range(_MOST_LINKED):
            if at >= start:
                break
            at = self._lists.past_aside(self._lists.past(at, _LINKS))
            ends = [p.end(self._tokens, at) for p in _LINKING] if at < start else []
            at = max((end for end in ends if end is not None), default=at)
        return tuple(dict.fromkeys(self._last.ids)) if at == start else ()
