"""Words of a shell to a sentence of the language, and what to say about a wrong one. Pure.

Called by ``route`` and ``say``. The shell has taken the quotes away; where a word would now
be read as several, they are put back.
"""

from __future__ import annotations

from typing import Sequence

from kiro_swarm.cli.kubectl.failure import NOT_UNDERSTOOD, Failure
from kiro_swarm.cli.kubectl.spoken import Spoken
from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.lexer import scan
from kiro_swarm.commands.parser import first_permission as begins
from kiro_swarm.commands.parser import parse
from kiro_swarm.commands.refusals import asks_to_delete

#: More than this of a long sentence is not shown around the place that is wrong.
_SHOWN = 72
_NOTHING_SAID = Spoken()


def sentence_of(words: Sequence[str]) -> str:
    """The sentence that these arguments of a shell say.

    The first argument may be the whole sentence, for a verb has no blanks.
    """
    return " ".join([*words[:1], *(_word(word) for word in words[1:])])


def understood(text: str, spoken: Spoken = _NOTHING_SAID) -> Action:
    """The action of a sentence.

    :param spoken: how the line of the shell began, for the lines to copy.

    Raises Failure: a message, the sentence with a mark under the place, suggestions.
    """
    try:
        return parse(text)
    except SentenceError as error:
        hints = [*_marked(text, error.position)]
        first = text.split()[:1]
        if asks_to_delete(text.split(None, 2)[:2]):
            hints.append(f"to delete it: {spoken.delete()}")
        elif error.suggestions:
            hints += [f"did you mean: {spoken.line(it)}" for it in error.suggestions]
        elif begins("".join(first)):
            hints.append(f"kubectl swarm help {first[0].lower()} shows examples")
        else:
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
