"""What of a sentence sets no order: a verb behind a "not", what only may happen.

Used by ``prose_grammar``. Looks at a bounded number of words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kiro_swarm.tasks.file import prose_words as words
from kiro_swarm.tasks.file.prose_tokens import Token

#: Verbs that say the contrary behind a "not"; "not until 2" does not.
_DENIABLE: Final = (
    *("depend", "requir", "need", "block", "wait", "rel", "build", "use", "extend"),
    *("häng", "abhäng", "brauch", "benötig", "dépend", "depend", "dipend", "nécess"),
    *("requier", "requis", "necesit", "precis", "зависи", "треб", "依", "需", "等"),
    *("phụ", "chờ", "đợi", "cần", "yêu", "dựa", "bị", "chặn"),
)
#: Words between a "not" or a "can" and the verb that it is about.
_MOST: Final = 5
#: Places in an order: what must not be there stands behind.
_PLACES: Final = frozenset(
    (
        *("before", "ahead", "prior", "precede", "precedes", "vor", "avant", "antes"),
        *("prima", "trước", "must"),
    )
)
_PARTING: Final = frozenset(".,;:!?()。；：，、（）")
#: Words between a "not" and what it denies.
_MOST_DENIED: Final = 8
#: Behind a "not" they say that there is more.
_MERELY: Final = frozenset(("only", "just", "nur", "seulement", "solo", "só", "chỉ"))


def is_denied(tokens: Sequence[Token], at: int) -> bool:
    """Whether a verb is one of waiting, and denied."""
    if not tokens[at].text.startswith(_DENIABLE):
        return False
    begin = max(0, at - 2)
    while begin > max(0, at - _MOST) and words.DUTY.has(tokens[begin]):
        begin -= 1  # `does not have to wait`
    return any(
        words.NOT.has(token) or words.WITHOUT.has(token) for token in tokens[begin:at]
    )


def is_allowed(tokens: Sequence[Token], at: int) -> bool:
    """Whether something only may happen: ``can start before``."""
    last = max(0, at - _MOST)
    while at > last and words.BEGIN.has(tokens[at - 1]):
        at -= 1
    return at > last and words.MAY.has(tokens[at - 1])


def not_there(tokens: Sequence[Token], start: int) -> bool:
    """Whether a place in an order begins at ``start`` and something is not to be there."""
    if tokens[start].text not in _PLACES:
        return False
    for at in range(start - 1, max(-1, start - 1 - _MOST_DENIED), -1):
        token = tokens[at]
        if token.text in _PARTING:
            return False
        short = token.text == "t" and at > 0 and tokens[at - 1].text in "'’"
        if short or words.NOT.has(token):
            return tokens[at + 1].text not in _MERELY
    return False
