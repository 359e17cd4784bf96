"""Sentence to Action, or a SentenceError that teaches. Hand-written, pure.

Called with the text of a SwarmCommand and by the command line. Every word of the text
is accounted for, synonyms are exact and misspelt words are never repaired, so no
action comes out that was not written. Ids keep their case.

The way of a sentence: words (lexer.py), fixed words down the tree of the grammar, then
each further word is a modifier, a ``name=value``, a connector or the next argument.
Columns are only worked out when something is wrong; that keeps the good case fast.
"""

from __future__ import annotations

from typing import Mapping, Optional, Sequence

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError, any_of, shown
from kiro_swarm.commands.grammar import Fold, Grammar, Place, Rule, fold
from kiro_swarm.commands.lexer import column_of, plain, split
from kiro_swarm.commands.refusals import (
    bad_value,
    refuse_again,
    refuse_missing,
    too_much,
    unknown_word,
)
from kiro_swarm.commands.suggest import suggestions
from kiro_swarm.commands.table import (
    COMMANDS,
    VERB_SYNONYMS,
    Command,
)
from kiro_swarm.commands.values import READERS, Value


class Parser:
    """The parser of one table."""

    def __init__(
        self,
        commands: Sequence[Command] = COMMANDS,
        verb_synonyms: Mapping[str, Sequence[str]] = VERB_SYNONYMS,
    ) -> None:
        self.grammar = Grammar(commands, verb_synonyms)

    def parse(self, text: str) -> Action:
        """The action that the text says; raises SentenceError."""
        try:
            return self._read(text)
        except SentenceError as error:
            near = suggestions(self.grammar, self.read, text, error)
            raise SentenceError(
                error.message, error.position, error.expected, near
            ) from None

    def read(self, text: str) -> Action:
        """The same where nobody reads the error: it has no suggestions, and is cheap."""
        return self._read(text, advise=False)

    def first_permission(self, text: str) -> str:
        """The permission that the first word of a text needs; empty if it is unknown.

        As the admission policy finds it: it costs next to nothing, whatever the text is.
        """
        first = text.lstrip(" ").partition(" ")[0]
        return self.grammar.permissions.get(fold(first.rstrip("\r\n")), "")

    def _read(self, text: str, advise: bool = True) -> Action:
        """The same without suggestions."""
        words = split(text)
        node = self.grammar.root
        index = 0
        for word in words:
            following = node.following.get(word)
            if following is None:
                following = node.other_spelling(word, first=index == 0)
                if following is None:
                    break
            node = following
            index += 1
        if node.rule is None:
            raise unknown_word(node, text, words, index, advise)
        # Folding a word is most of what is done with it: the quick way where it is right.
        return _bind(
            node.rule, text, words, index, str.lower if text.isascii() else fold
        )


def _bind(rule: Rule, text: str, words: list[str], index: int, folded: Fold) -> Action:
    """Reads the words after the fixed ones: modifiers, values by name, by place."""
    values: dict[str, Value] = {}
    modifiers: list[str] = []
    introduced: Optional[Place] = None
    pending = rule.expected(words, index) if rule.leading else rule.places
    place = 0
    known = rule.words
    count = len(words)
    while index < count:
        word = words[index]
        width = 1
        looked_up = folded(word)
        meaning = known.get(looked_up)
        if meaning == "":
            wants_value = place < len(pending)
            meaning, width = rule.resolve(looked_up, words, index, wants_value)
            if meaning == "" and looked_up in rule.introduced:
                introduced = rule.introduced[looked_up]
                pending = _first(introduced, pending[place:], text, index, values)
                place = 0
        if meaning:
            modifiers.append(meaning)
        elif meaning is None and "=" in word and word[0] != '"':
            _bind_named(rule, text, index, word, values)
            pending = [item for item in pending if item[0] not in values]
            place = 0
        elif meaning is None:
            if place == len(pending):
                raise too_much(rule, text, index, word, {*modifiers, *values})
            name, reader, argument = pending[place]
            place += 1
            try:
                values[name] = reader(word[1:] if word[0] == '"' else word, argument)
            except ValueError as error:
                raise bad_value(error, argument, column_of(text, index)) from None
        index += width
    parameters = (
        {name: values.pop(name) for name in rule.parameters if name in values}
        if rule.parameters
        else {}
    )
    if introduced or len(values) < len(rule.places):
        refuse_missing(rule, text, {**values, **parameters}, introduced, count)
    if len(modifiers) > 1:
        modifiers = rule.in_order(modifiers)
    said = rule.prefix + tuple(modifiers) if modifiers else rule.prefix
    # What ``Action(...)`` comes to, without the call in between.
    return tuple.__new__(Action, (rule.command, values, said, parameters, "", "", ""))


def _first(
    introduced: Place,
    pending: list[Place],
    text: str,
    index: int,
    values: Mapping[str, Value],
) -> list[Place]:
    """What may stand after the word of an argument: that one, then what is left."""
    if pending and pending[0] is introduced:
        return pending
    name = introduced[0]
    refuse_again(name, text, index, values)
    return [introduced, *(item for item in pending if item is not introduced)]


def _bind_named(
    rule: Rule, text: str, index: int, word: str, values: dict[str, Value]
) -> None:
    """Reads one ``name=value`` into the values."""
    key, _, value = word.partition("=")
    name = fold(key)
    argument = rule.keys.get(name)
    if argument is None:
        column = column_of(text, index)
        known = [f"{known}=" for known in rule.keys]
        raise SentenceError(
            f"'{rule.command.name}' has no {shown(key + '=')} (column {column}); "
            f"{'it has ' + any_of(known) if known else 'it takes no name=value'}",
            column,
            known,
        )
    refuse_again(name, text, index, values)
    try:
        values[name] = READERS[argument.kind](plain(value), argument)
    except ValueError as error:
        column = column_of(text, index) + len(key) + 1
        raise bad_value(error, argument, column) from None


#: The parser of the whole table.
PARSER = Parser()

#: The parser of the language: raises SentenceError, returns an Action.
parse = PARSER.parse
#: The same, and whether a text is a sentence at all; and what its first word needs.
read, first_permission = PARSER.read, PARSER.first_permission
