"""A lark LALR(1) parser of the same language, made from the same table.

Used by tests/bench/parser.py to compare with. It only says which row a sentence is of, and
builds its tree of words: what our parser does beyond that (reading values and their bounds,
their order, what is missing) is left out in favour of the generated one.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterator, List

from lark import Lark, Tree

from kiro_swarm.commands.grammar import Node, Rule
from kiro_swarm.commands.parser import PARSER
from kiro_swarm.commands.table import COMMANDS, FILLERS

#: A word ends at a space or with the sentence.
_END = "(?![^ ])"


def row_of() -> Callable[[str], str]:
    """A function: sentence -> name of its row; raises lark's errors for other texts."""
    lark = Lark(grammar(), parser="lalr", lexer="contextual", maybe_placeholders=False)
    names = {f"rest_{index}": command.name for index, command in enumerate(COMMANDS)}

    def read(text: str) -> str:
        rest = lark.parse(text).children[-1]
        return names[rest.data] if isinstance(rest, Tree) else ""

    return read


def grammar() -> str:
    """The table as a grammar of lark."""
    terminals: Dict[str, str] = {
        "FILLER": _words(FILLERS),
        "NAMED": r'/[a-z]+=("(\\.|[^"\\])*"|[^ "]*)' + f"{_END}/i",
        "TEXT": rf'/"(\\.|[^"\\])*"{_END}/',
        "VALUE": '/[^ "]+/',
    }
    rules: List[str] = []
    numbers: Dict[int, int] = {}
    _node(PARSER.grammar.root, terminals, rules, numbers)
    lines = [f"start: {_name(PARSER.grammar.root, numbers)}", *rules]
    lines += _rests(terminals)
    for name, pattern in terminals.items():
        priority = {"VALUE": 0, "NAMED": 1, "TEXT": 1}.get(name, 2)
        lines.append(f"{name}.{priority}: {pattern}")
    return "\n".join([*lines, "%ignore / +/", ""])


def _name(node: Node, numbers: Dict[int, int]) -> str:
    return f"_node_{numbers.setdefault(id(node), len(numbers))}"


def _node(
    node: Node, terminals: Dict[str, str], rules: List[str], numbers: Dict[int, int]
) -> None:
    """A rule for each place between fixed words: which word leads where."""
    name = _name(node, numbers)
    ways = []
    if node.following and node is not PARSER.grammar.root:
        ways.append(f"FILLER {name}")
    for word, after in node.following.items():
        terminal = "W_" + re.sub("[^A-Z]", "_", word.upper())
        terminals[terminal] = _words([word])
        ways.append(f"{terminal} {_name(after, numbers)}")
        _node(after, terminals, rules, numbers)
    if node.rule is not None:
        ways.append(f"rest_{COMMANDS.index(node.rule.command)}")
    rules.append(f"{name}: {' | '.join(ways)}")


def _rests(terminals: Dict[str, str]) -> Iterator[str]:
    """A rule for each row: what may stand after its fixed words, in any order."""
    for index, command in enumerate(COMMANDS):
        rule = Rule(command)
        items = ["C_" + str(index)]
        terminals[items[0]] = _words([*rule.connectors, *rule.introduced])
        for modifier in command.modifiers:
            terminal = "M_" + modifier.name.upper().replace("-", "_")
            terminals[terminal] = _words([modifier.name, *modifier.synonyms])
            items.append(terminal)
        if rule.keys:
            items.append("NAMED")
        if command.arguments or rule.introduced:
            items += ["TEXT", "VALUE"]
        yield f"rest_{index}: ({' | '.join(items)})*"


def _words(words: object) -> str:
    """A terminal for any of these words; hyphens may be spaces."""
    assert isinstance(words, (list, frozenset))
    spelled = sorted((re.escape(str(word)) for word in words), key=len, reverse=True)
    return f"/({'|'.join(spelled)}){_END}/i".replace("\\-", "(-| +)")
