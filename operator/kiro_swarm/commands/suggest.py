"""Nearest valid sentences to one that was not understood. Used by the parser.

Only sentences that parse are suggested, and never a destructive one: whoever copies a
correction without reading it must not lose work. Where the nearest would be a
destructive one nothing is suggested, for the next best could mean the opposite.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Callable, Iterator, Optional

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import Grammar, Node, fold
from kiro_swarm.commands.table import CONNECTORS, FILLERS

_MOST = 3
#: More of a text than this is not compared; sentences are short.
_COMPARED = 80
#: Words that may be left out without changing what a sentence means.
_EMPTY = CONNECTORS | FILLERS
#: Characters that are read again in search of a sentence: enough for every correction of
#: one of usual length. It makes the cost of a text linear in its length.
_MOST_READ = 4096


def close_word(node: Node, word: str) -> Optional[str]:
    """The fixed word nearest to ``word``, if it leads to something harmless."""
    if fold(word) in _EMPTY:
        return None
    found = get_close_matches(word[:_COMPARED].lower(), node.following, 1)
    reached = [command for near in found for command in node.following[near].commands]
    return None if all(command.destructive for command in reached) else found[0]


def suggestions(
    grammar: Grammar,
    read: Callable[[str], Action],
    text: str,
    error: SentenceError,
) -> list[str]:
    """At most three canonical sentences, best first."""
    found: list[str] = []
    left = _MOST_READ
    for candidate in _corrections(grammar, text, error):
        left -= len(candidate)
        if left < 0:
            break
        try:
            action = read(candidate)
        except SentenceError:
            continue
        if action.command.destructive:
            return found[:_MOST]
        if action.normalized not in found:
            found.append(action.normalized)
    if not found:
        found = [read(example).normalized for example in _examples(grammar, text)]
    return found[:_MOST]


def _corrections(grammar: Grammar, text: str, error: SentenceError) -> Iterator[str]:
    """The text with the offending word replaced or preceded by another, nearest first.

    Never with the word left out, for it may be the one that turns the meaning round;
    but one that has no meaning anywhere may go.
    """
    before = text[: error.position - 1]
    word, _, after = text[error.position - 1 :].partition(" ")
    if fold(word) in _EMPTY:
        yield f"{before} {after}"
    known = [expected for expected in error.expected if expected in grammar.words]
    for close in get_close_matches(word[:_COMPARED].lower(), known, _MOST):
        yield f"{before} {close} {after}"
    for expected in known:
        yield f"{before} {expected} {word} {after}"


def _examples(grammar: Grammar, text: str) -> list[str]:
    """An example of the commands that the first words lead to: the nearest to the text.

    Of a text that only begins a sentence, the first harmless one.
    """
    node = grammar.root
    words = text[:_COMPARED].split()
    known = 0
    for word in words:
        following = node.other_spelling(word, first=node is grammar.root)
        if following is None:
            break
        node = following
        known += 1
    cutoff = 0.6 if node is grammar.root else 0.0
    destructive = {
        example: command.destructive
        for command in node.commands
        for example in command.examples
    }
    if known and known == len(words):
        found = [example for example in destructive if not destructive[example]][:1]
    else:
        found = get_close_matches(text[:_COMPARED], destructive, 1, cutoff)
    return [example for example in found if not destructive[example]]
