"""Nearest valid sentences to one that was not understood. Used by the parser.

Only sentences that parse are suggested, and never a destructive one: whoever copies a
correction without reading it must not lose work.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Callable, Iterator, Optional

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.grammar import Grammar, Node

_MOST = 3
#: More of a text than this is not compared; sentences are short.
_COMPARED = 80


def close_word(node: Node, word: str) -> Optional[str]:
    """The fixed word nearest to ``word``, if it leads to something harmless."""
    harmless = [
        known
        for known, after in node.following.items()
        if not all(command.destructive for command in after.commands())
    ]
    found = get_close_matches(word[:_COMPARED].lower(), harmless, 1)
    return found[0] if found else None


def suggestions(
    grammar: Grammar,
    read: Callable[[str], Action],
    text: str,
    error: SentenceError,
) -> list[str]:
    """At most three canonical sentences, best first."""
    found: list[str] = []
    for candidate in _corrections(grammar, text, error):
        try:
            action = read(candidate)
        except SentenceError:
            continue
        if not action.command.destructive and action.normalized not in found:
            found.append(action.normalized)
    if not found:
        found = [read(example).normalized for example in _examples(grammar, text)]
    return found[:_MOST]


def _corrections(grammar: Grammar, text: str, error: SentenceError) -> Iterator[str]:
    """The text with the offending word replaced or preceded by another.

    Never with the word left out: it may be the one that turns the meaning round.
    """
    before = text[: error.position - 1]
    word, _, after = text[error.position - 1 :].partition(" ")
    known = [expected for expected in error.expected if expected in grammar.words]
    for close in get_close_matches(word[:_COMPARED].lower(), known, _MOST):
        yield f"{before} {close} {after}"
    for expected in known:
        yield f"{before} {expected} {word} {after}"


def _examples(grammar: Grammar, text: str) -> list[str]:
    """The nearest example among the commands that the first words lead to.

    Nothing when the nearest is destructive: the next best could mean the opposite.
    """
    node = grammar.root
    for word in text[:_COMPARED].split():
        following = node.other_spelling(word, first=node is grammar.root)
        if following is None:
            break
        node = following
    cutoff = 0.6 if node is grammar.root else 0.0
    destructive = {
        example: command.destructive
        for command in node.commands()
        for example in command.examples
    }
    found = get_close_matches(text[:_COMPARED], destructive, 1, cutoff)
    return [example for example in found if not destructive[example]]
