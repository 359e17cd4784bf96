"""The table compiled for the parser: fixed words as a tree, rows with look-ups.

Built once per table. Refuses a table that the parser could misread: two meanings of
one phrase or word, two permissions behind one first word, a command with arguments
whose phrase goes on in another command.
"""

from __future__ import annotations

from typing import Callable, Mapping, Optional, Sequence, Tuple

from kiro_swarm.commands.table import CONNECTORS, FILLERS, Argument, Command
from kiro_swarm.commands.values import READERS, Reader

#: How a word is folded to be looked up. ``str.lower`` is right for ASCII only: it makes
#: a plain 'k' of U+212A, and an admission policy that lowers ASCII would see another word.
Fold = Callable[[str], str]


def fold(word: str) -> str:
    """The word in lower case if it is all ASCII, else as it is."""
    return word.lower() if word.isascii() else word


#: Where an argument stands: its name, the reader of its kind, itself.
Place = Tuple[str, Reader, Argument]


class Rule:
    """One row with its look-ups: modifiers by spelling, values by place and name."""

    __slots__ = (
        "command",
        "connectors",
        "introduced",
        "keys",
        "leading",
        "openers",
        "parameters",
        "places",
        "prefix",
        "words",
    )

    def __init__(self, command: Command) -> None:
        self.command = command
        self.connectors = CONNECTORS | command.connectors
        self.prefix = command.fixed_modifiers
        self.keys: dict[str, Argument] = {
            item.name: item for item in (*command.arguments, *command.parameters)
        }
        places: list[Place] = [
            (name, READERS[item.kind], item) for name, item in self.keys.items()
        ]
        #: Arguments in their order; one with a word of its own that may be left out
        #: is found by that word alone.
        self.places = [
            place
            for place in places[: len(command.arguments)]
            if not (place[2].optional and place[2].after)
        ]
        self.parameters = [item.name for item in command.parameters]
        #: The word that follows the first argument where that may be left out.
        self.leading = ""
        if len(self.places) > 1 and self.places[0][2].optional:
            self.leading = self.places[1][2].after
        #: The word before an argument -> that argument.
        self.introduced: dict[str, Place] = {
            place[2].after: place for place in places if place[2].after
        }
        #: Words that are no values: spelling -> name of the modifier, "" for a
        #: connector and for the first word of a modifier written with spaces.
        self.words: dict[str, str] = dict.fromkeys(
            [*self.connectors, *self.introduced], ""
        )
        #: That first word -> all words and the name of each such modifier.
        self.openers: dict[str, list[tuple[list[str], str]]] = {}
        for modifier in command.modifiers:
            for spelling in (modifier.name, *modifier.synonyms):
                words = spelling.split("-")
                if len(words) > 1:
                    self.words.setdefault(words[0], "")
                    self.openers.setdefault(words[0], []).append((words, modifier.name))
                if spelling in self.words:
                    raise ValueError(
                        f"'{spelling}' has two meanings in '{command.name}'"
                    )
                self.words[spelling] = modifier.name

    def expected(self, words: Sequence[str], index: int) -> list[Place]:
        """Where the first argument may be left out: the places that the words fill.

        ``demo`` in ``scale swarm demo to 5`` is there only if ``to`` follows it.
        """
        while index < len(words) and fold(words[index]) in self.words:
            index += 1
        follows = [fold(word) for word in words[index + 1 : index + 2]]
        return self.places if follows == [self.leading] else self.places[1:]

    def resolve(
        self, word: str, words: Sequence[str], index: int, wants_value: bool
    ) -> tuple[Optional[str], int]:
        """What a folded word known as "" is here, and how many words it takes.

        A modifier's name, "" for a word before a value or without meaning, None for a
        value. The last word is a value where one is still wanted, unless it is one that
        announces a value.
        """
        if word in self.openers:
            for parts, name in self.openers[word]:
                if parts == [fold(part) for part in words[index : index + len(parts)]]:
                    return name, len(parts)
        if word in self.introduced:
            return "", 1
        if word in self.connectors and not (wants_value and index + 1 == len(words)):
            return "", 1
        return None, 1

    def in_order(self, said: Sequence[str]) -> list[str]:
        """The modifiers that were said, each once, in the table's order."""
        return [item.name for item in self.command.modifiers if item.name in said]


class Node:
    """A place between fixed words: what may follow, and what is complete here."""

    __slots__ = ("canonical", "commands", "following", "rule")

    def __init__(self) -> None:
        self.following: dict[str, Node] = {}
        #: Every command that can still be reached from here.
        self.commands: list[Command] = []
        #: The words that may follow and are no synonyms.
        self.canonical: list[str] = []
        self.rule: Optional[Rule] = None

    def other_spelling(self, word: str, first: bool) -> Optional[Node]:
        """Where a word leads that is not there as written: other case, or a filler.

        The first word is never a filler: it decides the permission.
        """
        if not self.following:
            return None
        folded = fold(word)
        if folded in FILLERS and not first:
            return self.following.get(folded, self)
        return self.following.get(folded)

    def reach(self, command: Command) -> None:
        """Note that a command can be reached; phrases of one come together."""
        if self.commands[-1:] != [command]:
            self.commands.append(command)

    def expected(self) -> list[str]:
        """The words that may follow, without synonyms where there are others."""
        return self.canonical or sorted(self.following)


class Grammar:
    """All rows: the tree of fixed words, every known word, permission by first word."""

    def __init__(
        self, commands: Sequence[Command], verb_synonyms: Mapping[str, Sequence[str]]
    ) -> None:
        self.root = Node()
        self.words: set[str] = set()
        self.permissions: dict[str, str] = {}
        for command in commands:
            rule = Rule(command)
            fixed = command.name.split()
            verbs = (command.verb, *verb_synonyms.get(command.verb, ()))
            for verb in verbs:
                self._add(rule, [verb, *fixed[1:]], canonical_from=verb != fixed[0])
            for phrase in command.phrases():
                for verb in verbs if phrase[0] == command.verb else phrase[:1]:
                    self._add(rule, [verb, *phrase[1:]], canonical_from=len(phrase))
            self.words.update(rule.words)
        self._refuse_ambiguous(self.root)

    def _add(self, rule: Rule, phrase: list[str], canonical_from: int) -> None:
        permission = self.permissions.setdefault(phrase[0], rule.command.permission)
        if permission != rule.command.permission:
            raise ValueError(f"first word '{phrase[0]}' stands for two permissions")
        node = self.root
        node.reach(rule.command)
        for place, word in enumerate(phrase):
            if place >= canonical_from and word not in node.canonical:
                node.canonical.append(word)
            node = node.following.setdefault(word, Node())
            node.reach(rule.command)
        if node.rule not in (None, rule):
            raise ValueError(f"phrase '{' '.join(phrase)}' has two meanings")
        node.rule = rule
        self.words.update(phrase)

    def _refuse_ambiguous(self, node: Node) -> None:
        if node.rule and node.following and node.rule.places:
            raise ValueError(
                f"'{node.rule.command.name}' has arguments and its phrase goes on"
            )
        for child in node.following.values():
            self._refuse_ambiguous(child)
