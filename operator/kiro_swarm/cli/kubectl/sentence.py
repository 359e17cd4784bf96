"""Words of a shell to a sentence of the language, and what to say about a wrong one. Pure.

Called by ``route`` and ``say``. The shell has taken the quotes away; where a word would now
be read as several, they are put back.
"""

from __future__ import annotations

from typing import Sequence

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.lexer import scan
from kiro_swarm.commands.parser import parse

#: More than this of a long sentence is not shown around the place that is wrong.
_SHOWN = 72


def sentence_of(words: Sequence[str]) -> str:
    """The sentence that these arguments of a shell say.

    The first argument may be the whole sentence, for a verb has no blanks.
    """
    return " ".join([*words[:1], *(_word(word) for word in words[1:])])


def understood(text: str, said_to: str = "") -> Action:
    """The action of a sentence.

    :param said_to: name of the swarm as it was written, for the suggestions.

    Raises Failure: a message, the sentence with a mark under the place, suggestions.
    """
    try:
        return parse(text)
    except SentenceError as error:
        spoken = " ".join(filter(None, ("kubectl swarm", said_to)))
        hints = [*_marked(text, error.position)]
        hints += [f"did you mean: {spoken} {each}" for each in error.suggestions]
        if not error.suggestions:
            hints.append("kubectl swarm help lists all sentences")
        raise Failure(error.message, NOT_UNDERSTOOD, hints) from None


def _word(word: str) -> str:
    """One argument as one word of the language."""
    try:
        if len(list(scan(word))) == 1:
            return word
    except SentenceError:
        pass  # a quote in it: to be written as part of a quoted word
    name, equals, value = word.partition("=")
    if equals and name.isidentifier():
        return f"{name}={_quoted(value)}"
    return _quoted(word)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _marked(text: str, position: int) -> list[str]:
    """The sentence and a mark under a column, cut around it; no control characters."""
    visible = "".join(char if char.isprintable() else "\N{BULLET}" for char in text)
    start = max(0, min(position - _SHOWN // 2, len(visible) - _SHOWN))
    window = visible[start : start + _SHOWN]
    before = _width(visible[start : position - 1])
    return [f"  {window}", f"  {' ' * before}^"]


def _width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
