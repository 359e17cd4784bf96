"""What a sentence that is not understood is told. Used by the parser.

Each answer names the column, says what could have stood there and, where it is harmless,
the word that was probably meant. Columns are worked out here and not on the way.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence

from kiro_swarm.commands.errors import SentenceError, any_of, shown
from kiro_swarm.commands.grammar import Node, Place, Rule, fold
from kiro_swarm.commands.lexer import as_written, column_of
from kiro_swarm.commands.suggest import close_word
from kiro_swarm.commands.table import Argument
from kiro_swarm.commands.values import Value, expectation

_END = "the end of the sentence"
_DELETE = frozenset(("delete", "destroy", "uninstall"))


def deletes(word: str) -> bool:
    """Whether a word asks to delete something, which no sentence does."""
    return fold(word) in _DELETE


def asks_to_delete(words: Sequence[str]) -> bool:
    """Whether these words would delete a swarm."""
    return deletes("".join(words[:1])) and [*map(fold, words[1:2])] in ([], ["swarm"])


def unknown_word(
    node: Node, text: str, words: list[str], index: int, advise: bool
) -> SentenceError:
    """For a sentence whose fixed words lead to no command."""
    column = column_of(text, index)
    expected = node.expected()
    if index == len(words):
        problem = f"{shown(text)} is not complete at column {column}"
        close = None
    else:
        kind = "word" if index else "command"
        problem = f"unknown {kind} {shown(as_written(words[index]))} at column {column}"
        close = close_word(node, words, index) if advise else None
    advice = f"did you mean '{close}'?" if close else f"expected {any_of(expected)}"
    if asks_to_delete(words):
        advice = "a swarm is deleted with: kubectl delete kiroswarm NAME"
    return SentenceError(f"{problem}; {advice}", column, expected)


def too_much(
    rule: Rule, text: str, index: int, word: str, said: set[str]
) -> SentenceError:
    """For a word after everything that the command takes."""
    column = column_of(text, index)
    command = rule.command
    options = {
        **{item.name: item.name for item in command.modifiers},
        **{
            item.name: f"{item.after} {item.name.upper()}"
            for item in command.arguments
            if item.optional and item.after
        },
        **{item.name: f"{item.name}=" for item in command.parameters},
    }
    expected = [option for name, option in options.items() if name not in said]
    expected.append(_END)
    texts = any(item.kind == "text" for item in rule.keys.values())
    return SentenceError(
        f"unexpected {shown(as_written(word))} at column {column}; "
        f"expected {any_of(expected)}"
        + ("; several words that are one value stand in quotes" if texts else ""),
        column,
        expected,
    )


def refuse_missing(
    rule: Rule,
    text: str,
    values: Mapping[str, Value],
    introduced: Optional[Place],
    count: int,
) -> None:
    """Raises SentenceError for the first argument that must be there and is not.

    One that may be left out must be there after its own word.
    """
    for name, _, argument in [*rule.places, *([introduced] if introduced else [])]:
        if name not in values and (not argument.optional or argument.after):
            column = column_of(text, count)
            expected = expectation(argument)
            raise SentenceError(
                f"'{rule.command.name}' needs {expected} at column {column}",
                column,
                [expected],
            )


def bad_value(error: ValueError, argument: Argument, column: int) -> SentenceError:
    """For a value that its reader refused."""
    return SentenceError(f"{error} (column {column})", column, [expectation(argument)])


def refuse_again(name: str, text: str, index: int, values: Mapping[str, Value]) -> None:
    """Raises SentenceError for a value that was given before."""
    if name in values:
        column = column_of(text, index)
        raise SentenceError(f"'{name}' is given twice (column {column})", column)
