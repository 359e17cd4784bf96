"""Nearest valid sentences to one that was not understood. Used by the parser.

Whoever copies a suggestion without reading it must get what was meant or nothing: it has
only values that were written, it parses, and it is never destructive. Where the nearest
sentence would be a destructive one, nothing is suggested, for the next best could mean the
opposite; the message names the word that was probably meant. A verb is never guessed.
"""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from typing import Callable, Iterable, Iterator, Optional, Sequence, Tuple

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import Grammar, Node, fold
from kiro_swarm.commands.table import CONNECTORS, FILLERS

_MOST = 3
#: More of a word than this is not compared; words of the language are short.
_COMPARED = 80
#: As near as `stpo` is to `stop`. Less near are other words: `notes` and `test`.
_NEAR = 0.75
#: Two words of which one is nearer by less than this are equally near.
_TIE = 0.05
#: Words that may be left out without changing what a sentence means.
_EMPTY = CONNECTORS | FILLERS
#: Characters that are read again in search of a sentence: enough for every correction of
#: one of usual length. It makes the cost of a text linear in its length.
_MOST_READ = 4096

#: A correction, how near it is to what was written, whether a word was put in.
_Correction = Tuple[str, float, bool]


def close_word(node: Node, words: Sequence[str], index: int) -> Optional[str]:
    """The fixed word that was probably meant by the one at ``index``.

    One that the next word may follow goes before a nearer one. A destructive one is named
    only where what follows it fits, too.
    """
    if fold(words[index]) in _EMPTY:
        return None
    following = [fold(word) for word in words[index + 1 : index + 2]]
    near = _close(words[index], node.following)
    for word in near:
        reached = node.following[word]
        if all(item in reached.following for item in following) or reached.rule:
            return word
    for word in near[:1]:
        if not all(command.destructive for command in node.following[word].commands):
            return word
    return None


def suggestions(
    grammar: Grammar,
    read: Callable[[str], Action],
    text: str,
    error: SentenceError,
) -> list[str]:
    """At most three canonical sentences, best first."""
    found: list[str] = []
    left = _MOST_READ
    nearest = 0.0
    for candidate, ratio, put_in in _corrections(grammar, text, error):
        left -= len(candidate)
        if left < 0 or (nearest and not put_in and ratio < nearest - _TIE):
            break
        try:
            action = read(candidate)
        except SentenceError:
            continue
        if action.command.destructive:
            break
        if put_in and _has_a_word(action, grammar):
            continue
        if action.normalized not in found:
            if nearest and not put_in:
                return []  # two that differ are equally near
            found.append(action.normalized)
        if not put_in:
            nearest = ratio
    return found[:_MOST]


def _corrections(
    grammar: Grammar, text: str, error: SentenceError
) -> Iterator[_Correction]:
    """The text with the offending word replaced or preceded by another, nearest first.

    Never with the word left out, for it may be the one that turns the meaning round;
    but one that has no meaning anywhere may go. What can be a value is never replaced.
    """
    before = text[: error.position - 1]
    word, _, after = text[error.position - 1 :].partition(" ")
    if not word.strip("\r\n"):
        return
    if fold(word) in _EMPTY:
        yield f"{before} {after}", 1.0, True
    node = _node(grammar, before)
    known = [expected for expected in error.expected if expected in grammar.words]
    for close in _close(word, known if node is None else node.following):
        yield f"{before} {close} {after}", _ratio(word, close), False
    if node is not grammar.root:
        for expected in known:
            yield f"{before} {expected} {word} {after}", 0.0, True


def _node(grammar: Grammar, before: str) -> Optional[Node]:
    """Where fixed words lead; None where they are complete and values follow."""
    node = grammar.root
    for word in before.split():
        following = node.other_spelling(word, first=node is grammar.root)
        if following is None:
            return None
        node = following
    return node if node.following else None


def _close(word: str, known: Iterable[str]) -> list[str]:
    """The words that one of letters may be a slip of, nearest first.

    ``unapprove`` is no slip of ``approve``, but its opposite.
    """
    bare = word[:_COMPARED].strip('"\r\n').lower()
    if not bare.replace("-", "").isalpha():
        return []
    return [
        near
        for near in get_close_matches(bare, list(known), _MOST, _NEAR)
        if not (bare.endswith(near) and len(bare) > len(near) + 1)
    ]


def _ratio(word: str, other: str) -> float:
    bare = word[:_COMPARED].strip('"\r\n').lower()
    return SequenceMatcher(None, other, bare).ratio()


def _has_a_word(action: Action, grammar: Grammar) -> bool:
    """Whether a value is a word of the language: no task of ``approve all`` is meant."""
    values = [*action.arguments.values(), *action.parameters.values()]
    return any(isinstance(item, str) and fold(item) in grammar.words for item in values)
