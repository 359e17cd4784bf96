"""What holds for every text: no crash, nothing invented, formatting is stable."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from kiro_swarm.commands.action import Action
from kiro_swarm.commands.errors import SentenceError
from kiro_swarm.commands.formatter import format_action
from kiro_swarm.commands.lexer import scan, split
from kiro_swarm.commands.parser import Parser
from kiro_swarm.commands.table import (
    COMMANDS,
    CONNECTORS,
    FILLERS,
    VERB_SYNONYMS,
    Argument,
    Command,
    Modifier,
)

SAY = Command(
    verb="say",
    noun="words",
    permission="say",
    help="A command with everything.",
    examples=("say words hello",),
    arguments=(
        Argument("first", "text", "A text.", maximum=4000),
        Argument("second", "text", "A text.", maximum=4000, optional=True),
        Argument("third", "text", "A text.", maximum=4000, optional=True),
    ),
    modifiers=(Modifier("very-loud", "Loud."), Modifier("very-clear", "Clear.")),
    parameters=(
        Argument("to", "text", "Whom.", maximum=4000),
        Argument("times", "integer", "How often.", maximum=9),
    ),
)
EVERYTHING = Parser((*COMMANDS, SAY))

VOCABULARY = sorted(
    EVERYTHING.grammar.words | FILLERS | CONNECTORS | set(VERB_SYNONYMS) | {"2.1", "3"}
)
PIECES = st.one_of(
    st.sampled_from([*VOCABULARY, "demo-1", "id=2.1", "times=3", 'to="a b"', '"']),
    st.text(max_size=8),
)
PRINTABLE = st.text(
    st.characters(codec="utf-8").filter(str.isprintable) | st.sampled_from(' "\\=-'),
    max_size=30,
)


def outcome_of(text: str) -> Action | SentenceError:
    try:
        return EVERYTHING.parse(text)
    except SentenceError as error:
        return error


@given(st.lists(PIECES, max_size=8).map(" ".join) | st.text())
@example('run task "')
@example('run task "\\')
@example('say words ="x"')
@example("approve all")
@example("scale")
@example("run task")
def test_any_text_gives_an_action_or_an_error_that_helps(text: str) -> None:
    outcome = outcome_of(text)
    if isinstance(outcome, SentenceError):
        assert 1 <= outcome.position <= len(text) + 2
        assert outcome.message
        for suggestion in outcome.suggestions:
            nearest = EVERYTHING.parse(suggestion)
            assert nearest.normalized == suggestion
            assert not nearest.command.destructive
            # Only values that were written, never one of an example.
            for value in (*nearest.arguments.values(), *nearest.parameters.values()):
                assert not isinstance(value, str) or value in text
            digits = re.findall(r"(?<!\S)\d+(?!\S)", text)
            assert not set(re.findall(r"(?<!\S)\d+(?!\S)", suggestion)) - set(digits)
    else:
        assert EVERYTHING.parse(format_action(outcome)) == outcome
        assert EVERYTHING.parse(outcome.normalized).normalized == outcome.normalized


@given(
    first=PRINTABLE,
    second=st.none() | PRINTABLE,
    third=st.none() | PRINTABLE,
    to=st.none() | PRINTABLE,
    modifiers=st.sets(st.sampled_from(["very-loud", "very-clear"])),
)
def test_every_value_survives_its_canonical_sentence(
    first: str,
    second: str | None,
    third: str | None,
    to: str | None,
    modifiers: set[str],
) -> None:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    wanted = {"first": first, "second": second, "third": third}
    arguments = {name: value for name, value in wanted.items() if value is not None}
    words = ["say", "words", *modifiers]
    words += [f"{name}={quoted(value)}" for name, value in arguments.items()]
    if to is not None:
        words.append(f"to={quoted(to)}")
    action = EVERYTHING.parse(" ".join(words))
    assert action.arguments == arguments
    assert action.parameters == ({} if to is None else {"to": to})
    assert set(action.modifiers) == modifiers
    assert EVERYTHING.parse(action.normalized) == action


@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6).map(" ".join))
def test_words_with_columns_are_the_words(text: str) -> None:
    found = list(scan(text))
    assert [word for word, _ in found] == split(text)
    assert all(text.startswith(word, column - 1) for word, column in found)


@given(st.lists(PIECES | st.sampled_from(['"a b"', 'x="', "\\"]), max_size=6))
def test_words_in_quotes_are_read_the_same_in_both_ways(pieces: list[str]) -> None:
    for text in (" ".join(pieces), "".join(pieces)):
        try:
            words = split(text)
        except SentenceError:
            continue
        assert [word for word, _ in scan(text)] == words


@given(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=5).map(" ".join))
def test_the_first_word_alone_tells_the_permission(text: str) -> None:
    outcome = outcome_of(text)
    if isinstance(outcome, Action):
        permissions = EVERYTHING.grammar.permissions
        assert permissions[text.split()[0]] == outcome.permission
