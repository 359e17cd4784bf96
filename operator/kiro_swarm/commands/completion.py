"""What may follow the words that somebody has typed. Pure.

Called by the shell completion of ``kubectl swarm`` and ``kiro-swarm``. Live names
(tasks, instances, ...) are not known here: a candidate then says of what kind they are,
and the caller puts the names in its place.
"""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Sequence

from kiro_swarm.commands.errors import any_of
from kiro_swarm.commands.grammar import Node, Rule, fold
from kiro_swarm.commands.parser import PARSER
from kiro_swarm.commands.table import Argument, Command

#: Kinds of arguments whose values are names that live in a cluster.
LIVE_KINDS = frozenset({"branch", "command", "instance", "task"})


class Candidate(NamedTuple):
    """One way to go on: a word, or the kind of live name that is wanted.

    ``kind`` is "task", "instance", "command", "branch", or "" where ``text`` is a word.
    A text that ends with ``=`` wants its value without a space.
    """

    text: str
    help: str
    kind: str = ""


def complete(words: Sequence[str], fragment: str) -> list[Candidate]:
    """What may stand in the place of ``fragment`` after these whole words.

    ``words`` are as the shell gives them, without quotes. Words that begin with the
    fragment, and every live kind, for the caller knows the names. Nothing where the
    words are no beginning of a sentence. Synonyms only where nothing else fits.
    """
    node = PARSER.grammar.root
    index = 0
    for word in words:
        following = node.other_spelling(word, first=index == 0)
        if following is None:
            break
        node = following
        index += 1
    found: List[Candidate] = []
    if index == len(words):
        found += _fixed(node, fold(fragment))
    if node.rule is not None:
        rest = _rest(node.rule, words, index)
        found += [item for item in rest if item.kind or _begins(item.text, fragment)]
    return found


def _fixed(node: Node, fragment: str) -> list[Candidate]:
    """The fixed words that begin so; synonyms only where no other word does."""
    known = [word for word in node.canonical if word.startswith(fragment)]
    if not known and (fragment or not (node.canonical or node.rule)):
        known = [word for word in node.following if word.startswith(fragment)]
    return [Candidate(word, _meaning(node.following[word])) for word in known]


def _meaning(node: Node) -> str:
    """Of a fixed word: the help of its only command, or what may follow it."""
    commands = node.commands
    if len(commands) > 1 and node.canonical:
        return any_of(node.canonical)
    return _help(commands[0])


def _help(command: Command) -> str:
    return command.help if command.available else f"(not available) {command.help}"


def _begins(text: str, fragment: str) -> bool:
    return text.startswith(fold(fragment))


def _rest(rule: Rule, words: Sequence[str], index: int) -> Iterator[Candidate]:
    """What may follow a command's fixed words and the values and modifiers so far."""
    # As if the word came that tells whether the first argument is left out.
    places = rule.expected([*words, rule.leading], index) if rule.leading else None
    pending = [item for _, _, item in places or rule.places]
    given: set[str] = set()
    introduced: Optional[Argument] = None
    while index < len(words):
        word = words[index]
        width = 1
        meaning = rule.words.get(fold(word))
        if meaning == "":
            after = [*words, ""]
            meaning, width = rule.resolve(fold(word), after, index, bool(pending))
        key = word.partition("=")[0]
        if meaning:
            given.add(meaning)
        elif meaning == "":
            _, _, introduced = rule.introduced.get(fold(word), (None, None, introduced))
        elif "=" in word and key in rule.keys:
            given.add(key)
        elif introduced or pending:
            given.add((introduced or pending[0]).name)
            introduced = None
        else:
            return
        pending = [item for item in pending if item.name not in given]
        index += width
    if introduced:
        yield from _values(introduced)
    elif pending:
        yield from _values(pending[0], pending[0].after)
    else:
        yield from _options(rule.command, given)


def _values(argument: Argument, word: str = "") -> Iterator[Candidate]:
    """The word that stands before an argument, or what the argument may be."""
    if word:
        yield Candidate(word, argument.help)
    elif argument.kind in LIVE_KINDS:
        yield Candidate("", argument.help, argument.kind)
    else:
        yield from (Candidate(choice, argument.help) for choice in argument.choices)


def _options(command: Command, given: set[str]) -> Iterator[Candidate]:
    """What may still be said after everything that must be said."""
    for modifier in command.modifiers:
        if modifier.name not in given:
            yield Candidate(modifier.name, modifier.help)
    for argument in command.arguments:
        if argument.after and argument.name not in given:
            yield Candidate(argument.after, argument.help)
    for parameter in command.parameters:
        if parameter.name not in given:
            yield Candidate(f"{parameter.name}=", parameter.help)
